//! Reception.

use ethdev_sim::fcs;
use rmii_port_model::{Event, MidFrame, RmiiPortConfig, ViolationKind as Kind};

use crate::harness::*;

#[test]
fn rx_one_frame_then_receiver_stops() {
    let harness = Harness::new(prompt());
    harness.port.start_rx(vec![0; 100]).unwrap();
    let sent = harness.peer.send(&frame(60, 1));
    harness.peer.send(&frame(60, 2));
    assert!(harness.port.is_receiving());
    harness.settle();
    assert_eq!(harness.events.take(), [(sent, Event::Received)]);
    assert!(!harness.port.is_receiving() && harness.port.is_rx_done());
    let done = harness.port.rx_done().unwrap();
    assert_eq!((done.len, done.buffer.len()), (64, 100));
    assert_eq!(done.buffer[..64], fcs::append(&frame(60, 1)), "with its FCS");
    assert_eq!(done.buffer[64..], [0; 36]);
    assert_eq!(harness.port.rx_done(), None);
    assert_eq!((harness.port.stats().received, harness.port.stats().unarmed), (1, 1));
    harness.assert_clean();
}

#[test]
fn rx_restart_in_event_receives_every_frame() {
    for config in [prompt(), Default::default()] {
        let harness = Harness::new(config);
        let received = harness.receive_all();
        for n in 0..50 {
            harness.peer.send(&frame(60 + usize::from(n) * 29, n));
        }
        harness.settle();
        for (n, got) in (0..).zip(received.take()) {
            assert_eq!(fcs::check(&got), Some(&frame(60 + usize::from(n) * 29, n)[..]));
        }
        assert_eq!(harness.port.stats().received, 50);
        harness.assert_clean();
    }
}

/// From the last bit of a frame there are 960 ns of gap and 640 ns of preamble and delimiter.
#[test]
fn rx_start_after_preamble_misses_frame() {
    for (after, received) in [(1600, true), (1601, false)] {
        let harness = Harness::new(prompt());
        harness.port.start_rx(vec![0; 64]).unwrap();
        let first = harness.peer.send(&frame(60, 1));
        harness.peer.send(&frame(60, 2));
        harness.clock.advance_to(first);
        harness.port.rx_done().unwrap();
        harness.clock.advance(ns(after));
        harness.port.start_rx(vec![0; 64]).unwrap();
        harness.settle();
        assert_eq!(harness.port.rx_done().is_some(), received, "{after} ns");
        // One that was missed does not stop the receiver: the next one comes.
        assert_eq!(harness.port.is_receiving(), !received);
        harness.assert_clean();
    }
}

#[test]
fn rx_event_latency_within_one_byte() {
    let mut lateness = std::collections::BTreeSet::new();
    for seed in 0..100 {
        let harness = Harness::new(RmiiPortConfig::default().with_seed(seed));
        harness.port.start_rx(vec![0; 64]).unwrap();
        let sent = harness.peer.send(&frame(60, 1));
        harness.settle();
        lateness.insert(harness.events.take()[0].0 - sent);
    }
    assert!(lateness.len() > 20);
    assert!(lateness.iter().all(|late| *late <= ns(80)), "{lateness:?}");
}

#[test]
fn rx_started_mid_frame_receives_partial() {
    let harness = Harness::new(prompt().with_mid_frame(MidFrame::ReceivesPartial));
    let on_wire = fcs::append(&[0x55; 100]);
    harness.peer.send(&[0x55; 100]);
    // In the middle of the 20th byte, which holds no dibit with its upper bit set; nor do the ones
    // after it, up to the FCS.
    harness.clock.advance(ns((8 + 20) * 80 + 40));
    harness.port.start_rx(vec![0; 200]).unwrap();
    harness.settle();
    let done = harness.port.rx_done().unwrap();
    assert!(done.len < 4, "{}", done.len);
    let harness = Harness::new(prompt().with_mid_frame(MidFrame::ReceivesPartial));
    harness.peer.send(&[0xaa; 100]);
    harness.clock.advance(ns((8 + 20) * 80));
    harness.port.start_rx(vec![0; 200]).unwrap();
    harness.settle();
    let done = harness.port.rx_done().unwrap();
    // The first dibit is taken for the delimiter's, and the last byte is not whole any more.
    assert_eq!(done.len, on_wire.len() - 20 - 1);
    assert!(done.buffer[..70].iter().all(|byte| *byte == 0xaa));
    assert_eq!(fcs::check(&done.buffer[..done.len]), None);
    assert_eq!(harness.port.stats().partial, 1);
    harness.assert_clean();
}

#[test]
fn rx_runts_giants_and_stray_bytes_are_counted() {
    let harness = Harness::new(prompt());
    let received = harness.receive_all();
    harness.peer.send_raw(&[]);
    harness.peer.send_raw(&[1]);
    harness.peer.send_raw(&[2; 63]);
    harness.peer.send_raw(&[3; 1600]);
    harness.peer.send_raw(&[4; 2000]);
    harness.settle();
    let lens: Vec<_> = received.take().iter().map(Vec::len).collect();
    assert_eq!(lens, [0, 1, 63, 1600, 1600]);
    let stats = harness.port.stats();
    assert_eq!((stats.received, stats.runts, stats.truncated), (5, 3, 1));
    harness.assert_clean();

    let harness = Harness::new(prompt().with_stray_byte(1.0));
    let received = harness.receive_all();
    harness.peer.send(&frame(60, 1));
    harness.settle();
    let got = received.take().remove(0);
    assert_eq!(got.len(), 65);
    assert_eq!(fcs::check(&got[..64]), Some(&frame(60, 1)[..]));
    assert_eq!(harness.port.stats().stray_bytes, 1);
}

#[test]
fn rx_invalid_start_reports_violation() {
    let harness = Harness::new(prompt());
    assert_eq!(harness.port.start_rx(Vec::new()), Err(Vec::new()));
    harness.port.start_rx(vec![0; 64]).unwrap();
    assert_eq!(harness.port.start_rx(vec![1; 9]), Err(vec![1; 9]));
    harness.peer.send(&frame(60, 1));
    harness.settle();
    assert_eq!(harness.port.start_rx(vec![1; 9]), Err(vec![1; 9]));
    assert_eq!(
        harness.kinds(),
        [Kind::RxNoBuffer, Kind::RxStartedTwice, Kind::RxNotTaken]
    );
    assert!(harness.port.rx_done().is_some());
    assert!(
        harness
            .port
            .take_violations()
            .remove(2)
            .to_string()
            .starts_with("RxNotTaken at ")
    );
    harness.port.allow_violation(Kind::RxNoBuffer);
    assert!(harness.port.start_rx(Vec::new()).is_err());
    harness.assert_clean();
}

#[test]
fn rx_stop_returns_buffer() {
    let harness = Harness::new(Default::default());
    assert_eq!(harness.port.stop_rx(), None);
    harness.port.start_rx(vec![0; 64]).unwrap();
    let sent = harness.peer.send(&frame(60, 1));
    harness.clock.advance_to(sent - ns(1));
    assert!(harness.port.stop_rx().is_some());
    harness.settle();
    assert_eq!((harness.events.take().len(), harness.port.stats().unarmed), (0, 1));
    // Between the last bit and the event.
    let stopped: u64 = (0..20)
        .map(|seed| {
            let harness = Harness::new(RmiiPortConfig::default().with_seed(seed));
            harness.port.start_rx(vec![0; 64]).unwrap();
            let sent = harness.peer.send(&frame(60, 1));
            harness.clock.advance_to(sent);
            let done = harness.port.is_rx_done();
            assert_eq!(harness.port.stop_rx().is_none(), done);
            harness.settle();
            assert_eq!(harness.events.take().is_empty(), !done);
            harness.assert_clean();
            harness.port.stats().stopped
        })
        .sum();
    assert!(stopped > 10, "{stopped}");
}

#[test]
fn rx_frame_before_access_is_seen() {
    let harness = Harness::new(Default::default());
    harness.port.start_rx(vec![0; 100]).unwrap();
    let frames = std::rc::Rc::new(std::cell::Cell::new(1));
    harness.port.on_access({
        let (port, frames) = (harness.port.clone(), frames.clone());
        move || {
            if frames.replace(0) > 0 {
                port.arrive(&fcs::append(&frame(60, 1)));
            }
        }
    });
    assert_eq!(harness.port.rx_done().map(|done| done.len), Some(64));
    assert_eq!(harness.events.take().len(), 1);
    harness.port.arrive(&fcs::append(&frame(60, 2)));
    assert_eq!((harness.port.stats().received, harness.port.stats().unarmed), (1, 1));
    harness.assert_clean();
}

#[test]
fn events_masked_are_delivered_when_enabled() {
    let harness = Harness::new(prompt());
    harness.port.enable_event(Event::Received, false);
    harness.port.start_rx(vec![0; 64]).unwrap();
    harness.peer.send(&frame(60, 1));
    harness.settle();
    assert!(harness.events.borrow().is_empty() && harness.port.is_rx_done());
    harness.port.enable_event(Event::Received, true);
    assert_eq!(harness.events.take().len(), 1);
    harness.port.enable_event(Event::Received, false);
    harness.port.rx_done().unwrap();
    harness.port.start_rx(vec![0; 64]).unwrap();
    harness.peer.send(&frame(60, 1));
    harness.settle();
    harness.port.clear_event(Event::Received);
    harness.port.enable_event(Event::Received, true);
    assert!(harness.events.take().is_empty());
}

#[test]
fn override_rx_len_reports_length_and_accesses_call_handler() {
    let harness = Harness::new(prompt());
    let accesses = std::rc::Rc::new(std::cell::Cell::new(0));
    harness.port.on_access({
        let accesses = accesses.clone();
        move || accesses.set(accesses.get() + 1)
    });
    harness.port.override_rx_len(9999);
    harness.port.start_rx(vec![0; 64]).unwrap();
    harness.peer.send(&frame(60, 1));
    harness.settle();
    assert_eq!(harness.port.rx_done().unwrap().len, 9999);
    assert_eq!(accesses.get(), 2);
}
