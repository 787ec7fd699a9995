//! Drivers that know nothing of the ENC28J60's model, unmodified from crates.io, on it: they guard it against being fitted to ethdev's own.
//!
//! Where they misuse the chip, the model says so; the kinds of misuse are listed here with their reasons, and compared exactly.

use core::cell::RefCell;
use core::task::Waker;
use core::time::Duration;
use std::collections::BTreeSet;

use embassy_time_driver::Driver;
use enc28j60_model::{ChipConfig, CsPin, Enc28j60Chip, Errata, Hal02, ResetPin, Revision, SimSpiBus, ViolationKind};
use ethdev::Speed;
use ethdev_sim::{Clock, Peer, Wire, WireConfig};

const MAC: [u8; 6] = [0x02, 0, 0, 0, 0, 0x28];

thread_local! {
    /// The clock that embassy-time shows in this thread.
    static CLOCK: RefCell<Option<Clock>> = const { RefCell::new(None) };
}

/// embassy-time on the virtual clock. A look at it takes a microsecond, so that a loop which waits for the time to pass comes to its end.
struct VirtualTime;

impl Driver for VirtualTime {
    fn now(&self) -> u64 {
        CLOCK.with_borrow(|clock| {
            let clock = clock.as_ref().expect("the test has set the clock");
            clock.advance(Duration::from_micros(1));
            u64::try_from(clock.now().as_nanos() * u128::from(embassy_time_driver::TICK_HZ) / 1_000_000_000)
                .expect("tests end within ages")
        })
    }

    fn schedule_wake(&self, _at: u64, _waker: &Waker) {
        unreachable!("the driver under test only ever blocks");
    }
}

embassy_time_driver::time_driver_impl!(static TIME: VirtualTime = VirtualTime);

struct Lab {
    clock: Clock,
    chip: Enc28j60Chip,
    peer: Peer,
}

/// A host whose software raises chip select: a microsecond after the last bit.
fn lab(config: ChipConfig) -> Lab {
    lab_with_hold(config, Duration::from_micros(1))
}

fn lab_with_hold(config: ChipConfig, hold: Duration) -> Lab {
    let clock = Clock::new();
    let (_, port, peer) = Wire::new(&clock, WireConfig::default().with_speed(Speed::MBPS_10));
    let config = config.with_cs_hold(hold);
    CLOCK.set(Some(clock.clone()));
    Lab {
        chip: Enc28j60Chip::new(&clock, port, config),
        peer: Peer::new(peer),
        clock,
    }
}

impl Lab {
    fn kinds(&self) -> BTreeSet<ViolationKind> {
        self.chip.violations().iter().map(|violation| violation.kind).collect()
    }

    /// The link takes its time to come up.
    fn settle(&self) {
        self.clock.advance(Duration::from_millis(25));
    }
}

fn frame(len: usize, n: u8) -> Vec<u8> {
    let mut frame = MAC.to_vec();
    frame.extend([0x02, 0, 0, 0, 0, 0x01, 0x08, 0x00]);
    frame.extend((14..len).map(|at| (at as u8).wrapping_mul(7) ^ n));
    frame
}

/// Lengths of test frames: all corners, and enough of them to go round the FIFO several times.
fn lengths() -> impl Iterator<Item = usize> {
    [60, 61, 64, 333, 1000, 1513, 1514].into_iter().cycle().take(40)
}

type Embassy = embassy_net_enc28j60::Enc28j60<enc28j60_model::SimSpi, ResetPin>;

fn embassy(lab: &Lab, reset_pin: bool) -> Embassy {
    let reset = reset_pin.then(|| lab.chip.reset_pin());
    let driver = Embassy::new(lab.chip.spi_device(), reset, MAC);
    lab.settle();
    driver
}

/// Both directions, one frame at a time; the numbers of frames sent and received.
fn exchange_with_embassy(lab: &Lab, driver: &mut Embassy) {
    assert!(driver.is_link_up());
    let mut buf = [0; 1514];
    for (n, len) in lengths().enumerate() {
        let there = frame(len, n as u8);
        lab.peer.send(&there);
        lab.clock.advance(Duration::from_millis(2));
        assert_eq!(driver.receive(&mut buf), Some(len), "frame {n}");
        assert_eq!(buf[..len], there);
        assert_eq!(driver.receive(&mut buf), None);

        let back = frame(len, !(n as u8));
        driver.transmit(&back);
        lab.clock.advance(Duration::from_millis(2));
        assert_eq!(lab.peer.recv(), Some(back), "frame {n}");
    }
}

#[test]
fn embassy_initialises_sends_and_receives() {
    for revision in Revision::ALL {
        for reset_pin in [false, true] {
            // Erratum 13 takes frames away, which this driver does not send again.
            let mut errata = Errata::of(revision);
            errata.e13_false_late_collision = false;
            let mut kinds = BTreeSet::new();
            for seed in 0..4 {
                let lab = lab(ChipConfig::new(revision).with_errata(errata).with_seed(seed));
                let mut driver = embassy(&lab, reset_pin);
                exchange_with_embassy(&lab, &mut driver);
                let truth = lab.chip.stats();
                assert_eq!((truth.received, truth.transmitted), (40, 40), "seed {seed}");
                kinds.extend(lab.kinds());
            }
            let known = [
                // It selects banks 1 and 2 by reading ECON1 and writing it back whole, while RXEN is set.
                ViolationKind::WholeWriteEcon1,
                // It never writes PHCON1: by erratum 16 the PHY comes up in full duplex now and then.
                ViolationKind::DuplexMismatch,
            ];
            assert_eq!(kinds, BTreeSet::from(known), "{revision:?}");
        }
    }
}

#[test]
fn embassy_drains_a_burst() {
    let lab = lab(ChipConfig::new(Revision::B7));
    let mut driver = embassy(&lab, false);
    let mut buf = [0; 1514];
    for round in 0..10_u8 {
        for n in 0..6 {
            lab.peer.send(&frame(900, round ^ n << 4));
        }
        lab.clock.advance(Duration::from_millis(10));
        for n in 0..6 {
            assert_eq!(driver.receive(&mut buf), Some(900));
            assert_eq!(buf[..900], frame(900, round ^ n << 4), "round {round}");
        }
        assert_eq!(driver.receive(&mut buf), None);
    }
    assert_eq!(lab.chip.stats().received, 60);
}

/// It resets a transmitter that hangs, and does not look back: what erratum 13 hit is gone, the rest arrives.
#[test]
fn embassy_goes_on_after_false_late_collisions() {
    let mut errata = Errata::of(Revision::B7);
    errata.odds.false_late_collision = 0.2;
    let lab = lab(ChipConfig::new(Revision::B7).with_errata(errata));
    let mut driver = embassy(&lab, false);
    for n in 0..60 {
        driver.transmit(&frame(200, n));
    }
    lab.clock.advance(Duration::from_millis(2));
    let truth = lab.chip.stats();
    assert!(truth.tx_aborted > 0 && truth.tx_stalled > 0, "{truth:?}");
    assert_eq!(truth.tx_started, 60);
    let mut next = 0;
    for _ in 0..truth.transmitted {
        let arrived = lab.peer.recv().expect("what was transmitted arrives");
        let n = arrived[14] ^ frame(15, 0)[14];
        assert!(n >= next, "{n} after {next}");
        assert_eq!(arrived, frame(200, n));
        next = n + 1;
    }
    assert_eq!(lab.peer.recv(), None);
}

/// What users of hosts with a fast chip select report: everything seems to work, and nothing ever arrives.
#[test]
fn embassy_is_deaf_where_chip_select_rises_at_once() {
    let lab = lab_with_hold(ChipConfig::new(Revision::B7), Duration::from_nanos(50));
    let mut driver = embassy(&lab, false);
    lab.peer.send(&frame(60, 0));
    lab.clock.advance(Duration::from_millis(2));
    assert_eq!(driver.receive(&mut [0; 1514]), None);
    assert_eq!(lab.chip.stats().deaf, 1);
    assert!(lab.kinds().contains(&ViolationKind::ShortHold));
}

type Japaric = enc28j60::Enc28j60<Hal02<SimSpiBus>, Hal02<CsPin>, enc28j60::Unconnected, enc28j60::Unconnected>;

fn japaric(lab: &Lab) -> Japaric {
    let (bus, select) = lab.chip.spi_bus();
    // The crate leaves the oscillator's start after power-on to its user.
    lab.clock.advance(Duration::from_millis(1));
    let driver = Japaric::new(
        Hal02(bus),
        Hal02(select),
        enc28j60::Unconnected,
        enc28j60::Unconnected,
        &mut Hal02(lab.clock.clone()),
        0x1a00,
        MAC,
    );
    lab.settle();
    driver.expect("the bus does not fail")
}

#[test]
fn the_enc28j60_crate_initialises_sends_and_receives() {
    for revision in Revision::ALL {
        let mut errata = Errata::of(revision);
        // It believes EIR.PKTIF, and waits for TXRTS without an end.
        errata.e6_packet_flag = false;
        errata.e13_false_late_collision = false;
        let mut kinds = BTreeSet::new();
        for seed in 0..4 {
            let lab = lab(ChipConfig::new(revision).with_errata(errata).with_seed(seed));
            let mut driver = japaric(&lab);
            let mut buf = [0; 1514];
            for (n, len) in lengths().enumerate() {
                let there = frame(len, n as u8);
                lab.peer.send(&there);
                assert_eq!(driver.receive(&mut buf), Ok(len as u16));
                assert_eq!(buf[..len], there, "frame {n}");
                assert_eq!(driver.pending_packets(), Ok(0));

                let back = frame(len, !(n as u8));
                driver.transmit(&back).expect("nothing collides");
                driver.flush().expect("nothing collides");
                assert_eq!(lab.peer.recv(), Some(back), "frame {n}");
            }
            let truth = lab.chip.stats();
            assert_eq!((truth.received, truth.transmitted), (40, 40));
            kinds.extend(lab.kinds());
        }
        let known = [
            // It selects banks 1 and 2 by reading ECON1 and writing it back whole, while RXEN is set.
            ViolationKind::WholeWriteEcon1,
            // It never writes PHCON1: by erratum 16 the PHY comes up in full duplex now and then.
            ViolationKind::DuplexMismatch,
        ];
        assert_eq!(kinds, BTreeSet::from(known), "{revision:?}");
    }
}
