//! `IrqDevice`: wakers for a device with an interrupt.
#![cfg(feature = "critical-section")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use ethdev::{ErrorKind, EthernetDevice, Events, Interest, Link, PollReady, RearmOutcome};
use ethdev_util::{IrqDevice, IrqSignal};
use support::{Cause, Scripted, found_events, frame};

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn waker() -> (Arc<Wakes>, Waker) {
    let wakes = Arc::new(Wakes::default());
    (wakes.clone(), wakes.into())
}

#[test]
fn poll_ready_frame_pending_returns_rx() {
    let irq = IrqSignal::new();
    let mut device = IrqDevice::new(Scripted::with_incoming([frame(1, 60)]), &irq);
    let mut cx = Context::from_waker(Waker::noop());
    assert_eq!(
        device.poll_ready(Interest::RX | Interest::LINK, &mut cx),
        Poll::Ready(Ok(Interest::RX))
    );
    assert!(device.poll_ready(Interest::LINK, &mut cx).is_pending());
}

#[test]
fn poll_ready_foreign_wake_no_bus_access() {
    let irq = IrqSignal::new();
    let mut device = IrqDevice::new(Scripted::new(), &irq);
    let (wakes, waker) = waker();
    let mut cx = Context::from_waker(&waker);
    assert!(device.poll_ready(Interest::RX | Interest::LINK, &mut cx).is_pending());
    irq.try_take();
    // `into_inner` at the end counts: `inner_mut` would invalidate what is armed.
    for _ in 0..10 {
        assert!(device.poll_ready(Interest::RX, &mut cx).is_pending());
    }
    irq.signal();
    assert_eq!(wakes.0.load(Ordering::Relaxed), 1);
    let scripted = device.into_inner();
    assert_eq!(scripted.bus_accesses, 3, "disarm, service, rearm");
    assert_eq!(scripted.calls, ["disarm", "rearm"]);
}

#[test]
fn poll_ready_signaled_checks_again() {
    let irq = IrqSignal::new();
    let mut device = IrqDevice::new(Scripted::new(), &irq);
    let mut cx = Context::from_waker(Waker::noop());
    assert!(device.poll_ready(Interest::RX, &mut cx).is_pending());
    irq.signal();
    assert!(device.poll_ready(Interest::RX, &mut cx).is_pending());
    assert_eq!(device.into_inner().calls, ["disarm", "rearm", "disarm", "rearm"]);
}

#[test]
fn poll_ready_wider_interest_arms_again() {
    let irq = IrqSignal::new();
    let mut device = IrqDevice::new(
        Scripted {
            tx_capacity: 0,
            ..Scripted::new()
        },
        &irq,
    );
    let mut cx = Context::from_waker(Waker::noop());
    assert!(device.poll_ready(Interest::RX, &mut cx).is_pending());
    assert!(device.poll_ready(Interest::RX | Interest::TX, &mut cx).is_pending());
    assert_eq!(device.into_inner().calls, ["disarm", "rearm", "disarm", "rearm"]);
}

#[test]
fn poll_ready_link_change_is_reported_once() {
    let irq = IrqSignal::new();
    let mut device = IrqDevice::new(Scripted::new(), &irq);
    let mut cx = Context::from_waker(Waker::noop());
    device.inner_mut().link = Link::Down;
    assert_eq!(
        device.poll_ready(Interest::ALL, &mut cx),
        Poll::Ready(Ok(Interest::LINK))
    );
    assert!(device.poll_ready(Interest::LINK, &mut cx).is_pending());
}

#[test]
fn poll_ready_empty_interest_is_pending() {
    let irq = IrqSignal::new();
    let mut device = IrqDevice::new(Scripted::with_incoming([frame(1, 60)]), &irq);
    let mut cx = Context::from_waker(Waker::noop());
    assert!(device.poll_ready(Interest::NONE, &mut cx).is_pending());
}

#[test]
fn poll_ready_bus_error_is_returned_then_retried() {
    let irq = IrqSignal::new();
    let mut device = IrqDevice::new(Scripted::with_incoming([frame(1, 60)]), &irq);
    let mut cx = Context::from_waker(Waker::noop());
    let cause = Cause(ErrorKind::Bus, "MISO stuck");
    device.inner_mut().fail_next = Some(cause);
    assert_eq!(device.poll_ready(Interest::RX, &mut cx), Poll::Ready(Err(cause)));
    assert_eq!(device.poll_ready(Interest::RX, &mut cx), Poll::Ready(Ok(Interest::RX)));
}

/// A device that reports pending work in `rearm` and none in `service`.
struct Inconsistent(Scripted);

impl ethdev::ErrorType for Inconsistent {
    type Error = Cause;
}

impl EthernetDevice for Inconsistent {
    ethdev::forward_ethernet_device!(|this| this.0; mac_address, capabilities, link, stats, recv_frame, discard_frame,
        tx_ready, send_vectored);

    fn service(&mut self) -> Result<Events, Cause> {
        Ok(Events::NONE)
    }
}

impl ethdev::Rearm for Inconsistent {
    fn disarm(&mut self) -> Result<(), Cause> {
        self.0.disarm()
    }

    fn rearm(&mut self, _: Interest) -> Result<RearmOutcome, Cause> {
        self.0.bus_accesses += 1;
        Ok(RearmOutcome::WorkPending)
    }
}

#[test]
fn poll_ready_inconsistent_device_yields() {
    let irq = IrqSignal::new();
    let mut device = IrqDevice::new(Inconsistent(Scripted::new()), &irq);
    let (wakes, waker) = waker();
    assert!(
        device
            .poll_ready(Interest::RX, &mut Context::from_waker(&waker))
            .is_pending()
    );
    assert_eq!(wakes.0.load(Ordering::Relaxed), 1);
    assert!(device.into_inner().0.bus_accesses <= 8);
}

/// What a `service` inside `poll_ready` finds is for the caller of `service`.
#[test]
fn service_after_poll_ready_reports_what_it_found() {
    let irq = IrqSignal::new();
    let mut device = IrqDevice::new(Scripted::new(), &irq);
    let mut cx = Context::from_waker(Waker::noop());
    device.inner_mut().link = Link::Down;
    device.inner_mut().events = found_events();
    assert_eq!(
        device.poll_ready(Interest::LINK, &mut cx),
        Poll::Ready(Ok(Interest::LINK))
    );
    let mut expected = found_events();
    expected.link_changed = true;
    assert_eq!(device.service(), Ok(expected));
    assert_eq!(device.service(), Ok(Events::NONE));
    // A failure loses nothing.
    device.inner_mut().events = found_events();
    assert!(device.poll_ready(Interest::LINK, &mut cx).is_pending());
    device.inner_mut().fail_next = Some(Cause(ErrorKind::Bus, "no answer"));
    assert_eq!(device.service(), Err(Cause(ErrorKind::Bus, "no answer")));
    assert_eq!(device.service(), Ok(found_events()));
}
