//! MDIO: the management bus between MAC and PHY (IEEE 802.3 clause 22).

mod bitbang;

use core::fmt;

pub use bitbang::{BitBang, BitBangError, DataPin, OpenDrain};

/// The address of a PHY on the bus, 0 to 31 (IEEE 802.3 clause 22.2.4.5.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct PhyAddress(u8);

impl PhyAddress {
    /// Creates an address; `None` above 31.
    #[must_use]
    pub const fn new(address: u8) -> Option<Self> {
        if address < 32 { Some(Self(address)) } else { None }
    }

    /// Creates an address from the five low bits of `address`: for constants.
    #[must_use]
    pub const fn from_low_bits(address: u8) -> Self {
        Self(address & 0x1f)
    }

    /// Returns the address, 0 to 31.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }

    /// Iterates over every address on the bus, in order.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..32).map(Self)
    }
}

/// The address of a register in a PHY, 0 to 31 (IEEE 802.3 clause 22.2.4.5.6). Those of the
/// standard are in [`phy::reg`](crate::phy::reg).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct RegisterAddress(pub(crate) u8);

impl RegisterAddress {
    /// Creates an address; `None` above 31.
    #[must_use]
    pub const fn new(address: u8) -> Option<Self> {
        if address < 32 { Some(Self(address)) } else { None }
    }

    /// Creates an address from the five low bits of `address`: for constants.
    #[must_use]
    pub const fn from_low_bits(address: u8) -> Self {
        Self(address & 0x1f)
    }

    /// Returns the address, 0 to 31.
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

/// An MDIO bus. It is passed to the PHY driver in each call, because it is usually a part of the
/// MAC, and several PHYs may share it.
///
/// ```
/// use ethdev_phy::mdio::{Mdio, PhyAddress, RegisterAddress};
///
/// /// A bus with 32 PHYs, in memory.
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
/// [`phy::scan`](crate::phy::scan) finds the PHYs on a bus.
///
/// # For driver authors
///
/// Every wait for the end of an operation is bounded and ends in a timeout error of the bus. If no
/// PHY responds, a read returns `0xffff` (the pull-up of the line).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an MDIO bus",
    note = "`Mac::mdio` returns the bus of a MAC; `ethdev_phy::mdio::BitBang` makes a bus of two pins"
)]
pub trait Mdio {
    /// The error of the bus.
    type Error: ethdev::Error;

    /// Reads a register.
    ///
    /// # Errors
    ///
    /// The bus failed. A PHY that does not respond is no error: it reads as `0xffff`.
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
