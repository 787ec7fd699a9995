//! MDIO: the management bus between MAC and PHY (IEEE 802.3 clause 22).

mod bitbang;

use core::fmt;

pub use bitbang::{BitBang, BitBangError, DataPin, OpenDrain};

/// The address of a PHY on the bus, 0 to 31 (IEEE 802.3 clause 22.2.4.5.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct PhyAddress(u8);

impl PhyAddress {
    /// From a number; `None` above 31.
    #[must_use]
    pub const fn new(address: u8) -> Option<Self> {
        if address < 32 { Some(Self(address)) } else { None }
    }

    /// From the five low bits of a number: for constants, which cannot fail.
    #[must_use]
    pub const fn from_low_bits(address: u8) -> Self {
        Self(address & 0x1f)
    }

    /// As a number, 0 to 31.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }

    /// Every address on the bus, in order: for scans.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..32).map(Self)
    }
}

/// The address of a register in a PHY, 0 to 31 (IEEE 802.3 clause 22.2.4.5.6). The names of the standard's own are in [`phy`](crate::phy).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct RegisterAddress(pub(crate) u8);

impl RegisterAddress {
    /// From a number; `None` above 31.
    #[must_use]
    pub const fn new(address: u8) -> Option<Self> {
        if address < 32 { Some(Self(address)) } else { None }
    }

    /// From the five low bits of a number: for constants, which cannot fail.
    #[must_use]
    pub const fn from_low_bits(address: u8) -> Self {
        Self(address & 0x1f)
    }

    /// As a number, 0 to 31.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl fmt::Display for PhyAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Display for RegisterAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// A bus to PHYs. Fallible, and passed to the PHY driver per call: in most MACs its registers are inside the MAC, and several PHYs may share it.
///
/// ```
/// use ethdev_phy::mdio::{Mdio, PhyAddress, RegisterAddress};
///
/// /// A bus of 32 PHYs that exists in memory alone.
/// struct Memory([[u16; 32]; 32]);
///
/// impl Mdio for Memory {
///     type Error = core::convert::Infallible;
///
///     fn read(&mut self, phy: PhyAddress, register: RegisterAddress) -> Result<u16, Self::Error> {
///         Ok(self.0[usize::from(phy.get())][usize::from(register.get())])
///     }
///
///     fn write(&mut self, phy: PhyAddress, register: RegisterAddress, value: u16) -> Result<(), Self::Error> {
///         self.0[usize::from(phy.get())][usize::from(register.get())] = value;
///         Ok(())
///     }
/// }
/// ```
///
/// Who is on a bus: [`phy::scan`](crate::phy::scan).
///
/// # For stack authors
///
/// A stack never sees it: [`link`](ethdev::EthernetDevice::link) is what comes of it.
///
/// # For driver authors
///
/// Every wait for "busy" is bounded by time and ends in the bus' own timeout error. No answer from any PHY reads as `0xffff` (the line's pull-up).
pub trait Mdio {
    /// What can go wrong on the bus.
    type Error: ethdev::Error;

    /// Reads a register.
    ///
    /// # Errors
    ///
    /// The bus failed. An absent PHY is no error here: it reads as `0xffff`.
    fn read(&mut self, phy: PhyAddress, register: RegisterAddress) -> Result<u16, Self::Error>;

    /// Writes a register.
    ///
    /// # Errors
    ///
    /// The bus failed.
    fn write(&mut self, phy: PhyAddress, register: RegisterAddress, value: u16) -> Result<(), Self::Error>;
}

impl<T: Mdio + ?Sized> Mdio for &mut T {
    type Error = T::Error;

    fn read(&mut self, phy: PhyAddress, register: RegisterAddress) -> Result<u16, T::Error> {
        (**self).read(phy, register)
    }

    fn write(&mut self, phy: PhyAddress, register: RegisterAddress, value: u16) -> Result<(), T::Error> {
        (**self).write(phy, register, value)
    }
}
