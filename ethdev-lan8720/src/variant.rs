//! The models of the family and their features.

use core::fmt;

use ethdev_phy::phy::PhyId;

/// A model of the family, by its identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Model {
    /// LAN83C185.
    Lan83c185,
    /// LAN8187.
    Lan8187,
    /// LAN8700; also inside the LAN9500 and LAN9514.
    Lan8700,
    /// Inside the LAN9115 to LAN9118; also the one that QEMU emulates.
    Lan911x,
    /// LAN8710A and LAN8720A; also inside the LAN9500A and LAN9505A.
    Lan8720,
    /// LAN8740A.
    Lan8740,
    /// LAN8741A.
    Lan8741,
    /// LAN8742A.
    Lan8742,
    /// Another model of the same manufacturer, with this model number. Only its clause 22 registers
    /// are used.
    Other(u8),
}

/// The registers beyond clause 22 that a model has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Features {
    /// Register 17, bit 13: energy-detect power-down.
    pub(crate) energy_detect: bool,
    /// Register 18: straps.
    pub(crate) straps: bool,
    /// Register 26: symbol errors.
    pub(crate) symbol_errors: bool,
    /// Register 27, bits 15 and 13: HP Auto-MDIX.
    pub(crate) mdix: bool,
    /// Registers 29 and 30: interrupts.
    pub(crate) interrupts: bool,
    /// Register 31: speed indication.
    pub(crate) speed: bool,
}

impl Features {
    const ALL: Self = Self {
        energy_detect: true,
        straps: true,
        symbol_errors: true,
        mdix: true,
        interrupts: true,
        speed: true,
    };
    /// Without HP Auto-MDIX and symbol error counter: the LAN83C185 and the PHY in the LAN9115 to
    /// LAN9118, which is derived from it.
    const NO_MDIX: Self = Self {
        symbol_errors: false,
        mdix: false,
        ..Self::ALL
    };
    pub(crate) const NONE: Self = Self {
        energy_detect: false,
        straps: false,
        symbol_errors: false,
        mdix: false,
        interrupts: false,
        speed: false,
    };
}

impl Model {
    /// Returns the model with this identifier; `None` for a PHY of another manufacturer.
    #[must_use]
    pub const fn from_id(id: PhyId) -> Option<Self> {
        // OUI 00-80-0F in registers 2 and 3.
        if id.raw() & 0xffff_fc00 != 0x0007_c000 {
            return None;
        }
        Some(match id.model() {
            0x0a => Self::Lan83c185,
            0x0b => Self::Lan8187,
            0x0c => Self::Lan8700,
            0x0d => Self::Lan911x,
            0x0f => Self::Lan8720,
            0x11 => Self::Lan8740,
            0x12 => Self::Lan8741,
            0x13 => Self::Lan8742,
            other => Self::Other(other),
        })
    }

    pub(crate) const fn features(self) -> Features {
        match self {
            Self::Lan83c185 | Self::Lan911x => Features::NO_MDIX,
            Self::Lan8187 | Self::Lan8700 | Self::Lan8720 | Self::Lan8740 | Self::Lan8741 | Self::Lan8742 => {
                Features::ALL
            }
            Self::Other(_) => Features::NONE,
        }
    }
}

/// The name on the package.
impl fmt::Display for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Lan83c185 => "LAN83C185",
            Self::Lan8187 => "LAN8187",
            Self::Lan8700 => "LAN8700",
            Self::Lan911x => "LAN911x",
            Self::Lan8720 => "LAN8710A/LAN8720A",
            Self::Lan8740 => "LAN8740A",
            Self::Lan8741 => "LAN8741A",
            Self::Lan8742 => "LAN8742A",
            Self::Other(model) => return write!(f, "SMSC PHY, model {model:#04x}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use super::*;
    use proptest::prelude::*;

    fn model(id1: u16, id2: u16) -> Option<Model> {
        Model::from_id(PhyId::from_registers(id1, id2).unwrap())
    }

    #[test]
    fn from_id_known_models() {
        assert_eq!(model(0x0007, 0xc0f1), Some(Model::Lan8720));
        assert_eq!(model(0x0007, 0xc0d1), Some(Model::Lan911x));
        assert_eq!(model(0x0007, 0xc131), Some(Model::Lan8742));
        assert_eq!(model(0x0007, 0xc3f0), Some(Model::Other(0x3f)));
        // Micrel KSZ8051.
        assert_eq!(model(0x0022, 0x1550), None);
        assert_eq!(Model::Lan8720.to_string(), "LAN8710A/LAN8720A");
    }

    proptest! {
        #[test]
        fn from_id_any_revision_same_model(id1: u16, id2: u16, revision in 0_u16..16) {
            let Some(id) = PhyId::from_registers(id1, id2) else { return Ok(()) };
            prop_assert_eq!(Model::from_id(id).is_some(), id1 == 7 && id2 >> 10 == 0x30);
            let Some(sibling) = PhyId::from_registers(id1, (id2 & !0xf) | revision) else { return Ok(()) };
            prop_assert_eq!(Model::from_id(id), Model::from_id(sibling));
        }

        #[test]
        fn features_unnamed_model_none(model in 0_u8..64) {
            let id = PhyId::from_registers(7, 0xc000 | (u16::from(model) << 4)).unwrap();
            let found = Model::from_id(id).unwrap();
            let named = [0x0a, 0x0b, 0x0c, 0x0d, 0x0f, 0x11, 0x12, 0x13].contains(&model);
            prop_assert_eq!(found.features() == Features::NONE, !named);
        }
    }
}
