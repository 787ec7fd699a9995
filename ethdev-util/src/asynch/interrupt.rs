//! Woken by the device's interrupt.

use super::{BlockingAsync, Wake};
use crate::IrqSignal;
use ethdev::asynch::yield_once;
use ethdev::{EthernetDevice, Interest, Rearm, RearmOutcome};

/// Waits for a [`IrqSignal`] that the device's interrupt handler rings.
///
/// Link changes have to come with the same interrupt; where they do not, call `service` from time to time.
///
/// ```
/// use ethdev_util::{IrqSignal, asynch::BlockingAsync};
/// use ethdev::{EthernetDevice, Rearm, asynch};
///
/// static NIC: IrqSignal = IrqSignal::new(); // rung by the interrupt handler
///
/// fn to_async<D: EthernetDevice + Rearm>(device: D) -> impl asynch::EthernetDevice {
///     BlockingAsync::with_interrupt(device, &NIC)
/// }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Interrupt<'b>(&'b IrqSignal);

impl<'b, D: EthernetDevice + Rearm> BlockingAsync<D, Interrupt<'b>> {
    /// `irq_signal` is the one that the device's interrupt handler rings.
    #[must_use]
    pub fn with_interrupt(device: D, irq_signal: &'b IrqSignal) -> Self {
        Self::new(device, Interrupt(irq_signal))
    }
}

impl<D: EthernetDevice + Rearm> Wake<D> for Interrupt<'_> {
    fn prepare(&mut self, device: &mut D) -> Result<(), D::Error> {
        // Quiet first: what comes after the look rings anew.
        self.0.try_take();
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
