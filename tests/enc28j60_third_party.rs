//! Published ENC28J60 drivers, unmodified, on the model of the chip: independent drivers, to which
//! the model is not adapted.
//!
//! The kinds of protocol violations that the model reports are compared exactly.

use core::time::Duration;
use std::collections::BTreeSet;

use enc28j60_model::{ChipConfig, CsPin, Enc28j60Chip, Errata, Hal02, ResetPin, Revision, SimSpiBus, ViolationKind};
use ethdev::Speed;
use ethdev_sim::{Clock, Peer, Wire, WireConfig, embassy_time};

const MAC: [u8; 6] = [0x02, 0, 0, 0, 0, 0x28];

struct Testbed {
    clock: Clock,
    chip: Enc28j60Chip,
    peer: Peer,
}

/// A host that raises chip select in software, 1 µs after the last bit.
fn testbed(config: ChipConfig) -> Testbed {
    testbed_with_hold(config, Duration::from_micros(1))
}

fn testbed_with_hold(config: ChipConfig, hold: Duration) -> Testbed {
    let clock = Clock::new();
    let (_, port, peer) = Wire::new(&clock, WireConfig::default().with_speed(Speed::MBPS_10));
    let config = config.with_cs_hold(hold);
    embassy_time::set_clock(&clock);
    Testbed {
        chip: Enc28j60Chip::new(&clock, port, config),
        peer: Peer::new(peer),
        clock,
    }
}

impl Testbed {
    fn kinds(&self) -> BTreeSet<ViolationKind> {
        self.chip.violations().iter().map(|violation| violation.kind).collect()
    }

    /// Waits for the link.
    fn wait_for_link(&self) {
        self.clock.advance(Duration::from_millis(25));
    }
}

fn frame(len: usize, n: u8) -> Vec<u8> {
    let mut frame = MAC.to_vec();
    frame.extend([0x02, 0, 0, 0, 0, 0x01, 0x08, 0x00]);
    frame.extend((14..len).map(|at| (at as u8).wrapping_mul(7) ^ n));
    frame
}

/// Lengths of test frames: corner cases, and enough frames to wrap the FIFO several times.
fn lengths() -> impl Iterator<Item = usize> {
    [60, 61, 64, 333, 1000, 1513, 1514].into_iter().cycle().take(40)
}

type Embassy = embassy_net_enc28j60::Enc28j60<enc28j60_model::SimSpi, ResetPin>;

fn embassy(testbed: &Testbed, reset_pin: bool) -> Embassy {
    let reset = reset_pin.then(|| testbed.chip.reset_pin());
    let driver = Embassy::new(testbed.chip.spi_device(), reset, MAC);
    testbed.wait_for_link();
    driver
}

/// Exchanges frames in both directions, one at a time.
fn exchange_with_embassy(testbed: &Testbed, driver: &mut Embassy) {
    assert!(driver.is_link_up());
    let mut buf = [0; 1514];
    for (n, len) in lengths().enumerate() {
        let there = frame(len, n as u8);
        testbed.peer.send(&there);
        testbed.clock.advance(Duration::from_millis(2));
        assert_eq!(driver.receive(&mut buf), Some(len), "frame {n}");
        assert_eq!(buf[..len], there);
        assert_eq!(driver.receive(&mut buf), None);

        let back = frame(len, !(n as u8));
        driver.transmit(&back);
        testbed.clock.advance(Duration::from_millis(2));
        assert_eq!(testbed.peer.recv(), Some(back), "frame {n}");
    }
}

#[test]
fn embassy_all_revisions_frames_exchanged() {
    for revision in Revision::ALL {
        for reset_pin in [false, true] {
            // Erratum 13 loses frames, which this driver does not retransmit.
            let mut errata = Errata::of(revision);
            errata.e13_false_late_collision = false;
            let mut kinds = BTreeSet::new();
            for seed in 0..4 {
                let testbed = testbed(ChipConfig::new(revision).with_errata(errata).with_seed(seed));
                let mut driver = embassy(&testbed, reset_pin);
                exchange_with_embassy(&testbed, &mut driver);
                let stats = testbed.chip.stats();
                assert_eq!((stats.received, stats.transmitted), (40, 40), "seed {seed}");
                kinds.extend(testbed.kinds());
            }
            // The driver does not write PHCON1: with erratum 16 the PHY sometimes starts in full
            // duplex.
            assert_eq!(kinds, BTreeSet::from([ViolationKind::DuplexMismatch]), "{revision:?}");
        }
    }
}

#[test]
fn embassy_burst_all_received() {
    let testbed = testbed(ChipConfig::new(Revision::B7));
    let mut driver = embassy(&testbed, false);
    let mut buf = [0; 1514];
    for round in 0..10_u8 {
        for n in 0..6 {
            testbed.peer.send(&frame(900, round ^ n << 4));
        }
        testbed.clock.advance(Duration::from_millis(10));
        for n in 0..6 {
            assert_eq!(driver.receive(&mut buf), Some(900));
            assert_eq!(buf[..900], frame(900, round ^ n << 4), "round {round}");
        }
        assert_eq!(driver.receive(&mut buf), None);
    }
    assert_eq!(testbed.chip.stats().received, 60);
}

/// The driver resets a stalled transmitter without a retransmission: frames hit by erratum 13 are
/// lost, the others arrive.
#[test]
fn embassy_false_late_collisions_continues() {
    let mut errata = Errata::of(Revision::B7);
    errata.probabilities.false_late_collision = 0.2;
    let testbed = testbed(ChipConfig::new(Revision::B7).with_errata(errata));
    let mut driver = embassy(&testbed, false);
    for n in 0..60 {
        driver.transmit(&frame(200, n));
    }
    testbed.clock.advance(Duration::from_millis(2));
    let stats = testbed.chip.stats();
    assert!(stats.tx_aborted > 0 && stats.tx_stalled > 0, "{stats:?}");
    assert_eq!(stats.tx_started, 60);
    let mut next = 0;
    for _ in 0..stats.transmitted {
        let arrived = testbed.peer.recv().expect("a transmitted frame arrives");
        let n = arrived[14] ^ frame(15, 0)[14];
        assert!(n >= next, "{n} after {next}");
        assert_eq!(arrived, frame(200, n));
        next = n + 1;
    }
    assert_eq!(testbed.peer.recv(), None);
}

/// On hosts that raise chip select early, users report that initialisation succeeds and no frame
/// arrives.
#[test]
fn embassy_short_chip_select_hold_receives_nothing() {
    let testbed = testbed_with_hold(ChipConfig::new(Revision::B7), Duration::from_nanos(50));
    let mut driver = embassy(&testbed, false);
    testbed.peer.send(&frame(60, 0));
    testbed.clock.advance(Duration::from_millis(2));
    assert_eq!(driver.receive(&mut [0; 1514]), None);
    assert_eq!(testbed.chip.stats().rx_disabled, 1);
    assert!(testbed.kinds().contains(&ViolationKind::ShortHold));
}

type Japaric = enc28j60::Enc28j60<Hal02<SimSpiBus>, Hal02<CsPin>, enc28j60::Unconnected, enc28j60::Unconnected>;

fn japaric(testbed: &Testbed) -> Japaric {
    let (bus, select) = testbed.chip.spi_bus();
    // The crate does not wait for the oscillator after power-on.
    testbed.clock.advance(Duration::from_millis(1));
    let driver = Japaric::new(
        Hal02(bus),
        Hal02(select),
        enc28j60::Unconnected,
        enc28j60::Unconnected,
        &mut Hal02(testbed.clock.clone()),
        0x1a00,
        MAC,
    );
    testbed.wait_for_link();
    driver.expect("the bus does not fail")
}

#[test]
fn enc28j60_crate_all_revisions_frames_exchanged() {
    for revision in Revision::ALL {
        let mut errata = Errata::of(revision);
        // The driver relies on EIR.PKTIF, and waits for TXRTS without a timeout.
        errata.e6_packet_flag = false;
        errata.e13_false_late_collision = false;
        let mut kinds = BTreeSet::new();
        for seed in 0..4 {
            let testbed = testbed(ChipConfig::new(revision).with_errata(errata).with_seed(seed));
            let mut driver = japaric(&testbed);
            let mut buf = [0; 1514];
            for (n, len) in lengths().enumerate() {
                let there = frame(len, n as u8);
                testbed.peer.send(&there);
                assert_eq!(driver.receive(&mut buf), Ok(len as u16));
                assert_eq!(buf[..len], there, "frame {n}");
                assert_eq!(driver.pending_packets(), Ok(0));

                let back = frame(len, !(n as u8));
                driver.transmit(&back).expect("nothing collides");
                driver.flush().expect("nothing collides");
                assert_eq!(testbed.peer.recv(), Some(back), "frame {n}");
            }
            let stats = testbed.chip.stats();
            assert_eq!((stats.received, stats.transmitted), (40, 40));
            kinds.extend(testbed.kinds());
        }
        // The driver does not write PHCON1: with erratum 16 the PHY sometimes starts in full
        // duplex.
        assert_eq!(kinds, BTreeSet::from([ViolationKind::DuplexMismatch]), "{revision:?}");
    }
}
