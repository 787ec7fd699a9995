//! The configuration straps.

use core::fmt;

use super::regs::smr;

/// The straps that the PHY latched in its hardware reset, from the special modes register (data
/// sheet, sections 3.7 and 4.2.9).
///
/// The pins are receive signals of the MAC: a host that pulls or drives them during the reset
/// changes the straps. The driver configures the PHY whatever the mode straps are; with a wrong
/// address, the PHY does not respond at the expected one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Straps {
    /// MODE\[2:0\], 0 to 7: 7 is the default, auto-negotiation with every mode advertised.
    pub mode: u8,
    /// The address on the MDIO bus, 0 to 31.
    pub address: u8,
}

/// Power-down after reset.
pub(crate) const MODE_POWER_DOWN: u8 = 0b110;

impl Straps {
    pub(crate) const fn from_register(value: u16) -> Self {
        Self {
            mode: ((value & smr::MODE) >> smr::MODE_SHIFT) as u8,
            address: (value & smr::PHYAD) as u8,
        }
    }
}

/// Names the mode.
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
            _ => "auto-negotiation, all modes",
        };
        write!(f, "{mode}, address {}", self.address)
    }
}
