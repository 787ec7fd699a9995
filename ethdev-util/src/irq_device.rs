//! Wakers for devices with an interrupt.

use core::task::{Context, Poll};

use ethdev::{
    Control, ErrorType, EthernetDevice, Events, Interest, LendingDevice, Link, PollReady, Rearm, RearmOutcome,
};

use crate::IrqSignal;
use crate::asynch::check;
use crate::reports::Reports;

/// Number of checks in one `poll_ready` of a device that keeps reporting pending work that is not
/// there.
const MAX_CHECKS_PER_POLL: usize = 4;

/// Gives [`PollReady`] to a device with [`Rearm`], by the [`IrqSignal`] that its interrupt handler
/// signals.
///
/// It remembers what the interrupt is armed for: a wake-up that does not come from the interrupt
/// costs no bus access.
///
/// ```
/// use core::task::{Context, Poll, Waker};
/// use ethdev::{EthernetDevice, Interest, MacAddress, PollReady};
/// use ethdev_util::{IrqDevice, IrqSignal};
/// # use ethdev_sim::{Clock, RingConfig, RingError, RingNic, WireConfig};
///
/// static NIC: IrqSignal = IrqSignal::new(); // signaled by the interrupt handler
/// # let clock = Clock::new();
/// # let [a, b] = [1, 2].map(|n| RingConfig::new(MacAddress::new([2, 0, 0, 0, 0, n])).with_irq_signal(&NIC));
/// # let (_wire, mut peer, nic) = RingNic::pair(&clock, WireConfig::default(), a, b);
///
/// let mut device = IrqDevice::new(nic, &NIC);
/// let mut cx = Context::from_waker(Waker::noop());
/// assert!(device.poll_ready(Interest::RX, &mut cx).is_pending());
///
/// peer.send_vectored(&[&[2, 0, 0, 0, 0, 2], &peer.mac_address().octets(), b"\x88\xb5hello"])?;
/// clock.advance(core::time::Duration::from_micros(10));
/// assert_eq!(device.poll_ready(Interest::RX, &mut cx), Poll::Ready(Ok(Interest::RX)));
/// # Ok::<(), RingError>(())
/// ```
///
/// It starts no timer: if [`max_service_interval`](ethdev::Capabilities::max_service_interval) is
/// set, the caller must poll again within it and call [`service`](EthernetDevice::service).
#[derive(Debug)]
pub struct IrqDevice<'s, D> {
    device: D,
    irq: &'s IrqSignal,
    /// What the interrupt is armed for; `None` if it must be armed again.
    armed: Option<Interest>,
    /// The link as last reported by `poll_ready`.
    link: Link,
    /// What `service` inside `poll_ready` found.
    reports: Reports,
}

impl<'s, D: EthernetDevice> IrqDevice<'s, D> {
    /// Wraps a device whose interrupt handler signals `irq`.
    #[must_use]
    pub fn new(device: D, irq: &'s IrqSignal) -> Self {
        let link = device.link();
        Self {
            device,
            irq,
            armed: None,
            link,
            reports: Reports::new(Some(link)),
        }
    }
}

impl<D> IrqDevice<'_, D> {
    /// Returns the device, for its specific functions.
    pub const fn inner_mut(&mut self) -> &mut D {
        // The caller may drain the device or change its mask.
        self.armed = None;
        &mut self.device
    }

    /// Returns the device.
    pub fn into_inner(self) -> D {
        self.device
    }
}

impl<D: ErrorType> ErrorType for IrqDevice<'_, D> {
    type Error = D::Error;
}

impl<D: EthernetDevice> EthernetDevice for IrqDevice<'_, D> {
    ethdev::forward_ethernet_device!(|this| this.device; mac_address, capabilities, tx_max_frame_len, link, stats,
        recv_frame, discard_frame, tx_ready, send_vectored, send_frame);

    fn service(&mut self) -> Result<Events, D::Error> {
        self.reports.add(self.device.service()?);
        Ok(self.reports.take(self.device.link()))
    }
}

impl<D: LendingDevice> LendingDevice for IrqDevice<'_, D> {
    ethdev::forward_lending_device!(|this| this.device, D);
}

impl<D: Control> Control for IrqDevice<'_, D> {
    ethdev::forward_control!(|this| *this.inner_mut());
}

impl<D: EthernetDevice + Rearm> PollReady for IrqDevice<'_, D> {
    fn poll_ready(&mut self, interest: Interest, cx: &mut Context<'_>) -> Poll<Result<Interest, D::Error>> {
        if self.armed.is_some_and(|armed| armed.contains(interest)) && self.irq.poll_wait(cx).is_pending() {
            return Poll::Pending;
        }
        for _ in 0..MAX_CHECKS_PER_POLL {
            self.armed = None;
            // Cleared before the check: an interrupt after it sets the signal again.
            self.irq.try_take();
            self.device.disarm()?;
            let ready = check(&mut self.device, &mut self.link, &mut self.reports, interest)?;
            if !ready.is_none() {
                return Poll::Ready(Ok(ready));
            }
            if self.device.rearm(interest)? == RearmOutcome::Armed {
                self.armed = Some(interest);
                if self.irq.poll_wait(cx).is_pending() {
                    return Poll::Pending;
                }
            }
        }
        // The reports of the device are inconsistent: other tasks run before the next check.
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
