//! Management and interrupts.

use ethdev::{Control, ErrorKind, FilterOutcome, Interest, MacAddress, Rearm, RearmOutcome, RxFilter};

use super::chip::{Chip, Filter};
use super::device::RingNic;
use super::error::RingError;

type Result<T> = core::result::Result<T, RingError>;

impl RingNic {
    /// Checks that the chip responds.
    fn check(&self) -> Result<()> {
        Chip::access(&self.hw).check()
    }

    /// Drops a lent frame, like those in the ring.
    fn drop_lent(&mut self) {
        if let Some((buffer, _)) = self.rx.lent.take() {
            self.rx.stats.rx_reset = self.rx.stats.rx_reset.wrapping_add(1);
            // Every buffer taken has its place in the ring.
            let _ = Chip::access(&self.hw).rx.give(buffer);
        }
    }

    /// Brings the chip into a mode, by a reset if it is in a fault.
    fn set_mode(&mut self, started: bool, asleep: bool) -> Result<()> {
        if self.check().is_err() {
            return self.restart(started, asleep);
        }
        if !started || asleep {
            self.drop_lent();
        }
        self.program(started, asleep)
    }

    fn restart(&mut self, started: bool, asleep: bool) -> Result<()> {
        // The reset line works in every state; a dead chip keeps its state.
        let came_back = Chip::access(&self.hw).reset();
        if !came_back {
            self.check()?;
            return Err(RingError::Dead);
        }
        self.drop_lent();
        self.program(started, asleep)?;
        self.rx.stats.recoveries = self.rx.stats.recoveries.wrapping_add(1);
        Ok(())
    }
}

impl Control for RingNic {
    fn start(&mut self) -> Result<()> {
        self.set_mode(true, false)
    }

    fn stop(&mut self) -> Result<()> {
        self.set_mode(false, false)
    }

    fn set_mac_address(&mut self, address: MacAddress) -> Result<()> {
        if !address.is_unicast() {
            return Err(ErrorKind::InvalidInput.into());
        }
        self.mac_address = address;
        let mut chip = Chip::access(&self.hw);
        chip.check()?;
        chip.mac_address = address;
        Ok(())
    }

    fn set_rx_filter(&mut self, filter: RxFilter<'_>) -> Result<FilterOutcome> {
        self.filter = Filter::from(filter);
        let mut chip = Chip::access(&self.hw);
        chip.check()?;
        chip.filter = self.filter.clone();
        Ok(FilterOutcome::Exact)
    }

    fn recover(&mut self) -> Result<()> {
        self.restart(self.started, self.asleep)
    }

    /// Drops pending frames, as `stop` does.
    fn sleep(&mut self) -> Result<()> {
        self.set_mode(self.started, true)
    }

    fn wake(&mut self) -> Result<()> {
        if !self.asleep {
            return self.check();
        }
        self.set_mode(self.started, false)
    }
}

impl Rearm for RingNic {
    fn disarm(&mut self) -> core::result::Result<(), RingError> {
        let mut chip = Chip::access(&self.hw);
        chip.check()?;
        chip.unmasked = Interest::NONE;
        Ok(())
    }

    fn rearm(&mut self, interest: Interest) -> core::result::Result<RearmOutcome, RingError> {
        {
            let mut chip = Chip::access(&self.hw);
            chip.check()?;
            chip.unmasked = interest;
        }
        // Events from here on cause an interrupt; earlier ones are detected now.
        let (pending, interrupt) = {
            let mut chip = Chip::access(&self.hw);
            chip.check()?;
            self.tx.link.refresh(&chip);
            let pending = Interest {
                rx: self.rx.lent.is_some() || chip.rx.pending() > 0,
                tx: chip.may_send().is_ok() && (self.tx.spare.is_some() || chip.tx.has_free()),
                link: self.tx.link.link != self.reported_link,
            } & interest;
            (pending, chip.line_on_unmasking(pending))
        };
        if let Some(interrupt) = interrupt {
            interrupt();
        }
        Ok(if pending.is_none() {
            RearmOutcome::Armed
        } else {
            RearmOutcome::WorkPending
        })
    }
}
