//! Bad frames, frames in transfer, and FIFOs out of step.

use ethdev::{Control, Counted, Error as _, ErrorKind, EthernetDevice, LossReason};
use ethdev_lan9118::{Config, Error, Fault};
use ethdev_sim::fcs;
use lan9118_model::{ChipConfig, Part};
use std::time::Duration;

use crate::testbed::{Testbed, frame, receive, receive_all};

#[test]
fn recv_frame_bad_frames_counted_by_reason() {
    let bed = Testbed::new();
    let mut mac = bed.driver(Config::new().with_count_runts(true));
    let mut damaged = fcs::append(&frame(100));
    damaged[70] ^= 0x80;
    bed.peer.send_raw(&damaged);
    bed.peer.send_raw(&fcs::append(&frame(30)));
    bed.peer.send_raw(&fcs::append(&frame(1515)));
    bed.peer.send_raw(&fcs::append(&frame(2040)));
    bed.pass(500);
    bed.chip.set_rx_status_bits(1 << 15 | 1 << 6);
    bed.deliver(&frame(90));
    bed.chip.set_rx_status_bits(1 << 30);
    bed.deliver(&frame(90));
    // Dribbling bits, length field mismatch, and an MII error with a correct FCS: good frames.
    bed.chip.set_rx_status_bits(1 << 12 | 1 << 3 | 1 << 2);
    bed.deliver(&frame(61));
    assert_eq!(receive(&mut mac), Some(frame(61)));
    assert_eq!(receive(&mut mac), None);
    let stats = mac.stats();
    assert_eq!(
        (
            stats.rx_bad_fcs,
            stats.rx_bad_length,
            stats.rx_error,
            stats.rx_filtered,
            stats.rx_frames
        ),
        (1, 3, 1, 1, 1)
    );
    assert!(mac.service().unwrap().rx_dropped);
    bed.assert_clean();
}

#[test]
fn service_overruns_counted_exactly() {
    let (bed, mut mac) = Testbed::started();
    for _ in 0..10 {
        bed.deliver(&frame(1514));
    }
    let received = receive_all(&mut mac);
    mac.service().unwrap();
    assert_eq!((received, mac.stats().rx_overrun), (6, 4));
    assert_eq!(mac.capabilities().coverage.of(LossReason::RxOverrun), Counted::Exactly);
    bed.assert_clean();
}

#[test]
fn recv_frame_frame_in_transfer_not_a_fault() {
    // The frame enters the FIFO in bursts, and the driver polls at every moment.
    for staging in [300, 1300, 9000] {
        let config = ChipConfig::new(Part::Lan9118).with_staging(Duration::from_nanos(staging));
        let bed = Testbed::with_chip(config);
        let mut mac = bed.driver(Config::new());
        for n in 0..60 {
            bed.peer.send(&frame(60 + n));
        }
        let mut received = 0;
        let mut polls = 0;
        while received < 60 {
            if let Some(got) = receive(&mut mac) {
                assert_eq!(got, frame(60 + received));
                received += 1;
            }
            polls += 1;
            assert!(polls < 100_000, "no frame after {received}");
            bed.clock.advance(Duration::from_nanos(97));
        }
        assert_eq!(
            (mac.stats().faults, mac.stats().rx_lost()),
            (0, 0),
            "bursts of {staging} ns"
        );
        bed.assert_clean();
    }
}

#[test]
fn recv_frame_fifo_full_of_partial_frame_not_a_fault() {
    let bed = Testbed::new();
    // 1920 bytes for reception: one frame of the longest length.
    let mut mac = bed.driver(Config::new().with_tx_fifo_kib(14));
    bed.deliver(&frame(1514));
    bed.deliver(&frame(300));
    bed.deliver(&frame(400));
    assert_eq!(receive(&mut mac), Some(frame(1514)));
    assert_eq!(receive(&mut mac), Some(frame(300)));
    mac.service().unwrap();
    assert_eq!((mac.stats().rx_overrun, mac.stats().faults), (1, 0));
    bed.assert_clean();
}

#[test]
fn recv_frame_forged_length_realigns() {
    for forged in [1, 13, 300, 396, 404, 1514, 1518, 2000, 16000] {
        let (bed, mut mac) = Testbed::started();
        bed.chip.override_rx_len(forged);
        bed.deliver(&frame(400));
        assert_eq!(receive(&mut mac), None, "forged {forged}");
        assert!(mac.service().unwrap().recovered, "forged {forged}");
        bed.deliver(&frame(500));
        assert_eq!(receive(&mut mac), Some(frame(500)));
        let stats = mac.stats();
        assert_eq!(
            (stats.rx_bad_length, stats.faults, stats.recoveries),
            (1, 1, 1),
            "forged {forged}"
        );
    }
}

#[test]
fn recv_frame_lost_word_or_status_realigns() {
    // Of the last frame, and of one with others behind it.
    for others in [0, 1, 3] {
        for lose_status in [false, true] {
            let (bed, mut mac) = Testbed::started();
            for _ in 0..=others {
                bed.deliver(&frame(200));
            }
            if lose_status {
                bed.chip.drop_rx_status();
            } else {
                bed.chip.drop_rx_word();
            }
            let delivered = receive_all(&mut mac);
            assert!(delivered <= others, "{delivered} frames from a FIFO out of step");
            assert_eq!(mac.stats().faults, 1);
            bed.deliver(&frame(300));
            assert_eq!(
                receive(&mut mac),
                Some(frame(300)),
                "status {lose_status}, {others} others"
            );
        }
    }
}

#[test]
fn recv_frame_short_buffer_keeps_frame() {
    let (bed, mut mac) = Testbed::started();
    bed.deliver(&frame(333));
    bed.deliver(&frame(77));
    let short = Err(Error::Kind(ErrorKind::BufferTooSmall { needed: 333 }));
    assert_eq!(mac.recv_frame(&mut [0; 332]), short);
    assert_eq!(mac.recv_frame(&mut []), short);
    assert_eq!(mac.discard_frame(), Ok(true));
    assert_eq!(receive(&mut mac), Some(frame(77)));
    assert_eq!((mac.stats().rx_discarded, mac.stats().rx_frames), (1, 1));
    bed.assert_clean();
}

#[test]
fn service_receiver_error_recovers() {
    let (bed, mut mac) = Testbed::started();
    bed.deliver(&frame(100));
    // Other software reads the FIFO.
    bed.pass(1);
    let bus = bed.chip.bus();
    for _ in 0..30 {
        let _ = bus.read(0x00);
    }
    let events = mac.service().unwrap();
    assert!(events.recovered);
    assert_eq!((mac.stats().faults, mac.stats().recoveries), (1, 1));
    bed.deliver(&frame(100));
    assert_eq!(receive(&mut mac), Some(frame(100)));
}

#[test]
fn recover_after_fault_restores_operation() {
    let (bed, mut mac) = Testbed::started();
    bed.chip.inject_failure();
    let fault = Err(Error::Fault(Fault::RxFifo(u32::MAX)));
    assert_eq!(mac.recv_frame(&mut [0; 1514]), fault.map(|()| None));
    assert_eq!(mac.send_frame(&frame(60)), fault);
    assert_eq!(mac.tx_ready(), fault.map(|()| false));
    assert_eq!(mac.service().map_err(|e| e.kind()), Err(ErrorKind::Fault));
    assert_eq!(mac.set_mac_address(mac.mac_address()), fault);
    mac.recover().unwrap();
    assert_eq!((mac.stats().faults, mac.stats().recoveries), (1, 1));
    assert!(mac.link().is_up());
    mac.send_frame(&frame(60)).unwrap();
    bed.pass(20);
    assert_eq!(bed.peer.recv(), Some(frame(60)));
    bed.deliver(&frame(70));
    assert_eq!(receive(&mut mac), Some(frame(70)));
    bed.assert_clean();
}
