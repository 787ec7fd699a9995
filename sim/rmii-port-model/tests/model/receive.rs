//! Reception.

use ethdev_sim::fcs;
use rmii_port_model::{Event, MidFrame, RmiiPortConfig, ViolationKind as Kind};

use crate::bench::*;

#[test]
fn one_frame_and_then_nothing() {
    let bench = Bench::new(prompt());
    bench.port.start_rx(vec![0; 100]).unwrap();
    let sent = bench.peer.send(&frame(60, 1));
    bench.peer.send(&frame(60, 2));
    assert!(bench.port.is_receiving());
    bench.settle();
    assert_eq!(bench.events.take(), [(sent, Event::Received)]);
    assert!(!bench.port.is_receiving() && bench.port.is_rx_done());
    let done = bench.port.rx_done().unwrap();
    assert_eq!((done.len, done.buffer.len()), (64, 100));
    assert_eq!(done.buffer[..64], fcs::append(&frame(60, 1)), "with its FCS");
    assert_eq!(done.buffer[64..], [0; 36]);
    assert_eq!(bench.port.rx_done(), None);
    assert_eq!((bench.port.stats().received, bench.port.stats().unarmed), (1, 1));
    bench.assert_clean();
}

#[test]
fn back_to_back_frames_survive_a_prompt_restart() {
    for config in [prompt(), Default::default()] {
        let bench = Bench::new(config);
        let received = bench.receive_all();
        for n in 0..50 {
            bench.peer.send(&frame(60 + usize::from(n) * 29, n));
        }
        bench.settle();
        for (n, got) in (0..).zip(received.take()) {
            assert_eq!(fcs::check(&got), Some(&frame(60 + usize::from(n) * 29, n)[..]));
        }
        assert_eq!(bench.port.stats().received, 50);
        bench.assert_clean();
    }
}

/// From the last bit of a frame there are 960 ns of gap and 640 ns of preamble and delimiter.
#[test]
fn the_last_moment_to_start() {
    for (after, received) in [(1600, true), (1601, false)] {
        let bench = Bench::new(prompt());
        bench.port.start_rx(vec![0; 64]).unwrap();
        let first = bench.peer.send(&frame(60, 1));
        bench.peer.send(&frame(60, 2));
        bench.clock.advance_to(first);
        bench.port.rx_done().unwrap();
        bench.clock.advance(ns(after));
        bench.port.start_rx(vec![0; 64]).unwrap();
        bench.settle();
        assert_eq!(bench.port.rx_done().is_some(), received, "{after} ns");
        // One that was missed does not stop the receiver: the next one comes.
        assert_eq!(bench.port.is_receiving(), !received);
        bench.assert_clean();
    }
}

#[test]
fn the_event_may_come_a_byte_late() {
    let mut lateness = std::collections::BTreeSet::new();
    for seed in 0..100 {
        let bench = Bench::new(RmiiPortConfig::default().with_seed(seed));
        bench.port.start_rx(vec![0; 64]).unwrap();
        let sent = bench.peer.send(&frame(60, 1));
        bench.settle();
        lateness.insert(bench.events.take()[0].0 - sent);
    }
    assert!(lateness.len() > 20);
    assert!(lateness.iter().all(|late| *late <= ns(80)), "{lateness:?}");
}

#[test]
fn a_receiver_that_takes_the_rest_of_a_frame() {
    let bench = Bench::new(prompt().with_mid_frame(MidFrame::TakesTheRest));
    let on_wire = fcs::append(&[0x55; 100]);
    bench.peer.send(&[0x55; 100]);
    // In the middle of the 20th byte, which holds no dibit with its upper bit set; nor do the ones after it, up to the FCS.
    bench.clock.advance(ns((8 + 20) * 80 + 40));
    bench.port.start_rx(vec![0; 200]).unwrap();
    bench.settle();
    let done = bench.port.rx_done().unwrap();
    assert!(done.len < 4, "{}", done.len);
    let bench = Bench::new(prompt().with_mid_frame(MidFrame::TakesTheRest));
    bench.peer.send(&[0xaa; 100]);
    bench.clock.advance(ns((8 + 20) * 80));
    bench.port.start_rx(vec![0; 200]).unwrap();
    bench.settle();
    let done = bench.port.rx_done().unwrap();
    // The first dibit is taken for the delimiter's, and the last byte is not whole any more.
    assert_eq!(done.len, on_wire.len() - 20 - 1);
    assert!(done.buffer[..70].iter().all(|byte| *byte == 0xaa));
    assert_eq!(fcs::check(&done.buffer[..done.len]), None);
    assert_eq!(bench.port.stats().rests, 1);
    bench.assert_clean();
}

#[test]
fn runts_giants_and_stray_bytes() {
    let bench = Bench::new(prompt());
    let received = bench.receive_all();
    bench.peer.send_raw(&[]);
    bench.peer.send_raw(&[1]);
    bench.peer.send_raw(&[2; 63]);
    bench.peer.send_raw(&[3; 1600]);
    bench.peer.send_raw(&[4; 2000]);
    bench.settle();
    let lens: Vec<_> = received.take().iter().map(Vec::len).collect();
    assert_eq!(lens, [0, 1, 63, 1600, 1600]);
    let stats = bench.port.stats();
    assert_eq!((stats.received, stats.runts, stats.clipped), (5, 3, 1));
    bench.assert_clean();

    let bench = Bench::new(prompt().with_stray_byte(1.0));
    let received = bench.receive_all();
    bench.peer.send(&frame(60, 1));
    bench.settle();
    let got = received.take().remove(0);
    assert_eq!(got.len(), 65);
    assert_eq!(fcs::check(&got[..64]), Some(&frame(60, 1)[..]));
    assert_eq!(bench.port.stats().strays, 1);
}

#[test]
fn misuse_of_the_receiver() {
    let bench = Bench::new(prompt());
    assert_eq!(bench.port.start_rx(Vec::new()), Err(Vec::new()));
    bench.port.start_rx(vec![0; 64]).unwrap();
    assert_eq!(bench.port.start_rx(vec![1; 9]), Err(vec![1; 9]));
    bench.peer.send(&frame(60, 1));
    bench.settle();
    assert_eq!(bench.port.start_rx(vec![1; 9]), Err(vec![1; 9]));
    assert_eq!(
        bench.kinds(),
        [Kind::RxNoBuffer, Kind::RxStartedTwice, Kind::RxNotTaken]
    );
    assert!(bench.port.rx_done().is_some());
    assert!(
        bench
            .port
            .take_violations()
            .remove(2)
            .to_string()
            .starts_with("RxNotTaken at ")
    );
    bench.port.allow(Kind::RxNoBuffer);
    assert!(bench.port.start_rx(Vec::new()).is_err());
    bench.assert_clean();
}

#[test]
fn stopping() {
    let bench = Bench::new(Default::default());
    assert_eq!(bench.port.stop_rx(), None);
    bench.port.start_rx(vec![0; 64]).unwrap();
    let sent = bench.peer.send(&frame(60, 1));
    bench.clock.advance_to(sent - ns(1));
    assert!(bench.port.stop_rx().is_some());
    bench.settle();
    assert_eq!((bench.events.take().len(), bench.port.stats().unarmed), (0, 1));
    // Between the last bit and the event.
    let stopped: u64 = (0..20)
        .map(|seed| {
            let bench = Bench::new(RmiiPortConfig::default().with_seed(seed));
            bench.port.start_rx(vec![0; 64]).unwrap();
            let sent = bench.peer.send(&frame(60, 1));
            bench.clock.advance_to(sent);
            let told = bench.port.is_rx_done();
            assert_eq!(bench.port.stop_rx().is_none(), told);
            bench.settle();
            assert_eq!(bench.events.take().is_empty(), !told);
            bench.assert_clean();
            bench.port.stats().stopped
        })
        .sum();
    assert!(stopped > 10, "{stopped}");
}

#[test]
fn a_frame_arrives_right_before_an_access() {
    let bench = Bench::new(Default::default());
    bench.port.start_rx(vec![0; 100]).unwrap();
    let frames = std::rc::Rc::new(std::cell::Cell::new(1));
    bench.port.on_access({
        let (port, frames) = (bench.port.clone(), frames.clone());
        move || {
            if frames.replace(0) > 0 {
                port.arrive(&fcs::append(&frame(60, 1)));
            }
        }
    });
    assert_eq!(bench.port.rx_done().map(|done| done.len), Some(64));
    assert_eq!(bench.events.take().len(), 1);
    bench.port.arrive(&fcs::append(&frame(60, 2)));
    assert_eq!((bench.port.stats().received, bench.port.stats().unarmed), (1, 1));
    bench.assert_clean();
}

#[test]
fn masked_events_come_when_they_are_enabled() {
    let bench = Bench::new(prompt());
    bench.port.enable_event(Event::Received, false);
    bench.port.start_rx(vec![0; 64]).unwrap();
    bench.peer.send(&frame(60, 1));
    bench.settle();
    assert!(bench.events.borrow().is_empty() && bench.port.is_rx_done());
    bench.port.enable_event(Event::Received, true);
    assert_eq!(bench.events.take().len(), 1);
    bench.port.enable_event(Event::Received, false);
    bench.port.rx_done().unwrap();
    bench.port.start_rx(vec![0; 64]).unwrap();
    bench.peer.send(&frame(60, 1));
    bench.settle();
    bench.port.clear_event(Event::Received);
    bench.port.enable_event(Event::Received, true);
    assert!(bench.events.take().is_empty());
}

#[test]
fn lengths_can_be_forged_and_accesses_watched() {
    let bench = Bench::new(prompt());
    let accesses = std::rc::Rc::new(std::cell::Cell::new(0));
    bench.port.on_access({
        let accesses = accesses.clone();
        move || accesses.set(accesses.get() + 1)
    });
    bench.port.override_rx_len(9999);
    bench.port.start_rx(vec![0; 64]).unwrap();
    bench.peer.send(&frame(60, 1));
    bench.settle();
    assert_eq!(bench.port.rx_done().unwrap().len, 9999);
    assert_eq!(accesses.get(), 2);
}
