//! Interrupts: `Rearm`.

use core::time::Duration;

use ethdev::{Interest, Rearm, RearmOutcome};
use ethdev_phy::mdio::Mdio;

use crate::lifecycle::SoftMac;
use crate::port::{PortInterrupt, RxPort, TxPort};

impl<R, T, M, C, const RX: usize, const TX: usize> Rearm for SoftMac<R, T, M, C, RX, TX>
where
    R: RxPort + PortInterrupt,
    T: TxPort<Error = R::Error> + PortInterrupt,
    M: Mdio<Error: 'static>,
    C: FnMut() -> Duration,
{
    fn disarm(&mut self) -> Result<(), Self::Error> {
        self.rx.port.set_interrupt(false);
        self.tx.port.set_interrupt(false);
        Ok(())
    }

    fn rearm(&mut self, interest: Interest) -> Result<RearmOutcome, Self::Error> {
        self.rx.port.set_interrupt(interest.rx);
        self.tx.port.set_interrupt(interest.tx);
        self.rx.collect()?;
        let tx_ready = self.tx.has_capacity()? && self.tx.is_up();
        let pending = (interest.rx && self.rx.has_ready())
            || (interest.tx && tx_ready)
            || (interest.link && self.link_state() != self.reported_link);
        Ok(if pending {
            RearmOutcome::WorkPending
        } else {
            RearmOutcome::Armed
        })
    }
}
