//! The PHY driver.

use core::time::Duration;

use ethdev::{Duplex, Link, Speed};
use ethdev_phy::mdio::{Mdio, PhyAddress};
use ethdev_phy::phy::{Clause22, LinkModes, Phy, PhyError, PhyEvent, PhyId, PhyRegisters, PhyState, scan};

use crate::config::{Mdix, PhyConfig};
use crate::ops::Lan87xx;
use crate::regs::{MCSR, SECR, mcsr};
use crate::straps::Straps;
use crate::variant::Model;

/// A LAN8720A, or another PHY of the [family](Model), on an MDIO bus.
///
/// It is [`Clause22`] with the functions of the family: speed indication, interrupts, energy-detect
/// power-down, MDI-X, straps, symbol error counter.
///
/// ```
/// use core::time::Duration;
/// use ethdev_phy::mdio::{Mdio, PhyAddress};
/// use ethdev_phy::phy::{LinkModes, Phy, PhyError};
/// use ethdev_lan8720::{Lan8720Phy, PhyConfig};
///
/// /// `now` is the time since any fixed moment.
/// fn bring_up<M: Mdio>(mdio: &mut M, now: Duration) -> Result<Lan8720Phy, PhyError<M::Error>> {
///     // Most boards strap the PHY to address 1, others to 0.
///     let mut phy = Lan8720Phy::new(PhyAddress::new(1).unwrap(), PhyConfig::new());
///     phy.start(mdio, LinkModes::ALL_MODES, now)?;
///     Ok(phy) // then call `poll`
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Lan8720Phy {
    core: Clause22<Lan87xx>,
}

/// Loopback mode of the PHY.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Loopback {
    /// No loopback.
    Off,
    /// The MAC receives what it sends, in this mode. No cable is needed, and the link counts as up
    /// (register 0, bit 14).
    Near(Speed, Duplex),
    /// The link partner receives what it sends. 100BASE-TX only, with the link up (register 17, bit
    /// 9).
    Far,
}

impl Lan8720Phy {
    /// Creates a driver for the PHY at `address`. Does not access the bus before
    /// [`start`](Phy::start).
    #[must_use]
    pub const fn new(address: PhyAddress, config: PhyConfig) -> Self {
        let core = Clause22::new(address, Lan87xx::new(config))
            .with_poll_interval(config.poll_interval)
            .with_watchdog_interval(config.watchdog_interval);
        Self {
            core: match config.forced {
                Some((speed, duplex)) => core.with_forced_mode(speed, duplex),
                None => core,
            },
        }
    }

    /// Creates a driver for the first PHY of the family on the bus; `None` if there is none. Writes
    /// nothing.
    ///
    /// # Errors
    ///
    /// The bus failed.
    pub fn find<M: Mdio + ?Sized>(mdio: &mut M, config: PhyConfig) -> Result<Option<Self>, M::Error> {
        for found in scan(mdio) {
            let (address, id) = found?;
            if Model::from_id(id).is_some() {
                return Ok(Some(Self::new(address, config)));
            }
        }
        Ok(None)
    }

    /// Returns the address on the bus.
    #[must_use]
    pub const fn address(&self) -> PhyAddress {
        self.core.address()
    }

    /// Returns the identifier; `None` before it was first read.
    #[must_use]
    pub const fn id(&self) -> Option<PhyId> {
        self.core.id()
    }

    /// Returns the model; `None` before the PHY was first identified, or if it is not of the
    /// family.
    #[must_use]
    pub const fn model(&self) -> Option<Model> {
        self.core.ops().model
    }

    /// Returns the state.
    #[must_use]
    pub const fn state(&self) -> PhyState {
        self.core.state()
    }

    /// Returns the straps; `None` before the end of the first software reset, and for models that
    /// do not report them.
    ///
    /// If the PHY is strapped to power-down, the driver overrides the mode; after a later reset the
    /// overridden mode is returned.
    #[must_use]
    pub const fn straps(&self) -> Option<Straps> {
        self.core.ops().straps
    }

    /// Returns the configuration.
    #[must_use]
    pub const fn config(&self) -> &PhyConfig {
        &self.core.ops().config
    }

    /// Changes the advertisement: see [`Clause22::set_advertise`].
    ///
    /// # Errors
    ///
    /// As for that method.
    pub fn set_advertise<M: Mdio + ?Sized>(
        &mut self,
        mdio: &mut M,
        advertise: LinkModes,
        now: Duration,
    ) -> Result<(), PhyError<M::Error>> {
        self.core.set_advertise(mdio, advertise, now)
    }

    /// Forces a mode, or returns to auto-negotiation with `None`: see
    /// [`Clause22::set_forced_mode`].
    ///
    /// # Errors
    ///
    /// As for that method.
    pub fn set_forced_mode<M: Mdio + ?Sized>(
        &mut self,
        mdio: &mut M,
        mode: Option<(Speed, Duplex)>,
        now: Duration,
    ) -> Result<(), PhyError<M::Error>> {
        self.core.set_forced_mode(mdio, mode, now)
    }

    /// Restarts auto-negotiation: see [`Clause22::restart`].
    ///
    /// # Errors
    ///
    /// As for that method.
    pub fn restart<M: Mdio + ?Sized>(&mut self, mdio: &mut M, now: Duration) -> Result<(), PhyError<M::Error>> {
        self.core.restart(mdio, now)
    }

    /// Changes the assignment of the pairs and restarts auto-negotiation. Models without HP
    /// Auto-MDIX ignore the setting.
    ///
    /// # Errors
    ///
    /// As for [`restart`](Self::restart).
    pub fn set_mdix<M: Mdio + ?Sized>(
        &mut self,
        mdio: &mut M,
        mdix: Mdix,
        now: Duration,
    ) -> Result<(), PhyError<M::Error>> {
        self.core.ops_mut().config.mdix = mdix;
        self.core.restart(mdio, now)
    }

    /// Changes the loopback mode. It ends with the next reset or restart of the PHY.
    ///
    /// # Errors
    ///
    /// - `NotStarted`: the PHY is stopped, does not respond, or is in its reset.
    /// - `NoCommonMode`: the MAC does not support the mode; or far loopback on a model without it,
    ///   or without a link at 100 Mbit/s.
    /// - `Mdio`: the bus failed.
    /// - `NotResponding`: the PHY did not store the mode.
    pub fn set_loopback<M: Mdio + ?Sized>(
        &mut self,
        mdio: &mut M,
        loopback: Loopback,
        now: Duration,
    ) -> Result<(), PhyError<M::Error>> {
        let far = match loopback {
            Loopback::Near(speed, duplex) => return self.core.set_loopback(mdio, Some((speed, duplex)), now),
            Loopback::Far => true,
            Loopback::Off => false,
        };
        self.core.set_loopback(mdio, None, now)?;
        let has_far = self.core.ops().features().energy_detect;
        let at_100 = self
            .core
            .link()
            .mode()
            .is_some_and(|mode| mode.speed == Some(Speed::MBPS_100));
        if far && !(has_far && at_100) {
            return Err(PhyError::NoCommonMode);
        }
        if !has_far
            || !matches!(
                self.core.state(),
                PhyState::Down | PhyState::NoCommonMode | PhyState::Up
            )
        {
            return Ok(());
        }
        let set = if far { mcsr::FARLOOPBACK } else { 0 };
        let mut phy = self.registers(mdio);
        phy.modify(MCSR, mcsr::FARLOOPBACK, set).map_err(PhyError::Mdio)?;
        if phy.read(MCSR).map_err(PhyError::Mdio)? & mcsr::FARLOOPBACK != set {
            return Err(PhyError::NotResponding(self.address()));
        }
        Ok(())
    }

    /// Returns the number of symbol errors on a 100BASE-TX link since the driver was created,
    /// modulo 2^32; at most one is counted for each frame. A wrong clock phase or a bad cable
    /// causes them before the link is lost. `None` if the model does not count them or is not
    /// known yet.
    ///
    /// Call it before 32 768 errors have been added: a larger increment is taken for a counter that
    /// was cleared.
    ///
    /// # Errors
    ///
    /// The bus failed.
    pub fn symbol_errors<M: Mdio + ?Sized>(&mut self, mdio: &mut M) -> Result<Option<u32>, PhyError<M::Error>> {
        if !self.core.ops().features().symbol_errors {
            return Ok(None);
        }
        let value = self.registers(mdio).read(SECR).map_err(PhyError::Mdio)?;
        Ok(Some(self.core.ops_mut().symbol_errors.add(value)))
    }

    /// Returns access to the registers: see [`Clause22::registers`]. Reading register 29 clears an
    /// interrupt that the driver needs.
    pub fn registers<'a, M: Mdio + ?Sized>(&self, mdio: &'a mut M) -> PhyRegisters<'a, M> {
        self.core.registers(mdio)
    }
}

impl Phy for Lan8720Phy {
    fn start<M: Mdio + ?Sized>(
        &mut self,
        mdio: &mut M,
        advertise: LinkModes,
        now: Duration,
    ) -> Result<(), PhyError<M::Error>> {
        self.core.start(mdio, advertise, now)
    }

    fn poll<M: Mdio + ?Sized>(&mut self, mdio: &mut M, now: Duration) -> Result<PhyEvent, PhyError<M::Error>> {
        self.core.poll(mdio, now)
    }

    fn next_poll(&self, now: Duration) -> Duration {
        self.core.next_poll(now)
    }

    fn on_interrupt<M: Mdio + ?Sized>(&mut self, mdio: &mut M, now: Duration) -> Result<(), PhyError<M::Error>> {
        self.core.on_interrupt(mdio, now)
    }

    fn stop<M: Mdio + ?Sized>(&mut self, mdio: &mut M) -> Result<(), PhyError<M::Error>> {
        self.core.stop(mdio)
    }

    fn link(&self) -> Link {
        self.core.link()
    }
}
