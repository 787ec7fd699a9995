//! Woken by the device's interrupt.

use super::{Async, Waiter};
use crate::Doorbell;
use ethdev::asynch::yield_once;
use ethdev::{EthernetDevice, Interest, Rearm, RearmOutcome};

/// Waits for a [`Doorbell`] that the device's interrupt handler rings.
///
/// Link changes have to come with the same interrupt; where they do not, call `service` from time to time.
///
/// ```
/// use crate::{Doorbell, asynch::Async};
/// use ethdev::{EthernetDevice, Rearm, asynch};
///
/// static NIC: Doorbell = Doorbell::new(); // rung by the interrupt handler
///
/// fn to_async<D: EthernetDevice + Rearm>(device: D) -> impl asynch::EthernetDevice {
///     Async::by_interrupt(device, &NIC)
/// }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Interrupt<'b>(&'b Doorbell);

impl<'b, D: EthernetDevice + Rearm> Async<D, Interrupt<'b>> {
    /// `doorbell` is the one that the device's interrupt handler rings.
    #[must_use]
    pub fn by_interrupt(device: D, doorbell: &'b Doorbell) -> Self {
        Self::new(device, Interrupt(doorbell))
    }
}

impl<D: EthernetDevice + Rearm> Waiter<D> for Interrupt<'_> {
    fn before_look(&mut self, device: &mut D) -> Result<(), D::Error> {
        // Quiet first: what comes after the look rings anew.
        self.0.take();
        device.disarm()
    }

    async fn wait(&mut self, device: &mut D, interest: Interest) -> Result<(), D::Error> {
        match device.rearm(interest)? {
            RearmOutcome::Armed => self.0.wait().await,
            // Others run between two looks, so that a device which contradicts itself cannot hang the executor.
            RearmOutcome::WorkPending => yield_once().await,
        }
        Ok(())
    }
}
