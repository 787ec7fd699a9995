//! The PHY.

use core::time::Duration;

use ethdev::{Duplex, Link, Speed};
use ethdev_phy::mdio::{Mdio, PhyAddress};
use ethdev_phy::phy::{Clause22, LinkModes, Phy, PhyError, PhyEvent, PhyId, PhyRegisters, PhyState, scan};

use crate::config::{Mdix, PhyConfig};
use crate::ops::Smsc;
use crate::regs::{MCSR, SECR, mcsr};
use crate::straps::Straps;
use crate::variant::Model;

/// A LAN8720A, or one of its [relatives](Model), behind an MDIO bus.
///
/// It is [`Clause22`], and what is particular about the family: the speed indication (and what to do where it is silent), interrupts, energy-detect power-down,
/// MDI-X, straps, the symbol error counter.
///
/// ```
/// use core::time::Duration;
/// use ethdev_phy::mdio::{Mdio, PhyAddress};
/// use ethdev_phy::phy::{LinkModes, Phy, PhyError};
/// use ethdev_lan8720::{Lan8720Phy, PhyConfig};
///
/// /// `now` is any clock that goes forward.
/// fn bring_up<M: Mdio>(mdio: &mut M, now: Duration) -> Result<Lan8720Phy, PhyError<M::Error>> {
///     // Most boards strap it to address 1, the others to 0.
///     let mut phy = Lan8720Phy::new(PhyAddress::new(1).unwrap(), PhyConfig::new());
///     phy.start(mdio, LinkModes::ALL_MODES, now)?;
///     Ok(phy) // and now `poll` it
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Lan8720Phy {
    core: Clause22<Smsc>,
}

/// Where the PHY sends back what it gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Loopback {
    /// Nowhere.
    Off,
    /// What the MAC sends comes back to it, in this mode; no cable is needed, and the link counts as up (register 0, bit 14).
    Near(Speed, Duplex),
    /// What comes from the line goes back to it: 100BASE-TX only, with the link up (register 17, bit 9).
    Far,
}

impl Lan8720Phy {
    /// The PHY at `address`. Nothing is sent to it before [`start`](Phy::start).
    #[must_use]
    pub const fn new(address: PhyAddress, config: PhyConfig) -> Self {
        let core = Clause22::new(address, Smsc::new(config))
            .with_poll_interval(config.poll_interval)
            .with_idle_check(config.idle_check);
        Self {
            core: match config.forced {
                Some((speed, duplex)) => core.with_forced_mode(speed, duplex),
                None => core,
            },
        }
    }

    /// The first of the family that answers on the bus; `None` where none does. Nothing is written to anybody.
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

    /// Its address on the bus.
    #[must_use]
    pub const fn address(&self) -> PhyAddress {
        self.core.address()
    }

    /// Who it is; `None` before it was first identified.
    #[must_use]
    pub const fn id(&self) -> Option<PhyId> {
        self.core.id()
    }

    /// Which of the family it is; `None` before it was first identified, or where it is none of them.
    #[must_use]
    pub const fn model(&self) -> Option<Model> {
        self.core.vendor().model
    }

    /// Where it stands.
    #[must_use]
    pub const fn state(&self) -> PhyState {
        self.core.state()
    }

    /// What it latched from its pins; `None` before its first software reset is over, and for models that do not tell.
    ///
    /// A PHY that was strapped to power-down is told once: the driver changes the mode, and from then on the changed one is read.
    #[must_use]
    pub const fn straps(&self) -> Option<Straps> {
        self.core.vendor().straps
    }

    /// Its settings.
    #[must_use]
    pub const fn config(&self) -> &PhyConfig {
        &self.core.vendor().config
    }

    /// Advertises something else from now on: see [`Clause22::set_advertise`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn set_advertise<M: Mdio + ?Sized>(
        &mut self,
        mdio: &mut M,
        advertise: LinkModes,
        now: Duration,
    ) -> Result<(), PhyError<M::Error>> {
        self.core.set_advertise(mdio, advertise, now)
    }

    /// Forces a mode, or negotiates again with `None`: see [`Clause22::force`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn force<M: Mdio + ?Sized>(
        &mut self,
        mdio: &mut M,
        mode: Option<(Speed, Duplex)>,
        now: Duration,
    ) -> Result<(), PhyError<M::Error>> {
        self.core.force(mdio, mode, now)
    }

    /// Begins auto-negotiation anew: see [`Clause22::restart`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn restart<M: Mdio + ?Sized>(&mut self, mdio: &mut M, now: Duration) -> Result<(), PhyError<M::Error>> {
        self.core.restart(mdio, now)
    }

    /// Chooses the pairs from now on, and begins auto-negotiation anew. Without effect on models without HP Auto-MDIX.
    ///
    /// # Errors
    ///
    /// The bus failed: the next poll goes on.
    pub fn set_mdix<M: Mdio + ?Sized>(
        &mut self,
        mdio: &mut M,
        mdix: Mdix,
        now: Duration,
    ) -> Result<(), PhyError<M::Error>> {
        self.core.vendor_mut().config.mdix = mdix;
        self.core.restart(mdio, now)
    }

    /// Sends back what it gets, from now until told otherwise or reset.
    ///
    /// # Errors
    ///
    /// `NotStarted`: stopped, absent or in its reset. `NoCommonMode`: a mode that the MAC cannot do, or far loopback with a model that has none, or with the
    /// link not up at 100 Mbit/s. The bus failed.
    pub fn set_loopback<M: Mdio + ?Sized>(
        &mut self,
        mdio: &mut M,
        loopback: Loopback,
        now: Duration,
    ) -> Result<(), PhyError<M::Error>> {
        let far = match loopback {
            Loopback::Near(speed, duplex) => return self.core.loopback(mdio, Some((speed, duplex)), now),
            Loopback::Far => true,
            Loopback::Off => false,
        };
        self.core.loopback(mdio, None, now)?;
        let has_far = self.core.vendor().features().energy_detect;
        let at_100 = self
            .core
            .link()
            .mode()
            .is_some_and(|mode| mode.speed == Some(Speed::MBPS_100));
        if far && !(has_far && at_100) {
            return Err(PhyError::NoCommonMode);
        }
        if !has_far || !matches!(self.core.state(), PhyState::Down | PhyState::Refused | PhyState::Up) {
            return Ok(());
        }
        let set = if far { mcsr::FARLOOPBACK } else { 0 };
        self.registers(mdio)
            .modify(MCSR, mcsr::FARLOOPBACK, set)
            .map_err(PhyError::Mdio)
    }

    /// Symbol errors on a 100BASE-TX link since the PHY was constructed, wrapping: what a wrong clock phase or a bad cable shows long before the link drops. At
    /// most one for each frame. `None` where the model does not count them, or is not known yet.
    ///
    /// To be read now and then: what is more than 32 767 since the last reading is not told from a counter that was cleared.
    ///
    /// # Errors
    ///
    /// The bus failed.
    pub fn symbol_errors<M: Mdio + ?Sized>(&mut self, mdio: &mut M) -> Result<Option<u32>, PhyError<M::Error>> {
        if !self.core.vendor().features().symbol_errors {
            return Ok(None);
        }
        let value = self.registers(mdio).read(SECR).map_err(PhyError::Mdio)?;
        Ok(Some(self.core.vendor_mut().symbols.read(value)))
    }

    /// Its registers, for what this driver has no name for: see [`Clause22::registers`]. Reading register 29 takes an interrupt away from the driver.
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
