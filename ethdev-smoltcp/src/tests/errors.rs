//! Errors of the device.

use super::*;
use ethdev::Control;

in_both_modes! {
    errors_first_is_kept_and_all_are_counted,
    errors_at_every_call_do_not_panic_or_hang,
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

#[test]
fn lending_release_error_is_latched_after_frame_was_read() {
    let mut reply = [0; 1514];
    let mut adapter = Dut::lending(MockDevice::new(), &mut reply);
    adapter.inner_mut().faults.release = Some(ErrorKind::Bus);
    adapter.inner_mut().rx.push_back(frame(1, 60));
    assert_eq!(answer(&mut adapter, 7, 42), Some(frame(1, 60)));
    assert_eq!(adapter.take_error(), Some(ErrorKind::Bus));
}
