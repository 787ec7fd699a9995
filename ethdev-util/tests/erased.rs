//! `Erased`, and forwarding through references.

mod support;

use ethdev::{Control, ControlError, ErrorKind, EthernetDevice, FilterOutcome, RxFilter};
use ethdev_util::{Erased, ErasedDevice};
use support::{Cause, Scripted, frame};

#[test]
fn devices_of_different_types_fit_one_reference() {
    let mut first = Erased::new(Scripted::with_incoming([frame(1, 60)]));
    let mut second = Erased::new(ethdev_util::Buffered::<_, 1514>::new(Scripted::with_incoming([frame(
        2, 70,
    )])));
    let mut lengths = Vec::new();
    for nic in [&mut first as &mut dyn ErasedDevice, &mut second] {
        lengths.push(nic.recv_frame(&mut [0; 1514]).unwrap().unwrap().len);
        nic.send_frame(&frame(3, 60)).unwrap();
        assert_eq!(nic.set_rx_filter(RxFilter::DEFAULT), Ok(FilterOutcome::Superset));
    }
    assert_eq!(lengths, [60, 70]);
    assert_eq!(first.into_inner().sent.len(), 1);
}

#[test]
fn the_cause_is_kept_and_busy_does_not_push_it_out() {
    let cause = Cause(ErrorKind::Bus, "MISO stuck");
    let mut device = Erased::new(Scripted {
        fail_next: Some(cause),
        tx_ready: 0,
        ..Scripted::new()
    });
    assert_eq!(device.service(), Err(ErrorKind::Bus));
    assert_eq!(device.send_frame(&frame(1, 60)), Err(ErrorKind::Busy));
    assert_eq!(device.take_error(), Some(cause));
    assert_eq!(device.take_error(), None);
    device.inner_mut().fail_next = Some(cause);
    assert_eq!(device.recover(), Err(ControlError::Device(ErrorKind::Bus)));
    assert_eq!(device.take_error(), Some(cause));
}

#[test]
fn references_forward_overrides_too() {
    fn send<D: EthernetDevice>(mut device: D) -> Result<(), D::Error> {
        device.send_frame(&frame(1, 60))
    }
    let mut device = Scripted::new();
    send(&mut &mut device).unwrap();
    assert_eq!(
        device.calls,
        ["send_frame"],
        "the override was reached, not the provided method"
    );
}

#[test]
fn cached_values_touch_no_bus() {
    let device = Scripted::new();
    let _ = (
        device.mac_address(),
        device.capabilities(),
        device.link(),
        device.stats(),
    );
    assert_eq!(device.bus_accesses, 0);
}
