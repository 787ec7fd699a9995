//! Buffers of the caller: of any length.

use super::*;
use ethdev::MaxFrameLen;

use crate::Backoff;

in_both_modes! {
    max_frame_len_is_lowered_not_raised,
    max_burst_size_is_that_of_the_builder,
    fragmentation_of_smoltcp_is_detected,
}

fn max_frame_len_is_lowered_not_raised<M: Mode<MockDevice>>(adapter: Dut<'_, M>) {
    let adapter = adapter.with_max_frame_len(MaxFrameLen::new(9000));
    assert_eq!(adapter.capabilities().max_transmission_unit, 1514);
    let adapter = adapter.with_max_frame_len(MaxFrameLen::new(1294));
    assert_eq!(adapter.capabilities().max_transmission_unit, 1294);
    let adapter = adapter.with_max_frame_len(MaxFrameLen::new(100));
    assert_eq!(adapter.capabilities().max_transmission_unit, MIN_BUFFER_LEN);
}

fn max_burst_size_is_that_of_the_builder<M: Mode<MockDevice>>(adapter: Dut<'_, M>) {
    assert_eq!(adapter.capabilities().max_burst_size, None);
    let adapter = adapter.with_max_burst_size(Some(3));
    assert_eq!(adapter.capabilities().max_burst_size, Some(3));
}

fn fragmentation_of_smoltcp_is_detected<M: Mode<MockDevice>>(adapter: Dut<'_, M>) {
    let mut adapter = adapter.with_max_frame_len(MaxFrameLen::new(MIN_BUFFER_LEN));
    let mut stack = Stack::with_neighbor(&mut adapter);
    stack.send(&[1; 1400]);
    stack.poll(&mut adapter);
    // Without fragmentation smoltcp does not send a datagram that is too long.
    assert_eq!(crate::capabilities::SMOLTCP_FRAGMENTS, !adapter.inner().tx.is_empty());
}

/// A whole turn of an application.
fn turn<M: Mode<MockDevice>>(mut adapter: Dut<'_, M>) -> (Option<ErrorKind>, PollAt, MockDevice) {
    let mut stack = Stack::new(&mut adapter);
    adapter
        .inner_mut()
        .rx
        .extend([arp_request(), frame(1, 1514), frame(2, 5)]);
    stack.send(&[1; 1400]);
    for _ in 0..3 {
        adapter.service().unwrap();
        stack.poll(&mut adapter);
    }
    let at = stack.poll_at(&mut adapter);
    (adapter.take_error(), at, adapter.into_inner())
}

#[test]
fn buffers_too_short_report_error_and_do_not_panic() {
    for (rx, reply) in [(0, 0), (0, 1514), (1514, 0), (1514, 589), (589, 1514), (13, 14)] {
        let (mut rx, mut reply) = (std::vec![0; rx], std::vec![0; reply]);
        let (error, at, device) = turn(Dut::new(MockDevice::new(), &mut rx, &mut reply));
        let needed = MIN_BUFFER_LEN;
        assert_eq!(error, Some(ErrorKind::BufferTooSmall { needed }));
        // No frame is read or sent, and the processor is not kept busy.
        assert_eq!((device.rx.len(), device.tx.len()), (3, 0));
        assert_eq!(at.delay(NOW), Some(Backoff::DEFAULT.link_down));
    }
}

#[test]
fn lending_reply_buffer_too_short_reports_error_and_does_not_panic() {
    for len in [0, 1, 13, 589] {
        let (error, at, device) = turn(Dut::lending(MockDevice::new(), &mut std::vec![0; len]));
        assert!(matches!(error, Some(ErrorKind::BufferTooSmall { .. })));
        assert_eq!((device.rx.len(), device.tx.len()), (3, 0));
        assert_eq!(at.delay(NOW), Some(Backoff::DEFAULT.link_down));
    }
}

#[test]
fn buffers_of_minimum_length_limit_frames() {
    let (mut rx, mut reply) = ([0; MIN_BUFFER_LEN], [0; MIN_BUFFER_LEN]);
    let adapter = Dut::new(MockDevice::new(), &mut rx, &mut reply);
    assert_eq!(adapter.capabilities().max_transmission_unit, MIN_BUFFER_LEN);
    let (error, _, device) = turn(adapter);
    assert_eq!(error, None);
    // The long frame of the socket is not sent; a smoltcp compiled with IPv4 fragmentation sends
    // fragments.
    assert!(device.rx.is_empty());
    assert_eq!(device.tx.first().map(Vec::len), Some(42));
    assert!(device.tx.iter().all(|frame| frame.len() <= MIN_BUFFER_LEN));
}

#[test]
fn buffers_longer_than_frames_change_nothing() {
    let (mut rx, mut reply) = ([0; 9000], [0; 2000]);
    let adapter = Dut::new(MockDevice::new(), &mut rx, &mut reply);
    assert_eq!(adapter.capabilities().max_transmission_unit, 1514);
    let (error, _, device) = turn(adapter);
    assert_eq!((error, device.rx.len(), device.tx.len()), (None, 0, 2));
}

#[test]
fn adapter_device_is_send_is_send() {
    fn is_send<T: Send>() {}
    is_send::<Dut<'_, Pull<'_>>>();
    is_send::<Dut<'_, Lending>>();
}
