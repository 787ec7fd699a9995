use core::cell::RefCell;
use core::time::Duration;
use std::rc::Rc;

use ethdev::{Duplex, Link, LinkMode, Speed};

use super::*;
use crate::{Clock, Peer, fcs};
use proptest::prelude::*;

const FRAME: [u8; 60] = [0x5a; 60];

fn stations(config: WireConfig) -> (Clock, Wire, Peer, Peer) {
    let clock = Clock::new();
    let (wire, a, b) = Wire::new(&clock, config);
    (clock, wire, Peer::new(a), Peer::new(b))
}

fn settle(clock: &Clock) {
    while clock.step() {}
}

fn ns(n: u64) -> Duration {
    Duration::from_nanos(n)
}

#[test]
fn transmit_frame_arrives_after_bit_times() {
    for (speed, byte) in [(Speed::MBPS_100, 80), (Speed::MBPS_10, 800)] {
        let latency = Duration::from_micros(7);
        let (clock, wire, a, b) = stations(WireConfig::default().with_speed(speed).with_latency(latency));
        // Preamble, 60 bytes, FCS: 72 byte times; then 12 of silence.
        assert_eq!(a.send(&FRAME), ns(72 * byte));
        assert_eq!(a.idle_at(), ns(84 * byte));
        assert_eq!(wire.frame_time(64), ns(84 * byte));
        assert_eq!(a.send(&FRAME), ns((84 + 72) * byte), "one after the other");
        settle(&clock);
        let times: Vec<_> = core::iter::from_fn(|| b.recv_timed()).map(|(at, _)| at).collect();
        assert_eq!(times, [ns(72 * byte) + latency, ns(156 * byte) + latency]);
    }
}

#[test]
fn break_off_frame_arrives_as_fragment() {
    let (clock, wire, a, b) = stations(WireConfig::default());
    let heard = Rc::new(RefCell::new(Vec::new()));
    b.port().on_receive({
        let heard = heard.clone();
        Box::new(move |bytes| heard.borrow_mut().push(bytes.to_vec()))
    });
    a.port().break_off();
    a.send(&FRAME);
    clock.advance(ns((8 + 20) * 80));
    a.port().break_off();
    settle(&clock);
    assert_eq!(heard.take(), [vec![0x5a; 20]]);
    a.send(&FRAME);
    clock.advance(wire.frame_time(64));
    a.port().break_off();
    assert_eq!(heard.take(), [fcs::append(&FRAME)], "too late");
    a.send(&FRAME);
    a.port().break_off();
    settle(&clock);
    assert!(heard.take().is_empty(), "not even the preamble was out");
    assert!(wire.stats(Side::A).balanced() && wire.stats(Side::A).cut == 1);
}

#[test]
fn incoming_since_first_to_last_bit() {
    let latency = Duration::from_micros(1);
    let (clock, wire, a, b) = stations(WireConfig::default().with_latency(latency));
    let busy_at = |at: u64| {
        clock.advance_to(ns(at));
        b.port().incoming_since()
    };
    assert_eq!(busy_at(0), None);
    a.send(&FRAME);
    a.send(&FRAME);
    let slot = wire.frame_time(64).as_nanos() as u64;
    assert_eq!(busy_at(999), None);
    assert_eq!(busy_at(1000), Some(latency));
    assert_eq!(busy_at(1000 + 72 * 80 - 1), Some(latency));
    assert_eq!(busy_at(1000 + 72 * 80), None, "the gap");
    assert_eq!(busy_at(1000 + slot), Some(ns(slot) + latency));
    assert_eq!(a.port().incoming_since(), None);
    assert_eq!(busy_at(10_000 + 2 * slot), None);
}

#[test]
fn transmit_back_to_back_reaches_line_rate() {
    // 148 809 frames of 64 bytes a second at 100 Mbit/s (RFC 2544, section 9.1): as many begin
    // within the first second, and one is cut by its end.
    let (clock, wire, a, _b) = stations(WireConfig::default());
    while a.idle_at() < Duration::from_secs(1) {
        a.send(&FRAME);
    }
    clock.advance(Duration::from_secs(1));
    assert_eq!(wire.stats(Side::A).delivered, 148_809);
}

#[test]
fn transmit_both_directions_independent() {
    let (clock, _wire, a, b) = stations(WireConfig::default());
    assert_eq!(a.send(&FRAME), b.send(&FRAME));
    settle(&clock);
    assert_eq!((a.pending(), b.pending()), (1, 1));
}

#[test]
fn transmit_any_bytes_unchanged() {
    let (clock, wire, a, b) = stations(WireConfig::default());
    a.send_raw(&[1, 2, 3]);
    let mut bad = fcs::append(&[7; 100]);
    bad[50] ^= 1;
    a.send_raw(&bad);
    a.send_raw(&fcs::append(&[7; 20]));
    a.send_raw(&fcs::append(&[7; 3000]));
    settle(&clock);
    assert_eq!(b.bad_frames(), 2);
    assert_eq!(b.recv(), Some(vec![7; 20]));
    assert_eq!(b.recv(), Some(vec![7; 3000]));
    assert_eq!(wire.stats(Side::A).delivered, 4);
}

#[test]
fn set_link_down_frames_in_flight_cut() {
    let (clock, wire, a, b) = stations(WireConfig::default().with_latency(Duration::from_millis(1)));
    a.send(&FRAME);
    a.send(&FRAME);
    clock.advance(ns(72 * 80) + Duration::from_millis(1));
    wire.set_link(false);
    assert_eq!(a.link(), Link::Down);
    a.send(&FRAME);
    wire.set_link(true);
    assert_eq!(a.send(&FRAME), clock.now() + ns(72 * 80));
    settle(&clock);
    assert_eq!(b.pending(), 2);
    let stats = wire.stats(Side::A);
    assert_eq!((stats.sent, stats.delivered, stats.cut, stats.in_flight), (4, 2, 2, 0));
}

#[test]
fn set_link_change_notifies_both_ends_once() {
    let clock = Clock::new();
    let (wire, a, b) = Wire::new(&clock, WireConfig::default().with_link_up(false));
    let seen = Rc::new(RefCell::new(Vec::new()));
    for (name, port) in [("a", &a), ("b", &b)] {
        let seen = seen.clone();
        port.on_link_change(Box::new(move |link| seen.borrow_mut().push((name, link.is_up()))));
    }
    for up in [false, true, true, false] {
        wire.set_link(up);
    }
    assert_eq!(*seen.borrow(), [("a", true), ("b", true), ("a", false), ("b", false)]);
}

#[test]
fn handler_may_transmit_advance_replace_drop() {
    let clock = Clock::new();
    let (wire, a, b) = Wire::new(&clock, WireConfig::default());
    let station = Peer::new(a);
    let b = Rc::new(RefCell::new(Some(b)));
    let calls = Rc::new(RefCell::new(0));
    let receiver = {
        let (clock, b, calls) = (clock.clone(), b.clone(), calls.clone());
        move |frame: &[u8]| {
            *calls.borrow_mut() += 1;
            let nth = *calls.borrow();
            match nth {
                // The second frame arrives while the first is still being received.
                1 => clock.advance(Duration::from_micros(10)),
                2 => {
                    b.borrow().as_ref().unwrap().transmit(frame);
                }
                _ => {
                    // Taken out of the cell first: the dropped value is the running handler.
                    let port = b.borrow_mut().take();
                    drop(port);
                }
            }
        }
    };
    b.borrow().as_ref().unwrap().on_receive(Box::new(receiver));
    for _ in 0..4 {
        station.send(&FRAME);
    }
    settle(&clock);
    assert_eq!(*calls.borrow(), 3);
    assert_eq!(station.recv().as_deref(), Some(&FRAME[..]));
    let stats = wire.stats(Side::A);
    assert_eq!((stats.delivered, stats.unheard), (3, 1));
    assert!(stats.balanced());
}

#[test]
fn transmit_no_receiver_counted_unheard() {
    let clock = Clock::new();
    let (wire, a, b) = Wire::new(&clock, WireConfig::default());
    drop(b);
    a.transmit(fcs::append(&FRAME));
    assert_eq!(wire.stats(Side::A).in_flight, 1);
    settle(&clock);
    assert_eq!(wire.stats(Side::A).unheard, 1);
}

/// Sends `n` numbered frames one way; what arrived.
fn run(config: WireConfig, n: u8) -> (WireStats, Vec<Vec<u8>>, u64) {
    let (clock, wire, a, b) = stations(config);
    for i in 0..n {
        a.send(&[i; 60]);
    }
    settle(&clock);
    let frames = core::iter::from_fn(|| b.recv()).collect();
    (wire.stats(Side::A), frames, b.bad_frames())
}

#[test]
fn faults_each_kind_observable() {
    let always = |faults| WireConfig::default().with_faults_from(Side::A, faults);
    let (stats, frames, _) = run(always(WireFaults::NONE.with_loss(1.0)), 10);
    assert_eq!((stats.lost, frames.len()), (10, 0));

    let (stats, frames, _) = run(always(WireFaults::NONE.with_duplication(1.0)), 10);
    assert_eq!((stats.duplicated, stats.reordered), (10, 0));
    assert_eq!(frames, (0..20).map(|i| vec![i / 2; 60]).collect::<Vec<_>>());

    let (stats, frames, bad) = run(always(WireFaults::NONE.with_corruption(1.0)), 10);
    assert_eq!((stats.corrupted, stats.delivered, frames.len(), bad), (10, 10, 0, 10));

    let held = WireFaults::NONE.with_reorder(0.5, Duration::from_micros(20));
    let (stats, frames, _) = run(always(held).with_seed(1), 20);
    assert!(0 < stats.held_back && stats.held_back < 20, "{stats:?}");
    assert!(stats.reordered > 0 && !frames.is_sorted(), "{stats:?}");
    let mut sorted = frames.clone();
    sorted.sort();
    assert_eq!(sorted, (0..20).map(|i| vec![i; 60]).collect::<Vec<_>>());

    // The other direction is left alone.
    let (clock, wire, a, b) = stations(always(WireFaults::NONE.with_loss(1.0)));
    b.send(&FRAME);
    settle(&clock);
    assert_eq!(a.pending(), 1);
    wire.set_faults(WireFaults::NONE);
    a.send(&FRAME);
    settle(&clock);
    assert_eq!(b.pending(), 1);
}

#[test]
fn faults_kinds_independent() {
    let faults = WireFaults::NONE
        .with_loss(0.5)
        .with_duplication(0.5)
        .with_corruption(0.5);
    let (stats, ..) = run(WireConfig::default().with_faults(faults).with_seed(3), 250);
    let survivors = stats.sent - stats.lost;
    let near_half = |n: u64, of: u64| of / 3 < n && n < of * 2 / 3;
    assert!(near_half(survivors, stats.sent), "{stats:?}");
    assert!(near_half(stats.duplicated, survivors), "{stats:?}");
    assert!(near_half(stats.corrupted, survivors), "{stats:?}");
}

#[test]
fn faults_one_probability_leaves_others() {
    let lossy = WireFaults::NONE.with_loss(0.3);
    let survivors = |faults| run(WireConfig::default().with_seed(9).with_faults(faults), 100).1;
    let mut doubled = survivors(lossy.with_duplication(0.5));
    doubled.dedup();
    assert_eq!(survivors(lossy), doubled);
}

#[test]
#[should_panic(expected = "probability out of range")]
fn with_loss_nan_panics() {
    let _ = WireFaults::NONE.with_loss(f64::NAN);
}

fn faults() -> impl Strategy<Value = WireFaults> {
    let p = || prop_oneof![Just(0.0), 0.0..=1.0];
    (p(), p(), p(), p(), 0_u64..100).prop_map(|(loss, duplication, reorder, corruption, delay)| {
        WireFaults::NONE
            .with_loss(loss)
            .with_duplication(duplication)
            .with_reorder(reorder, Duration::from_micros(delay))
            .with_corruption(corruption)
    })
}

#[derive(Debug, Clone)]
enum Step {
    Send(Side, usize),
    Wait(u64),
    Link(bool),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let side = prop_oneof![Just(Side::A), Just(Side::B)];
    let step = prop_oneof![
        6 => (side, 0_usize..1600).prop_map(|(side, len)| Step::Send(side, len)),
        3 => (0_u64..200).prop_map(Step::Wait),
        1 => any::<bool>().prop_map(Step::Link),
    ];
    proptest::collection::vec(step, 0..60)
}

#[test]
fn set_mode_changes_link_and_speed() {
    let clock = Clock::new();
    let (wire, a, b) = Wire::new(&clock, WireConfig::default());
    let reported = Rc::new(RefCell::new(Vec::new()));
    let watch = |port: &Port| {
        let reported = reported.clone();
        port.on_link_change(Box::new(move |link| reported.borrow_mut().push(link)));
    };
    watch(&a);
    watch(&b);
    a.set_mode(None);
    assert_eq!(
        (reported.take(), wire.link(), wire.is_plugged()),
        (vec![Link::Down; 2], Link::Down, true)
    );
    let ten = LinkMode::new(Speed::MBPS_10, Duplex::Half);
    a.set_mode(Some(ten));
    assert_eq!(reported.take(), [Link::Up(ten); 2]);
    assert_eq!(b.transmit([0; 64]), ns(72 * 800), "at the speed of the mode");
    let other = LinkMode::new(Speed::MBPS_100, Duplex::Full);
    a.set_mode(Some(other));
    settle(&clock);
    assert_eq!(wire.stats(Side::B).cut, 1, "a change of mode is a loss of the link");
    assert_eq!(wire.frame_time(64), ns(84 * 80));
    wire.set_link(false);
    a.set_mode(None);
    reported.take();
    wire.set_link(true);
    assert!(reported.take().is_empty(), "a cable alone is no link");
}

#[test]
fn on_cable_change_called_after_link() {
    let clock = Clock::new();
    let (wire, a, b) = Wire::new(&clock, WireConfig::default());
    let reported = Rc::new(RefCell::new(Vec::new()));
    let a = Rc::new(a);
    a.on_cable_change({
        let (reported, a) = (reported.clone(), Rc::downgrade(&a));
        Box::new(move |plugged| {
            let a = a.upgrade().unwrap();
            reported.borrow_mut().push((plugged, a.link().is_up()));
            // What a PHY does.
            a.set_mode(None);
        })
    });
    b.on_cable_change({
        let reported = reported.clone();
        Box::new(move |plugged| reported.borrow_mut().push((plugged, false)))
    });
    wire.set_link(false);
    wire.set_link(false);
    wire.set_link(true);
    assert_eq!(
        reported.take(),
        [(false, false), (false, false), (true, false), (true, false)]
    );
    drop(b);
    wire.set_link(false);
    assert_eq!(reported.take().len(), 1);
}

#[test]
fn half_duplex_ends_alternate() {
    let (clock, wire, a, b) = stations(WireConfig::default());
    a.port().set_half_duplex(true, true);
    for _ in 0..3 {
        a.send(&FRAME);
        b.send(&FRAME);
    }
    assert_eq!(b.idle_at(), wire.frame_time(64) * 6);
    settle(&clock);
    assert_eq!((a.pending(), b.pending()), (3, 3));
    a.port().set_half_duplex(false, false);
    clock.advance_to(b.idle_at());
    let (x, y) = (a.send(&FRAME), b.send(&FRAME));
    assert_eq!(x, y);
}

#[test]
fn duplex_mismatch_frames_collide() {
    for latency in [0, 500] {
        let (clock, wire, a, b) = stations(WireConfig::default().with_latency(ns(latency)));
        // A is in half duplex.
        b.port().set_half_duplex(false, true);
        a.send(&FRAME);
        settle(&clock);
        b.send(&FRAME);
        settle(&clock);
        assert_eq!((a.pending(), b.pending()), (1, 1), "alone");
        // A waits for what it hears.
        clock.advance_to(b.idle_at());
        let begins = clock.now();
        b.send(&FRAME);
        clock.advance(ns(latency));
        let ends = a.send(&FRAME);
        assert_eq!(ends, begins + ns(latency) + wire.frame_time(64) + ns(72 * 80));
        settle(&clock);
        assert_eq!((a.pending(), b.pending()), (2, 2));
        // B does not.
        clock.advance_to(a.idle_at());
        a.send(&FRAME);
        clock.advance(ns(72 * 80 - 1));
        b.send(&FRAME);
        settle(&clock);
        // At A's end, a frame that B sends late enough arrives after A's frame.
        let survive = u64::from(latency > 0);
        assert_eq!(
            (a.pending() as u64, b.pending() as u64),
            (2 + survive, 2 + survive),
            "{latency}"
        );
        for side in [Side::A, Side::B] {
            let stats = wire.stats(side);
            assert!(stats.balanced() && stats.collided == 1 - survive, "{stats:?}");
        }
    }
}

proptest! {
    /// Every frame put on the wire is accounted for, at every moment.
    #[test]
    fn any_steps_counters_balance(a in faults(), b in faults(), seed: u64, steps in steps()) {
        let config = WireConfig::default().with_seed(seed).with_latency(Duration::from_micros(30))
            .with_faults_from(Side::A, a).with_faults_from(Side::B, b);
        let (clock, wire, a, b) = stations(config);
        let mut sent = [0; 2];
        for step in steps {
            match step {
                Step::Send(side, len) => {
                    sent[side.index()] += 1;
                    let station = if side == Side::A { &a } else { &b };
                    station.send_raw(&fcs::append(&vec![0; len]));
                }
                Step::Wait(us) => clock.advance(Duration::from_micros(us)),
                Step::Link(up) => wire.set_link(up),
            }
            prop_assert!(wire.stats(Side::A).balanced() && wire.stats(Side::B).balanced());
        }
        settle(&clock);
        for (side, to) in [(Side::A, &b), (Side::B, &a)] {
            let stats = wire.stats(side);
            prop_assert!(stats.balanced(), "{stats:?}");
            prop_assert_eq!((stats.in_flight, stats.sent), (0, sent[side.index()]));
            prop_assert_eq!(stats.delivered, to.pending() as u64 + to.bad_frames());
        }
    }

    /// A direction is never faster than its speed, and without faults keeps the order.
    #[test]
    fn transmit_any_frames_serialized(lens in proptest::collection::vec(60_usize..1515, 1..40), gaps in proptest::collection::vec(0_u64..200, 40), kbps in 1_000_u32..1_000_000) {
        let (clock, wire, a, b) = stations(WireConfig::default().with_speed(Speed::from_kbps(kbps)));
        let mut earliest = Duration::ZERO;
        for (len, gap) in lens.iter().zip(gaps) {
            let starts = earliest.max(clock.now());
            let last_bit = a.send(&vec![0; *len]);
            let bits = (8 + *len as u128 + 4) * 8;
            prop_assert!((last_bit - starts).as_nanos() * u128::from(kbps) >= bits * 1_000_000);
            prop_assert!((last_bit - starts).as_nanos() * u128::from(kbps) < bits * 1_000_000 + u128::from(kbps), "rounded up to a nanosecond");
            earliest = a.idle_at();
            prop_assert!(earliest >= starts + wire.frame_time(len + 4) - ns(1));
            clock.advance(Duration::from_micros(gap));
        }
        settle(&clock);
        let arrived: Vec<_> = core::iter::from_fn(|| b.recv_timed()).collect();
        prop_assert_eq!(arrived.iter().map(|(_, f)| f.len()).collect::<Vec<_>>(), lens);
        prop_assert!(arrived.is_sorted_by(|(a, _), (b, _)| a < b));
    }

    /// The same seed gives the same run.
    #[test]
    fn same_seed_same_run(faults in faults(), seed: u64) {
        let config = WireConfig::default().with_seed(seed).with_faults(faults);
        prop_assert_eq!(run(config.clone(), 30), run(config, 30));
    }
}
