//! Interrupts: `Rearm`.

use embedded_hal::delay::DelayNs;
use ethdev::{Interest, Rearm, RearmOutcome};
use ethdev_phy::dma::Dma;
use ethdev_phy::mmio::Registers;

use crate::error::Error;
use crate::lifecycle::Enet;
use crate::regs::{self, event};

impl<BUS: Registers, D: DelayNs, DMA: Dma> Rearm for Enet<BUS, D, DMA> {
    fn disarm(&mut self) -> Result<(), Error> {
        self.bus.registers.write(regs::EIMR, 0);
        self.check()
    }

    fn rearm(&mut self, interest: Interest) -> Result<RearmOutcome, Error> {
        self.check()?;
        let mut events = 0;
        if interest.rx {
            events |= event::RXF;
        }
        if interest.tx {
            events |= event::TXF;
        }
        // Clears past events; `pending` finds their cause. Later events interrupt.
        self.bus.registers.write(regs::EIR, events);
        // A fault ends any wait.
        let fault = if interest.is_none() { 0 } else { event::EBERR };
        self.bus.registers.write(regs::EIMR, events | fault);
        self.check()?;
        Ok(if (self.pending() & interest).is_none() {
            RearmOutcome::Armed
        } else {
            RearmOutcome::WorkPending
        })
    }
}
