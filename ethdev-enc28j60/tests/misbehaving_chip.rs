//! Absent and misbehaving chips, and buses that fail: typed errors, bounded calls, no invented
//! frames, traffic afterwards.

#[path = "misbehaving_chip/asynch.rs"]
mod asynch;
#[path = "misbehaving_chip/spi.rs"]
mod spi;

use core::cell::RefCell;
use core::time::Duration;

use enc28j60_model::{ChipConfig, Enc28j60Chip, MisoFault, Revision, SimSpi, SpiFault};
use ethdev::{Control, Error as _, ErrorKind, EthernetDevice, Interest, MacAddress, Rearm, Speed};
use ethdev_enc28j60::{Config, Enc28j60, Error};
use ethdev_sim::{Clock, Peer, SimDelay, Wire, WireConfig};
use spi::{Failed, FaultInjector, FaultyChip, Host};

const MAC: MacAddress = MacAddress::new([0x02, 0, 0, 0, 0, 0x28]);

/// Most transactions of one call. A chip that reports 255 packets is read for each of them.
const MOST_TRANSACTIONS: u64 = 4000;
/// Longest wait of one call, on the clock of the bus.
const LONGEST: Duration = Duration::from_millis(50);

/// The model of the chip and the link peer.
struct Testbed {
    clock: Clock,
    chip: Enc28j60Chip,
    peer: Peer,
    _wire: Wire,
}

type Nic = Enc28j60<SimSpi, SimDelay>;

fn testbed(seed: u64) -> Testbed {
    let clock = Clock::new();
    let (wire, port, peer) = Wire::new(&clock, WireConfig::default().with_speed(Speed::MBPS_10));
    Testbed {
        chip: Enc28j60Chip::new(&clock, port, ChipConfig::new(Revision::B7).with_seed(seed)),
        peer: Peer::new(peer),
        clock,
        _wire: wire,
    }
}

impl Testbed {
    fn start(&self) -> Result<Nic, Error<SpiFault>> {
        Nic::new(self.chip.spi_device(), self.chip.delay(), Config::new(MAC))
    }

    /// Makes one call and checks its bounds.
    fn bounded<T>(&self, what: &str, call: impl FnOnce() -> T) -> T {
        let (transactions, began) = (self.chip.bus().transactions, self.clock.now());
        let answer = call();
        let transactions = self.chip.bus().transactions - transactions;
        assert!(transactions <= MOST_TRANSACTIONS, "{what}: {transactions} transactions");
        let took = self.clock.now() - began;
        assert!(took <= LONGEST, "{what}: {took:?}");
        answer
    }

    /// Calls each function of the driver once. Returns the kinds of the errors.
    fn call_everything(&self, nic: &mut Nic, buf: &mut [u8]) -> Vec<ErrorKind> {
        let mut kinds = Vec::new();
        let mut note = |result: Result<(), ErrorKind>| kinds.extend(result.err());
        note(self.bounded("recv_frame", || nic.recv_frame(buf).map(drop).map_err(|e| e.kind())));
        note(self.bounded("discard_frame", || nic.discard_frame().map(drop).map_err(|e| e.kind())));
        note(self.bounded("tx_ready", || nic.tx_ready().map(drop).map_err(|e| e.kind())));
        note(self.bounded("send_frame", || nic.send_frame(&frame(200, 9)).map_err(|e| e.kind())));
        note(self.bounded("service", || nic.service().map(drop).map_err(|e| e.kind())));
        note(self.bounded("rearm", || nic.rearm(Interest::ALL).map(drop).map_err(|e| e.kind())));
        note(self.bounded("disarm", || nic.disarm().map_err(|e| e.kind())));
        kinds
    }

    /// Lets the driver recover, then transfers a frame each way.
    fn works(&self, nic: &mut Nic, what: &str) {
        let mut buf = [0; 1514];
        for _ in 0..50 {
            if nic.service().is_ok() && nic.link().is_up() {
                break;
            }
            self.clock.advance(Duration::from_millis(2));
        }
        while let Ok(Some(_)) = nic.recv_frame(&mut buf) {}
        while self.peer.recv().is_some() {}
        let there = frame(333, 77);
        self.peer.send(&there);
        self.clock.advance(Duration::from_millis(2));
        let received = nic.recv_frame(&mut buf).unwrap_or_else(|e| panic!("{what}: {e}"));
        assert_eq!(received.map(|meta| meta.len), Some(333), "{what}: nothing received");
        assert_eq!(buf[..333], there, "{what}");
        let back = frame(444, 78);
        nic.send_frame(&back).unwrap_or_else(|e| panic!("{what}: {e}"));
        // Erratum 13 may take it from the wire; the driver sends it again.
        for _ in 0..100 {
            self.clock.advance(Duration::from_millis(1));
            nic.service().unwrap_or_else(|e| panic!("{what}: {e}"));
            if let Some(frame) = self.peer.recv() {
                return assert_eq!(frame, back, "{what}");
            }
        }
        panic!("{what}: nothing sent");
    }
}

fn frame(len: usize, n: u8) -> Vec<u8> {
    let mut frame = MAC.octets().to_vec();
    frame.extend([0x02, 0, 0, 0, 0, 0x01, 0x88, 0xb5, n]);
    frame.extend((15..len).map(|at| (at as u8).wrapping_mul(7) ^ n));
    frame
}

#[test]
fn new_absent_chip_is_not_responding() {
    for stuck in [0x00, 0xff] {
        let testbed = testbed(0);
        testbed.chip.set_miso(MisoFault::Stuck(stuck));
        let error = testbed
            .bounded("new", || testbed.start())
            .expect_err("there is no chip");
        assert_eq!(error, Error::NotResponding { read: stuck });
        assert_eq!(error.kind(), ErrorKind::NotPresent);
    }
}

#[test]
fn new_constant_miso_is_typed_error() {
    for stuck in 1..0xff {
        let testbed = testbed(0);
        testbed.chip.set_miso(MisoFault::Stuck(stuck));
        let error = testbed
            .bounded("new", || testbed.start())
            .expect_err("there is no chip");
        let kind = error.kind();
        assert!(
            matches!(kind, ErrorKind::NotPresent | ErrorKind::Timeout | ErrorKind::Bus),
            "{stuck:#x}: {error}"
        );
    }
}

#[test]
fn new_random_miso_is_typed_error() {
    for seed in 0..200 {
        let testbed = testbed(seed);
        testbed.chip.set_miso(MisoFault::Random);
        let error = testbed
            .bounded("new", || testbed.start())
            .expect_err("there is no chip");
        let kind = error.kind();
        assert!(
            matches!(kind, ErrorKind::NotPresent | ErrorKind::Timeout | ErrorKind::Bus),
            "seed {seed}: {error}"
        );
    }
}

#[test]
fn recover_chip_disconnected_then_reconnected_works() {
    for miso in [MisoFault::Stuck(0x00), MisoFault::Stuck(0xff), MisoFault::Random] {
        for seed in 0..20 {
            let what = format!("{miso:?} seed {seed}");
            let testbed = testbed(seed);
            let mut nic = testbed.start().expect("a chip");
            testbed.works(&mut nic, &what);
            testbed.chip.set_miso(miso);
            let mut failed = 0;
            for _ in 0..40 {
                failed += testbed.call_everything(&mut nic, &mut [0; 1514]).len();
                testbed.clock.advance(Duration::from_millis(1));
            }
            assert!(failed > 0, "{what}: no error reported");
            assert!(testbed.bounded("recover", || nic.recover()).is_err(), "{what}");
            testbed.chip.set_miso(MisoFault::Connected);
            testbed
                .bounded("recover", || nic.recover())
                .unwrap_or_else(|e| panic!("{what}: {e}"));
            testbed.works(&mut nic, &what);
        }
    }
}

#[test]
fn recv_frame_frozen_packet_count_delivers_once() {
    for stuck in [0, 1, 2, 254, 255] {
        for frames in 0..4 {
            let what = format!("EPKTCNT {stuck}, {frames} frames");
            let testbed = testbed(u64::from(stuck));
            let mut nic = testbed.start().expect("a chip");
            testbed.works(&mut nic, &what);
            testbed.chip.freeze_packet_count(Some(stuck));
            let mut delivered = Vec::new();
            for n in 0..frames {
                testbed.peer.send(&frame(100, n));
            }
            testbed.clock.advance(Duration::from_millis(2));
            let mut buf = [0; 1514];
            for _ in 0..40 {
                if let Ok(Some(meta)) = testbed.bounded("recv_frame", || nic.recv_frame(&mut buf)) {
                    delivered.push(buf[..meta.len].to_vec());
                }
                testbed.call_everything(&mut nic, &mut buf);
                testbed.clock.advance(Duration::from_millis(1));
            }
            // In order, and each at most once.
            let numbers: Vec<_> = delivered.iter().map(|frame| frame[14]).collect();
            assert!(numbers.is_sorted_by(|a, b| a < b), "{what}: {numbers:?}");
            for got in &delivered {
                assert_eq!(*got, frame(100, got[14]), "{what}");
            }
            testbed.chip.freeze_packet_count(None);
            nic.recover().unwrap_or_else(|e| panic!("{what}: {e}"));
            testbed.works(&mut nic, &what);
        }
    }
}

/// Starts the driver and transfers three frames in and two out, on a bus that fails once, at its
/// `n`-th byte. Returns whether it got that far.
fn fail_at(n: u64) -> bool {
    let what = format!("byte {n}");
    let testbed = testbed(5);
    let mut failures = 0;
    let mut failed = |error: &Error<SpiFault>| {
        assert!(matches!(error, Error::Spi(SpiFault::AtByte(_))), "byte {n}: {error}");
        assert_eq!(error.kind(), ErrorKind::Bus);
        failures += 1;
        assert!(failures < 2, "byte {n}: reported twice");
    };
    testbed.chip.fail_bus_at(n);
    let mut nic = match testbed.bounded("new", || testbed.start()) {
        Ok(nic) => nic,
        Err(e) => {
            failed(&e);
            testbed.start().expect("it fails once")
        }
    };
    testbed.clock.advance(Duration::from_millis(25));
    for _ in 0..4 {
        if let Err(e) = testbed.bounded("service", || nic.service()) {
            failed(&e);
        }
    }
    assert!(nic.link().is_up(), "{what}");
    let mut buf = [0; 1514];
    let (mut delivered, mut sent) = (Vec::new(), 0);
    for number in 0..3 {
        testbed.peer.send(&frame(90 + usize::from(number), number));
    }
    for number in 10..12 {
        match testbed.bounded("send", || nic.send_frame(&frame(80, number))) {
            Ok(()) => sent += 1,
            Err(e) => failed(&e),
        }
    }
    for _ in 0..60 {
        testbed.clock.advance(Duration::from_millis(1));
        match testbed.bounded("recv", || nic.recv_frame(&mut buf)) {
            Ok(Some(meta)) => delivered.push(buf[..meta.len].to_vec()),
            Ok(None) => {}
            Err(e) => failed(&e),
        }
        if let Err(e) = testbed.bounded("service", || nic.service()) {
            failed(&e);
        }
    }
    let numbers: Vec<_> = delivered.iter().map(|frame| frame[14]).collect();
    assert!(numbers.is_sorted_by(|a, b| a < b), "{what}: {numbers:?}");
    for got in &delivered {
        assert_eq!(*got, frame(90 + usize::from(got[14]), got[14]), "{what}");
    }
    let stats = nic.stats();
    assert_eq!(stats.rx_frames as usize, delivered.len(), "{what}");
    assert_eq!(stats.rx_frames + stats.rx_lost(), 3, "{what}: {stats:?}");
    // A frame whose call failed may have been sent; that is unknown.
    assert_eq!(stats.tx_frames + stats.tx_lost(), sent, "{what}: {stats:?}");
    testbed.works(&mut nic, &what);
    failures > 0
}

#[test]
fn driver_bus_error_at_nth_byte_is_reported_once() {
    let mut n = 0;
    while fail_at(n) {
        n += 1;
    }
    println!("{n} bytes");
    assert!(n > 1000, "starting alone takes more: {n}");
}

/// Corrupts registers and memory with a probability.
struct Rng {
    state: u64,
    register: u64,
    memory: u64,
    failure: u64,
}

impl Rng {
    fn next(&mut self) -> u64 {
        // splitmix64
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// With a probability of `n` in 1024.
    fn chance(&mut self, n: u64) -> bool {
        self.next() % 1024 < n
    }
}

impl FaultInjector for Rng {
    fn register(&mut self, value: u8) -> u8 {
        if self.chance(self.register) {
            self.next() as u8
        } else {
            value
        }
    }

    fn memory(&mut self, value: u8) -> u8 {
        if self.chance(self.memory) {
            self.next() as u8
        } else {
            value
        }
    }

    fn fails(&mut self) -> bool {
        self.chance(self.failure)
    }
}

/// Calls the driver of a faulty chip, and counts the errors.
fn run(seed: u64, rng: Rng, frames: usize) -> u32 {
    let (register, memory, failure) = (rng.register, rng.memory, rng.failure);
    let fault_free = Rng {
        register: 0,
        memory: 0,
        failure: 0,
        ..rng
    };
    let chip = RefCell::new(FaultyChip::new(fault_free, MOST_TRANSACTIONS));
    let mut nic = Enc28j60::new(Host(&chip), Host(&chip), Config::new(MAC)).expect("no faults yet");
    let mut at = 0;
    for n in 0..frames {
        at = chip.borrow_mut().deliver(at, &frame(60 + n, n as u8));
    }
    {
        let injector = &mut chip.borrow_mut().injector;
        (injector.register, injector.memory, injector.failure) = (register, memory, failure);
    }
    let mut errors = 0;
    let mut buf = [0; 1600];
    for turn in 0..60 {
        let mut check = |result: Result<(), Error<Failed>>| {
            let waited = chip.borrow().waited_ns;
            assert!(
                u128::from(waited) <= LONGEST.as_nanos(),
                "seed {seed}: waited {waited} ns"
            );
            chip.borrow_mut().begin();
            if let Err(e) = result {
                let kind = e.kind();
                assert!(
                    matches!(
                        kind,
                        ErrorKind::Bus
                            | ErrorKind::Timeout
                            | ErrorKind::Fault
                            | ErrorKind::NotPresent
                            | ErrorKind::Busy
                            | ErrorKind::LinkDown
                            | ErrorKind::BufferTooSmall { .. }
                    ),
                    "seed {seed}: {e}"
                );
                errors += u32::from(!matches!(kind, ErrorKind::Busy | ErrorKind::LinkDown));
            }
        };
        let room = if turn % 5 == 0 { 100 } else { buf.len() };
        check(nic.recv_frame(&mut buf[..room]).map(|meta| {
            assert!(
                meta.is_none_or(|meta| (14..=1514).contains(&meta.len)),
                "seed {seed}: {meta:?}"
            );
        }));
        check(nic.send_frame(&frame(100, 0)));
        check(nic.service().map(drop));
        check(nic.rearm(Interest::ALL).map(drop));
        check(nic.discard_frame().map(drop));
        if turn % 10 == 9 {
            check(nic.recover());
        }
    }
    let injector = &mut chip.borrow_mut().injector;
    (injector.register, injector.memory, injector.failure) = (0, 0, 0);
    errors
}

#[test]
fn driver_no_faults_has_no_errors() {
    let rng = Rng {
        state: 0,
        register: 0,
        memory: 0,
        failure: 0,
    };
    assert_eq!(run(0, rng, 20), 0);
}

#[test]
fn recv_frame_random_memory_stays_in_bounds() {
    for seed in 0..200 {
        let memory = [8, 64, 1024][seed as usize % 3];
        run(
            seed,
            Rng {
                state: seed,
                register: 0,
                memory,
                failure: 0,
            },
            30,
        );
    }
}

#[test]
fn driver_random_registers_and_bus_errors_are_bounded() {
    let mut errors = 0;
    for seed in 0..300 {
        errors += run(
            seed,
            Rng {
                state: seed,
                register: [2, 30, 300, 1024][seed as usize % 4],
                memory: [0, 16, 1024][seed as usize % 3],
                failure: [0, 10, 200][seed as usize / 4 % 3],
            },
            40,
        );
    }
    assert!(errors > 0, "no error reported");
}

/// One transaction fails; everything else is right.
struct FailsAt(Option<usize>);

impl FaultInjector for FailsAt {
    fn register(&mut self, value: u8) -> u8 {
        value
    }

    fn memory(&mut self, value: u8) -> u8 {
        value
    }

    fn fails(&mut self) -> bool {
        let fails = self.0 == Some(0);
        self.0 = self.0.and_then(|left| left.checked_sub(1));
        fails
    }
}

#[test]
fn recv_frame_endless_header_chain_is_bounded() {
    // After a PKTDEC with unknown outcome, the driver counts the packets by following their
    // headers.
    for n in 0..12 {
        let chip = RefCell::new(FaultyChip::new(FailsAt(None), MOST_TRANSACTIONS));
        let mut nic = Enc28j60::new(Host(&chip), Host(&chip), Config::new(MAC)).expect("a chip");
        let mut at = 0;
        for number in 0..10 {
            // Ten of them, 512 bytes with their headers, fill the buffer: the last one's next is
            // the first.
            at = chip.borrow_mut().deliver(at, &frame(502, number));
        }
        assert_eq!(at, 0);
        // 255 packets, and a write pointer where no packet begins.
        chip.borrow_mut().poke(1, 0x19, 255);
        chip.borrow_mut().poke(0, 0x0e, 1);
        chip.borrow_mut().injector = FailsAt(Some(n));
        let mut failures = 0;
        for _ in 0..20 {
            chip.borrow_mut().begin();
            failures += u32::from(nic.recv_frame(&mut [0; 1514]).is_err());
        }
        assert_eq!(failures, 1, "transaction {n}");
    }
}
