//! The callback surface: exclusive, quiescent, budgeted, and able to answer.

mod support;

use std::cell::RefCell;

use ethdev::{CallbackDevice, Control, Error, ErrorKind, FrameHandler, LayerError, Link, RxFrame, Stats, Transmit};
use ethdev_util::{Buffered, Callback};
use support::{Cause, Scripted, frame};

fn wrap<'h>(device: Scripted) -> Callback<'h, Buffered<Scripted, 1514>> {
    Callback::new(Buffered::new(device))
}

#[test]
fn a_poll_delivers_at_most_its_budget() {
    let mut seen = Vec::new();
    let mut handler = |frame: RxFrame<'_>, _: &mut dyn Transmit| seen.push(frame.to_vec());
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
fn without_a_handler_frames_stay_where_they_are() {
    let mut device = wrap(Scripted::with_incoming([frame(1, 60)]));
    let polled = device.poll(8).unwrap();
    assert_eq!((polled.frames, polled.more), (0, true));
    assert_eq!(device.stats().rx_frames, 0);
    let mut seen = 0;
    let mut handler = |_: RxFrame<'_>, _: &mut dyn Transmit| seen += 1;
    device.set_handler(&mut handler);
    assert_eq!(device.poll(8).unwrap().frames, 1);
    drop(device);
    assert_eq!(seen, 1);
}

#[test]
fn a_replaced_handler_never_runs_again() {
    struct Log<'a>(&'a RefCell<Vec<u8>>, u8);
    impl FrameHandler for Log<'_> {
        fn on_frame(&mut self, _: RxFrame<'_>, _: &mut dyn Transmit) {
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
        "the former handler comes back"
    );
    device.poll(1).unwrap();
    assert!(device.clear_handler().is_some());
    assert!(device.clear_handler().is_none());
    device.poll(1).unwrap();
    assert_eq!(*log.borrow(), [1, 2]);
}

#[test]
fn a_handler_answers_from_inside_the_callback() {
    let mut handler = |mut frame: RxFrame<'_>, tx: &mut dyn Transmit| {
        frame[0] = 0xee; // the lent memory is the reader's
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
fn a_failed_answer_keeps_its_cause() {
    let mut kinds = Vec::new();
    let mut handler = |frame: RxFrame<'_>, tx: &mut dyn Transmit| kinds.push(tx.send_frame(&frame));
    let mut device = wrap(Scripted {
        link: Link::Down,
        ..Scripted::with_incoming([frame(1, 60)])
    });
    device.set_handler(&mut handler);
    assert_eq!(device.poll(1).unwrap().frames, 1);
    assert_eq!(
        device.take_tx_error(),
        Some(LayerError::Device(Cause(ErrorKind::LinkDown, "no cable")))
    );
    assert_eq!(device.take_tx_error(), None);
    drop(device);
    assert_eq!(kinds, [Err(ErrorKind::LinkDown)]);
}

#[test]
fn answers_without_room_are_busy_and_reception_goes_on() {
    let mut busy = 0;
    let mut handler = |frame: RxFrame<'_>, tx: &mut dyn Transmit| {
        busy += u32::from(tx.send_frame(&frame) == Err(ErrorKind::Busy));
    };
    let mut device = wrap(Scripted {
        tx_ready: 0,
        ..Scripted::with_incoming([frame(1, 60), frame(2, 60), frame(3, 60)])
    });
    device.set_handler(&mut handler);
    assert_eq!(device.poll(8).unwrap().frames, 3);
    drop(device);
    assert_eq!(busy, 2, "one frame is parked, two find no room");
}

#[test]
fn management_passes_through() {
    let mut device = wrap(Scripted::new());
    device.recover().unwrap();
    assert!(device.start().is_err_and(|e| e.kind() == ErrorKind::Unsupported));
    assert_eq!(device.into_inner().into_inner().calls, ["recover"]);
}

#[test]
fn an_error_of_the_device_reaches_the_caller_of_poll() {
    let mut device = wrap(Scripted {
        fail_next: Some(Cause(ErrorKind::Fault, "chip reset itself")),
        ..Scripted::new()
    });
    assert_eq!(
        device.poll(1).unwrap_err(),
        LayerError::Device(Cause(ErrorKind::Fault, "chip reset itself"))
    );
    assert_eq!(device.stats(), Stats::ZERO);
}

#[test]
fn a_send_handler_makes_a_send_device() {
    fn is_send<T: Send>(_: &T) {}
    let device: Callback<'_, Buffered<Scripted, 1514>, dyn FrameHandler + Send> =
        Callback::with_handler_type(Buffered::new(Scripted::new()));
    is_send(&device);
}
