//! Power save: what arrives waits for a beacon.

use std::time::Duration;

use cyw43439_model::ChipConfig;

use crate::host::{Lab, MAC, ethernet, ms};

/// How long a frame takes to the host, after this long a silence.
fn latency(lab: &mut Lab, silence: Duration) -> Duration {
    lab.pass(silence);
    let sent = lab.clock.now();
    lab.peer.send(&ethernet(MAC, 60, 0));
    while lab.data.pop_front().is_none() {
        lab.clock.advance(Duration::from_micros(50));
        lab.drain();
        assert!(lab.clock.now() - sent < Duration::from_secs(60));
    }
    lab.clock.now() - sent
}

#[test]
fn none() {
    let mut lab = Lab::joined(ChipConfig::default());
    for _ in 0..5 {
        assert!(latency(&mut lab, ms(777)) < ms(1));
    }
    lab.clean();
}

#[test]
fn the_chip_sleeps_after_a_while() {
    let mut lab = Lab::joined(ChipConfig::default());
    lab.set_u32("pm2_sleep_ret", 200).unwrap();
    lab.set_u32("bcn_li_bcn", 1).unwrap();
    lab.set_u32("bcn_li_dtim", 1).unwrap();
    lab.set_number(86, 2).unwrap();
    let mut delays: Vec<Duration> = (0..20).map(|n| latency(&mut lab, ms(500 + 37 * n))).collect();
    delays.sort_unstable();
    assert!(delays[0] < ms(25) && delays[19] > ms(75), "{delays:?}");
    assert!(delays[19] < ms(104), "a beacon interval at most: {delays:?}");
    for _ in 0..5 {
        assert!(latency(&mut lab, ms(100)) < ms(1), "it is still awake");
    }
    // Sending keeps it awake as well.
    lab.pass(ms(500));
    lab.send_data(&ethernet([2, 0, 0, 0, 0, 7], 60, 0));
    assert!(latency(&mut lab, ms(150)) < ms(1));
    lab.clean();
}

#[test]
fn fewer_beacons_take_longer() {
    let mut lab = Lab::joined(ChipConfig::default());
    lab.set_u32("bcn_li_dtim", 10).unwrap();
    lab.set_number(86, 2).unwrap();
    let most = (0..8).map(|n| latency(&mut lab, ms(500 + 371 * n))).max();
    assert!(most.is_some_and(|most| most > ms(500) && most < ms(1030)), "{most:?}");
}

#[test]
fn all_that_waited_comes_in_order() {
    let mut lab = Lab::joined(ChipConfig::default());
    lab.set_number(86, 1).unwrap();
    lab.pass(ms(500));
    for n in 0..10 {
        lab.peer.send(&ethernet(MAC, 200, n));
    }
    lab.pass(ms(150));
    let expected: Vec<Vec<u8>> = (0..10).map(|n| ethernet(MAC, 200, n)).collect();
    assert_eq!(Vec::from(lab.data.clone()), expected);
    lab.clean();
}
