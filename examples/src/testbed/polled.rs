//! A device without an interrupt line, for hosts that wait for one.

use ethdev::{ErrorType, EthernetDevice, Interest, LendingDevice, Rearm, RearmOutcome};

/// A device whose interrupt is simulated: the host signals it after each event of the clock.
pub(super) struct Polled<D>(pub(super) D);

impl<D: ErrorType> ErrorType for Polled<D> {
    type Error = D::Error;
}

impl<D: EthernetDevice> EthernetDevice for Polled<D> {
    ethdev::forward_ethernet_device!(|this| this.0);
}

impl<D: LendingDevice> LendingDevice for Polled<D> {
    ethdev::forward_lending_device!(|this| this.0, D);
}

impl<D: EthernetDevice> Rearm for Polled<D> {
    fn disarm(&mut self) -> Result<(), D::Error> {
        Ok(())
    }

    fn rearm(&mut self, _: Interest) -> Result<RearmOutcome, D::Error> {
        // Whatever happens from now on is an event, and signaled.
        Ok(RearmOutcome::Armed)
    }
}
