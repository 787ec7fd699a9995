//! Changes of the settings while the PHY runs.

use core::time::Duration;

use super::{Clause22, Fault, State};
use crate::mdio::Mdio;
use crate::phy::{LinkModes, PhyError, PhyOps, PhyRegisters, bmcr};
use ethdev::{Duplex, Link, LinkMode, Speed};

impl<O: PhyOps> Clause22<O> {
    /// Changes the advertisement and restarts auto-negotiation. Applied later if the PHY is
    /// stopped, does not respond, or is in its reset.
    ///
    /// # Errors
    ///
    /// - `NoCommonMode`: `advertise` contains no mode, or not the forced one. Nothing was changed.
    /// - `Mdio`, `NotResponding`: the PHY did not store the settings. Later polls try again.
    pub fn set_advertise<M: Mdio + ?Sized>(
        &mut self,
        mdio: &mut M,
        advertise: LinkModes,
        now: Duration,
    ) -> Result<(), PhyError<M::Error>> {
        if !Self::is_possible(advertise, self.forced) {
            return Err(PhyError::NoCommonMode);
        }
        self.advertise = advertise;
        self.restart(mdio, now)
    }

    /// Forces a mode, or returns to auto-negotiation with `None`. Applied later if the PHY is
    /// stopped, does not respond, or is in its reset.
    ///
    /// # Errors
    ///
    /// - `NoCommonMode`: the MAC does not support the mode. Nothing was changed.
    /// - `Mdio`, `NotResponding`: the PHY did not store the settings. Later polls try again.
    pub fn set_forced_mode<M: Mdio + ?Sized>(
        &mut self,
        mdio: &mut M,
        mode: Option<(Speed, Duplex)>,
        now: Duration,
    ) -> Result<(), PhyError<M::Error>> {
        if self.state != State::Stopped && !Self::is_possible(self.advertise, mode) {
            return Err(PhyError::NoCommonMode);
        }
        self.forced = mode;
        self.restart(mdio, now)
    }

    /// Writes the settings again and restarts auto-negotiation: the link goes down. Does nothing if
    /// the PHY is stopped, does not respond, or is in its reset, because its configuration
    /// follows anyway.
    ///
    /// # Errors
    ///
    /// `Mdio`, `NotResponding`: the PHY did not store the settings. Later polls try again.
    pub fn restart<M: Mdio + ?Sized>(&mut self, mdio: &mut M, now: Duration) -> Result<(), PhyError<M::Error>> {
        if matches!(
            self.state,
            State::Stopped | State::NotResponding | State::Resetting { .. }
        ) {
            return Ok(());
        }
        self.link = Link::Down;
        self.state = State::Configuring;
        self.due = now;
        self.fault = None;
        self.configure(&mut PhyRegisters::new(mdio, self.address), now)
    }

    /// Enters near-end loopback in this mode: the MAC receives what it sends, and nothing reaches
    /// the cable. The link counts as up. `None` leaves it and restarts auto-negotiation.
    ///
    /// # Errors
    ///
    /// - `NotStarted`: the PHY is stopped, does not respond, or is in its reset.
    /// - `NoCommonMode`: the MAC does not support the mode.
    /// - `Mdio`: the bus failed.
    /// - `NotResponding`: the PHY did not store the mode. The link is down.
    pub fn set_loopback<M: Mdio + ?Sized>(
        &mut self,
        mdio: &mut M,
        mode: Option<(Speed, Duplex)>,
        now: Duration,
    ) -> Result<(), PhyError<M::Error>> {
        let Some((speed, duplex)) = mode else {
            return if self.state == State::Loopback {
                self.restart(mdio, now)
            } else {
                Ok(())
            };
        };
        if matches!(
            self.state,
            State::Stopped | State::NotResponding | State::Resetting { .. }
        ) {
            return Err(PhyError::NotStarted);
        }
        if !Self::is_possible(self.advertise, mode) {
            return Err(PhyError::NoCommonMode);
        }
        let control = bmcr::LOOPBACK | mode_bits(speed, duplex);
        if !self.write_control(mdio, control).map_err(PhyError::Mdio)? {
            return self.fail(Fault::NotResponding, now);
        }
        self.state = State::Loopback;
        self.link = Link::Up(LinkMode::new(speed, duplex));
        self.due = now.saturating_add(self.poll_interval);
        Ok(())
    }
}

/// Returns the bits of register 0 for a forced mode.
pub(super) fn mode_bits(speed: Speed, duplex: Duplex) -> u16 {
    let speed = if speed == Speed::MBPS_100 { bmcr::SPEED_100 } else { 0 };
    speed | if duplex == Duplex::Full { bmcr::FULL_DUPLEX } else { 0 }
}
