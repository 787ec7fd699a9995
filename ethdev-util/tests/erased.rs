//! `Erased`, and forwarding through references.

mod support;

use ethdev::{Control, ErrorKind, EthernetDevice, FilterOutcome, RxFilter};
use ethdev_util::{Erased, ErasedDevice, ErasedIrqDevice};
use support::{Cause, Scripted, buffered, frame};

#[test]
fn erased_different_types_one_reference() {
    let mut first = Erased::new(Scripted::with_incoming([frame(1, 60)]));
    let mut second = Erased::new(buffered(Scripted::with_incoming([frame(2, 70)]), 1514));
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
fn take_error_after_busy_keeps_cause() {
    let cause = Cause(ErrorKind::Bus, "MISO stuck");
    let mut device = Erased::new(Scripted {
        fail_next: Some(cause),
        tx_capacity: 0,
        ..Scripted::new()
    });
    assert_eq!(device.service(), Err(ErrorKind::Bus));
    assert_eq!(device.send_frame(&frame(1, 60)), Err(ErrorKind::Busy));
    assert_eq!(device.take_error(), Some(cause));
    assert_eq!(device.take_error(), None);
    device.inner_mut().fail_next = Some(cause);
    assert_eq!(device.recover(), Err(ErrorKind::Bus));
    assert_eq!(device.take_error(), Some(cause));
}

#[test]
fn reference_override_is_forwarded() {
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
fn erased_irq_device_rearm_is_forwarded() {
    let mut nic = Erased::new(Scripted::with_incoming([frame(1, 60)]));
    let nic: &mut dyn ErasedIrqDevice = &mut nic;
    assert_eq!(nic.rearm(ethdev::Interest::RX), Ok(ethdev::RearmOutcome::WorkPending));
    nic.disarm().unwrap();
}

#[test]
fn erased_cached_values_no_bus_access() {
    let mut device = Erased::new(Scripted::new());
    let _ = (
        device.mac_address(),
        device.capabilities(),
        device.tx_max_frame_len(),
        device.link(),
        device.stats(),
    );
    assert_eq!(device.inner_mut().bus_accesses, 0);
}
