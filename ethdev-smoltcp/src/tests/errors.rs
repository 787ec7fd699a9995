//! Errors of the device.

use super::*;
use ethdev::Control;

in_both_modes! {
    errors_first_is_kept_and_all_are_counted,
    errors_at_every_call_do_not_panic_or_hang,
    errors_are_counted_by_kind,
    errors_down_or_stopped_are_none,
    debug_output_names_the_types,
}

fn errors_first_is_kept_and_all_are_counted<M: Mode<MockDevice>>(mut adapter: Dut<'_, M>) {
    adapter.inner_mut().faults.peek = Some(ErrorKind::Bus);
    assert!(adapter.receive(NOW).is_none());
    adapter.inner_mut().faults = Faults::default();
    adapter.inner_mut().faults.ready = Some(ErrorKind::Fault);
    assert!(adapter.transmit(NOW).is_none());
    adapter.inner_mut().faults.ready = Some(ErrorKind::NotPresent);
    assert!(adapter.transmit(NOW).is_none());
    adapter.inner_mut().faults.service = Some(ErrorKind::Timeout);
    assert_eq!(adapter.service(), Err(ErrorKind::Timeout));
    let errors = adapter.errors();
    assert_eq!((errors.bus, errors.fault, errors.not_present), (1, 1, 1));
    assert_eq!((errors.timeout, errors.total()), (1, 4));
    assert_eq!(errors.iter().map(|(_, n)| n).sum::<u32>(), 4);
    // The first of each direction is kept.
    assert_eq!(adapter.take_error(), Some(ErrorKind::Bus));
    assert_eq!(adapter.take_error(), Some(ErrorKind::Fault));
    assert_eq!(adapter.take_error(), None);
    assert!(adapter.recover().is_ok());
    assert!(adapter.transmit(NOW).is_some());
}

fn errors_at_every_call_do_not_panic_or_hang<M: Mode<MockDevice>>(mut adapter: Dut<'_, M>) {
    let failing = |kind| Faults {
        peek: Some(kind),
        release: Some(kind),
        ready: Some(kind),
        reserve: Some(kind),
        commit: Some(kind),
        service: Some(kind),
        ..Faults::default()
    };
    for kind in [
        ErrorKind::Bus,
        ErrorKind::Fault,
        ErrorKind::NotPresent,
        ErrorKind::Busy,
        ErrorKind::LinkDown,
        ErrorKind::BadFrame,
        ErrorKind::Other,
    ] {
        let mut stack = Stack::with_neighbor(&mut adapter);
        let before = adapter.errors().total();
        adapter.inner_mut().faults = failing(kind);
        adapter.inner_mut().rx.push_back(arp_request());
        stack.send(b"payload");
        for _ in 0..10 {
            assert_eq!(adapter.service(), Err(kind));
            stack.poll(&mut adapter);
            assert_ne!(stack.poll_at(&mut adapter), PollAt::Now, "{kind:?}");
        }
        assert_eq!(adapter.take_error(), Some(kind));
        assert!(adapter.errors().total() - before >= 20);
        // The device works again, and smoltcp has lost nothing.
        adapter.inner_mut().faults = Faults::default();
        stack.poll(&mut adapter);
        assert_eq!(adapter.inner().tx.len(), 2, "{kind:?}");
        adapter.inner_mut().tx.clear();
        while adapter.take_error().is_some() {}
    }
}

fn errors_are_counted_by_kind<M: Mode<MockDevice>>(mut adapter: Dut<'_, M>) {
    for (kind, counter) in [
        (ErrorKind::Bus, "bus"),
        (ErrorKind::Timeout, "timeout"),
        (ErrorKind::Fault, "fault"),
        (ErrorKind::NotPresent, "not_present"),
        (ErrorKind::PermissionDenied, "permission_denied"),
        (ErrorKind::BadFrame, "bad_frame"),
        (ErrorKind::BufferTooSmall { needed: 1 }, "buffer_too_small"),
        (ErrorKind::FrameTooLong { max: 1 }, "frame_too_long"),
        (ErrorKind::FrameTooShort, "frame_too_short"),
        (ErrorKind::Busy, "busy"),
        (ErrorKind::Other, "other"),
        (ErrorKind::InvalidInput, "other"),
    ] {
        let before: Vec<_> = adapter.errors().iter().collect();
        adapter.inner_mut().faults.service = Some(kind);
        assert_eq!(adapter.service(), Err(kind));
        for ((name, then), (_, now)) in before.into_iter().zip(adapter.errors().iter()) {
            assert_eq!(now - then, u32::from(name == counter), "{kind:?} {name}");
        }
    }
    assert_eq!(adapter.errors().total(), 12);
    // `service` returned them.
    assert_eq!(adapter.take_error(), None);
}

fn errors_down_or_stopped_are_none<M: Mode<MockDevice>>(mut adapter: Dut<'_, M>) {
    for kind in [ErrorKind::LinkDown, ErrorKind::Stopped] {
        adapter.inner_mut().faults.ready = Some(kind);
        assert!(adapter.transmit(NOW).is_none());
        assert_eq!((adapter.take_error(), adapter.errors().total()), (None, 0));
        // The next call checks the device again.
        adapter.inner_mut().faults.ready = None;
        assert!(adapter.transmit(NOW).is_some());
    }
}

fn debug_output_names_the_types<M: Mode<MockDevice> + core::fmt::Debug>(mut adapter: Dut<'_, M>) {
    adapter.inner_mut().rx.push_back(frame(1, 60));
    let (rx, tx) = adapter.receive(NOW).unwrap();
    assert!(std::format!("{rx:?}").starts_with("RxToken"));
    assert!(std::format!("{tx:?}").starts_with("TxToken { path: TxPath { state: Ready"));
    drop((rx, tx));
    let text = std::format!("{adapter:?}");
    assert!(text.starts_with("SmoltcpDevice { device: MockDevice"), "{text}");
    assert!(
        text.contains("mode: Pull { held: 60") || text.contains("mode: Lending"),
        "{text}"
    );
    assert!(text.contains("errors: ErrorCounts { bus: 0"), "{text}");
}

#[test]
fn pull_receive_false_buffer_too_small_keeps_frame() {
    let (mut rx, mut reply) = ([0; 1514], [0; 1514]);
    let mut adapter = Dut::new(MockDevice::new(), &mut rx, &mut reply);
    adapter.inner_mut().rx.push_back(frame(1, 60));
    // The buffer is long enough for what the device reports.
    for needed in [60, 1514] {
        adapter.inner_mut().faults.false_needed = Some(needed);
        assert!(adapter.receive(NOW).is_none());
        assert_eq!(adapter.take_error(), Some(ErrorKind::BufferTooSmall { needed }));
    }
    adapter.inner_mut().faults.false_needed = None;
    assert_eq!(answer(&mut adapter, 7, 42), Some(frame(1, 60)));
    assert_eq!(adapter.stats().rx_discarded, 0);
}

#[test]
fn lending_release_error_is_latched_after_frame_was_read() {
    let mut reply = [0; 1514];
    let mut adapter = Dut::lending(MockDevice::new(), &mut reply);
    adapter.inner_mut().faults.release = Some(ErrorKind::Bus);
    adapter.inner_mut().rx.push_back(frame(1, 60));
    assert_eq!(answer(&mut adapter, 7, 42), Some(frame(1, 60)));
    assert_eq!(adapter.take_error(), Some(ErrorKind::Bus));
}
