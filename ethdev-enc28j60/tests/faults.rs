//! What goes wrong with chips, buses and wires, and how traffic goes on after it.

mod support;

use std::time::Duration;

use enc28j60_model::{ChipConfig, ChipFaults, Errata, MisoFault, Revision, TxFate, ViolationKind};
use ethdev::{Control, Error as _, ErrorKind, EthernetDevice, Link};
use ethdev_enc28j60::{Config, Enc28j60, Error};
use support::{Driver, Lab, OWN, frame};

const PATIENCE: Duration = Duration::from_millis(100);

/// Serves the driver until the peer has a frame.
fn next_at_peer(lab: &Lab, driver: &mut Driver) -> Option<Vec<u8>> {
    let end = lab.clock.now() + 5 * PATIENCE;
    while lab.clock.now() < end {
        let _ = driver.service();
        if let Some(frame) = lab.peer.recv() {
            return Some(frame);
        }
        lab.clock.advance(Duration::from_millis(1));
    }
    None
}

/// Sends and receives until both ways work, within the time that is allowed for that.
fn assert_traffic_flows(lab: &Lab, driver: &mut Driver, what: &str) {
    let (begin, mut buf, mut number) = (lab.clock.now(), [0; 1514], 1_000_000);
    let (mut sent, mut received) = (false, false);
    while !(sent && received) {
        assert!(
            lab.clock.now() - begin < PATIENCE,
            "{what}: after {PATIENCE:?}, sent {sent}, received {received}, {:?}",
            driver.stats()
        );
        number += 1;
        lab.peer.send(&frame(number, 200));
        if !sent {
            let _ = driver.send_frame(&frame(number, 300));
        }
        lab.clock.advance(Duration::from_millis(1));
        let _ = driver.service();
        while let Ok(Some(_)) = driver.recv_frame(&mut buf) {
            received = true;
        }
        while lab.peer.recv().is_some() {
            sent = true;
        }
    }
}

#[test]
fn an_absent_chip_is_told_in_bounded_time() {
    for byte in [0x00, 0xff] {
        let lab = Lab::of(Revision::B7);
        lab.chip.set_miso(MisoFault::Stuck(byte));
        let result = Enc28j60::new(lab.chip.spi_device(), lab.chip.delay(), Config::new(OWN));
        let error = result.expect_err("there is no chip");
        assert_eq!(error, Error::NotResponding { read: byte });
        assert_eq!(error.kind(), ErrorKind::NotPresent);
        assert!(lab.clock.now() < Duration::from_millis(50), "{:?}", lab.clock.now());
    }
}

#[test]
fn noise_is_no_chip() {
    for seed in 0..300 {
        let lab = Lab::new(ChipConfig::new(Revision::B7).with_seed(seed));
        lab.chip.set_miso(MisoFault::Random);
        let result = Enc28j60::new(lab.chip.spi_device(), lab.chip.delay(), Config::new(OWN));
        assert!(result.is_err(), "seed {seed}");
        assert!(
            lab.clock.now() < Duration::from_millis(100),
            "seed {seed}: {:?}",
            lab.clock.now()
        );
    }
}

#[test]
fn noise_in_the_middle_is_survived() {
    for seed in 0..50 {
        let lab = Lab::new(ChipConfig::new(Revision::B7).with_seed(seed));
        let mut driver = lab.driver(Config::new(OWN));
        lab.chip.set_miso(MisoFault::Random);
        for _ in 0..20 {
            let _ = driver.recv_frame(&mut [0; 1514]);
            let _ = driver.send_frame(&frame(1, 100));
            let _ = driver.service();
        }
        lab.chip.set_miso(MisoFault::Connected);
        lab.chip.inject_brownout();
        driver.recover().expect("the chip is back");
        assert_traffic_flows(&lab, &mut driver, &format!("seed {seed}"));
    }
}

/// All errata of each revision, mixed sizes, both directions at once.
#[test]
fn every_revision_carries_every_frame_once() {
    for revision in Revision::ALL {
        let lab = Lab::of(revision);
        let mut driver = lab.driver(Config::new(OWN));
        let before = driver.stats();
        let (mut buf, mut expected, mut out) = ([0; 1514], 0, 0);
        let total = 2000;
        for n in 0..total {
            let len = 60 + (n as usize * 397) % 1455;
            let arrived = lab.peer.send(&frame(n, len));
            while driver.send_frame(&frame(n, len)).is_err() {
                driver.service().unwrap();
            }
            while lab.clock.now() < arrived + Duration::from_micros(20) {
                lab.clock.advance(Duration::from_micros(100));
            }
            while let Some(meta) = driver.recv_frame(&mut buf).unwrap() {
                assert_eq!(buf[..meta.len], frame(expected, 60 + (expected as usize * 397) % 1455));
                expected += 1;
            }
            while let Some(sent) = lab.peer.recv() {
                assert_eq!(sent, frame(out, 60 + (out as usize * 397) % 1455), "{revision:?}");
                out += 1;
            }
        }
        while let Some(sent) = next_at_peer(&lab, &mut driver) {
            assert_eq!(sent, frame(out, 60 + (out as usize * 397) % 1455), "{revision:?}");
            out += 1;
        }
        let stats = driver.stats().delta_since(&before);
        println!("{revision:?}: {:?}", lab.chip.stats());
        assert_eq!((expected, out), (total, total), "{revision:?}: {stats:?}");
        assert_eq!(
            (stats.rx_frames, stats.tx_frames, stats.rx_lost(), stats.tx_lost()),
            (total, total, 0, 0)
        );
        lab.assert_well_used();
    }
}

#[test]
fn false_late_collisions_are_sent_again() {
    for revision in [Revision::B5, Revision::B7] {
        for fate in [
            TxFate::FalseLateCollision,
            TxFate::FalseLateCollisionStuck,
            TxFate::FalseLateCollisionSilent,
        ] {
            for times in [1, 3, 10] {
                let lab = Lab::of(revision);
                let mut driver = lab.driver(Config::new(OWN));
                lab.chip.next_transmissions(std::iter::repeat_n(fate, times));
                for n in 0..2 {
                    driver.send_frame(&frame(n, 400)).unwrap();
                }
                for n in 0..2 {
                    assert_eq!(
                        next_at_peer(&lab, &mut driver),
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
                assert_eq!(next_at_peer(&lab, &mut driver), None, "sent twice");
                lab.assert_well_used();
            }
        }
    }
}

#[test]
fn what_cannot_be_sent_is_counted_and_stands_in_nobodys_way() {
    for revision in Revision::ALL {
        let mut errata = Errata::of(revision);
        errata.e13_false_late_collision = false;
        let lab = Lab::new(ChipConfig::new(revision).with_errata(errata));
        let mut driver = lab.driver(Config::new(OWN));
        lab.chip.next_transmissions([
            TxFate::ExcessiveCollisions,
            TxFate::Collided(3),
            TxFate::ExcessiveDeferral,
        ]);
        for n in 0..4 {
            while driver.send_frame(&frame(n, 400)).is_err() {
                lab.clock.advance(Duration::from_millis(1));
                driver.service().unwrap();
            }
        }
        for n in 1..4 {
            assert_eq!(next_at_peer(&lab, &mut driver), Some(frame(n, 400)), "{revision:?}");
        }
        driver.service().unwrap();
        assert_eq!(
            (driver.stats().tx_frames, driver.stats().tx_aborted),
            (3, 1),
            "{revision:?}"
        );
        lab.assert_well_used();
    }
}

#[test]
fn resets_that_nobody_asked_for_are_noticed() {
    for (what, happen) in [
        ("brown-out", (|lab: &Lab| lab.chip.inject_brownout()) as fn(&Lab)),
        ("reset", |lab| lab.chip.spontaneous_reset()),
        ("brown-out while receiving", |lab| {
            lab.peer.send(&frame(1, 1000));
            lab.clock.advance(Duration::from_micros(500));
            lab.chip.inject_brownout();
        }),
        ("reset with frames waiting", |lab| {
            lab.arrive([frame(1, 1000), frame(2, 60)]);
            lab.chip.spontaneous_reset();
        }),
    ] {
        for revision in Revision::ALL {
            let lab = Lab::of(revision);
            let mut driver = lab.driver(Config::new(OWN));
            for _ in 0..5 {
                happen(&lab);
                assert_traffic_flows(&lab, &mut driver, what);
            }
            assert_eq!(driver.stats().recoveries, 5, "{what}");
            lab.assert_well_used();
        }
    }
}

#[test]
fn link_flaps_are_told_and_survived() {
    let lab = Lab::of(Revision::B7);
    let mut driver = lab.driver(Config::new(OWN));
    for _ in 0..10 {
        lab.wire.set_link(false);
        for _ in 0..20 {
            lab.clock.advance(Duration::from_millis(1));
            driver.service().unwrap();
        }
        assert_eq!(driver.link(), Link::Down);
        lab.wire.set_link(true);
        lab.wait_for_link(&mut driver);
        assert_traffic_flows(&lab, &mut driver, "link up again");
    }
    assert!(driver.stats().link_changes >= 20);
    lab.assert_well_used();
}

#[test]
fn a_packet_counter_that_is_stuck_hangs_nobody() {
    for count in [1, 7, 255] {
        let lab = Lab::of(Revision::B7);
        let mut driver = lab.driver(Config::new(OWN));
        lab.chip.freeze_packet_count(Some(count));
        for n in 0..20 {
            assert_eq!(
                driver.recv_frame(&mut [0; 1514]).ok().flatten(),
                None,
                "a frame out of nothing"
            );
            let _ = driver.send_frame(&frame(n, 100));
            let _ = driver.service();
        }
        lab.chip.freeze_packet_count(None);
        driver.recover().unwrap();
        assert_traffic_flows(&lab, &mut driver, "counter loose again");
    }
}

/// A bus that errs once, at every byte of a round of receiving and sending.
#[test]
fn a_bus_that_errs_at_any_byte() {
    let mut at = 0;
    loop {
        let lab = Lab::new(ChipConfig::new(Revision::B7).with_errata(Errata::none()));
        // An instruction that the bus broke off is the bus' doing.
        lab.chip.allow(ViolationKind::Incomplete);
        lab.chip.allow(ViolationKind::ShortHold);
        let mut driver = lab.driver(Config::new(OWN));
        lab.arrive([frame(0, 70), frame(1, 61)]);
        let bytes = lab.chip.bus().bytes;
        lab.chip.fail_bus_at(at);
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
        let spent = lab.chip.bus().bytes - bytes;
        // Once each, in order; what is missing is counted.
        let all = [frame(0, 70), frame(1, 61)];
        let (whole, lost) = (got.len(), driver.stats().rx_lost());
        assert!(
            got == all || lost == 1 && whole == 1 && all.contains(&got[0]),
            "byte {at}: {whole} received, {lost} lost"
        );
        lab.clock.advance(Duration::from_millis(2));
        assert_traffic_flows(&lab, &mut driver, &format!("byte {at}"));
        lab.assert_well_used();
        if errors == 0 {
            assert!(at > spent.min(150), "no error at byte {at} of {spent}");
            break;
        }
        at += 1;
    }
}

/// One byte in a thousand has a bit wrong: any call may fail or deliver damaged data, none may panic
/// or hang, and traffic flows once the bus is good again.
#[test]
fn driver_bus_bit_errors_recovers() {
    for seed in 0..4 {
        let lab = Lab::new(ChipConfig::new(Revision::B7).with_seed(seed));
        let mut driver = lab.driver(Config::new(OWN));
        lab.chip.set_faults(ChipFaults::NONE.with_spi_bit_error(1e-3));
        let (mut buf, mut received) = ([0; 1514], 0);
        for n in 0..1000 {
            lab.arrive([frame(n, 60 + (n as usize * 397) % 600)]);
            let began = lab.clock.now();
            while let Ok(Some(_)) = driver.recv_frame(&mut buf) {
                received += 1;
            }
            let _ = driver.send_frame(&frame(n, 100));
            if driver.service().is_err() {
                let _ = driver.recover();
            }
            let took = lab.clock.now() - began;
            assert!(took < 5 * PATIENCE, "seed {seed}: {took:?}");
        }
        println!("seed {seed}: {received} of 1000 received, {:?}", driver.stats());
        assert!(received > 300, "seed {seed}: {received}");
        lab.chip.set_faults(ChipFaults::NONE);
        let _ = driver.recover();
        assert_traffic_flows(&lab, &mut driver, "bus good again");
    }
}

#[test]
fn asleep_it_sleeps_and_awake_it_works() {
    let lab = Lab::of(Revision::B7);
    let mut driver = lab.driver(Config::new(OWN));
    for _ in 0..3 {
        driver.sleep().unwrap();
        driver.sleep().unwrap();
        assert_eq!(lab.chip.peek(0, 0x1e) & 0x20, 0x20, "ECON2.PWRSV");
        assert_eq!(driver.link(), Link::Down);
        assert_eq!(
            driver.send_frame(&frame(1, 60)).map_err(|e| e.kind()),
            Err(ErrorKind::Stopped)
        );
        driver.wake().unwrap();
        driver.wake().unwrap();
        assert_traffic_flows(&lab, &mut driver, "awake");
    }
    lab.assert_well_used();
}

/// Erratum 16: what the LED strap says of the duplex mode does not matter.
#[test]
fn the_strap_is_overruled() {
    for duplex in [ethdev::Duplex::Half, ethdev::Duplex::Full] {
        let lab = Lab::new(ChipConfig::new(Revision::B7).with_full_duplex_strap());
        let mut driver = lab.driver(Config::new(OWN).with_duplex(duplex));
        assert_traffic_flows(&lab, &mut driver, "strapped");
        assert_eq!(driver.link().mode().and_then(|mode| mode.duplex), Some(duplex));
        lab.assert_well_used();
    }
}

/// The data sheet does not say whether ERXRDPT keeps its low byte for the next write of the high one.
#[test]
fn a_read_pointer_that_forgets_its_low_byte() {
    let config = ChipConfig::new(Revision::B7).with_errata(Errata::none());
    let lab = Lab::new(config.with_forgotten_read_pointer_low());
    let mut driver = lab.driver(Config::new(OWN));
    // The trial, before anything is received.
    let tried: Vec<_> = lab.chip.take_violations().iter().map(|v| v.kind).collect();
    assert_eq!(tried, [ViolationKind::EvenReadPointer]);
    let mut buf = [0; 1514];
    for n in 0..100 {
        lab.arrive([frame(n, 700)]);
        assert_eq!(driver.recv_frame(&mut buf).unwrap().map(|meta| meta.len), Some(700));
        assert_eq!(buf[..700], frame(n, 700));
    }
    assert_eq!(driver.stats().rx_lost(), 0);
    lab.assert_well_used();
}

/// Erratum 1: B1 and B4 need 8 MHz. What they make of slower accesses to their MAC is told, if it strikes while the driver starts; B5 and B7 do not mind.
#[test]
fn a_slow_bus_is_told_where_it_matters() {
    for revision in Revision::ALL {
        let affected = matches!(revision, Revision::B1 | Revision::B4);
        let (mut refused, mut works) = (0, 0);
        for seed in 0..20 {
            let lab = Lab::new(ChipConfig::new(revision).with_seed(seed).with_sck_hz(5_000_000));
            match Enc28j60::new(lab.chip.spi_device(), lab.chip.delay(), Config::new(OWN)) {
                Err(Error::RegisterMismatch { .. }) => refused += 1,
                // A busy bit that never goes.
                Err(Error::Timeout(_)) if affected => refused += 1,
                Err(e) => panic!("{revision:?} seed {seed}: {e}"),
                Ok(mut driver) => {
                    works += 1;
                    if !affected {
                        lab.wait_for_link(&mut driver);
                        assert_traffic_flows(&lab, &mut driver, "5 MHz");
                        lab.assert_well_used();
                    }
                }
            }
            assert!(lab.clock.now() < Duration::from_secs(1), "{revision:?} seed {seed}");
        }
        assert_eq!(refused > 0, affected, "{revision:?}: refused {refused}, works {works}");
        if affected {
            // At 8 MHz they do.
            let lab = Lab::new(ChipConfig::new(revision).with_sck_hz(8_000_000));
            let mut driver = lab.driver(Config::new(OWN));
            assert_traffic_flows(&lab, &mut driver, "8 MHz");
        }
    }
}
