//! Management and interrupts pass through, with what this layer keeps taken into account.

use ethdev::{Control, FilterOutcome, Interest, MacAddress, Rearm, RearmOutcome, RxFilter};

use super::device::Faulty;

type Result<T, E> = core::result::Result<T, E>;

impl<D: Control> Faulty<D> {
    fn manage<T>(&mut self, manage: impl FnOnce(&mut D) -> core::result::Result<T, D::Error>) -> Result<T, D::Error> {
        self.shared.enter(&mut self.rx.bus)?;
        manage(&mut self.device)
    }
}

impl<D: Control> Control for Faulty<D> {
    fn start(&mut self) -> Result<(), D::Error> {
        self.manage(D::start)
    }

    fn stop(&mut self) -> Result<(), D::Error> {
        self.manage(D::stop)?;
        self.rx.reset();
        Ok(())
    }

    fn set_mac_address(&mut self, address: MacAddress) -> Result<(), D::Error> {
        self.manage(|device| device.set_mac_address(address))
    }

    fn set_rx_filter(&mut self, filter: RxFilter<'_>) -> Result<FilterOutcome, D::Error> {
        self.manage(|device| device.set_rx_filter(filter))
    }

    /// Ends a hang that this layer made, too.
    fn recover(&mut self) -> Result<(), D::Error> {
        self.device.recover()?;
        self.shared.hung.set(false);
        self.rx.reset();
        Ok(())
    }

    fn sleep(&mut self) -> Result<(), D::Error> {
        self.manage(D::sleep)?;
        self.rx.reset();
        Ok(())
    }

    fn wake(&mut self) -> Result<(), D::Error> {
        self.manage(D::wake)
    }
}

impl<D: Rearm> Rearm for Faulty<D> {
    fn disarm(&mut self) -> core::result::Result<(), Self::Error> {
        self.shared.enter(&mut self.rx.bus)?;
        self.device.disarm()
    }

    /// A frame that this layer keeps is work too.
    fn rearm(&mut self, interest: Interest) -> core::result::Result<RearmOutcome, Self::Error> {
        self.shared.enter(&mut self.rx.bus)?;
        let outcome = self.device.rearm(interest)?;
        Ok(if interest.rx && !self.rx.held.is_empty() {
            RearmOutcome::WorkPending
        } else {
            outcome
        })
    }
}

impl<D> Faulty<D> {
    /// Whether a hang that this layer made lasts still: until [`recover`](Control::recover), or
    /// [`unhang`](Self::unhang).
    #[must_use]
    pub fn is_hung(&self) -> bool {
        self.shared.hung.get()
    }

    /// Ends a hang that this layer made, for devices that have no [`recover`](Control::recover).
    pub fn unhang(&mut self) {
        self.shared.hung.set(false);
    }
}
