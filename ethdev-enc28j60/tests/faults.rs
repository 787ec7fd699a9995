//! Faults of chip, bus and wire, and recovery from them.

mod support;

use std::ops::RangeInclusive;
use std::time::Duration;

use enc28j60_model::{ChipConfig, ChipFaults, Errata, MisoFault, Revision, TxOutcome, ViolationKind};
use ethdev::{Control, Error as _, ErrorKind, EthernetDevice, Link};
use ethdev_enc28j60::{Config, Enc28j60, Error};
use support::{Driver, OWN, Testbed, frame};

const TIMEOUT: Duration = Duration::from_millis(100);

/// Services the driver until the peer receives a frame.
fn next_at_peer(testbed: &Testbed, driver: &mut Driver) -> Option<Vec<u8>> {
    let end = testbed.clock.now() + 5 * TIMEOUT;
    while testbed.clock.now() < end {
        let _ = driver.service();
        if let Some(frame) = testbed.peer.recv() {
            return Some(frame);
        }
        testbed.clock.advance(Duration::from_millis(1));
    }
    None
}

/// Sends and receives until both directions work, at most for [`TIMEOUT`]; then ten frames cross in
/// each direction, or are counted as lost. Frames of this call arrive unchanged, once and in order.
fn assert_traffic_flows(testbed: &Testbed, driver: &mut Driver, what: &str) {
    let begin = testbed.clock.now();
    // The time makes the numbers of two calls differ; a call uses one number a millisecond.
    let first = 1_000_000 + u32::try_from(begin.as_micros()).expect("a test of less than an hour");
    let (mut number, mut sent, mut received) = (first, first, first);
    while sent == first || received == first {
        assert!(
            testbed.clock.now() - begin < TIMEOUT,
            "{what}: after {TIMEOUT:?}, sent {}, received {}, {:?}",
            sent > first,
            received > first,
            driver.stats()
        );
        number += 1;
        testbed.peer.send(&frame(number, 200));
        let _ = driver.send_frame(&frame(number, 300));
        testbed.clock.advance(Duration::from_millis(1));
        let _ = driver.service();
        sent = newest(
            std::iter::from_fn(|| testbed.peer.recv()),
            (first + 1..=number, sent),
            300,
            what,
        );
        received = newest(received_frames(driver), (first + 1..=number, received), 200, what);
    }
    // What is still in the queues.
    testbed.clock.advance(Duration::from_millis(5));
    driver.service().expect("service failed");
    newest(
        std::iter::from_fn(|| testbed.peer.recv()),
        (first + 1..=number, sent),
        300,
        what,
    );
    newest(received_frames(driver), (first + 1..=number, received), 200, what);
    for number in number + 1..=number + 10 {
        let before = driver.stats();
        testbed.peer.send(&frame(number, 200));
        driver.send_frame(&frame(number, 300)).expect("send_frame failed");
        testbed.clock.advance(Duration::from_millis(2));
        driver.service().expect("service failed");
        let sent = next_at_peer(testbed, driver);
        let lost = driver.stats().delta_since(&before);
        match sent {
            None => assert_ne!(lost.tx_lost(), 0, "{what}: frame {number} was not sent"),
            sent => assert_eq!(sent, Some(frame(number, 300)), "{what}: sent"),
        }
        let frames: Vec<_> = received_frames(driver).collect();
        match frames.len() {
            0 => assert_ne!(lost.rx_lost(), 0, "{what}: frame {number} was not received"),
            _ => assert_eq!(frames, [frame(number, 200)], "{what}: received"),
        }
    }
}

fn received_frames(driver: &mut Driver) -> impl Iterator<Item = Vec<u8>> {
    std::iter::from_fn(|| {
        let mut buf = [0; 1514];
        let meta = driver.recv_frame(&mut buf).ok()??;
        Some(buf[..meta.len].to_vec())
    })
}

/// Compares frames with those that were sent, and returns the highest number, at least `former`.
/// Frames with numbers that this call did not use are left from before it.
fn newest(
    frames: impl Iterator<Item = Vec<u8>>,
    (sent, former): (RangeInclusive<u32>, u32),
    len: usize,
    what: &str,
) -> u32 {
    let mut newest = former;
    for got in frames {
        let number = u32::from_be_bytes(got[8..12].try_into().expect("four bytes"));
        if sent.contains(&number) {
            assert_eq!(got, frame(number, got.len()), "{what}: not as it was sent");
            assert!(
                number > newest && got.len() == len,
                "{what}: frame {number} after {newest}"
            );
            newest = number;
        }
    }
    newest
}

#[test]
fn new_absent_chip_is_not_responding() {
    for byte in [0x00, 0xff] {
        let testbed = Testbed::of(Revision::B7);
        testbed.chip.set_miso(MisoFault::Stuck(byte));
        let result = Enc28j60::new(testbed.chip.spi_device(), testbed.chip.delay(), Config::new(OWN));
        let error = result.expect_err("there is no chip");
        assert_eq!(error, Error::NotResponding { read: byte });
        assert_eq!(error.kind(), ErrorKind::NotPresent);
        assert!(
            testbed.clock.now() < Duration::from_millis(50),
            "{:?}",
            testbed.clock.now()
        );
    }
}

#[test]
fn new_random_miso_is_error() {
    for seed in 0..300 {
        let testbed = Testbed::new(ChipConfig::new(Revision::B7).with_seed(seed));
        testbed.chip.set_miso(MisoFault::Random);
        let result = Enc28j60::new(testbed.chip.spi_device(), testbed.chip.delay(), Config::new(OWN));
        assert!(result.is_err(), "seed {seed}");
        assert!(
            testbed.clock.now() < Duration::from_millis(100),
            "seed {seed}: {:?}",
            testbed.clock.now()
        );
    }
}

#[test]
fn driver_random_miso_recovers() {
    for seed in 0..50 {
        let testbed = Testbed::new(ChipConfig::new(Revision::B7).with_seed(seed));
        let mut driver = testbed.driver(Config::new(OWN));
        testbed.chip.set_miso(MisoFault::Random);
        for _ in 0..20 {
            let _ = driver.recv_frame(&mut [0; 1514]);
            let _ = driver.send_frame(&frame(1, 100));
            let _ = driver.service();
        }
        testbed.chip.set_miso(MisoFault::Connected);
        testbed.chip.inject_brownout();
        driver.recover().expect("the chip is back");
        assert_traffic_flows(&testbed, &mut driver, &format!("seed {seed}"));
    }
}

/// All errata of each revision, mixed sizes, both directions at once.
#[test]
fn driver_every_revision_transfers_each_frame_once() {
    for revision in Revision::ALL {
        let testbed = Testbed::of(revision);
        let mut driver = testbed.driver(Config::new(OWN));
        let before = driver.stats();
        let (mut buf, mut expected, mut out) = ([0; 1514], 0, 0);
        let total = 2000;
        for n in 0..total {
            let len = 60 + (n as usize * 397) % 1455;
            let arrived = testbed.peer.send(&frame(n, len));
            while driver.send_frame(&frame(n, len)).is_err() {
                driver.service().unwrap();
            }
            while testbed.clock.now() < arrived + Duration::from_micros(20) {
                testbed.clock.advance(Duration::from_micros(100));
            }
            while let Some(meta) = driver.recv_frame(&mut buf).unwrap() {
                assert_eq!(buf[..meta.len], frame(expected, 60 + (expected as usize * 397) % 1455));
                expected += 1;
            }
            while let Some(sent) = testbed.peer.recv() {
                assert_eq!(sent, frame(out, 60 + (out as usize * 397) % 1455), "{revision:?}");
                out += 1;
            }
        }
        while let Some(sent) = next_at_peer(&testbed, &mut driver) {
            assert_eq!(sent, frame(out, 60 + (out as usize * 397) % 1455), "{revision:?}");
            out += 1;
        }
        let stats = driver.stats().delta_since(&before);
        println!("{revision:?}: {:?}", testbed.chip.stats());
        assert_eq!((expected, out), (total, total), "{revision:?}: {stats:?}");
        assert_eq!(
            (stats.rx_frames, stats.tx_frames, stats.rx_lost(), stats.tx_lost()),
            (total, total, 0, 0)
        );
        testbed.assert_no_violations();
    }
}

#[test]
fn send_false_late_collision_is_retried() {
    for revision in [Revision::B5, Revision::B7] {
        for fate in [
            TxOutcome::FalseLateCollision,
            TxOutcome::FalseLateCollisionStuck,
            TxOutcome::FalseLateCollisionSilent,
        ] {
            for times in [1, 3, 10] {
                let testbed = Testbed::of(revision);
                let mut driver = testbed.driver(Config::new(OWN));
                testbed.chip.set_tx_outcomes(std::iter::repeat_n(fate, times));
                for n in 0..2 {
                    driver.send_frame(&frame(n, 400)).unwrap();
                }
                for n in 0..2 {
                    assert_eq!(
                        next_at_peer(&testbed, &mut driver),
                        Some(frame(n, 400)),
                        "{revision:?} {fate:?} {times}"
                    );
                }
                driver.service().unwrap();
                assert_eq!(
                    (driver.stats().tx_frames, driver.stats().tx_lost()),
                    (2, 0),
                    "{fate:?} {times}"
                );
                assert_eq!(next_at_peer(&testbed, &mut driver), None, "sent twice");
                testbed.assert_no_violations();
            }
        }
    }
}

#[test]
fn send_aborted_is_counted_and_next_is_sent() {
    for revision in Revision::ALL {
        let mut errata = Errata::of(revision);
        errata.e13_false_late_collision = false;
        let testbed = Testbed::new(ChipConfig::new(revision).with_errata(errata));
        let mut driver = testbed.driver(Config::new(OWN));
        testbed.chip.set_tx_outcomes([
            TxOutcome::ExcessiveCollisions,
            TxOutcome::Collided(3),
            TxOutcome::ExcessiveDeferral,
        ]);
        for n in 0..4 {
            while driver.send_frame(&frame(n, 400)).is_err() {
                testbed.clock.advance(Duration::from_millis(1));
                driver.service().unwrap();
            }
        }
        for n in 1..4 {
            assert_eq!(next_at_peer(&testbed, &mut driver), Some(frame(n, 400)), "{revision:?}");
        }
        driver.service().unwrap();
        assert_eq!(
            (driver.stats().tx_frames, driver.stats().tx_aborted),
            (3, 1),
            "{revision:?}"
        );
        testbed.assert_no_violations();
    }
}

#[test]
fn service_unexpected_reset_recovers() {
    for (what, happen) in [
        (
            "brown-out",
            (|testbed: &Testbed| testbed.chip.inject_brownout()) as fn(&Testbed),
        ),
        ("reset", |testbed| testbed.chip.inject_reset()),
        ("brown-out while receiving", |testbed| {
            testbed.peer.send(&frame(1, 1000));
            testbed.clock.advance(Duration::from_micros(500));
            testbed.chip.inject_brownout();
        }),
        ("reset with frames waiting", |testbed| {
            testbed.arrive([frame(1, 1000), frame(2, 60)]);
            testbed.chip.inject_reset();
        }),
    ] {
        for revision in Revision::ALL {
            let testbed = Testbed::of(revision);
            let mut driver = testbed.driver(Config::new(OWN));
            for _ in 0..5 {
                happen(&testbed);
                assert_traffic_flows(&testbed, &mut driver, what);
            }
            assert_eq!(driver.stats().recoveries, 5, "{what}");
            testbed.assert_no_violations();
        }
    }
}

/// Registers that nobody has changed are compared at every 32nd call.
#[test]
fn service_changed_register_is_restored() {
    use embedded_hal::spi::{Operation, SpiDevice};
    // ERXFCON, ERXNDH, MACON3, and an octet of the address.
    for (bank, address, value) in [(1, 0x18, 0x00), (0, 0x0b, 0x0f), (2, 0x02, 0x00), (3, 0x04, 0x06)] {
        let testbed = Testbed::of(Revision::B7);
        let mut driver = testbed.driver(Config::new(OWN));
        let right = testbed.chip.peek(bank, address);
        let mut spi = testbed.chip.spi_device();
        spi.write(&[0xbf, 0x03]).unwrap();
        spi.write(&[0x9f, bank]).unwrap();
        spi.transaction(&mut [Operation::Write(&[0x40 | address, value]), Operation::DelayNs(300)])
            .unwrap();
        assert_eq!(testbed.chip.peek(bank, address), value);
        testbed.chip.take_violations();
        for _ in 0..32 {
            driver.service().unwrap();
        }
        assert_eq!(testbed.chip.peek(bank, address), right, "{bank}, {address:#x}");
        assert_eq!((driver.stats().faults, driver.stats().recoveries), (1, 1));
        assert_traffic_flows(&testbed, &mut driver, "restored");
        testbed.assert_no_violations();
    }
}

#[test]
fn service_link_flaps_are_reported() {
    let testbed = Testbed::of(Revision::B7);
    let mut driver = testbed.driver(Config::new(OWN));
    for _ in 0..10 {
        testbed.wire.set_link(false);
        for _ in 0..20 {
            testbed.clock.advance(Duration::from_millis(1));
            driver.service().unwrap();
        }
        assert_eq!(driver.link(), Link::Down);
        testbed.wire.set_link(true);
        testbed.wait_for_link(&mut driver);
        assert_traffic_flows(&testbed, &mut driver, "link up again");
    }
    assert!(driver.stats().link_changes >= 20);
    testbed.assert_no_violations();
}

#[test]
fn driver_frozen_packet_count_does_not_hang() {
    for count in [1, 7, 255] {
        let testbed = Testbed::of(Revision::B7);
        let mut driver = testbed.driver(Config::new(OWN));
        testbed.chip.freeze_packet_count(Some(count));
        for n in 0..20 {
            assert_eq!(
                driver.recv_frame(&mut [0; 1514]).ok().flatten(),
                None,
                "no frame was sent"
            );
            let _ = driver.send_frame(&frame(n, 100));
            let _ = driver.service();
        }
        testbed.chip.freeze_packet_count(None);
        driver.recover().unwrap();
        assert_traffic_flows(&testbed, &mut driver, "counter released");
    }
}

/// The chip passes frames on up to the length with a VLAN tag, so that the driver counts those that it
/// does not deliver. Longer frames, and those below 18 bytes with FCS, it drops silently:
/// `Coverage` says so.
#[test]
fn recv_frame_wrong_length_is_counted_up_to_vlan_length() {
    for (vlan, limit) in [(false, 1514), (true, 1518)] {
        let testbed = Testbed::new(ChipConfig::new(Revision::B7).with_errata(Errata::none()));
        let mut driver = testbed.driver(Config::new(OWN).with_vlan(vlan));
        let declared = driver.capabilities().coverage.of(ethdev::LossReason::RxBadLength);
        assert_eq!(declared, ethdev::Counted::NotReported);
        for len in [13, 14, 59, 60, 1513, 1514, 1515, 1518, 1519, 2000] {
            let before = driver.stats();
            // Raw: not padded.
            let arrived = testbed.peer.send_raw(&ethdev_sim::fcs::append(&frame(7, len)));
            testbed.clock.advance_to(arrived + Duration::from_micros(20));
            let mut buf = [0; 1600];
            let delivered = driver.recv_frame(&mut buf).unwrap().map(|meta| meta.len);
            let stats = driver.stats().delta_since(&before);
            let counted = (delivered, stats.rx_bad_length, stats.rx_lost());
            let expected = match len {
                ..14 | 1519.. => (None, 0, 0),
                len if len < 60 || len > limit => (None, 1, 1),
                len => (Some(len), 0, 0),
            };
            assert_eq!(counted, expected, "VLAN {vlan}, {len} bytes");
        }
        assert_eq!(driver.stats().recoveries, 0);
        testbed.assert_no_violations();
    }
}

/// A bus that fails once, at every byte of a round of receiving and sending.
#[test]
fn driver_bus_error_at_any_byte_loses_at_most_one() {
    let mut at = 0;
    loop {
        let testbed = Testbed::new(ChipConfig::new(Revision::B7).with_errata(Errata::none()));
        // The bus cuts off an instruction, not the driver.
        testbed.chip.allow_violation(ViolationKind::Incomplete);
        testbed.chip.allow_violation(ViolationKind::ShortHold);
        let mut driver = testbed.driver(Config::new(OWN));
        testbed.arrive([frame(0, 70), frame(1, 61)]);
        let bytes = testbed.chip.bus().bytes;
        testbed.chip.fail_bus_at(at);
        let (mut buf, mut got, mut errors) = ([0; 100], vec![], 0);
        for _ in 0..6 {
            match driver.recv_frame(&mut buf) {
                Ok(Some(meta)) => got.push(buf[..meta.len].to_vec()),
                Ok(None) => {}
                Err(Error::Spi(_)) => errors += 1,
                Err(e) => panic!("byte {at}: {e}"),
            }
        }
        match driver.send_frame(&frame(2, 80)) {
            Ok(()) => {}
            Err(Error::Spi(_)) => errors += 1,
            Err(e) => panic!("byte {at}: {e}"),
        }
        let spent = testbed.chip.bus().bytes - bytes;
        // Once each, in order; what is missing is counted.
        let all = [frame(0, 70), frame(1, 61)];
        let (whole, lost) = (got.len(), driver.stats().rx_lost());
        assert!(
            got == all || lost == 1 && whole == 1 && all.contains(&got[0]),
            "byte {at}: {whole} received, {lost} lost"
        );
        testbed.clock.advance(Duration::from_millis(2));
        assert_traffic_flows(&testbed, &mut driver, &format!("byte {at}"));
        testbed.assert_no_violations();
        if errors == 0 {
            assert!(at > spent.min(150), "no error at byte {at} of {spent}");
            break;
        }
        at += 1;
    }
}

/// One byte in a thousand has a bit wrong: any call may fail or deliver damaged data, none may
/// panic or hang, and traffic flows once the bus is good again.
#[test]
fn driver_bus_bit_errors_recovers() {
    for seed in 0..4 {
        let testbed = Testbed::new(ChipConfig::new(Revision::B7).with_seed(seed));
        let mut driver = testbed.driver(Config::new(OWN));
        testbed.chip.set_faults(ChipFaults::NONE.with_spi_bit_error(1e-3));
        let (mut buf, mut received) = ([0; 1514], 0);
        for n in 0..1000 {
            testbed.arrive([frame(n, 60 + (n as usize * 397) % 600)]);
            let began = testbed.clock.now();
            while let Ok(Some(_)) = driver.recv_frame(&mut buf) {
                received += 1;
            }
            let _ = driver.send_frame(&frame(n, 100));
            if driver.service().is_err() {
                let _ = driver.recover();
            }
            let took = testbed.clock.now() - began;
            assert!(took < 5 * TIMEOUT, "seed {seed}: {took:?}");
        }
        println!("seed {seed}: {received} of 1000 received, {:?}", driver.stats());
        assert!(received > 300, "seed {seed}: {received}");
        testbed.chip.set_faults(ChipFaults::NONE);
        let _ = driver.recover();
        assert_traffic_flows(&testbed, &mut driver, "bus good again");
    }
}

#[test]
fn sleep_and_wake_restore_traffic() {
    let testbed = Testbed::of(Revision::B7);
    let mut driver = testbed.driver(Config::new(OWN));
    for _ in 0..3 {
        driver.sleep().unwrap();
        driver.sleep().unwrap();
        assert_eq!(testbed.chip.peek(0, 0x1e) & 0x20, 0x20, "ECON2.PWRSV");
        assert_eq!(driver.link(), Link::Down);
        assert_eq!(
            driver.send_frame(&frame(1, 60)).map_err(|e| e.kind()),
            Err(ErrorKind::Stopped)
        );
        driver.wake().unwrap();
        driver.wake().unwrap();
        assert_traffic_flows(&testbed, &mut driver, "awake");
    }
    testbed.assert_no_violations();
}

/// Erratum 16: the LED strap does not select the duplex mode.
#[test]
fn new_duplex_strap_is_overridden() {
    for duplex in [ethdev::Duplex::Half, ethdev::Duplex::Full] {
        let testbed = Testbed::new(ChipConfig::new(Revision::B7).with_full_duplex_strap());
        let mut driver = testbed.driver(Config::new(OWN).with_duplex(duplex));
        assert_traffic_flows(&testbed, &mut driver, "strapped");
        assert_eq!(driver.link().mode().and_then(|mode| mode.duplex), Some(duplex));
        testbed.assert_no_violations();
    }
}

/// The data sheet does not specify whether ERXRDPT keeps its low byte for the next write of the
/// high byte.
#[test]
fn recv_frame_erxrdpt_without_low_byte_latch_works() {
    let config = ChipConfig::new(Revision::B7).with_errata(Errata::none());
    let testbed = Testbed::new(config.with_erxrdptl_cleared());
    let mut driver = testbed.driver(Config::new(OWN));
    // The driver probes that before it receives anything.
    let probed: Vec<_> = testbed.chip.take_violations().iter().map(|v| v.kind).collect();
    assert_eq!(probed, [ViolationKind::EvenReadPointer]);
    let mut buf = [0; 1514];
    for n in 0..100 {
        testbed.arrive([frame(n, 700)]);
        assert_eq!(driver.recv_frame(&mut buf).unwrap().map(|meta| meta.len), Some(700));
        assert_eq!(buf[..700], frame(n, 700));
    }
    assert_eq!(driver.stats().rx_lost(), 0);
    testbed.assert_no_violations();
}

/// Erratum 1: B1 and B4 require 8 MHz. Slower MAC accesses fail at random; the driver reports
/// failures at the start.
#[test]
fn new_slow_spi_is_error_on_b1_and_b4() {
    for revision in Revision::ALL {
        let affected = matches!(revision, Revision::B1 | Revision::B4);
        let (mut refused, mut works) = (0, 0);
        for seed in 0..20 {
            let testbed = Testbed::new(ChipConfig::new(revision).with_seed(seed).with_sck_hz(5_000_000));
            match Enc28j60::new(testbed.chip.spi_device(), testbed.chip.delay(), Config::new(OWN)) {
                Err(Error::RegisterMismatch { .. }) => refused += 1,
                // MISTAT.BUSY that stays set.
                Err(Error::Timeout(_)) if affected => refused += 1,
                Err(e) => panic!("{revision:?} seed {seed}: {e}"),
                Ok(mut driver) => {
                    works += 1;
                    if !affected {
                        testbed.wait_for_link(&mut driver);
                        assert_traffic_flows(&testbed, &mut driver, "5 MHz");
                        testbed.assert_no_violations();
                    }
                }
            }
            assert!(testbed.clock.now() < Duration::from_secs(1), "{revision:?} seed {seed}");
        }
        assert_eq!(refused > 0, affected, "{revision:?}: refused {refused}, works {works}");
        if affected {
            // At 8 MHz they do.
            let testbed = Testbed::new(ChipConfig::new(revision).with_sck_hz(8_000_000));
            let mut driver = testbed.driver(Config::new(OWN));
            assert_traffic_flows(&testbed, &mut driver, "8 MHz");
        }
    }
}
