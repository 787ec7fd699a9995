//! Transmission.

use core::time::Duration;

use ethdev_sim::{Side, fcs};
use rmii_port_model::{Event, ViolationKind as Kind};

use crate::harness::*;

#[test]
fn tx_frame_unchanged_with_exact_duration() {
    let harness = Harness::new(prompt());
    let mut buffer = fcs::append(&frame(60, 1));
    buffer.resize(100, 0xee);
    harness.port.start_tx(buffer.clone(), 64);
    let last_bit = ns(72 * 80);
    assert!(harness.port.is_fetching() && harness.port.is_sending());
    // 36 bytes are in the FIFO when the last ones were fetched.
    harness.clock.advance_to(last_bit - ns(36 * 80) - ns(1));
    assert!(harness.port.is_fetching());
    harness.clock.advance(ns(1));
    assert!(!harness.port.is_fetching() && harness.port.is_sending());
    assert_eq!(harness.port.tx_done(), None);
    harness.settle();
    assert_eq!(harness.events.take(), [(last_bit + ns(960), Event::Sent)]);
    assert_eq!(harness.peer.recv_timed(), Some((last_bit, frame(60, 1))));
    assert_eq!(harness.port.tx_done(), Some(buffer));
    assert_eq!(harness.port.tx_done(), None);
    assert!(!harness.port.is_sending());
    assert_eq!(
        (harness.port.stats().tx_sent, harness.port.stats().tx_running()),
        (1, 0)
    );
    harness.assert_clean();
}

#[test]
fn tx_back_to_back_reaches_line_rate() {
    let harness = Harness::new(prompt());
    for n in 0..20 {
        harness.port.start_tx(fcs::append(&frame(60, n)), 64);
        harness.settle();
    }
    assert_eq!(harness.clock.now(), harness.wire.frame_time(64) * 20);
    assert_eq!(harness.peer.pending(), 20);
    harness.assert_clean();
}

#[test]
fn tx_without_padding_or_fcs_reports_violation() {
    let harness = Harness::new(prompt());
    harness.port.start_tx(frame(60, 1), 60);
    harness.settle();
    assert_eq!((harness.peer.recv(), harness.peer.bad_frames()), (None, 1));
    harness.port.start_tx(fcs::append(&frame(20, 1)), 24);
    harness.settle();
    assert_eq!(harness.peer.recv(), Some(frame(20, 1)));
    assert_eq!(harness.kinds(), [Kind::TxRunt, Kind::TxBadFcs, Kind::TxRunt]);
}

#[test]
fn tx_start_while_busy_cuts_off_previous() {
    let harness = Harness::new(prompt());
    harness.port.start_tx(fcs::append(&frame(1000, 1)), 1004);
    harness.clock.advance(ns((8 + 500) * 80));
    harness.port.start_tx(fcs::append(&frame(60, 2)), 64);
    harness.settle();
    assert_eq!(harness.kinds(), [Kind::TxBusy]);
    assert_eq!(
        (harness.peer.recv(), harness.peer.bad_frames()),
        (Some(frame(60, 2)), 1)
    );
    assert_eq!(
        (harness.port.stats().tx_truncated, harness.port.stats().tx_sent),
        (1, 1)
    );
    assert_eq!(harness.port.tx_done().map(|buffer| buffer.len()), Some(1004));
    assert_eq!(harness.port.tx_done().map(|buffer| buffer.len()), Some(64));
    assert_eq!(harness.events.take().len(), 1);
    // In the gap nothing is broken off, but the gap is.
    let harness = Harness::new(prompt());
    harness.port.start_tx(fcs::append(&frame(60, 1)), 64);
    harness.clock.advance(ns(72 * 80 + 500));
    harness.port.start_tx(fcs::append(&frame(60, 2)), 64);
    harness.settle();
    assert_eq!(harness.kinds(), [Kind::TxBusy]);
    assert_eq!((harness.peer.pending(), harness.port.stats().tx_sent), (2, 2));
}

#[test]
fn tx_invalid_length_hangs() {
    for len in [0, 65] {
        let harness = Harness::new(prompt());
        harness.port.start_tx(fcs::append(&frame(60, 1)), len);
        harness.clock.advance(Duration::from_secs(1));
        assert!(harness.port.is_sending(), "it hangs");
        assert_eq!(harness.kinds(), [Kind::TxLength]);
        harness.port.abort_tx();
        assert!(!harness.port.is_sending() && harness.port.tx_done().is_some());
        assert_eq!(harness.port.stats().tx_aborted, 1);
    }
}

#[test]
fn tx_hang_and_hold_end_on_abort_and_release() {
    let harness = Harness::new(prompt());
    harness.port.hang_next_tx();
    harness.port.start_tx(fcs::append(&frame(60, 1)), 64);
    harness.clock.advance(Duration::from_secs(1));
    assert!(harness.port.is_sending() && harness.events.borrow().is_empty());
    harness.port.abort_tx();
    harness.port.hold_tx(true);
    harness.port.start_tx(fcs::append(&frame(60, 2)), 64);
    harness.clock.advance(Duration::from_secs(1));
    assert_eq!(harness.peer.pending(), 0);
    harness.port.hold_tx(false);
    harness.settle();
    assert_eq!((harness.peer.recv(), harness.peer.recv()), (Some(frame(60, 2)), None));
    // Aborted on the wire: a fragment.
    harness.port.start_tx(fcs::append(&frame(60, 3)), 64);
    harness.clock.advance(ns((8 + 30) * 80));
    harness.port.abort_tx();
    harness.settle();
    assert_eq!((harness.peer.recv(), harness.peer.bad_frames()), (None, 1));
    let stats = harness.port.stats();
    assert_eq!((stats.tx_started, stats.tx_sent, stats.tx_aborted), (3, 1, 2));
    assert!(harness.wire.stats(Side::A).balanced());
    harness.assert_clean();
}

#[test]
fn port_static_buffers_round_trip() {
    let clock = ethdev_sim::Clock::new();
    let (_wire, near, far) = ethdev_sim::Wire::new(&clock, Default::default());
    let port = rmii_port_model::RmiiPort::<&'static mut [u8]>::new(near, prompt());
    let peer = ethdev_sim::Peer::new(far);
    port.start_rx(Box::leak(Box::new([0; 128]))).unwrap();
    peer.send(&frame(60, 1));
    while clock.step() {}
    let done = port.rx_done().unwrap();
    port.start_tx(done.buffer, done.len);
    while clock.step() {}
    assert_eq!(peer.recv(), Some(frame(60, 1)));
}
