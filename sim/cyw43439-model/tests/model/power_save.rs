//! Power save: frames for the chip wait for a beacon.

use std::time::Duration;

use cyw43439_model::ChipConfig;

use crate::host::{MAC, Testbed, ethernet, ms};

/// Latency of a frame to the host after this idle time.
fn latency(bed: &mut Testbed, silence: Duration) -> Duration {
    bed.pass(silence);
    let sent = bed.clock.now();
    bed.peer.send(&ethernet(MAC, 60, 0));
    while bed.data.pop_front().is_none() {
        bed.clock.advance(Duration::from_micros(50));
        bed.drain();
        assert!(bed.clock.now() - sent < Duration::from_secs(60));
    }
    bed.clock.now() - sent
}

#[test]
fn power_save_off_has_no_delay() {
    let mut bed = Testbed::joined(ChipConfig::default());
    for _ in 0..5 {
        assert!(latency(&mut bed, ms(777)) < ms(1));
    }
    bed.clean();
}

#[test]
fn power_save_2_sleeps_after_timeout() {
    let mut bed = Testbed::joined(ChipConfig::default());
    bed.set_u32("pm2_sleep_ret", 200).unwrap();
    bed.set_u32("bcn_li_bcn", 1).unwrap();
    bed.set_u32("bcn_li_dtim", 1).unwrap();
    bed.set_number(86, 2).unwrap();
    let mut delays: Vec<Duration> = (0..20).map(|n| latency(&mut bed, ms(500 + 37 * n))).collect();
    delays.sort_unstable();
    assert!(delays[0] < ms(25) && delays[19] > ms(75), "{delays:?}");
    assert!(delays[19] < ms(104), "a beacon interval at most: {delays:?}");
    for _ in 0..5 {
        assert!(latency(&mut bed, ms(100)) < ms(1), "the chip is awake");
    }
    // Transmission keeps it awake as well.
    bed.pass(ms(500));
    bed.send_data(&ethernet([2, 0, 0, 0, 0, 7], 60, 0));
    assert!(latency(&mut bed, ms(150)) < ms(1));
    bed.clean();
}

#[test]
fn power_save_listen_interval_delays_frames() {
    let mut bed = Testbed::joined(ChipConfig::default());
    bed.set_u32("bcn_li_dtim", 10).unwrap();
    bed.set_number(86, 2).unwrap();
    let most = (0..8).map(|n| latency(&mut bed, ms(500 + 371 * n))).max();
    assert!(most.is_some_and(|most| most > ms(500) && most < ms(1030)), "{most:?}");
}

#[test]
fn power_save_keeps_frame_order() {
    let mut bed = Testbed::joined(ChipConfig::default());
    bed.set_number(86, 1).unwrap();
    bed.pass(ms(500));
    for n in 0..10 {
        bed.peer.send(&ethernet(MAC, 200, n));
    }
    bed.pass(ms(150));
    let expected: Vec<Vec<u8>> = (0..10).map(|n| ethernet(MAC, 200, n)).collect();
    assert_eq!(Vec::from(bed.data.clone()), expected);
    bed.clean();
}

/// A station that sends is awake, and says so: the access point sends what it holds.
#[test]
fn power_save_transmission_fetches_waiting_frames() {
    for mode in [1, 2] {
        let mut bed = Testbed::joined(ChipConfig::default());
        bed.set_u32("bcn_li_dtim", 200).unwrap();
        bed.set_number(86, mode).unwrap();
        bed.pass(ms(3000));
        for n in 0..3 {
            bed.peer.send(&ethernet(MAC, 60, n));
        }
        bed.pass(ms(500));
        assert_eq!(bed.data, [[0; 0]; 0], "asleep");
        bed.send_data(&ethernet([2, 0, 0, 0, 0, 7], 60, 0));
        bed.pass(ms(3));
        let expected: Vec<Vec<u8>> = (0..3).map(|n| ethernet(MAC, 60, n)).collect();
        assert_eq!(Vec::from(core::mem::take(&mut bed.data)), expected);
        // What comes next is not held behind a beacon either, and nothing comes twice.
        assert!(latency(&mut bed, Duration::ZERO) < ms(2));
        bed.pass(Duration::from_secs(25));
        assert_eq!(bed.data, [[0; 0]; 0]);
        assert_eq!(bed.chip.stats().delivered, 4);
        bed.clean();
    }
}
