//! The callback API: exclusive, quiescent, budgeted, and able to send replies.

mod support;

use std::cell::RefCell;

use ethdev::{CallbackDevice, Control, Error, ErrorKind, FrameHandler, Link, RxFrame, Stats, Transmit};
use ethdev_util::{Buffered, Callback};
use support::{Cause, Scripted, buffered, found_events, frame};

fn wrap<'h>(device: Scripted) -> Callback<'h, Buffered<'static, Scripted>> {
    Callback::new(buffered(device, 1514))
}

#[test]
fn poll_budget_limits_frames() {
    let mut seen = Vec::new();
    let mut handler = |frame: RxFrame<'_>, _: &mut dyn Transmit<Error = Cause>| seen.push(frame.to_vec());
    let mut device = wrap(Scripted::with_incoming([frame(1, 60), frame(2, 60), frame(3, 60)]));
    device.set_handler(&mut handler);
    let polled = device.poll(2).unwrap();
    assert_eq!((polled.frames, polled.more), (2, true));
    let polled = device.poll(0).unwrap();
    assert_eq!((polled.frames, polled.more), (0, true));
    let polled = device.poll(2).unwrap();
    assert_eq!((polled.frames, polled.more), (1, false));
    drop(device);
    assert_eq!(seen, [frame(1, 60), frame(2, 60), frame(3, 60)]);
}

#[test]
fn poll_without_handler_keeps_frames() {
    let mut device = wrap(Scripted::with_incoming([frame(1, 60)]));
    let polled = device.poll(8).unwrap();
    assert_eq!((polled.frames, polled.more), (0, true));
    assert_eq!(device.stats().rx_frames, 0);
    let mut seen = 0;
    let mut handler = |_: RxFrame<'_>, _: &mut dyn Transmit<Error = Cause>| seen += 1;
    device.set_handler(&mut handler);
    assert_eq!(device.poll(8).unwrap().frames, 1);
    drop(device);
    assert_eq!(seen, 1);
}

#[test]
fn set_handler_replaced_never_runs() {
    struct Log<'a>(&'a RefCell<Vec<u8>>, u8);
    impl FrameHandler<Cause> for Log<'_> {
        fn on_frame(&mut self, _: RxFrame<'_>, _: &mut dyn Transmit<Error = Cause>) {
            self.0.borrow_mut().push(self.1);
        }
    }
    let log = RefCell::new(Vec::new());
    let (mut first, mut second) = (Log(&log, 1), Log(&log, 2));
    let mut device = wrap(Scripted::with_incoming([frame(1, 60), frame(2, 60), frame(3, 60)]));
    assert!(device.set_handler(&mut first).is_none());
    device.poll(1).unwrap();
    assert!(
        device.set_handler(&mut second).is_some(),
        "the former handler is returned"
    );
    device.poll(1).unwrap();
    assert!(device.clear_handler().is_some());
    assert!(device.clear_handler().is_none());
    device.poll(1).unwrap();
    assert_eq!(*log.borrow(), [1, 2]);
}

#[test]
fn on_frame_reply_is_sent() {
    let mut handler = |mut frame: RxFrame<'_>, tx: &mut dyn Transmit<Error = Cause>| {
        frame[0] = 0xee; // the lent memory may be modified
        let mac = tx.mac_address().octets();
        tx.send_vectored(&[&frame[..1], &mac, &frame[7..]]).unwrap();
    };
    let mut device = wrap(Scripted::with_incoming([frame(1, 60)]));
    device.set_handler(&mut handler);
    device.poll(1).unwrap();
    let sent = &device.into_inner().into_inner().sent[0];
    assert_eq!((sent.len(), sent[0], &sent[1..7]), (60, 0xee, &[2, 0, 0, 0, 0, 1][..]));
}

#[test]
fn on_frame_reply_link_down_keeps_cause() {
    let mut results = Vec::new();
    let mut handler = |frame: RxFrame<'_>, tx: &mut dyn Transmit<Error = Cause>| results.push(tx.send_frame(&frame));
    let mut device = wrap(Scripted {
        link: Link::Down,
        ..Scripted::with_incoming([frame(1, 60)])
    });
    device.set_handler(&mut handler);
    assert_eq!(device.poll(1).unwrap().frames, 1);
    drop(device);
    assert_eq!(results, [Err(Cause(ErrorKind::LinkDown, "no cable"))]);
}

#[test]
fn on_frame_reply_queue_full_is_busy() {
    let mut busy = 0;
    let mut handler = |frame: RxFrame<'_>, tx: &mut dyn Transmit<Error = Cause>| {
        busy += u32::from(tx.send_frame(&frame).is_err_and(|e| e.kind() == ErrorKind::Busy));
    };
    let mut device = wrap(Scripted {
        tx_capacity: 0,
        ..Scripted::with_incoming([frame(1, 60), frame(2, 60), frame(3, 60)])
    });
    device.set_handler(&mut handler);
    assert_eq!(device.poll(8).unwrap().frames, 3);
    drop(device);
    assert_eq!(busy, 2, "one frame is held, two are rejected");
}

#[test]
fn control_calls_are_forwarded() {
    let mut device = wrap(Scripted::new());
    device.recover().unwrap();
    assert!(device.start().is_err_and(|e| e.kind() == ErrorKind::Unsupported));
    assert_eq!(device.into_inner().into_inner().calls, ["recover"]);
}

#[test]
fn poll_device_error_is_returned() {
    let mut device = wrap(Scripted {
        fail_next: Some(Cause(ErrorKind::Fault, "chip reset itself")),
        ..Scripted::new()
    });
    assert_eq!(
        device.poll(1).unwrap_err(),
        Cause(ErrorKind::Fault, "chip reset itself")
    );
    assert_eq!(device.stats(), Stats::ZERO);
}

#[test]
fn callback_send_handler_is_send() {
    fn is_send<T: Send>(_: &T) {}
    let device: Callback<'_, Buffered<'_, Scripted>, dyn FrameHandler<Cause> + Send> =
        Callback::with_handler_type(buffered(Scripted::new(), 1514));
    is_send(&device);
}

/// A poll whose frames fail reports its events with the next one.
#[test]
fn poll_frame_error_keeps_events() {
    let mut scripted = Scripted::with_incoming([frame(1, 60)]);
    scripted.link = Link::Down;
    scripted.events = found_events();
    // `service` is the first access, the frame the second.
    scripted.fail_at = Some(1);
    let mut handler = |_: RxFrame<'_>, _: &mut dyn Transmit<Error = Cause>| {};
    let mut device = wrap(scripted);
    device.set_handler(&mut handler);
    assert_eq!(device.poll(1), Err(Cause(ErrorKind::Bus, "one access")));
    let polled = device.poll(1).unwrap();
    let mut expected = found_events();
    (expected.link_changed, expected.rx_pending) = (true, true);
    assert_eq!((polled.frames, polled.events), (1, expected));
    assert_eq!(device.poll(1).unwrap().events, ethdev::Events::NONE);
}

#[test]
fn callback_accessors_are_those_of_the_device() {
    let mut device = wrap(Scripted::with_incoming([frame(1, 60)]));
    assert_eq!((device.link(), device.mac_address().octets()[5]), (Link::UP, 1));
    assert_eq!(device.capabilities().rx_max_frame_len.bytes(), 1514);
    device.send_vectored(&[&frame(1, 14), b"hello"]).unwrap();
    assert_eq!(device.stats().tx_frames, 1);
    let device = device.into_inner().into_inner();
    assert_eq!(device.sent, [[frame(1, 14), b"hello".to_vec()].concat()]);
}
