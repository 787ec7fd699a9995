//! The guarantees of `Buffered` in addition to the contract of the device.

mod support;

use std::task::{Context, Poll, Waker};

use ethdev::{
    Control, Error, ErrorKind, EthernetDevice, Interest, LendingDevice, Link, PollReady, Rearm, RearmOutcome, RxHalf,
    TxHalf,
};
use ethdev_util::Buffered;
use proptest::prelude::*;
use support::{Cause, Scripted, buffered, frame};

type Device = Buffered<'static, Scripted>;

fn buffered_1514(device: Scripted) -> Device {
    buffered(device, 1514)
}

fn lent(device: &mut Device) -> Option<Vec<u8>> {
    device.split().0.peek().unwrap().map(|frame| frame.to_vec())
}

#[test]
fn peek_unreleased_lends_again() {
    let mut device = buffered_1514(Scripted::with_incoming([frame(1, 60), frame(2, 70)]));
    assert_eq!(lent(&mut device), Some(frame(1, 60)));
    assert_eq!(lent(&mut device), Some(frame(1, 60)));
    device.split().0.release().unwrap();
    assert_eq!(lent(&mut device), Some(frame(2, 70)));
}

#[test]
fn recv_frame_after_peek_same_order() {
    let mut device = buffered_1514(Scripted::with_incoming([frame(1, 60), frame(2, 70), frame(3, 80)]));
    let mut buf = [0; 1514];
    assert_eq!(lent(&mut device), Some(frame(1, 60)));
    let e = device.recv_frame(&mut buf[..59]).unwrap_err();
    assert_eq!(e.kind(), ErrorKind::BufferTooSmall { needed: 60 });
    assert_eq!(device.recv_frame(&mut buf).unwrap().unwrap().len, 60);
    assert_eq!(buf[..60], frame(1, 60));
    assert_eq!(device.recv_frame(&mut buf).unwrap().unwrap().len, 70);
    assert_eq!(lent(&mut device), Some(frame(3, 80)));
    assert!(device.discard_frame().unwrap());
    assert!(!device.discard_frame().unwrap());
}

#[test]
fn reserve_while_lent_sends() {
    let mut device = buffered_1514(Scripted::with_incoming([frame(1, 60)]));
    let (mut rx, mut tx) = device.split();
    let received = rx.peek().unwrap().unwrap();
    let memory = tx.reserve(received.len()).unwrap().unwrap();
    memory.copy_from_slice(&received);
    tx.commit(60).unwrap();
    tx.send_vectored(&[&received[..14], b"again"]).unwrap();
    rx.release().unwrap();
    assert_eq!(
        device.into_inner().sent,
        [frame(1, 60), [&frame(1, 60)[..14], b"again"].concat()]
    );
}

#[test]
fn send_frame_device_busy_holds_one() {
    let mut device = buffered_1514(Scripted {
        tx_capacity: 0,
        ..Scripted::new()
    });
    assert!(device.tx_ready().unwrap());
    device.send_frame(&frame(1, 60)).unwrap();
    assert!(!device.tx_ready().unwrap());
    assert_eq!(
        device.send_frame(&frame(2, 60)).unwrap_err(),
        Cause::from(ErrorKind::Busy)
    );
    assert!(device.split().1.reserve(60).unwrap().is_none());
    assert!(!device.service().unwrap().tx_ready);
    device.inner_mut().tx_capacity = 1;
    assert!(
        device.service().unwrap().tx_ready,
        "the held frame was sent and its buffer is free"
    );
    assert_eq!(device.inner_mut().sent, [frame(1, 60)]);
}

#[test]
fn send_vectored_held_frame_goes_first() {
    let mut device = buffered_1514(Scripted {
        tx_capacity: 0,
        ..Scripted::new()
    });
    device.send_frame(&frame(1, 60)).unwrap();
    device.inner_mut().tx_capacity = 2;
    device
        .send_vectored(&[&frame(2, 60)[..20], &[], &frame(2, 60)[20..]])
        .unwrap();
    assert_eq!(device.into_inner().sent, [frame(1, 60), frame(2, 60)]);
}

#[test]
fn service_held_frame_rejected_counts_aborted() {
    let mut device = buffered_1514(Scripted {
        tx_capacity: 0,
        ..Scripted::new()
    });
    device.send_frame(&frame(1, 60)).unwrap();
    device.inner_mut().link = Link::Down;
    let events = device.service().unwrap();
    assert_eq!(events.tx_failed, 1);
    assert_eq!(device.stats().tx_aborted, 1);
    device.inner_mut().link = Link::UP;
    device.inner_mut().tx_capacity = 1;
    device.send_frame(&frame(2, 60)).unwrap();
    assert_eq!(device.into_inner().sent, [frame(2, 60)]);
}

#[test]
fn reserve_dropped_sends_nothing() {
    let mut device = buffered_1514(Scripted::new());
    for _ in 0..3 {
        let memory_len = device.split().1.reserve(100).unwrap().map(|memory| memory.len());
        assert_eq!(memory_len, Some(100));
    }
    let (_, mut tx) = device.split();
    assert_eq!(
        tx.commit(60).unwrap_err().kind(),
        ErrorKind::FrameTooLong { max: 0 },
        "nothing was reserved"
    );
    assert!(device.into_inner().sent.is_empty());
}

#[test]
fn reserve_illegal_length_no_bus_access() {
    let mut device = buffered_1514(Scripted::new());
    let (_, mut tx) = device.split();
    assert_eq!(
        tx.reserve(1515).unwrap_err().kind(),
        ErrorKind::FrameTooLong { max: 1514 }
    );
    assert_eq!(
        tx.reserve(usize::MAX).unwrap_err().kind(),
        ErrorKind::FrameTooLong { max: 1514 }
    );
    assert_eq!(tx.reserve(13).unwrap_err().kind(), ErrorKind::FrameTooShort);
    assert!(tx.reserve(60).unwrap().is_some());
    assert_eq!(tx.commit(61).unwrap_err().kind(), ErrorKind::FrameTooLong { max: 60 });
    assert!(tx.reserve(60).unwrap().is_some());
    assert_eq!(tx.commit(13).unwrap_err().kind(), ErrorKind::FrameTooShort);
    assert_eq!(device.inner_mut().bus_accesses, 0);
}

#[test]
fn peek_frame_exceeds_buffer_discards() {
    let oversize = || frame(9, 1000);
    let mut device = buffered(Scripted::with_incoming([oversize(), oversize(), frame(1, 600)]), 600);
    assert_eq!(device.capabilities().rx_max_frame_len.bytes(), 600);
    assert_eq!(device.capabilities().ip_mtu().bytes(), 586);
    assert_eq!(device.split().0.peek().unwrap().unwrap().to_vec(), frame(1, 600));
    assert_eq!(device.stats().rx_discarded, 2);
}

#[test]
fn peek_oversize_flood_returns() {
    let mut device = buffered(Scripted::new(), 600);
    device.inner_mut().incoming = (0..1000).map(|_| frame(9, 1000)).collect();
    assert!(device.split().0.peek().unwrap().is_none());
    assert!(device.inner_mut().incoming.len() > 900);
}

#[test]
fn peek_bus_error_keeps_cause_and_frame() {
    let mut device = buffered_1514(Scripted::with_incoming([frame(1, 60)]));
    let cause = Cause(ErrorKind::Bus, "MISO stuck");
    device.inner_mut().fail_next = Some(cause);
    assert_eq!(device.split().0.peek().unwrap_err(), cause);
    assert_eq!(lent(&mut device), Some(frame(1, 60)));
}

#[test]
fn stop_held_frames_counts_reset() {
    let mut device = buffered_1514(Scripted {
        tx_capacity: 0,
        ..Scripted::with_incoming([frame(1, 60)])
    });
    lent(&mut device);
    device.send_frame(&frame(2, 60)).unwrap();
    device.stop().unwrap();
    assert_eq!(lent(&mut device), None);
    let stats = device.stats();
    assert_eq!(
        (stats.rx_frames, stats.rx_bytes, stats.rx_reset, stats.tx_reset),
        (0, 0, 1, 1)
    );
}

#[test]
fn rearm_held_frame_work_pending() {
    let mut device = buffered_1514(Scripted::with_incoming([frame(1, 60)]));
    lent(&mut device);
    assert!(device.inner_mut().incoming.is_empty());
    assert_eq!(device.rearm(Interest::RX).unwrap(), RearmOutcome::WorkPending);
    assert_eq!(device.rearm(Interest::LINK).unwrap(), RearmOutcome::Armed);
    // The transmit buffer is free: that is capacity.
    assert_eq!(device.rearm(Interest::TX).unwrap(), RearmOutcome::WorkPending);
    assert!(device.service().unwrap().rx_pending);
}

/// What `poll_ready` of the device returns is returned, together with what the buffers hold.
#[test]
fn poll_ready_held_frame_and_free_buffer_ready() {
    struct KeepsWaker(Scripted, Poll<Result<Interest, Cause>>);
    impl ethdev::ErrorType for KeepsWaker {
        type Error = Cause;
    }
    impl EthernetDevice for KeepsWaker {
        ethdev::forward_ethernet_device!(|this| this.0);
    }
    impl PollReady for KeepsWaker {
        fn poll_ready(&mut self, _: Interest, _: &mut Context<'_>) -> Poll<Result<Interest, Cause>> {
            std::mem::replace(&mut self.1, Poll::Pending)
        }
    }
    let device = KeepsWaker(Scripted::with_incoming([frame(1, 60)]), Poll::Pending);
    let [rx, tx] = [0; 2].map(|_| Box::leak(Box::new([0; 1514])));
    let mut device = Buffered::new(device, rx, tx);
    let mut cx = Context::from_waker(Waker::noop());
    assert!(device.poll_ready(Interest::RX | Interest::LINK, &mut cx).is_pending());
    assert!(device.split().0.peek().unwrap().is_some());
    let mut ready = |device: &mut Buffered<'_, KeepsWaker>, interest, polled| {
        device.inner_mut().1 = polled;
        match device.poll_ready(interest, &mut cx) {
            Poll::Ready(result) => Some(result.map_err(|e| e.kind())),
            Poll::Pending => None,
        }
    };
    let both = Interest::RX | Interest::TX;
    assert_eq!(ready(&mut device, Interest::ALL, Poll::Pending), Some(Ok(both)));
    assert_eq!(ready(&mut device, Interest::LINK, Poll::Pending), None);
    let link = Poll::Ready(Ok(Interest::LINK));
    assert_eq!(ready(&mut device, Interest::ALL, link), Some(Ok(Interest::ALL)));
    let failed = Poll::Ready(Err(ErrorKind::Fault.into()));
    assert_eq!(ready(&mut device, Interest::RX, failed), Some(Err(ErrorKind::Fault)));
}

/// A device that reports more bytes than the buffer holds.
#[test]
fn peek_wrong_length_is_bad_frame() {
    struct WrongLength(Scripted);
    impl ethdev::ErrorType for WrongLength {
        type Error = Cause;
    }
    impl EthernetDevice for WrongLength {
        fn mac_address(&self) -> ethdev::MacAddress {
            self.0.mac_address()
        }
        fn capabilities(&self) -> ethdev::Capabilities {
            self.0.capabilities()
        }
        fn link(&self) -> Link {
            self.0.link()
        }
        fn stats(&self) -> ethdev::Stats {
            self.0.stats()
        }
        fn recv_frame(&mut self, _: &mut [u8]) -> Result<Option<ethdev::RxMeta>, Cause> {
            Ok(Some(ethdev::RxMeta::new(usize::MAX)))
        }
        fn discard_frame(&mut self) -> Result<bool, Cause> {
            self.0.discard_frame()
        }
        fn tx_ready(&mut self) -> Result<bool, Cause> {
            self.0.tx_ready()
        }
        fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), Cause> {
            self.0.send_vectored(parts)
        }
        fn service(&mut self) -> Result<ethdev::Events, Cause> {
            self.0.service()
        }
    }
    let mut device = buffered(WrongLength(Scripted::new()), 1514);
    assert_eq!(device.split().0.peek().unwrap_err().kind(), ErrorKind::BadFrame);
}

#[derive(Debug, Clone)]
enum Op {
    Arrive(usize),
    Peek,
    Release,
    Discard,
    Recv(usize),
    Send(usize),
    Reserve(usize),
    Capacity(usize),
    Link(bool),
    Service,
    Stop,
    Fail,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        (14_usize..1600).prop_map(Op::Arrive),
        Just(Op::Peek),
        Just(Op::Release),
        Just(Op::Discard),
        (0_usize..1600).prop_map(Op::Recv),
        (0_usize..1600).prop_map(Op::Send),
        (0_usize..1600).prop_map(Op::Reserve),
        (0_usize..3).prop_map(Op::Capacity),
        any::<bool>().prop_map(Op::Link),
        Just(Op::Service),
        Just(Op::Stop),
        Just(Op::Fail),
    ]
}

proptest! {
    /// Any calls in any order: no panic, and every frame is delivered or counted.
    #[test]
    fn stats_any_sequence_accounts_every_frame(ops in prop::collection::vec(op(), 0..60)) {
        let mut device = buffered_1514(Scripted { tx_capacity: 1, ..Scripted::new() });
        let (mut arrived, mut delivered, mut accepted) = (0_u32, 0_u32, 0_u32);
        let mut seed = 0_u8;
        for op in ops {
            match op {
                Op::Arrive(len) => {
                    seed = seed.wrapping_add(1);
                    arrived += 1;
                    device.inner_mut().incoming.push_back(frame(seed, len));
                }
                Op::Peek => drop(device.split().0.peek().map(|_| ())),
                Op::Release => {
                    let (mut rx, _) = device.split();
                    let lent = rx.peek().is_ok_and(|frame| frame.is_some());
                    rx.release().unwrap();
                    delivered += u32::from(lent);
                }
                Op::Discard => drop(device.discard_frame()),
                Op::Recv(len) => delivered += u32::from(device.recv_frame(&mut vec![0; len]).is_ok_and(|m| m.is_some())),
                Op::Send(len) => accepted += u32::from(device.send_frame(&frame(seed, len)).is_ok()),
                Op::Reserve(len) => {
                    let (_, mut tx) = device.split();
                    if tx.reserve(len).is_ok_and(|memory| memory.is_some()) {
                        accepted += u32::from(tx.commit(len).is_ok());
                    }
                }
                Op::Capacity(frames) => device.inner_mut().tx_capacity = frames,
                Op::Link(up) => device.inner_mut().link = if up { Link::UP } else { Link::Down },
                Op::Service => drop(device.service()),
                Op::Stop => drop(device.stop()),
                Op::Fail => device.inner_mut().fail_next = Some(Cause(ErrorKind::Bus, "glitch")),
            }
            let stats = device.stats();
            prop_assert_eq!(stats.rx_frames, delivered);
            let pending = device.inner_mut().incoming.len() as u32;
            let held = arrived - pending - stats.rx_frames - stats.rx_discarded - stats.rx_reset;
            prop_assert!(held <= 1, "{} frames unaccounted", held);
            let queued = accepted - stats.tx_frames - stats.tx_aborted - stats.tx_reset;
            prop_assert!(queued <= 1, "{} accepted frames unaccounted", queued);
        }
    }
}

#[test]
fn cached_values_are_those_of_the_device() {
    let mut device = buffered_1514(Scripted::new());
    assert_eq!((device.link(), device.mac_address().octets()[5]), (Link::UP, 1));
    device.inner_mut().link = Link::Down;
    assert_eq!(device.link(), Link::Down);
    assert_eq!(device.into_inner().bus_accesses, 0);
}

#[test]
fn disarm_reaches_the_device() {
    let mut device = buffered_1514(Scripted::new());
    device.disarm().unwrap();
    device.inner_mut().fail_next = Some(Cause(ErrorKind::Bus, "no answer"));
    assert_eq!(device.disarm(), Err(Cause(ErrorKind::Bus, "no answer")));
    assert_eq!(device.into_inner().calls, ["disarm", "disarm"]);
}

#[test]
fn peek_false_buffer_too_small_keeps_frame() {
    let mut device = buffered_1514(Scripted::with_incoming([frame(1, 60)]));
    // The buffer is long enough for what the device reports.
    for needed in [60, 1514] {
        let error = Cause(ErrorKind::BufferTooSmall { needed }, "wrong");
        device.inner_mut().fail_next = Some(error);
        assert_eq!(device.split().0.peek().map(drop), Err(error));
    }
    assert_eq!(lent(&mut device), Some(frame(1, 60)));
    assert_eq!(device.stats().rx_discarded, 0);
}

#[test]
fn rearm_tx_interest_needs_free_buffer_and_link() {
    let mut device = buffered_1514(Scripted::new());
    assert_eq!(device.rearm(Interest::TX), Ok(RearmOutcome::WorkPending));
    assert_eq!(device.rearm(Interest::RX | Interest::LINK), Ok(RearmOutcome::Armed));
    device.inner_mut().link = Link::Down;
    assert_eq!(device.rearm(Interest::TX), Ok(RearmOutcome::Armed));
    device.inner_mut().link = Link::UP;
    device.inner_mut().tx_capacity = 0;
    device.send_frame(&frame(1, 60)).unwrap();
    assert_eq!(
        device.rearm(Interest::TX),
        Ok(RearmOutcome::Armed),
        "the buffer is in use"
    );
}
