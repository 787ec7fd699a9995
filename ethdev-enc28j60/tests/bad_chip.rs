//! Chips that are absent, mad or lying, and buses that fail: typed errors, each call bounded, nothing delivered that is not there, and traffic afterwards.

#[path = "bad_chip/asynch.rs"]
mod asynch;
#[path = "bad_chip/liar.rs"]
mod liar;

use core::cell::RefCell;
use core::time::Duration;

use enc28j60_model::{ChipConfig, Enc28j60Chip, MisoFault, Revision, SimSpi, SpiFault};
use ethdev::{Control, Error as _, ErrorKind, EthernetDevice, Interest, MacAddress, Rearm, Speed};
use ethdev_enc28j60::{Config, Enc28j60, Error};
use ethdev_sim::{Clock, Peer, SimDelay, Wire, WireConfig};
use liar::{Failed, Host, Liar, Oracle};

const MAC: MacAddress = MacAddress::new([0x02, 0, 0, 0, 0, 0x28]);

/// More transactions than this in one call are no bound. A chip that says it holds 255 packets is asked for each of them.
const MOST_TRANSACTIONS: u64 = 4000;
/// Most that one call waits, on the clock of the bus.
const LONGEST: Duration = Duration::from_millis(50);

/// The chip's model, its driver's host, and the far end.
struct Lab {
    clock: Clock,
    chip: Enc28j60Chip,
    peer: Peer,
    _wire: Wire,
}

type Nic = Enc28j60<SimSpi, SimDelay>;

fn lab(seed: u64) -> Lab {
    let clock = Clock::new();
    let (wire, port, peer) = Wire::new(&clock, WireConfig::default().with_speed(Speed::MBPS_10));
    Lab {
        chip: Enc28j60Chip::new(&clock, port, ChipConfig::new(Revision::B7).with_seed(seed)),
        peer: Peer::new(peer),
        clock,
        _wire: wire,
    }
}

impl Lab {
    fn start(&self) -> Result<Nic, Error<SpiFault>> {
        Nic::new(self.chip.spi_device(), self.chip.delay(), Config::new(MAC))
    }

    /// One call, with its bounds.
    fn bounded<T>(&self, what: &str, call: impl FnOnce() -> T) -> T {
        let (transactions, began) = (self.chip.bus().transactions, self.clock.now());
        let answer = call();
        let transactions = self.chip.bus().transactions - transactions;
        assert!(transactions <= MOST_TRANSACTIONS, "{what}: {transactions} transactions");
        let took = self.clock.now() - began;
        assert!(took <= LONGEST, "{what}: {took:?}");
        answer
    }

    /// Each function of the driver once; the kinds of the errors.
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

    /// Lets the driver come round, then a frame each way.
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
        assert_eq!(received.map(|meta| meta.len), Some(333), "{what}: deaf");
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
        panic!("{what}: dumb");
    }
}

fn frame(len: usize, n: u8) -> Vec<u8> {
    let mut frame = MAC.octets().to_vec();
    frame.extend([0x02, 0, 0, 0, 0, 0x01, 0x88, 0xb5, n]);
    frame.extend((15..len).map(|at| (at as u8).wrapping_mul(7) ^ n));
    frame
}

#[test]
fn an_absent_chip_is_told_at_once() {
    for stuck in [0x00, 0xff] {
        let lab = lab(0);
        lab.chip.set_miso(MisoFault::Stuck(stuck));
        let error = lab.bounded("new", || lab.start()).expect_err("there is no chip");
        assert_eq!(error, Error::NotResponding { read: stuck });
        assert_eq!(error.kind(), ErrorKind::NotPresent);
    }
}

#[test]
fn any_other_constant_is_a_typed_error() {
    for stuck in 1..0xff {
        let lab = lab(0);
        lab.chip.set_miso(MisoFault::Stuck(stuck));
        let error = lab.bounded("new", || lab.start()).expect_err("there is no chip");
        let kind = error.kind();
        assert!(
            matches!(kind, ErrorKind::NotPresent | ErrorKind::Timeout | ErrorKind::Bus),
            "{stuck:#x}: {error}"
        );
    }
}

#[test]
fn noise_is_no_chip() {
    for seed in 0..200 {
        let lab = lab(seed);
        lab.chip.set_miso(MisoFault::Random);
        let error = lab.bounded("new", || lab.start()).expect_err("there is no chip");
        let kind = error.kind();
        assert!(
            matches!(kind, ErrorKind::NotPresent | ErrorKind::Timeout | ErrorKind::Bus),
            "seed {seed}: {error}"
        );
    }
}

#[test]
fn a_chip_that_goes_away_and_comes_back() {
    for miso in [MisoFault::Stuck(0x00), MisoFault::Stuck(0xff), MisoFault::Random] {
        for seed in 0..20 {
            let what = format!("{miso:?} seed {seed}");
            let lab = lab(seed);
            let mut nic = lab.start().expect("a chip");
            lab.works(&mut nic, &what);
            lab.chip.set_miso(miso);
            let mut failed = 0;
            for _ in 0..40 {
                failed += lab.call_everything(&mut nic, &mut [0; 1514]).len();
                lab.clock.advance(Duration::from_millis(1));
            }
            assert!(failed > 0, "{what}: nobody noticed");
            assert!(lab.bounded("recover", || nic.recover()).is_err(), "{what}");
            lab.chip.set_miso(MisoFault::Connected);
            lab.bounded("recover", || nic.recover())
                .unwrap_or_else(|e| panic!("{what}: {e}"));
            lab.works(&mut nic, &what);
        }
    }
}

#[test]
fn a_stuck_packet_count() {
    for stuck in [0, 1, 2, 254, 255] {
        for frames in 0..4 {
            let what = format!("EPKTCNT {stuck}, {frames} frames");
            let lab = lab(u64::from(stuck));
            let mut nic = lab.start().expect("a chip");
            lab.works(&mut nic, &what);
            lab.chip.freeze_packet_count(Some(stuck));
            let mut delivered = Vec::new();
            for n in 0..frames {
                lab.peer.send(&frame(100, n));
            }
            lab.clock.advance(Duration::from_millis(2));
            let mut buf = [0; 1514];
            for _ in 0..40 {
                if let Ok(Some(meta)) = lab.bounded("recv_frame", || nic.recv_frame(&mut buf)) {
                    delivered.push(buf[..meta.len].to_vec());
                }
                lab.call_everything(&mut nic, &mut buf);
                lab.clock.advance(Duration::from_millis(1));
            }
            // In order, and each at most once.
            let numbers: Vec<_> = delivered.iter().map(|frame| frame[14]).collect();
            assert!(numbers.is_sorted_by(|a, b| a < b), "{what}: {numbers:?}");
            for got in &delivered {
                assert_eq!(*got, frame(100, got[14]), "{what}");
            }
            lab.chip.freeze_packet_count(None);
            nic.recover().unwrap_or_else(|e| panic!("{what}: {e}"));
            lab.works(&mut nic, &what);
        }
    }
}

/// Starts the driver and moves three frames in and two out, on a bus that fails once, at its `n`-th byte. Whether it got that far.
fn fail_at(n: u64) -> bool {
    let what = format!("byte {n}");
    let lab = lab(5);
    let mut failures = 0;
    let mut failed = |error: &Error<SpiFault>| {
        assert!(matches!(error, Error::Spi(SpiFault::AtByte(_))), "byte {n}: {error}");
        assert_eq!(error.kind(), ErrorKind::Bus);
        failures += 1;
        assert!(failures < 2, "byte {n}: told twice");
    };
    lab.chip.fail_bus_at(n);
    let mut nic = match lab.bounded("new", || lab.start()) {
        Ok(nic) => nic,
        Err(e) => {
            failed(&e);
            lab.start().expect("it fails once")
        }
    };
    lab.clock.advance(Duration::from_millis(25));
    for _ in 0..4 {
        if let Err(e) = lab.bounded("service", || nic.service()) {
            failed(&e);
        }
    }
    assert!(nic.link().is_up(), "{what}");
    let mut buf = [0; 1514];
    let (mut delivered, mut sent) = (Vec::new(), 0);
    for number in 0..3 {
        lab.peer.send(&frame(90 + usize::from(number), number));
    }
    for number in 10..12 {
        match lab.bounded("send", || nic.send_frame(&frame(80, number))) {
            Ok(()) => sent += 1,
            Err(e) => failed(&e),
        }
    }
    for _ in 0..60 {
        lab.clock.advance(Duration::from_millis(1));
        match lab.bounded("recv", || nic.recv_frame(&mut buf)) {
            Ok(Some(meta)) => delivered.push(buf[..meta.len].to_vec()),
            Ok(None) => {}
            Err(e) => failed(&e),
        }
        if let Err(e) = lab.bounded("service", || nic.service()) {
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
    // One that was refused may have gone out: whether it did is what nobody knows.
    assert_eq!(stats.tx_frames + stats.tx_lost(), sent, "{what}: {stats:?}");
    lab.works(&mut nic, &what);
    failures > 0
}

#[test]
fn a_bus_that_fails_at_the_nth_byte() {
    let mut n = 0;
    while fail_at(n) {
        n += 1;
    }
    println!("{n} bytes");
    assert!(n > 1000, "starting alone takes more: {n}");
}

/// Lies with a probability, in registers and in memory.
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

impl Oracle for Rng {
    fn register(&mut self, truth: u8) -> u8 {
        if self.chance(self.register) {
            self.next() as u8
        } else {
            truth
        }
    }

    fn memory(&mut self, truth: u8) -> u8 {
        if self.chance(self.memory) {
            self.next() as u8
        } else {
            truth
        }
    }

    fn fails(&mut self) -> bool {
        self.chance(self.failure)
    }
}

/// Calls the driver of a liar, and counts the errors by who is to blame.
fn believe(seed: u64, rng: Rng, frames: usize) -> u32 {
    let (register, memory, failure) = (rng.register, rng.memory, rng.failure);
    let honest = Rng {
        register: 0,
        memory: 0,
        failure: 0,
        ..rng
    };
    let chip = RefCell::new(Liar::new(honest, MOST_TRANSACTIONS));
    let mut nic = Enc28j60::new(Host(&chip), Host(&chip), Config::new(MAC)).expect("honest so far");
    let mut at = 0;
    for n in 0..frames {
        at = chip.borrow_mut().deliver(at, &frame(60 + n, n as u8));
    }
    {
        let oracle = &mut chip.borrow_mut().oracle;
        (oracle.register, oracle.memory, oracle.failure) = (register, memory, failure);
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
            check(nic.recover().map_err(|e| match e {
                ethdev::ControlError::Device(e) => e,
                other => panic!("seed {seed}: {other}"),
            }));
        }
    }
    let oracle = &mut chip.borrow_mut().oracle;
    (oracle.register, oracle.memory, oracle.failure) = (0, 0, 0);
    errors
}

#[test]
fn an_honest_chip_is_believed() {
    let rng = Rng {
        state: 0,
        register: 0,
        memory: 0,
        failure: 0,
    };
    assert_eq!(believe(0, rng, 20), 0);
}

#[test]
fn headers_that_point_anywhere() {
    for seed in 0..200 {
        let memory = [8, 64, 1024][seed as usize % 3];
        believe(
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
fn registers_that_hold_anything_on_a_bus_that_fails() {
    let mut errors = 0;
    for seed in 0..300 {
        errors += believe(
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
    assert!(errors > 0, "nobody noticed");
}

/// Honest, with one transaction that fails.
struct FailsAt(Option<usize>);

impl Oracle for FailsAt {
    fn register(&mut self, truth: u8) -> u8 {
        truth
    }

    fn memory(&mut self, truth: u8) -> u8 {
        truth
    }

    fn fails(&mut self) -> bool {
        let fails = self.0 == Some(0);
        self.0 = self.0.and_then(|left| left.checked_sub(1));
        fails
    }
}

#[test]
fn a_chain_of_headers_without_an_end() {
    // After a PKTDEC of which nobody knows whether it was carried out, packets are counted by following their headers.
    for n in 0..12 {
        let chip = RefCell::new(Liar::new(FailsAt(None), MOST_TRANSACTIONS));
        let mut nic = Enc28j60::new(Host(&chip), Host(&chip), Config::new(MAC)).expect("a chip");
        let mut at = 0;
        for number in 0..10 {
            // Ten of them, 512 bytes with their headers, fill the buffer: the last one's next is the first.
            at = chip.borrow_mut().deliver(at, &frame(502, number));
        }
        assert_eq!(at, 0);
        // 255 packets, and a write pointer where no packet begins.
        chip.borrow_mut().poke(1, 0x19, 255);
        chip.borrow_mut().poke(0, 0x0e, 1);
        chip.borrow_mut().oracle = FailsAt(Some(n));
        let mut failures = 0;
        for _ in 0..20 {
            chip.borrow_mut().begin();
            failures += u32::from(nic.recv_frame(&mut [0; 1514]).is_err());
        }
        assert_eq!(failures, 1, "transaction {n}");
    }
}
