//! Frames that are under way when something else happens.

mod support;

use core::time::Duration;

use enc28j60_model::{ChipConfig, Errata, Revision};
use ethdev::{Control, EthernetDevice, Stats};
use ethdev_enc28j60::{Config, Enc28j60};
use ethdev_sim::SimDelay;
use support::bus::{Fault, Faults, FaultySpi};
use support::{OWN, Testbed, frame};

type Driver = Enc28j60<FaultySpi, SimDelay>;

/// Of 1000 bytes, with preamble and FCS.
const FRAME_TIME: Duration = Duration::from_nanos(809_600);

fn testbed() -> (Testbed, Faults, Driver) {
    let testbed = Testbed::new(ChipConfig::new(Revision::B7).with_errata(Errata::none()));
    let faults = Faults::default();
    let spi = FaultySpi {
        spi: testbed.chip.spi_device(),
        chip: testbed.chip.clone(),
        faults: faults.clone(),
    };
    let mut driver = Driver::new(spi, testbed.chip.delay(), Config::new(OWN)).unwrap();
    testbed.wait_for_link(&mut driver);
    driver.service().unwrap();
    (testbed, faults, driver)
}

/// Sends `frames` frames, and unplugs the cable that long after the first was started. Returns what
/// was counted, the events, and how many arrived.
fn link_loss(frames: u32, after: Duration) -> (Stats, (u16, u16), u32) {
    let (testbed, _, mut driver) = testbed();
    let before = driver.stats();
    driver.send_frame(&frame(0, 1000)).unwrap();
    let started = testbed.clock.now();
    for n in 1..frames {
        driver.send_frame(&frame(n, 1000)).unwrap();
    }
    testbed.clock.advance_to(started + after);
    testbed.wire.set_link(false);
    let events = driver.service().unwrap();
    assert!(events.link_changed && !driver.link().is_up());
    let arrived = std::iter::from_fn(|| testbed.peer.recv()).count() as u32;
    testbed.assert_no_violations();
    let stats = driver.stats().delta_since(&before);
    (stats, (events.tx_completed, events.tx_failed), arrived)
}

#[test]
fn link_loss_counts_sent_frame_as_sent_and_others_as_aborted() {
    for (frames, after, sent) in [
        // On the wire: cut off.
        (1, FRAME_TIME / 2, 0),
        (2, FRAME_TIME * 3 / 4, 0),
        // The first has left, and the driver did not look since.
        (1, FRAME_TIME * 2, 1),
        (2, FRAME_TIME * 2, 1),
    ] {
        let what = format!("{frames} frames, link lost after {after:?}");
        let (stats, events, arrived) = link_loss(frames, after);
        let lost = frames - sent;
        assert_eq!(
            (stats.tx_frames, stats.tx_aborted, stats.tx_reset),
            (sent, lost, 0),
            "{what}"
        );
        assert_eq!(stats.tx_bytes, sent * 1000, "{what}");
        assert_eq!(events, (sent as u16, lost as u16), "{what}");
        assert_eq!(arrived, sent, "{what}");
    }
}

/// After the link came back, the transmitter that was cut off sends the next frame.
#[test]
fn link_loss_while_sending_next_frame_goes_out() {
    let (testbed, _, mut driver) = testbed();
    for n in 0..2 {
        driver.send_frame(&frame(n, 1000)).unwrap();
    }
    testbed.wire.set_link(false);
    driver.service().unwrap();
    testbed.wire.set_link(true);
    testbed.wait_for_link(&mut driver);
    driver.send_frame(&frame(7, 100)).unwrap();
    testbed.clock.advance(Duration::from_millis(1));
    driver.service().unwrap();
    assert_eq!(testbed.peer.recv(), Some(frame(7, 100)));
    assert_eq!((driver.stats().tx_frames, driver.stats().tx_aborted), (1, 2));
    testbed.assert_no_violations();
}

/// A host that only receives: the frame behind the one that was sent is started by that.
#[test]
fn recv_frame_starts_queued_frame() {
    let (testbed, _, mut driver) = testbed();
    for n in 0..2 {
        driver.send_frame(&frame(n, 1000)).unwrap();
    }
    testbed.clock.advance(2 * FRAME_TIME);
    assert_eq!(driver.recv_frame(&mut [0; 60]), Ok(None));
    testbed.clock.advance(2 * FRAME_TIME);
    for n in 0..2 {
        assert_eq!(testbed.peer.recv(), Some(frame(n, 1000)));
    }
    testbed.assert_no_violations();
}

/// While more frames wait, the header that follows proves that the chip was not reset while the frame
/// was read.
#[test]
fn recv_frame_chip_reset_while_reading_delivers_nothing_corrupt() {
    for waiting in [2, 3] {
        let mut n = 0;
        loop {
            let what = format!("{waiting} frames, reset before transaction {n}");
            let (testbed, faults, mut driver) = testbed();
            testbed.arrive((0..waiting).map(|n| frame(n, 300 + n as usize)));
            faults.set(n, Fault::Brownout);
            let mut buf = [0; 1514];
            let received = driver.recv_frame(&mut buf).unwrap();
            if !faults.end() {
                break;
            }
            if let Some(meta) = received {
                assert_eq!(buf[..meta.len], frame(0, 300), "{what}");
            }
            driver.service().unwrap();
            assert_eq!(driver.stats().recoveries, 1, "{what}");
            n += 1;
        }
        assert!(n > 4, "{n}");
    }
}

/// A bus that fails at the PKTDEC of a received frame, before or after the chip executed it, and then
/// a recovery: the frame in doubt is counted once, and so are those that came since.
#[test]
fn recover_with_release_in_doubt_counts_each_frame_once() {
    for fault in [Fault::FailBefore, Fault::FailAfter] {
        for waiting in [1, 2, 5] {
            for n in 0..20 {
                let what = format!("{waiting} frames, {fault:?} at {n}");
                let (testbed, faults, mut driver) = testbed();
                testbed.arrive((0..waiting).map(|n| frame(n, 200)));
                faults.set(n, fault);
                let received = driver.recv_frame(&mut [0; 1514]);
                if !faults.end() {
                    break;
                }
                let delivered = u32::from(received.is_ok_and(|frame| frame.is_some()));
                testbed.arrive((0..3).map(|n| frame(n, 100)));
                driver.recover().unwrap_or_else(|e| panic!("{what}: {e}"));
                let stats = driver.stats();
                assert_eq!(stats.rx_frames, delivered, "{what}");
                assert_eq!(stats.rx_frames + stats.rx_reset, waiting + 3, "{what}: {stats:?}");
            }
        }
    }
}

/// The same without a recovery: the frames behind the one in doubt follow, each once.
#[test]
fn recv_frame_with_release_in_doubt_delivers_others() {
    for fault in [Fault::FailBefore, Fault::FailAfter] {
        for n in 0..8 {
            let what = format!("{fault:?} at {n}");
            let (testbed, faults, mut driver) = testbed();
            testbed.arrive((0..4).map(|n| frame(n, 200 + n as usize)));
            faults.set(n, fault);
            let (mut buf, mut got) = ([0; 1514], vec![]);
            for _ in 0..8 {
                if let Ok(Some(meta)) = driver.recv_frame(&mut buf) {
                    got.push(buf[..meta.len].to_vec());
                }
            }
            let first = u32::from(got.len() < 4);
            let expected: Vec<_> = (first..4).map(|n| frame(n, 200 + n as usize)).collect();
            assert_eq!(got, expected, "{what}");
            assert_eq!(
                (driver.stats().rx_lost(), driver.stats().recoveries),
                (first, 0),
                "{what}"
            );
        }
    }
}
