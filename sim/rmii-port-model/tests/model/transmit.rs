//! Transmission.

use core::time::Duration;

use ethdev_sim::{Side, fcs};
use rmii_port_model::{Event, ViolationKind as Kind};

use crate::bench::*;

#[test]
fn exactly_what_was_given_goes_out_in_its_time() {
    let bench = Bench::new(prompt());
    let mut buffer = fcs::append(&frame(60, 1));
    buffer.resize(100, 0xee);
    bench.port.start_tx(buffer.clone(), 64);
    let last_bit = ns(72 * 80);
    assert!(bench.port.is_fetching() && bench.port.is_sending());
    // 36 bytes are in the FIFO when the last ones were fetched.
    bench.clock.advance_to(last_bit - ns(36 * 80) - ns(1));
    assert!(bench.port.is_fetching());
    bench.clock.advance(ns(1));
    assert!(!bench.port.is_fetching() && bench.port.is_sending());
    assert_eq!(bench.port.tx_done(), None);
    bench.settle();
    assert_eq!(bench.events.take(), [(last_bit + ns(960), Event::Sent)]);
    assert_eq!(bench.peer.recv_timed(), Some((last_bit, frame(60, 1))));
    assert_eq!(bench.port.tx_done(), Some(buffer));
    assert_eq!(bench.port.tx_done(), None);
    assert!(!bench.port.is_sending());
    assert_eq!((bench.port.stats().tx_sent, bench.port.stats().tx_running()), (1, 0));
    bench.assert_clean();
}

#[test]
fn line_rate() {
    let bench = Bench::new(prompt());
    for n in 0..20 {
        bench.port.start_tx(fcs::append(&frame(60, n)), 64);
        bench.settle();
    }
    assert_eq!(bench.clock.now(), bench.wire.frame_time(64) * 20);
    assert_eq!(bench.peer.pending(), 20);
    bench.assert_clean();
}

#[test]
fn neither_padding_nor_fcs() {
    let bench = Bench::new(prompt());
    bench.port.start_tx(frame(60, 1), 60);
    bench.settle();
    assert_eq!((bench.peer.recv(), bench.peer.bad_frames()), (None, 1));
    bench.port.start_tx(fcs::append(&frame(20, 1)), 24);
    bench.settle();
    assert_eq!(bench.peer.recv(), Some(frame(20, 1)));
    assert_eq!(bench.kinds(), [Kind::TxRunt, Kind::TxBadFcs, Kind::TxRunt]);
}

#[test]
fn a_frame_started_too_early_ends_the_one_before() {
    let bench = Bench::new(prompt());
    bench.port.start_tx(fcs::append(&frame(1000, 1)), 1004);
    bench.clock.advance(ns((8 + 500) * 80));
    bench.port.start_tx(fcs::append(&frame(60, 2)), 64);
    bench.settle();
    assert_eq!(bench.kinds(), [Kind::TxBusy]);
    assert_eq!((bench.peer.recv(), bench.peer.bad_frames()), (Some(frame(60, 2)), 1));
    assert_eq!((bench.port.stats().tx_truncated, bench.port.stats().tx_sent), (1, 1));
    assert_eq!(bench.port.tx_done().map(|buffer| buffer.len()), Some(1004));
    assert_eq!(bench.port.tx_done().map(|buffer| buffer.len()), Some(64));
    assert_eq!(bench.events.take().len(), 1);
    // In the gap nothing is broken off, but the gap is.
    let bench = Bench::new(prompt());
    bench.port.start_tx(fcs::append(&frame(60, 1)), 64);
    bench.clock.advance(ns(72 * 80 + 500));
    bench.port.start_tx(fcs::append(&frame(60, 2)), 64);
    bench.settle();
    assert_eq!(bench.kinds(), [Kind::TxBusy]);
    assert_eq!((bench.peer.pending(), bench.port.stats().tx_sent), (2, 2));
}

#[test]
fn lengths_that_cannot_be() {
    for len in [0, 65] {
        let bench = Bench::new(prompt());
        bench.port.start_tx(fcs::append(&frame(60, 1)), len);
        bench.clock.advance(Duration::from_secs(1));
        assert!(bench.port.is_sending(), "it hangs");
        assert_eq!(bench.kinds(), [Kind::TxLength]);
        bench.port.abort_tx();
        assert!(!bench.port.is_sending() && bench.port.tx_done().is_some());
        assert_eq!(bench.port.stats().tx_aborted, 1);
    }
}

#[test]
fn hangs_and_holds() {
    let bench = Bench::new(prompt());
    bench.port.hang_next_tx();
    bench.port.start_tx(fcs::append(&frame(60, 1)), 64);
    bench.clock.advance(Duration::from_secs(1));
    assert!(bench.port.is_sending() && bench.events.borrow().is_empty());
    bench.port.abort_tx();
    bench.port.hold_tx(true);
    bench.port.start_tx(fcs::append(&frame(60, 2)), 64);
    bench.clock.advance(Duration::from_secs(1));
    assert_eq!(bench.peer.pending(), 0);
    bench.port.hold_tx(false);
    bench.settle();
    assert_eq!((bench.peer.recv(), bench.peer.recv()), (Some(frame(60, 2)), None));
    // Aborted on the wire: a fragment.
    bench.port.start_tx(fcs::append(&frame(60, 3)), 64);
    bench.clock.advance(ns((8 + 30) * 80));
    bench.port.abort_tx();
    bench.settle();
    assert_eq!((bench.peer.recv(), bench.peer.bad_frames()), (None, 1));
    let stats = bench.port.stats();
    assert_eq!((stats.tx_started, stats.tx_sent, stats.tx_aborted), (3, 1, 2));
    assert!(bench.wire.stats(Side::A).balanced());
    bench.assert_clean();
}

#[test]
fn buffers_of_a_host_without_a_heap() {
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
