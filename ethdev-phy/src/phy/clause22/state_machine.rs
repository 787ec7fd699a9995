//! The steps of the state machine. None of them waits.

use core::time::Duration;

use super::resolve::resolve;
use super::settings::mode_bits;
use super::{Clause22, Fault, LinkLoss, State, is_stored};
use crate::mdio::Mdio;
use crate::phy::{LinkModes, PhyError, PhyId, PhyOps, PhyRegisters, bmcr, bmsr, reg};
use ethdev::{Link, LinkMode};

impl<O> Clause22<O> {
    fn supports(&self, mode: LinkMode) -> bool {
        let (Some(speed), Some(duplex)) = (mode.speed, mode.duplex) else {
            return false;
        };
        LinkModes::from_mode(speed, duplex).is_some_and(|bit| self.advertise.contains(bit))
    }

    pub(super) fn fail<E>(&mut self, fault: Fault, now: Duration) -> Result<(), PhyError<E>> {
        self.state = State::NotResponding;
        self.link = Link::Down;
        self.due = now.saturating_add(self.poll_interval);
        if self.fault == Some(fault) {
            return Ok(());
        }
        self.fault = Some(fault);
        Err(match fault {
            Fault::NotResponding => PhyError::NotResponding(self.address),
            Fault::UnknownId(id) => PhyError::UnknownId(id),
            Fault::ResetTimeout => PhyError::ResetTimeout,
        })
    }

    pub(super) fn bus_failed(&mut self, now: Duration) {
        let interval = match self.state {
            State::Resetting { .. } => Self::RESET_POLL,
            _ => self.poll_interval,
        };
        self.due = now.saturating_add(interval);
        self.bus_failures = self.bus_failures.saturating_add(1);
        if self.loss == LinkLoss::None {
            self.loss = LinkLoss::Unknown;
        }
        if self.bus_failures >= Self::BUS_FAILURES && self.state == State::Up {
            self.state = State::Down { no_common_mode: false };
            self.link = Link::Down;
        }
    }
}

impl<O: PhyOps> Clause22<O> {
    pub(super) fn step<M: Mdio + ?Sized>(
        &mut self,
        phy: &mut PhyRegisters<'_, M>,
        now: Duration,
    ) -> Result<(), PhyError<M::Error>> {
        match self.state {
            State::Stopped => {
                self.due = Self::NEVER;
                Ok(())
            }
            State::NotResponding => self.begin(phy, now),
            State::Resetting { deadline, second } => self.poll_reset(phy, deadline, second, now),
            State::Configuring => self.configure(phy, now),
            State::Down { .. } | State::Up => self.poll_link(phy, now),
            State::Loopback => {
                let control = phy.read(reg::BMCR).map_err(PhyError::Mdio)?;
                if control == u16::MAX {
                    return self.fail(Fault::NotResponding, now);
                }
                if control & bmcr::LOOPBACK == 0 {
                    return self.begin(phy, now);
                }
                self.due = now.saturating_add(self.poll_interval);
                Ok(())
            }
        }
    }

    pub(super) fn begin<M: Mdio + ?Sized>(
        &mut self,
        phy: &mut PhyRegisters<'_, M>,
        now: Duration,
    ) -> Result<(), PhyError<M::Error>> {
        self.link = Link::Down;
        self.state = State::NotResponding;
        self.loss = LinkLoss::None;
        self.due = now.saturating_add(self.poll_interval);
        let id1 = phy.read(reg::PHYID1).map_err(PhyError::Mdio)?;
        let id2 = phy.read(reg::PHYID2).map_err(PhyError::Mdio)?;
        let Some(id) = PhyId::from_registers(id1, id2) else {
            return self.fail(Fault::NotResponding, now);
        };
        if !self.ops.matches(id) {
            return self.fail(Fault::UnknownId(id), now);
        }
        self.id = Some(id);
        self.reset(phy, false, now).map_err(PhyError::Mdio)
    }

    /// Writes the reset bit alone: other bits would be lost.
    fn reset<M: Mdio + ?Sized>(
        &mut self,
        phy: &mut PhyRegisters<'_, M>,
        second: bool,
        now: Duration,
    ) -> Result<(), M::Error> {
        phy.write(reg::BMCR, bmcr::RESET)?;
        let deadline = now.saturating_add(Self::RESET_TIME);
        self.state = State::Resetting { deadline, second };
        self.due = now.saturating_add(Self::RESET_POLL);
        Ok(())
    }

    fn poll_reset<M: Mdio + ?Sized>(
        &mut self,
        phy: &mut PhyRegisters<'_, M>,
        deadline: Duration,
        second: bool,
        now: Duration,
    ) -> Result<(), PhyError<M::Error>> {
        // All ones count as "in reset": some PHYs do not respond during their reset.
        let control = phy.read(reg::BMCR).map_err(PhyError::Mdio)?;
        if control & bmcr::RESET != 0 {
            if now < deadline {
                self.due = now.saturating_add(Self::RESET_POLL);
                return Ok(());
            }
            let silent = control == u16::MAX;
            return self.fail(
                if silent {
                    Fault::NotResponding
                } else {
                    Fault::ResetTimeout
                },
                now,
            );
        }
        if self.ops.after_reset(phy).map_err(PhyError::Mdio)? && !second {
            return self.reset(phy, true, now).map_err(PhyError::Mdio);
        }
        self.state = State::Configuring;
        self.configure(phy, now)
    }

    pub(super) fn configure<M: Mdio + ?Sized>(
        &mut self,
        phy: &mut PhyRegisters<'_, M>,
        now: Duration,
    ) -> Result<(), PhyError<M::Error>> {
        if !self.write_settings(phy).map_err(PhyError::Mdio)? {
            return self.fail(Fault::NotResponding, now);
        }
        self.state = State::Down { no_common_mode: false };
        self.fault = None;
        // Not at once: the registers may still show the previous link.
        self.due = now.saturating_add(self.poll_interval);
        Ok(())
    }

    /// Returns whether the PHY stored the settings: a bus without a PHY accepts every write.
    fn write_settings<M: Mdio + ?Sized>(&mut self, phy: &mut PhyRegisters<'_, M>) -> Result<bool, M::Error> {
        self.ops.configure(phy)?;
        let control = match self.forced {
            Some((speed, duplex)) => mode_bits(speed, duplex),
            None => {
                phy.write(reg::ANAR, self.advertise.to_register())?;
                self.anar = phy.read(reg::ANAR)?;
                bmcr::AUTONEG_ENABLE | bmcr::AUTONEG_RESTART
            }
        };
        phy.write(reg::BMCR, control)?;
        let found = phy.read(reg::BMCR)?;
        self.autoneg = found & bmcr::AUTONEG_ENABLE;
        Ok(match self.forced {
            Some(_) => is_stored(control, found),
            // A PHY may lack some of the modes.
            None => {
                let kept = LinkModes::from_register(self.anar).without_pause();
                found != u16::MAX && !kept.is_empty() && self.advertise.contains(kept)
            }
        })
    }

    fn poll_link<M: Mdio + ?Sized>(
        &mut self,
        phy: &mut PhyRegisters<'_, M>,
        now: Duration,
    ) -> Result<(), PhyError<M::Error>> {
        let latched = phy.read(reg::BMSR).map_err(PhyError::Mdio)?;
        if latched & bmsr::LINK_UP == 0 {
            self.loss = LinkLoss::Reported;
        }
        let status = phy.read(reg::BMSR).map_err(PhyError::Mdio)?;
        let control = phy.read(reg::BMCR).map_err(PhyError::Mdio)?;
        let silent = |status: u16| status == 0 || status == u16::MAX;
        if silent(latched) || silent(status) || control == u16::MAX {
            return self.fail(Fault::NotResponding, now);
        }
        let changed = (control & bmcr::AUTONEG_ENABLE) ^ self.autoneg;
        if changed | (control & (bmcr::RESET | bmcr::LOOPBACK)) != 0 {
            return self.begin(phy, now);
        }
        let negotiated = self.forced.is_some() || status & bmsr::AUTONEG_COMPLETE != 0;
        let powered = control & (bmcr::POWER_DOWN | bmcr::ISOLATE) == 0;
        let up = status & bmsr::LINK_UP != 0 && negotiated && powered;
        let outcome = if up {
            self.link_is_up(phy, now)
        } else {
            self.link_is_down(phy, status, now)
        };
        if !matches!(outcome, Err(PhyError::Mdio(_))) {
            self.loss = LinkLoss::None;
        }
        outcome
    }

    fn link_is_up<M: Mdio + ?Sized>(
        &mut self,
        phy: &mut PhyRegisters<'_, M>,
        now: Duration,
    ) -> Result<(), PhyError<M::Error>> {
        match (self.state, self.loss) {
            (State::Up | State::Down { no_common_mode: true }, LinkLoss::None) => {
                self.due = now.saturating_add(self.interval_while_up());
                Ok(())
            }
            (State::Up, LinkLoss::Reported) => {
                // The link is up again, possibly in another mode: the next poll reports it.
                self.link = Link::Down;
                self.state = State::Down { no_common_mode: false };
                self.due = now;
                Ok(())
            }
            _ => self.handle_link_up(phy, now),
        }
    }

    fn link_is_down<M: Mdio + ?Sized>(
        &mut self,
        phy: &mut PhyRegisters<'_, M>,
        status: u16,
        now: Duration,
    ) -> Result<(), PhyError<M::Error>> {
        self.link = Link::Down;
        let reported = self.state == State::Down { no_common_mode: true };
        let no_common_mode = self.state != State::Up && self.no_common_mode(phy).map_err(PhyError::Mdio)?;
        self.state = State::Down {
            no_common_mode: reported,
        };
        self.schedule_while_down(phy, status, now).map_err(PhyError::Mdio)?;
        self.state = State::Down { no_common_mode };
        if no_common_mode && !reported {
            Err(PhyError::NoCommonMode)
        } else {
            Ok(())
        }
    }

    fn interval_while_up(&self) -> Duration {
        if self.ops.uses_interrupt() {
            self.watchdog_interval
        } else {
            self.poll_interval
        }
    }

    /// Sets when a link that is down is polled next.
    fn schedule_while_down<M: Mdio + ?Sized>(
        &mut self,
        phy: &mut PhyRegisters<'_, M>,
        status: u16,
        now: Duration,
    ) -> Result<(), M::Error> {
        // Auto-negotiation has an interrupt for its completion, the link itself has none: after completion,
        // and in a forced mode, the link is polled.
        let interrupt = self.ops.uses_interrupt() && self.forced.is_none() && status & bmsr::AUTONEG_COMPLETE == 0;
        let interval = if interrupt {
            self.watchdog_interval
        } else {
            self.poll_interval
        };
        let interval = interval.min(self.ops.link_down_poll(phy, now)?);
        self.due = now.saturating_add(interval);
        Ok(())
    }

    /// Returns whether the link partner is known to offer no common mode.
    fn no_common_mode<M: Mdio + ?Sized>(&self, phy: &mut PhyRegisters<'_, M>) -> Result<bool, M::Error> {
        if self.forced.is_some() {
            return Ok(false);
        }
        let partner = LinkModes::from_register(phy.read(reg::ANLPAR)?);
        Ok(!partner.without_pause().is_empty() && LinkModes::from_register(self.anar).resolve(partner).is_none())
    }

    fn handle_link_up<M: Mdio + ?Sized>(
        &mut self,
        phy: &mut PhyRegisters<'_, M>,
        now: Duration,
    ) -> Result<(), PhyError<M::Error>> {
        let unchanged = self.forced.is_some() || phy.read(reg::ANAR).map_err(PhyError::Mdio)? == self.anar;
        if !unchanged || !self.ops.config_valid(phy).map_err(PhyError::Mdio)? {
            return self.begin(phy, now);
        }
        let mode = self.resolve(phy).map_err(PhyError::Mdio)?;
        self.due = now.saturating_add(self.interval_while_up());
        match mode {
            Some(mode) if self.supports(mode) => {
                self.ops.link_up(phy).map_err(PhyError::Mdio)?;
                self.state = State::Up;
                self.link = Link::Up(mode);
                Ok(())
            }
            _ => {
                self.state = State::Down { no_common_mode: true };
                self.link = Link::Down;
                Err(PhyError::NoCommonMode)
            }
        }
    }

    fn resolve<M: Mdio + ?Sized>(&mut self, phy: &mut PhyRegisters<'_, M>) -> Result<Option<LinkMode>, M::Error> {
        if let Some((speed, duplex)) = self.forced {
            return Ok(Some(LinkMode::new(speed, duplex)));
        }
        let status = self.ops.negotiated_mode(phy)?;
        let partner = LinkModes::from_register(phy.read(reg::ANLPAR)?);
        let expansion = phy.read(reg::ANER)?;
        Ok(resolve(status, LinkModes::from_register(self.anar), partner, expansion))
    }
}
