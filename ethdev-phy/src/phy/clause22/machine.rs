//! The steps of the state machine, none of which waits.

use core::time::Duration;

use super::control::mode_bits;
use super::resolve::resolve;
use super::{Clause22, Fault, Since, State};
use crate::mdio::Mdio;
use crate::phy::{LinkModes, PhyError, PhyId, PhyOps, PhyRegisters, bmcr, bmsr, reg};
use ethdev::{Link, LinkMode};

impl<V> Clause22<V> {
    fn can_do(&self, mode: LinkMode) -> bool {
        let (Some(speed), Some(duplex)) = (mode.speed, mode.duplex) else {
            return false;
        };
        LinkModes::from_mode(speed, duplex).is_some_and(|bit| self.advertise.contains(bit))
    }

    pub(super) fn give_up<E>(&mut self, fault: Fault, now: Duration) -> Result<(), PhyError<E>> {
        self.state = State::Absent;
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
        let pause = match self.state {
            State::Resetting { .. } => Self::RESET_POLL,
            _ => self.poll_interval,
        };
        self.due = now.saturating_add(pause);
        self.bus_failures = self.bus_failures.saturating_add(1);
        if self.since == Since::Steady {
            self.since = Since::Unknown;
        }
        if self.bus_failures >= Self::BUS_FAILURES && self.state == State::Up {
            self.state = State::Watching { refused: false };
            self.link = Link::Down;
        }
    }
}

impl<V: PhyOps> Clause22<V> {
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
            State::Absent => self.begin(phy, now),
            State::Resetting { until, again } => self.wait_reset(phy, until, again, now),
            State::Configuring => self.configure(phy, now).map_err(PhyError::Mdio),
            State::Watching { .. } | State::Up => self.look(phy, now),
            State::Loopback => {
                let control = phy.read(reg::BMCR).map_err(PhyError::Mdio)?;
                if control == u16::MAX {
                    return self.give_up(Fault::NotResponding, now);
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
        self.state = State::Absent;
        self.since = Since::Steady;
        self.due = now.saturating_add(self.poll_interval);
        let id1 = phy.read(reg::PHYID1).map_err(PhyError::Mdio)?;
        let id2 = phy.read(reg::PHYID2).map_err(PhyError::Mdio)?;
        let Some(id) = PhyId::from_registers(id1, id2) else {
            return self.give_up(Fault::NotResponding, now);
        };
        if !self.vendor.matches(id) {
            return self.give_up(Fault::UnknownId(id), now);
        }
        self.id = Some(id);
        self.reset(phy, false, now).map_err(PhyError::Mdio)
    }

    /// No other bit is written along with the reset: it would be lost.
    fn reset<M: Mdio + ?Sized>(
        &mut self,
        phy: &mut PhyRegisters<'_, M>,
        again: bool,
        now: Duration,
    ) -> Result<(), M::Error> {
        phy.write(reg::BMCR, bmcr::RESET)?;
        let until = now.saturating_add(Self::RESET_TIME);
        self.state = State::Resetting { until, again };
        self.due = now.saturating_add(Self::RESET_POLL);
        Ok(())
    }

    fn wait_reset<M: Mdio + ?Sized>(
        &mut self,
        phy: &mut PhyRegisters<'_, M>,
        until: Duration,
        again: bool,
        now: Duration,
    ) -> Result<(), PhyError<M::Error>> {
        // All ones count as "not yet": some PHYs do not answer during their reset.
        let control = phy.read(reg::BMCR).map_err(PhyError::Mdio)?;
        if control & bmcr::RESET != 0 {
            if now < until {
                self.due = now.saturating_add(Self::RESET_POLL);
                return Ok(());
            }
            let silent = control == u16::MAX;
            return self.give_up(
                if silent {
                    Fault::NotResponding
                } else {
                    Fault::ResetTimeout
                },
                now,
            );
        }
        if self.vendor.after_reset(phy).map_err(PhyError::Mdio)? && !again {
            return self.reset(phy, true, now).map_err(PhyError::Mdio);
        }
        self.state = State::Configuring;
        self.configure(phy, now).map_err(PhyError::Mdio)
    }

    pub(super) fn configure<M: Mdio + ?Sized>(
        &mut self,
        phy: &mut PhyRegisters<'_, M>,
        now: Duration,
    ) -> Result<(), M::Error> {
        self.vendor.configure(phy)?;
        let control = match self.forced {
            Some((speed, duplex)) => mode_bits(speed, duplex),
            None => {
                phy.write(reg::ANAR, self.advertise.to_register())?;
                self.anar = phy.read(reg::ANAR)?;
                bmcr::AUTONEG_ENABLE | bmcr::AUTONEG_RESTART
            }
        };
        phy.write(reg::BMCR, control)?;
        self.autoneg = phy.read(reg::BMCR)? & bmcr::AUTONEG_ENABLE;
        self.state = State::Watching { refused: false };
        self.fault = None;
        // Not at once: what the registers tell now may be of the link before.
        self.due = now.saturating_add(self.poll_interval);
        Ok(())
    }

    fn look<M: Mdio + ?Sized>(
        &mut self,
        phy: &mut PhyRegisters<'_, M>,
        now: Duration,
    ) -> Result<(), PhyError<M::Error>> {
        let since = phy.read(reg::BMSR).map_err(PhyError::Mdio)?;
        if since & bmsr::LINK_UP == 0 {
            self.since = Since::Lost;
        }
        let status = phy.read(reg::BMSR).map_err(PhyError::Mdio)?;
        let control = phy.read(reg::BMCR).map_err(PhyError::Mdio)?;
        let silent = |status: u16| status == 0 || status == u16::MAX;
        if silent(since) || silent(status) || control == u16::MAX {
            return self.give_up(Fault::NotResponding, now);
        }
        let changed = (control & bmcr::AUTONEG_ENABLE) ^ self.autoneg;
        if changed | (control & (bmcr::RESET | bmcr::LOOPBACK)) != 0 {
            return self.begin(phy, now);
        }
        let negotiated = self.forced.is_some() || status & bmsr::AUTONEG_COMPLETE != 0;
        let powered = control & (bmcr::POWER_DOWN | bmcr::ISOLATE) == 0;
        let up = status & bmsr::LINK_UP != 0 && negotiated && powered;
        let judged = if up {
            self.see_up(phy, now)
        } else {
            self.see_down(phy, status, now)
        };
        if !matches!(judged, Err(PhyError::Mdio(_))) {
            self.since = Since::Steady;
        }
        judged
    }

    fn see_up<M: Mdio + ?Sized>(
        &mut self,
        phy: &mut PhyRegisters<'_, M>,
        now: Duration,
    ) -> Result<(), PhyError<M::Error>> {
        match (self.state, self.since) {
            (State::Up | State::Watching { refused: true }, Since::Steady) => {
                self.due = now.saturating_add(self.pause_while_up());
                Ok(())
            }
            (State::Up, Since::Lost) => {
                // It came back meanwhile, perhaps in another mode: that is for the next poll.
                self.link = Link::Down;
                self.state = State::Watching { refused: false };
                self.due = now;
                Ok(())
            }
            _ => self.come_up(phy, now),
        }
    }

    fn see_down<M: Mdio + ?Sized>(
        &mut self,
        phy: &mut PhyRegisters<'_, M>,
        status: u16,
        now: Duration,
    ) -> Result<(), PhyError<M::Error>> {
        self.link = Link::Down;
        let refused = self.state == State::Watching { refused: true };
        let hopeless = self.state != State::Up && self.is_hopeless(phy).map_err(PhyError::Mdio)?;
        self.state = State::Watching { refused };
        self.wait(phy, status, now).map_err(PhyError::Mdio)?;
        self.state = State::Watching { refused: hopeless };
        if hopeless && !refused {
            Err(PhyError::NoCommonMode)
        } else {
            Ok(())
        }
    }

    fn pause_while_up(&self) -> Duration {
        if self.vendor.interrupts() {
            self.idle_check
        } else {
            self.poll_interval
        }
    }

    /// The link is down: when to look again.
    fn wait<M: Mdio + ?Sized>(
        &mut self,
        phy: &mut PhyRegisters<'_, M>,
        status: u16,
        now: Duration,
    ) -> Result<(), M::Error> {
        // There is an interrupt for the completion of auto-negotiation, none for a link: once the one has come, or without it, the other is looked for.
        let interrupt = self.vendor.interrupts() && self.forced.is_none() && status & bmsr::AUTONEG_COMPLETE == 0;
        let pause = if interrupt { self.idle_check } else { self.poll_interval };
        let pause = pause.min(self.vendor.link_down_poll(phy, now)?);
        self.due = now.saturating_add(pause);
        Ok(())
    }

    /// Whether the partner is known to have no mode in common with this end.
    fn is_hopeless<M: Mdio + ?Sized>(&self, phy: &mut PhyRegisters<'_, M>) -> Result<bool, M::Error> {
        if self.forced.is_some() {
            return Ok(false);
        }
        let partner = LinkModes::from_register(phy.read(reg::ANLPAR)?);
        Ok(!partner.modes().is_empty() && LinkModes::from_register(self.anar).resolve(partner).is_none())
    }

    fn come_up<M: Mdio + ?Sized>(
        &mut self,
        phy: &mut PhyRegisters<'_, M>,
        now: Duration,
    ) -> Result<(), PhyError<M::Error>> {
        let same = self.forced.is_some() || phy.read(reg::ANAR).map_err(PhyError::Mdio)? == self.anar;
        if !same || !self.vendor.config_valid(phy).map_err(PhyError::Mdio)? {
            return self.begin(phy, now);
        }
        let mode = self.resolve(phy).map_err(PhyError::Mdio)?;
        self.due = now.saturating_add(self.pause_while_up());
        match mode {
            Some(mode) if self.can_do(mode) => {
                self.vendor.link_up(phy).map_err(PhyError::Mdio)?;
                self.state = State::Up;
                self.link = Link::Up(mode);
                Ok(())
            }
            _ => {
                self.state = State::Watching { refused: true };
                self.link = Link::Down;
                Err(PhyError::NoCommonMode)
            }
        }
    }

    fn resolve<M: Mdio + ?Sized>(&mut self, phy: &mut PhyRegisters<'_, M>) -> Result<Option<LinkMode>, M::Error> {
        if let Some((speed, duplex)) = self.forced {
            return Ok(Some(LinkMode::new(speed, duplex)));
        }
        let own = self.vendor.negotiated(phy)?;
        let partner = LinkModes::from_register(phy.read(reg::ANLPAR)?);
        let expansion = phy.read(reg::ANER)?;
        Ok(resolve(own, LinkModes::from_register(self.anar), partner, expansion))
    }
}
