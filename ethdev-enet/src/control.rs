//! Management and interrupts.

use embedded_hal::delay::DelayNs;
use ethdev::{
    Control, ControlError, EthernetDevice, FilterOutcome, Interest, MacAddress, Rearm, RearmOutcome, RxFilter,
};

use super::filter::Filter;
use super::regs::{self, event};
use super::{Enet, Error, Fault, State};
use ethdev_phy::dma::Dma;
use ethdev_phy::mmio::Registers;

type Result<T> = core::result::Result<T, ControlError<Error>>;

impl<R: Registers, D: DelayNs, C: Dma> Control for Enet<R, D, C> {
    fn start(&mut self) -> Result<()> {
        self.check().map_err(ControlError::Device)?;
        if self.state == State::Stopped {
            let before = self.link();
            self.write_mode();
            self.begin();
            self.note_link(before);
        }
        Ok(())
    }

    fn stop(&mut self) -> Result<()> {
        self.check().map_err(ControlError::Device)?;
        if self.state == State::Running {
            let before = self.link();
            self.flush_rx();
            self.halt();
            self.rx.flush(&self.io);
            self.counters.read(&self.io.registers);
            self.rx.reset(&self.io.dma);
            self.tx.reset(&self.io.registers);
            self.set_state(State::Stopped);
            self.note_link(before);
        }
        Ok(())
    }

    fn set_mac_address(&mut self, address: MacAddress) -> Result<()> {
        if !address.is_unicast() {
            return Err(ControlError::InvalidInput);
        }
        self.check().map_err(ControlError::Device)?;
        self.config.mac_address = address;
        self.write_address();
        Ok(())
    }

    fn set_rx_filter(&mut self, filter: RxFilter<'_>) -> Result<FilterOutcome> {
        self.check().map_err(ControlError::Device)?;
        let (filter, outcome) = Filter::new(filter);
        self.filter = filter;
        self.write_filter();
        Ok(outcome)
    }

    /// Resets the MAC (`ECR[RESET]`) and sets it up again. QEMU's model of the ENET resets its PHY too; silicon does not.
    fn recover(&mut self) -> Result<()> {
        let started = self.state != State::Stopped;
        let before = self.link();
        if self.state == State::Running {
            self.flush_rx();
            self.halt();
        }
        // Also where the MAC stopped by itself: what had come to the rings is in the books.
        self.rx.flush(&self.io);
        self.tx.reap(&self.io.registers);
        self.counters.read(&self.io.registers);
        if let Err(e) = self.reset() {
            if started {
                self.set_state(State::Fault(Fault::Disabled));
                self.note_link(before);
            }
            return Err(ControlError::Device(e));
        }
        self.stats.recoveries = self.stats.recoveries.wrapping_add(1);
        if started {
            self.begin();
        }
        self.note_link(before);
        Ok(())
    }
}

impl<R: Registers, D: DelayNs, C: Dma> Rearm for Enet<R, D, C> {
    fn disarm(&mut self) -> core::result::Result<(), Error> {
        self.io.registers.write(regs::EIMR, 0);
        self.check()
    }

    fn rearm(&mut self, interest: Interest) -> core::result::Result<RearmOutcome, Error> {
        self.check()?;
        let mut events = 0;
        if interest.rx {
            events |= event::RXF;
        }
        if interest.tx {
            events |= event::TXF;
        }
        // Events of the past are cleared first: each of them is seen below. What comes after is an interrupt.
        self.io.registers.write(regs::EIR, events);
        // Somebody who waits for anything wants to know that nothing will come any more.
        let fault = if interest.is_none() { 0 } else { event::EBERR };
        self.io.registers.write(regs::EIMR, events | fault);
        self.check()?;
        Ok(if (self.pending() & interest).is_none() {
            RearmOutcome::Armed
        } else {
            RearmOutcome::WorkPending
        })
    }
}
