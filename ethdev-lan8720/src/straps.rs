//! What the PHY latched from its pins at the end of its hardware reset.

use core::fmt;

use super::regs::smr;

/// The straps, as the special modes register holds them (data sheet, sections 3.7 and 4.2.9).
///
/// The pins belong to the MAC's receive side: a host that pulls or drives them during the reset changes what the PHY does. The driver sets the PHY up whatever
/// the straps say, so a wrong mode costs nothing but a surprise; a wrong address makes the PHY silent where it is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Straps {
    /// MODE\[2:0\]: `0b111` is the default, everything advertised.
    pub mode: u8,
    /// The address on the MDIO bus.
    pub address: u8,
}

/// Powered down from its reset on.
pub(crate) const MODE_POWER_DOWN: u8 = 0b110;

impl Straps {
    pub(crate) const fn from_register(value: u16) -> Self {
        Self {
            mode: ((value & smr::MODE) >> smr::MODE_SHIFT) as u8,
            address: (value & smr::PHYAD) as u8,
        }
    }
}

/// The mode in words.
impl fmt::Display for Straps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mode = match self.mode {
            0b000 => "10 Mbit/s half duplex",
            0b001 => "10 Mbit/s full duplex",
            0b010 => "100 Mbit/s half duplex",
            0b011 => "100 Mbit/s full duplex",
            0b100 => "auto-negotiation, 100 Mbit/s half duplex",
            0b101 => "repeater",
            MODE_POWER_DOWN => "power-down",
            _ => "auto-negotiation, everything",
        };
        write!(f, "{mode}, address {}", self.address)
    }
}
