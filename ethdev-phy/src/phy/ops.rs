//! What is particular about a PHY.

use core::time::Duration;

use super::PhyId;
use crate::mdio::{Mdio, PhyAddress, RegisterAddress};
use ethdev::{Duplex, Speed};

/// The registers of one PHY on a bus, for the length of a call.
#[derive(Debug)]
pub struct PhyRegisters<'a, M: ?Sized> {
    mdio: &'a mut M,
    address: PhyAddress,
}

impl<'a, M: Mdio + ?Sized> PhyRegisters<'a, M> {
    /// Those of the PHY at `address`.
    pub fn new(mdio: &'a mut M, address: PhyAddress) -> Self {
        Self { mdio, address }
    }

    /// Reads a register.
    ///
    /// # Errors
    ///
    /// The bus failed.
    pub fn read(&mut self, register: RegisterAddress) -> Result<u16, M::Error> {
        self.mdio.read(self.address, register)
    }

    /// Writes a register.
    ///
    /// # Errors
    ///
    /// The bus failed.
    pub fn write(&mut self, register: RegisterAddress, value: u16) -> Result<(), M::Error> {
        self.mdio.write(self.address, register, value)
    }

    /// Clears the bits `clear` and sets the bits `set` of a register, and leaves the others as they read. Not written where that changes nothing.
    ///
    /// # Errors
    ///
    /// The bus failed.
    pub fn modify(&mut self, register: RegisterAddress, clear: u16, set: u16) -> Result<(), M::Error> {
        let before = self.read(register)?;
        let after = (before & !clear) | set;
        if after == before {
            Ok(())
        } else {
            self.write(register, after)
        }
    }
}

/// What is particular about a PHY (or a family of them), for [`Clause22`](super::Clause22) to ask at the right moments.
///
/// Every method but [`matches`](Self::matches) has a default: nothing particular.
///
/// ```
/// use ethdev_phy::phy::{Clause22, PhyId, PhyRegisters, PhyOps};
/// use ethdev_phy::mdio::{Mdio, PhyAddress, RegisterAddress};
/// use ethdev::{Duplex, Speed};
///
/// /// A DP83848, which tells what it agreed on in register 16.
/// pub struct Dp83848;
///
/// impl PhyOps for Dp83848 {
///     fn matches(&mut self, id: PhyId) -> bool {
///         id.raw() & !0xf == 0x2000_5c90
///     }
///
///     fn negotiated<M: Mdio + ?Sized>(
///         &mut self,
///         phy: &mut PhyRegisters<'_, M>,
///     ) -> Result<Option<(Speed, Duplex)>, M::Error> {
///         const PHYSTS: RegisterAddress = RegisterAddress::from_low_bits(16);
///         let status = phy.read(PHYSTS)?;
///         let speed = if status & 0b010 != 0 { Speed::MBPS_10 } else { Speed::MBPS_100 };
///         let duplex = if status & 0b100 != 0 { Duplex::Full } else { Duplex::Half };
///         Ok(Some((speed, duplex)))
///     }
/// }
///
/// let phy = Clause22::new(PhyAddress::new(1).unwrap(), Dp83848);
/// # let _ = phy;
/// ```
pub trait PhyOps {
    /// Whether this is one of its PHYs. Called before anything is written to it.
    fn matches(&mut self, id: PhyId) -> bool;

    /// The software reset is over. `Ok(true)` asks for another one, for settings that only a reset makes effective; it is granted once.
    ///
    /// # Errors
    ///
    /// The bus failed.
    fn after_reset<M: Mdio + ?Sized>(&mut self, phy: &mut PhyRegisters<'_, M>) -> Result<bool, M::Error> {
        let _ = phy;
        Ok(false)
    }

    /// Writes the settings that are not clause 22's, after a reset, and before auto-negotiation begins. Called again where it failed.
    ///
    /// # Errors
    ///
    /// The bus failed.
    fn configure<M: Mdio + ?Sized>(&mut self, phy: &mut PhyRegisters<'_, M>) -> Result<(), M::Error> {
        let _ = phy;
        Ok(())
    }

    /// Whether the settings of [`configure`](Self::configure) are still there. Called when the link comes up: a PHY whose supply dipped comes up with
    /// its defaults.
    ///
    /// # Errors
    ///
    /// The bus failed.
    fn config_valid<M: Mdio + ?Sized>(&mut self, phy: &mut PhyRegisters<'_, M>) -> Result<bool, M::Error> {
        let _ = phy;
        Ok(true)
    }

    /// What auto-negotiation or parallel detection came to, by a register of the PHY's own; `None` where there is none, or where it says nothing valid:
    /// then what both ends advertise decides.
    ///
    /// # Errors
    ///
    /// The bus failed.
    fn negotiated<M: Mdio + ?Sized>(
        &mut self,
        phy: &mut PhyRegisters<'_, M>,
    ) -> Result<Option<(Speed, Duplex)>, M::Error> {
        let _ = phy;
        Ok(None)
    }

    /// The link is down, for a moment or for good. Returns after how long at most this is to be called again, in any case earlier where the link is looked at
    /// anyway; [`Duration::MAX`] where nothing is to be done.
    ///
    /// # Errors
    ///
    /// The bus failed.
    fn link_down_poll<M: Mdio + ?Sized>(
        &mut self,
        phy: &mut PhyRegisters<'_, M>,
        now: Duration,
    ) -> Result<Duration, M::Error> {
        let _ = (phy, now);
        Ok(Duration::MAX)
    }

    /// The link has come up.
    ///
    /// # Errors
    ///
    /// The bus failed.
    fn link_up<M: Mdio + ?Sized>(&mut self, phy: &mut PhyRegisters<'_, M>) -> Result<(), M::Error> {
        let _ = phy;
        Ok(())
    }

    /// Reads the cause of an interrupt, which releases the line.
    ///
    /// # Errors
    ///
    /// The bus failed.
    fn ack_interrupt<M: Mdio + ?Sized>(&mut self, phy: &mut PhyRegisters<'_, M>) -> Result<(), M::Error> {
        let _ = phy;
        Ok(())
    }

    /// Whether the PHY raises interrupts when auto-negotiation completes and when the link goes down. Then it is not looked at while neither can have happened.
    fn interrupts(&self) -> bool {
        false
    }
}

/// Nothing particular: any PHY that keeps to clause 22.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct NoQuirks;

impl PhyOps for NoQuirks {
    fn matches(&mut self, _: PhyId) -> bool {
        true
    }
}
