//! Operations that are specific to a PHY.

use core::time::Duration;

use super::PhyId;
use crate::mdio::{Mdio, PhyAddress, RegisterAddress};
use ethdev::{Duplex, Speed};

/// The registers of one PHY on a bus.
#[derive(Debug)]
pub struct PhyRegisters<'a, M: ?Sized> {
    mdio: &'a mut M,
    address: PhyAddress,
}

impl<'a, M: Mdio + ?Sized> PhyRegisters<'a, M> {
    /// Creates access to the PHY at `address`.
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

    /// Clears the bits `clear` and then sets the bits `set` of a register. Does not write if that
    /// changes nothing, or if the register reads as all ones: no PHY responds then.
    ///
    /// # Errors
    ///
    /// The bus failed.
    pub fn modify(&mut self, register: RegisterAddress, clear: u16, set: u16) -> Result<(), M::Error> {
        let before = self.read(register)?;
        let after = (before & !clear) | set;
        if after == before || before == u16::MAX {
            Ok(())
        } else {
            self.write(register, after)
        }
    }
}

/// What a PHY, or a family of PHYs, does beyond clause 22. [`Clause22`](super::Clause22) calls it.
///
/// Every method but [`matches`](Self::matches) has a default that does nothing.
///
/// ```
/// use ethdev_phy::phy::{Clause22, PhyId, PhyRegisters, PhyOps};
/// use ethdev_phy::mdio::{Mdio, PhyAddress, RegisterAddress};
/// use ethdev::{Duplex, Speed};
///
/// /// A DP83848, which reports the negotiated mode in register 16.
/// pub struct Dp83848;
///
/// impl PhyOps for Dp83848 {
///     fn matches(&mut self, id: PhyId) -> bool {
///         id.raw() & !0xf == 0x2000_5c90
///     }
///
///     fn negotiated_mode<M: Mdio + ?Sized>(
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
    /// Returns whether the driver supports this PHY. Called before the first write.
    fn matches(&mut self, id: PhyId) -> bool;

    /// Called after the software reset. `Ok(true)` requests another one, for settings that only a
    /// reset applies. The second reset is the last.
    ///
    /// # Errors
    ///
    /// The bus failed.
    fn after_reset<M: Mdio + ?Sized>(&mut self, phy: &mut PhyRegisters<'_, M>) -> Result<bool, M::Error> {
        let _ = phy;
        Ok(false)
    }

    /// Writes the settings beyond clause 22. Called after a reset and before auto-negotiation;
    /// called again if it failed.
    ///
    /// # Errors
    ///
    /// The bus failed.
    fn configure<M: Mdio + ?Sized>(&mut self, phy: &mut PhyRegisters<'_, M>) -> Result<(), M::Error> {
        let _ = phy;
        Ok(())
    }

    /// Returns whether the PHY still has the settings of [`configure`](Self::configure). Called
    /// when the link comes up: after a brownout, a PHY comes up with its defaults.
    ///
    /// # Errors
    ///
    /// The bus failed.
    fn config_valid<M: Mdio + ?Sized>(&mut self, phy: &mut PhyRegisters<'_, M>) -> Result<bool, M::Error> {
        let _ = phy;
        Ok(true)
    }

    /// Returns the result of auto-negotiation or parallel detection from a register of the PHY;
    /// `None` if there is no such register or its value is invalid. The mode is then resolved
    /// from the advertisements of both ends.
    ///
    /// # Errors
    ///
    /// The bus failed.
    fn negotiated_mode<M: Mdio + ?Sized>(
        &mut self,
        phy: &mut PhyRegisters<'_, M>,
    ) -> Result<Option<(Speed, Duplex)>, M::Error> {
        let _ = phy;
        Ok(None)
    }

    /// Called while the link is down. Returns the longest time until the next call;
    /// [`Duration::MAX`] if none is needed. The next regular poll of the link calls it too.
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

    /// Called when the link has come up.
    ///
    /// # Errors
    ///
    /// The bus failed.
    fn link_up<M: Mdio + ?Sized>(&mut self, phy: &mut PhyRegisters<'_, M>) -> Result<(), M::Error> {
        let _ = phy;
        Ok(())
    }

    /// Reads the cause of an interrupt, which releases the interrupt line.
    ///
    /// # Errors
    ///
    /// The bus failed.
    fn ack_interrupt<M: Mdio + ?Sized>(&mut self, phy: &mut PhyRegisters<'_, M>) -> Result<(), M::Error> {
        let _ = phy;
        Ok(())
    }

    /// Returns whether the PHY raises an interrupt when auto-negotiation completes and when the
    /// link goes down. If so, it is not polled while waiting for either.
    fn uses_interrupt(&self) -> bool {
        false
    }
}

/// No specific operations: for any PHY that conforms to clause 22.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct NoQuirks;

impl PhyOps for NoQuirks {
    fn matches(&mut self, _: PhyId) -> bool {
        true
    }
}
