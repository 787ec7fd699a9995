//! The device on a mock driver of each family.

use core::sync::atomic::{AtomicUsize, Ordering};
use core::task::{Context, Poll, Waker};
use std::sync::Arc;
use std::task::Wake;
use std::vec;
use std::vec::Vec;

use embassy_net_driver::{HardwareAddress, LinkState};
use ethdev::{
    Control, Counted, ErrorKind, EthernetDevice, Interest, Link, LossReason, MacAddress, PollReady, RxFilter, RxMeta,
};

use super::mock::{Family, Mock};
use super::{EmbassyDevice, EmbassyDeviceError, MAX_INVALID_PER_CALL};

const FAMILIES: [Family; 2] = [Family::Reads, Family::Queues];

fn frame(len: usize, n: u8) -> Vec<u8> {
    vec![n; len]
}

fn device(family: Family, buf: &mut [u8]) -> EmbassyDevice<'_, Mock> {
    let driver = Mock::new(family);
    match family {
        Family::Reads => EmbassyDevice::new(driver, buf),
        Family::Queues => EmbassyDevice::queued(driver, buf),
    }
    .expect("an Ethernet driver, and enough memory")
}

/// A device whose link is up.
fn linked(family: Family, buf: &mut [u8]) -> EmbassyDevice<'_, Mock> {
    let mut device = device(family, buf);
    assert!(device.service().unwrap().link_changed);
    device
}

/// Counts its wake-ups.
#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn counter() -> (Arc<Count>, Waker) {
    let count = Arc::new(Count::default());
    (count.clone(), Waker::from(count))
}

impl Count {
    fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

#[test]
fn new_other_medium_returns_its_address() {
    let mut driver = Mock::new(Family::Reads);
    driver.address = HardwareAddress::Ip;
    let error = EmbassyDevice::new(&mut driver, &mut [0; 1514]).unwrap_err();
    assert_eq!(error, EmbassyDeviceError::NotEthernet(HardwareAddress::Ip));
    assert_eq!(std::format!("{error}"), "driver is not for Ethernet, its address is Ip");
}

#[test]
fn new_short_buffer_returns_needed_length() {
    let mut driver = Mock::new(Family::Queues);
    driver.max_transmission_unit = 1518;
    let error = EmbassyDevice::queued(&mut driver, &mut [0; 1517]).unwrap_err();
    assert_eq!(error, EmbassyDeviceError::BufferTooSmall { needed: 1518 });
    assert!(EmbassyDevice::queued(&mut driver, &mut [0; 1518]).is_ok());
}

#[test]
fn capabilities_every_loss_reason_not_reported() {
    let mut buf = [0; 1514];
    let coverage = device(Family::Reads, &mut buf).capabilities().coverage;
    for reason in [
        LossReason::RxOverrun,
        LossReason::RxBadFcs,
        LossReason::RxBadLength,
        LossReason::RxError,
        LossReason::RxFiltered,
        LossReason::RxReset,
        LossReason::TxAborted,
        LossReason::TxReset,
    ] {
        assert_eq!(coverage.of(reason), Counted::NotReported, "{reason:?}");
    }
}

#[test]
fn recv_frame_any_state_frames_in_order() {
    for family in FAMILIES {
        let mut buf = [0; 1514];
        let mut device = linked(family, &mut buf);
        for n in 1..=4 {
            device.inner_mut().received.push_back(frame(60 + usize::from(n), n));
        }
        let mut small = [0; 60];
        let mut large = [0; 1514];
        // Straight into the caller's buffer.
        assert_eq!(device.recv_frame(&mut large), Ok(Some(RxMeta::new(61))));
        assert_eq!(large[..61], frame(61, 1));
        // Found by `service`.
        assert!(device.service().unwrap().rx_pending);
        assert_eq!(device.recv_frame(&mut large), Ok(Some(RxMeta::new(62))));
        assert_eq!(large[..62], frame(62, 2));
        // After short buffers, into a buffer of exactly its length.
        for short in [0, 14, 60] {
            let result = device.recv_frame(&mut small[..short]);
            assert_eq!(result, Err(ErrorKind::BufferTooSmall { needed: 63 }), "{family:?}");
        }
        assert_eq!(device.recv_frame(&mut large[..63]), Ok(Some(RxMeta::new(63))));
        assert_eq!(large[..63], frame(63, 3));
        assert_eq!(device.discard_frame(), Ok(true));
        assert_eq!(device.discard_frame(), Ok(false));
        assert_eq!(device.recv_frame(&mut []), Ok(None));
        let stats = device.stats();
        assert_eq!((stats.rx_frames, stats.rx_bytes, stats.rx_discarded), (3, 186, 1));
        assert_eq!(stats.rx_lost(), 1);
    }
}

#[test]
fn service_queued_frame_stays_in_driver() {
    let mut buf = [0; 1514];
    let mut device = linked(Family::Queues, &mut buf);
    device.inner_mut().received.push_back(frame(60, 1));
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..3 {
        assert!(device.service().unwrap().rx_pending);
        assert_eq!(device.poll_ready(Interest::RX, &mut cx), Poll::Ready(Ok(Interest::RX)));
    }
    assert_eq!(device.inner_mut().received.len(), 1);
}

/// Line 5 of the contract does not hold for this family. Nothing is lost by that.
#[test]
fn recv_frame_queued_transmit_queue_full_resumes() {
    let mut buf = [0; 1514];
    let mut device = linked(Family::Queues, &mut buf);
    device.inner_mut().received.push_back(frame(60, 1));
    for _ in 0..2 {
        device.send_frame(&frame(60, 9)).unwrap();
    }
    assert_eq!(device.tx_ready(), Ok(false));
    let (count, waker) = counter();
    let mut cx = Context::from_waker(&waker);
    assert_eq!(device.recv_frame(&mut [0; 60]), Ok(None));
    assert!(device.poll_ready(Interest::RX, &mut cx).is_pending());
    let driver = device.inner_mut();
    driver.sent.pop();
    driver.tx_waker.wake();
    assert_eq!(count.get(), 1);
    assert_eq!(device.recv_frame(&mut [0; 60]), Ok(Some(RxMeta::new(60))));
}

#[test]
fn recv_frame_read_family_transmit_queue_full_delivered() {
    let mut buf = [0; 1514];
    let mut device = linked(Family::Reads, &mut buf);
    device.inner_mut().tx_capacity = 0;
    device.inner_mut().received.push_back(frame(60, 1));
    assert_eq!(device.recv_frame(&mut [0; 60]), Ok(Some(RxMeta::new(60))));
}

#[test]
fn recv_frame_invalid_length_counted_and_reported_once() {
    for family in FAMILIES {
        let mut buf = [0; 2000];
        let mut device = linked(family, &mut buf);
        for len in [0, 13, 1515, 3000] {
            device.inner_mut().received.push_back(frame(len, 1));
        }
        for _ in 0..4 {
            // Also if it fits into the buffer: a buffer of the maximum takes every frame.
            assert_eq!(
                device.recv_frame(&mut [0; 4000]),
                Err(ErrorKind::BadFrame),
                "{family:?}"
            );
        }
        assert_eq!(device.recv_frame(&mut [0; 4000]), Ok(None));
        assert_eq!(device.stats().rx_bad_length, 4);
        assert!(device.service().unwrap().rx_dropped);
        assert!(!device.service().unwrap().rx_dropped);
        // The shortest and the longest.
        for len in [14, 1514] {
            device.inner_mut().received.push_back(frame(len, 2));
            assert_eq!(device.recv_frame(&mut [0; 4000]), Ok(Some(RxMeta::new(len))));
        }
    }
}

#[test]
fn poll_ready_invalid_frames_only_bounded_and_woken() {
    let mut buf = [0; 1514];
    let mut device = linked(Family::Reads, &mut buf);
    let invalid = MAX_INVALID_PER_CALL + 1;
    device.inner_mut().received.extend(vec![frame(13, 1); invalid]);
    let (count, waker) = counter();
    let mut cx = Context::from_waker(&waker);
    assert!(device.poll_ready(Interest::RX, &mut cx).is_pending());
    assert_eq!((device.inner_mut().received.len(), count.get()), (1, 1));
    device.inner_mut().received.push_back(frame(60, 2));
    assert_eq!(device.poll_ready(Interest::RX, &mut cx), Poll::Ready(Ok(Interest::RX)));
    assert_eq!(device.stats().rx_bad_length as usize, invalid);
}

#[test]
fn send_vectored_short_frame_padded_with_zeros() {
    for family in FAMILIES {
        let mut buf = [0; 1514];
        let mut device = linked(family, &mut buf);
        device.send_vectored(&[&[1; 6], &[], &[2; 8]]).unwrap();
        device.send_frame(&frame(61, 3)).unwrap();
        let padded = [&[1; 6][..], &[2; 8], &[0; 46]].concat();
        assert_eq!(device.inner_mut().sent, [padded, frame(61, 3)]);
        let stats = device.stats();
        assert_eq!((stats.tx_frames, stats.tx_bytes), (2, 75));
    }
}

#[test]
fn send_vectored_rejected_nothing_sent() {
    for family in FAMILIES {
        let mut buf = [0; 1514];
        let mut device = device(family, &mut buf);
        let too_long = Err(ErrorKind::FrameTooLong { max: 1514 });
        assert_eq!(device.send_frame(&frame(60, 1)), Err(ErrorKind::LinkDown));
        assert_eq!(device.tx_ready(), Ok(false));
        assert_eq!(device.send_frame(&frame(13, 1)), Err(ErrorKind::FrameTooShort));
        device.service().unwrap();
        device.inner_mut().tx_capacity = 0;
        assert_eq!(device.send_frame(&frame(60, 1)), Err(ErrorKind::Busy));
        assert_eq!(device.tx_ready(), Ok(false));
        assert_eq!(device.send_frame(&frame(1515, 1)), too_long);
        assert!(device.inner_mut().sent.is_empty());
        assert_eq!(device.stats().tx_frames, 0);
    }
}

/// A driver that violates the contract of `TxToken::consume`.
#[test]
fn send_vectored_driver_buffer_short_returns_error() {
    let mut buf = [0; 1514];
    let mut device = linked(Family::Reads, &mut buf);
    for len in [0, 13, 99] {
        device.inner_mut().sent.clear();
        device.inner_mut().tx_buffer_len = Some(len);
        assert_eq!(device.send_frame(&frame(100, 1)), Err(ErrorKind::Other));
        // The driver sends its buffer all the same: without remains of other frames.
        assert_eq!(device.inner_mut().sent, [frame(len, 0)]);
    }
    device.inner_mut().sent.clear();
    device.inner_mut().tx_buffer_len = Some(200);
    assert_eq!(device.send_frame(&frame(100, 1)), Ok(()));
    assert_eq!(device.inner_mut().sent, [[frame(100, 1), frame(100, 0)].concat()]);
    assert_eq!(device.stats().tx_frames, 1);
}

#[test]
fn tx_ready_unused_token_frees_its_buffer() {
    let mut buf = [0; 1514];
    let mut device = linked(Family::Queues, &mut buf);
    for _ in 0..10 {
        assert_eq!(device.tx_ready(), Ok(true));
    }
    for _ in 0..2 {
        device.send_frame(&frame(60, 1)).unwrap();
    }
    assert_eq!(device.send_frame(&frame(60, 1)), Err(ErrorKind::Busy));
}

#[test]
fn link_changes_with_service_only() {
    let mut buf = [0; 1514];
    let mut device = device(Family::Reads, &mut buf);
    assert_eq!(device.link(), Link::Down);
    let _ = (
        device.tx_ready(),
        device.send_frame(&frame(60, 1)),
        device.recv_frame(&mut []),
    );
    assert_eq!((device.link(), device.inner_mut().link_reads), (Link::Down, 0));
    assert!(device.service().unwrap().link_changed);
    assert_eq!(device.link(), Link::UP);
    assert!(!device.service().unwrap().link_changed);
    device.inner_mut().link = LinkState::Down;
    // Seen by `poll_ready` first: `service` reports it all the same.
    let mut cx = Context::from_waker(Waker::noop());
    let _ = device.poll_ready(Interest::RX, &mut cx);
    assert_eq!(device.link(), Link::Down);
    assert!(device.service().unwrap().link_changed);
    assert_eq!(device.stats().link_changes, 2);
}

#[test]
fn mac_address_changed_in_driver_adopted_by_service() {
    let mut buf = [0; 1514];
    let mut device = device(Family::Queues, &mut buf);
    assert_eq!(device.mac_address(), MacAddress::new([2, 0, 0, 0, 0, 1]));
    device.inner_mut().address = HardwareAddress::Ethernet([2, 0, 0, 0, 0, 9]);
    device.service().unwrap();
    assert_eq!(device.mac_address(), MacAddress::new([2, 0, 0, 0, 0, 9]));
    device.inner_mut().address = HardwareAddress::Ip;
    device.service().unwrap();
    assert_eq!(device.mac_address(), MacAddress::new([2, 0, 0, 0, 0, 9]));
}

#[test]
fn poll_ready_link_change_reported_once() {
    let mut buf = [0; 1514];
    let mut device = device(Family::Reads, &mut buf);
    let (count, waker) = counter();
    let mut cx = Context::from_waker(&waker);
    assert_eq!(
        device.poll_ready(Interest::LINK, &mut cx),
        Poll::Ready(Ok(Interest::LINK))
    );
    assert!(device.poll_ready(Interest::LINK, &mut cx).is_pending());
    device.inner_mut().link = LinkState::Down;
    device.inner_mut().link_waker.wake();
    assert_eq!(count.get(), 1);
    // Not by a poll with another interest.
    assert!(device.poll_ready(Interest::TX, &mut cx).is_pending());
    assert_eq!(
        device.poll_ready(Interest::ALL, &mut cx),
        Poll::Ready(Ok(Interest::LINK))
    );
    assert!(device.poll_ready(Interest::ALL, &mut cx).is_pending());
}

/// A driver that delivers a bounded number of frames in a turn of the stack, which `link_state`
/// ends.
#[test]
fn service_turn_exhausted_frames_still_pending() {
    for family in FAMILIES {
        let mut buf = [0; 1514];
        let mut device = device(family, &mut buf);
        device.inner_mut().rx_budget = 3;
        device.service().unwrap();
        device.inner_mut().received.extend((1..=7).map(|n| frame(60, n)));
        let mut received = 0;
        while device.recv_frame(&mut [0; 60]).unwrap().is_some() {
            received += 1;
        }
        assert_eq!(received, 3, "{family:?}");
        assert!(device.service().unwrap().rx_pending);
        while device.recv_frame(&mut [0; 60]).unwrap().is_some() {
            received += 1;
        }
        assert!(received < 7, "{family:?}");
        let (count, waker) = counter();
        let mut cx = Context::from_waker(&waker);
        assert!(device.poll_ready(Interest::RX, &mut cx).is_pending());
        assert_eq!(count.get(), 1);
        assert_eq!(device.poll_ready(Interest::RX, &mut cx), Poll::Ready(Ok(Interest::RX)));
    }
}

#[test]
fn poll_ready_tx_link_down_woken_when_up() {
    let mut buf = [0; 1514];
    let mut device = device(Family::Queues, &mut buf);
    device.inner_mut().link = LinkState::Down;
    let (count, waker) = counter();
    let mut cx = Context::from_waker(&waker);
    assert!(device.poll_ready(Interest::TX, &mut cx).is_pending());
    device.inner_mut().link = LinkState::Up;
    device.inner_mut().link_waker.wake();
    assert_eq!(count.get(), 1);
    assert_eq!(device.poll_ready(Interest::TX, &mut cx), Poll::Ready(Ok(Interest::TX)));
}

#[test]
fn poll_ready_none_pending_driver_not_called() {
    let mut buf = [0; 1514];
    let mut device = device(Family::Reads, &mut buf);
    let mut cx = Context::from_waker(Waker::noop());
    assert!(device.poll_ready(Interest::NONE, &mut cx).is_pending());
    assert_eq!(device.inner_mut().link_reads, 0);
}

/// Calls without a context neither lose the registered waker nor wake it.
#[test]
fn poll_ready_waker_survives_other_calls() {
    for family in FAMILIES {
        let mut buf = [0; 1514];
        let mut device = linked(family, &mut buf);
        device.inner_mut().tx_capacity = 0;
        let (count, waker) = counter();
        let mut cx = Context::from_waker(&waker);
        let _ = device.poll_ready(Interest::LINK, &mut cx);
        assert!(device.poll_ready(Interest::ALL, &mut cx).is_pending());
        for _ in 0..3 {
            assert_eq!(device.recv_frame(&mut [0; 1514]), Ok(None));
            assert_eq!(device.discard_frame(), Ok(false));
            assert_eq!(device.tx_ready(), Ok(false));
            assert_eq!(device.send_frame(&frame(60, 1)), Err(ErrorKind::Busy));
            device.service().unwrap();
        }
        assert_eq!(count.get(), 0, "{family:?}");
        let driver = device.inner_mut();
        for slot in [&mut driver.rx_waker, &mut driver.tx_waker, &mut driver.link_waker] {
            slot.wake();
        }
        assert_eq!(count.get(), 3, "{family:?}");
    }
}

#[test]
fn control_all_but_start_unsupported() {
    let mut buf = [0; 1514];
    let mut device = device(Family::Reads, &mut buf);
    assert_eq!(device.start(), Ok(()));
    for refused in [
        device.stop(),
        device.sleep(),
        device.wake(),
        device.recover(),
        device.set_mac_address(MacAddress::new([2, 0, 0, 0, 0, 9])),
        device.set_rx_filter(RxFilter::DEFAULT).map(drop),
    ] {
        assert_eq!(refused, Err(ErrorKind::Unsupported));
    }
}

#[test]
fn debug_contains_address_and_counters() {
    let mut buf = [0; 1514];
    let mut device = linked(Family::Reads, &mut buf);
    device.send_frame(&frame(60, 1)).unwrap();
    let text = std::format!("{device:?}");
    assert!(
        text.contains("02:00:00:00:00:01") && text.contains("tx_frames: 1"),
        "{text}"
    );
}
