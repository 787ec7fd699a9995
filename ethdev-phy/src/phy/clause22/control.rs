//! What a user may ask of a PHY besides a link.

use core::time::Duration;

use super::{Clause22, State};
use crate::mdio::Mdio;
use crate::phy::{LinkModes, PhyError, PhyOps, PhyRegisters, bmcr, reg};
use ethdev::{Duplex, Link, LinkMode, Speed};

impl<V: PhyOps> Clause22<V> {
    /// Advertises something else from now on, and negotiates anew. Remembered where the PHY is not there yet.
    ///
    /// # Errors
    ///
    /// `NoCommonMode`, with nothing changed, where there is no mode in it, or not the one that is forced. The bus failed: the next poll goes on.
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

    /// Forces a mode from now on, or negotiates again with `None`. Remembered where the PHY is not there yet.
    ///
    /// # Errors
    ///
    /// `NoCommonMode`, with nothing changed, where the MAC cannot do the mode. The bus failed: the next poll goes on.
    pub fn force<M: Mdio + ?Sized>(
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

    /// Writes the settings again and begins auto-negotiation anew: the link goes down. Does nothing where the PHY is not there yet, because that comes anyway.
    ///
    /// # Errors
    ///
    /// The bus failed: the next poll goes on.
    pub fn restart<M: Mdio + ?Sized>(&mut self, mdio: &mut M, now: Duration) -> Result<(), PhyError<M::Error>> {
        if matches!(self.state, State::Stopped | State::Absent | State::Resetting { .. }) {
            return Ok(());
        }
        self.link = Link::Down;
        self.state = State::Configuring;
        self.due = now;
        self.configure(&mut PhyRegisters::new(mdio, self.address), now)
            .map_err(PhyError::Mdio)
    }

    /// Near-end loopback: what the MAC sends comes back to it, in this mode, and nothing goes out. The link counts as up. `None` ends it, and negotiates anew.
    ///
    /// # Errors
    ///
    /// `NotStarted`: stopped, absent or in its reset. `NoCommonMode`: a mode that the MAC cannot do. The bus failed.
    pub fn loopback<M: Mdio + ?Sized>(
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
        if matches!(self.state, State::Stopped | State::Absent | State::Resetting { .. }) {
            return Err(PhyError::NotStarted);
        }
        if !Self::is_possible(self.advertise, mode) {
            return Err(PhyError::NoCommonMode);
        }
        let control = bmcr::LOOPBACK | mode_bits(speed, duplex);
        mdio.write(self.address, reg::BMCR, control).map_err(PhyError::Mdio)?;
        self.state = State::Loopback;
        self.link = Link::Up(LinkMode::new(speed, duplex));
        self.due = now.saturating_add(self.poll_interval);
        Ok(())
    }
}

/// What to write to register 0 for a forced mode.
pub(super) fn mode_bits(speed: Speed, duplex: Duplex) -> u16 {
    let speed = if speed == Speed::MBPS_100 { bmcr::SPEED_100 } else { 0 };
    speed | if duplex == Duplex::Full { bmcr::FULL_DUPLEX } else { 0 }
}
