//! Frames with errors, frames on their way, and FIFOs out of step.

use ethdev::{Control, ControlError, Error as _, ErrorKind, EthernetDevice};
use ethdev_lan9118::{Config, Error, Fault};
use ethdev_sim::fcs;
use lan9118_model::{ChipConfig, Part};
use std::time::Duration;

use crate::rig::{Rig, frame, receive};

#[test]
fn frames_with_errors_are_counted_under_their_reasons() {
    let rig = Rig::new();
    let mut mac = rig.driver(Config::new().with_count_runts(true));
    let mut damaged = fcs::append(&frame(100));
    damaged[70] ^= 0x80;
    rig.peer.send_raw(&damaged);
    rig.peer.send_raw(&fcs::append(&frame(30)));
    rig.peer.send_raw(&fcs::append(&frame(1515)));
    rig.peer.send_raw(&fcs::append(&frame(2040)));
    rig.pass(500);
    rig.chip.forge_rx_status(1 << 15 | 1 << 6);
    rig.deliver(&frame(90));
    rig.chip.forge_rx_status(1 << 30);
    rig.deliver(&frame(90));
    // Dribbling bits, a length field that differs, an MII error without a wrong FCS: such frames are good.
    rig.chip.forge_rx_status(1 << 12 | 1 << 3 | 1 << 2);
    rig.deliver(&frame(61));
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
    rig.assert_clean();
}

#[test]
fn overruns_are_counted_one_by_one() {
    let (rig, mut mac) = Rig::started();
    for _ in 0..10 {
        rig.deliver(&frame(1514));
    }
    let mut received = 0;
    while receive(&mut mac).is_some() {
        received += 1;
    }
    mac.service().unwrap();
    assert_eq!((received, mac.stats().rx_overrun), (6, 4));
    assert!(mac.capabilities().rx_overrun_exact);
    rig.assert_clean();
}

#[test]
fn a_frame_on_its_way_is_not_taken_for_a_fifo_out_of_step() {
    // It comes in pieces, and the driver looks at every moment of that.
    for staging in [300, 1300, 9000] {
        let config = ChipConfig::new(Part::Lan9118).with_staging(Duration::from_nanos(staging));
        let rig = Rig::with_chip(config);
        let mut mac = rig.driver(Config::new());
        for n in 0..60 {
            rig.peer.send(&frame(60 + n));
        }
        let mut received = 0;
        let mut looks = 0;
        while received < 60 {
            if let Some(got) = receive(&mut mac) {
                assert_eq!(got, frame(60 + received));
                received += 1;
            }
            looks += 1;
            assert!(looks < 100_000, "{received} frames came, and then none");
            rig.clock.advance(Duration::from_nanos(97));
        }
        assert_eq!(
            (mac.stats().faults, mac.stats().rx_lost()),
            (0, 0),
            "pieces of {staging} ns"
        );
        rig.assert_clean();
    }
}

#[test]
fn a_small_fifo_full_of_half_a_frame_is_not_out_of_step() {
    let rig = Rig::new();
    // 1920 bytes for reception: one long frame.
    let mut mac = rig.driver(Config::new().with_tx_fifo_kib(14));
    rig.deliver(&frame(1514));
    rig.deliver(&frame(300));
    rig.deliver(&frame(400));
    assert_eq!(receive(&mut mac), Some(frame(1514)));
    assert_eq!(receive(&mut mac), Some(frame(300)));
    mac.service().unwrap();
    assert_eq!((mac.stats().rx_overrun, mac.stats().faults), (1, 0));
    rig.assert_clean();
}

#[test]
fn lengths_that_are_not_the_datas_are_noticed() {
    for forged in [1, 13, 300, 396, 404, 1514, 1518, 2000, 16000] {
        let (rig, mut mac) = Rig::started();
        rig.chip.override_rx_len(forged);
        rig.deliver(&frame(400));
        assert_eq!(receive(&mut mac), None, "forged {forged}");
        assert!(mac.service().unwrap().recovered, "forged {forged}");
        rig.deliver(&frame(500));
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
fn lost_words_and_statuses_are_noticed() {
    // Of the last frame, and of one that others wait behind.
    for others in [0, 1, 3] {
        for lose_status in [false, true] {
            let (rig, mut mac) = Rig::started();
            for _ in 0..=others {
                rig.deliver(&frame(200));
            }
            if lose_status {
                rig.chip.lose_rx_status();
            } else {
                rig.chip.lose_rx_word();
            }
            let mut delivered = 0;
            while receive(&mut mac).is_some() {
                delivered += 1;
            }
            assert!(delivered <= others, "{delivered} frames from a FIFO out of step");
            assert_eq!(mac.stats().faults, 1);
            rig.deliver(&frame(300));
            assert_eq!(
                receive(&mut mac),
                Some(frame(300)),
                "status {lose_status}, {others} others"
            );
        }
    }
}

#[test]
fn a_buffer_too_small_loses_nothing() {
    let (rig, mut mac) = Rig::started();
    rig.deliver(&frame(333));
    rig.deliver(&frame(77));
    let refused = Err(Error::Refused(ErrorKind::BufferTooSmall { needed: 333 }));
    assert_eq!(mac.recv_frame(&mut [0; 332]), refused);
    assert_eq!(mac.recv_frame(&mut []), refused);
    assert_eq!(mac.discard_frame(), Ok(true));
    assert_eq!(receive(&mut mac), Some(frame(77)));
    assert_eq!((mac.stats().rx_discarded, mac.stats().rx_frames), (1, 1));
    rig.assert_clean();
}

#[test]
fn a_receiver_error_is_got_over() {
    let (rig, mut mac) = Rig::started();
    rig.deliver(&frame(100));
    // Somebody else reads the FIFO.
    rig.pass(1);
    let bus = rig.chip.bus();
    for _ in 0..30 {
        let _ = bus.read(0x00);
    }
    let events = mac.service().unwrap();
    assert!(events.recovered);
    assert_eq!((mac.stats().faults, mac.stats().recoveries), (1, 1));
    rig.deliver(&frame(100));
    assert_eq!(receive(&mut mac), Some(frame(100)));
}

#[test]
fn a_fault_lasts_until_the_recovery() {
    let (rig, mut mac) = Rig::started();
    rig.chip.break_down();
    let fault = Err(Error::Fault(Fault::RxFifo(u32::MAX)));
    assert_eq!(mac.recv_frame(&mut [0; 1514]), fault.map(|()| None));
    assert_eq!(mac.send_frame(&frame(60)), fault);
    assert_eq!(mac.tx_ready(), fault.map(|()| false));
    assert_eq!(mac.service().map_err(|e| e.kind()), Err(ErrorKind::Fault));
    assert_eq!(
        mac.stop(),
        Err(ControlError::Device(Error::Fault(Fault::RxFifo(u32::MAX))))
    );
    mac.recover().unwrap();
    assert_eq!((mac.stats().faults, mac.stats().recoveries), (1, 1));
    assert!(mac.link().is_up());
    mac.send_frame(&frame(60)).unwrap();
    rig.pass(20);
    assert_eq!(rig.peer.recv(), Some(frame(60)));
    rig.deliver(&frame(70));
    assert_eq!(receive(&mut mac), Some(frame(70)));
    rig.assert_clean();
}
