//! Waking by interrupt.

use super::{BlockingAsync, Wake};
use crate::IrqSignal;
use ethdev::asynch::yield_once;
use ethdev::{EthernetDevice, Interest, Rearm, RearmOutcome};

/// Checks the device when its interrupt was signaled: no interrupt, no bus access.
///
/// ```
/// use ethdev::{EthernetDevice, Rearm, asynch};
/// use ethdev_util::IrqSignal;
/// use ethdev_util::asynch::BlockingAsync;
///
/// static NIC: IrqSignal = IrqSignal::new(); // signaled by the interrupt handler
///
/// fn to_async<D: EthernetDevice + Rearm>(device: D) -> impl asynch::EthernetDevice {
///     BlockingAsync::with_interrupt(device, &NIC)
/// }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Interrupt<'b>(&'b IrqSignal);

impl<'b, D: EthernetDevice + Rearm> BlockingAsync<D, Interrupt<'b>> {
    /// Wraps a device whose interrupt handler signals `irq`.
    #[must_use]
    pub fn with_interrupt(device: D, irq: &'b IrqSignal) -> Self {
        Self::new(device, Interrupt(irq))
    }
}

impl<D: EthernetDevice + Rearm> Wake<D> for Interrupt<'_> {
    fn prepare(&mut self, device: &mut D) -> Result<(), D::Error> {
        // Cleared before the check: an interrupt after it sets the signal again.
        self.0.try_take();
        device.disarm()
    }

    async fn wait(&mut self, device: &mut D, interest: Interest) -> Result<(), D::Error> {
        match device.rearm(interest)? {
            RearmOutcome::Armed => self.0.wait().await,
            // Yields between two checks, so that a device whose reports are inconsistent cannot
            // hang the executor.
            RearmOutcome::WorkPending => yield_once().await,
        }
        Ok(())
    }
}
