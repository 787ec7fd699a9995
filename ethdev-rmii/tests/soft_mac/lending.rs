//! Lending and interrupts.

use std::time::Duration;

use ethdev::{EthernetDevice, Interest, LendingDevice, Link, Rearm, RearmOutcome, RxHalf, TxHalf};
use ethdev_phy::Mac;

use crate::mock::{HEADROOM, frame, running, with_fcs};

#[test]
fn peek_reserve_memory_of_port_lent() {
    let (mut nic, line) = running(1);
    let armed = line.0.borrow().armed[0].as_ptr();
    line.0.borrow_mut().arrive(&with_fcs(&frame(100, 0)));
    let (mut rx, mut tx) = nic.split();
    let request = rx.peek().unwrap().unwrap();
    assert_eq!(request.as_ptr(), armed, "the buffer that the port filled");
    // The reply is written while the request is read, and while the port receives into another
    // buffer.
    let reply = tx.reserve(100).unwrap().unwrap();
    reply.copy_from_slice(&request);
    let written = reply.as_ptr();
    line.0.borrow_mut().arrive(&with_fcs(&frame(60, 1)));
    tx.commit(100).unwrap();
    assert_eq!(
        line.0.borrow().sending[0].0[HEADROOM..].as_ptr(),
        written,
        "the buffer that the port sends from"
    );
    assert_eq!(rx.peek().unwrap().unwrap().len(), 100, "lent again until released");
    rx.release().unwrap();
    rx.release().unwrap();
    assert_eq!(
        &*rx.peek().unwrap().unwrap(),
        &frame(60, 1)[..],
        "the second release did nothing"
    );
    rx.discard().unwrap();
    assert!(!rx.pending().unwrap());
    let stats = nic.stats();
    assert_eq!((stats.rx_frames, stats.rx_discarded), (1, 1));
}

#[test]
fn reserve_dropped_frees_buffer() {
    let (mut nic, line) = running(1);
    for _ in 0..10 {
        let (_, mut tx) = nic.split();
        assert!(tx.reserve(1514).unwrap().is_some());
    }
    let (_, mut tx) = nic.split();
    assert!(tx.commit(60).is_err(), "nothing was reserved");
    assert!(tx.reserve(13).is_err() && tx.reserve(1519).is_err());
    tx.reserve(60).unwrap().unwrap();
    assert!(tx.commit(61).is_err());
    assert!(tx.commit(60).is_err(), "the reservation is used up");
    assert_eq!((line.0.borrow().sending.len(), nic.stats().tx_frames), (0, 0));
}

#[test]
fn reserve_link_down_lends_memory() {
    let (mut nic, _line) = running(1);
    nic.set_link(Link::Down).unwrap();
    let (_, mut tx) = nic.split();
    assert!(tx.ready().unwrap());
    tx.reserve(60).unwrap().unwrap();
    assert!(tx.commit(60).is_err());
}

#[test]
fn rearm_nothing_pending_armed() {
    let (mut nic, line) = running(1);
    assert_eq!(nic.rearm(Interest::RX).unwrap(), RearmOutcome::Armed);
    assert_eq!(
        (line.0.borrow().rx_interrupt, line.0.borrow().tx_interrupt),
        (true, false)
    );
    let mut wrong = with_fcs(&frame(60, 0));
    wrong[30] ^= 1;
    line.0.borrow_mut().arrive(&wrong);
    assert_eq!(
        nic.rearm(Interest::RX).unwrap(),
        RearmOutcome::Armed,
        "a bad frame is not pending work"
    );
    line.0.borrow_mut().arrive(&with_fcs(&frame(60, 0)));
    assert_eq!(nic.rearm(Interest::RX).unwrap(), RearmOutcome::WorkPending);
    assert_eq!(
        nic.rearm(Interest::TX).unwrap(),
        RearmOutcome::WorkPending,
        "a buffer is free"
    );
    nic.send_frame(&frame(1514, 0)).unwrap();
    assert_eq!(nic.rearm(Interest::TX).unwrap(), RearmOutcome::Armed);
    assert_eq!(
        (line.0.borrow().rx_interrupt, line.0.borrow().tx_interrupt),
        (false, true)
    );
    line.0.borrow_mut().advance(Duration::from_micros(124));
    assert_eq!(nic.rearm(Interest::TX).unwrap(), RearmOutcome::WorkPending);
    nic.disarm().unwrap();
    assert_eq!(
        (line.0.borrow().rx_interrupt, line.0.borrow().tx_interrupt),
        (false, false)
    );
}
