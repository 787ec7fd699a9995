//! Interrupts: `Rearm`.

use embedded_hal::delay::DelayNs;
use ethdev::{Interest, Rearm, RearmOutcome};
use ethdev_phy::mmio::Registers;

use crate::error::Error;
use crate::lifecycle::Lan9118;
use crate::regs::{self, int};

impl<BUS: Registers, D: DelayNs> Rearm for Lan9118<BUS, D> {
    fn disarm(&mut self) -> Result<(), Error> {
        self.set_interrupts(0);
        Ok(())
    }

    fn rearm(&mut self, interest: Interest) -> Result<RearmOutcome, Error> {
        self.check_fault()?;
        if self.is_asleep() {
            return Ok(RearmOutcome::Armed);
        }
        let mut sources = int::RX_ERROR | int::TX_ERROR;
        for (wanted, source) in [
            (interest.rx, int::RX_STATUS_LEVEL),
            (interest.tx, int::TX_STATUS_LEVEL),
            // Capacity to send comes with the link.
            (interest.link || (interest.tx && !self.link_state().is_up()), int::PHY),
        ] {
            if wanted {
                sources |= source;
            }
        }
        // Clears what the two levels have latched; errors stay for `service`.
        let levels = int::RX_STATUS_LEVEL | int::TX_STATUS_LEVEL;
        self.bus.write(regs::INT_STS, levels);
        self.set_interrupts(sources);
        // The check comes last: it finds what arrived before it, and what arrives after it raises the line.
        let pending = self.bus.read(regs::INT_STS) & sources & !levels != 0
            || (interest.link && self.is_link_changed())
            || (interest.rx && self.next_len()?.is_some())
            || (interest.tx && self.is_tx_ready()?);
        Ok(if pending {
            RearmOutcome::WorkPending
        } else {
            RearmOutcome::Armed
        })
    }
}
