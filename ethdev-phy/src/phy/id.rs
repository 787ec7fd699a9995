//! The identifier of a PHY.

/// The identifier of a PHY (registers 2 and 3, IEEE 802.3 clause 22.2.4.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct PhyId(u32);

impl PhyId {
    /// Creates an identifier from registers 2 and 3; `None` for all ones and all zeros, which a bus
    /// without a PHY, or a PHY without a clock, reads as.
    #[must_use]
    pub const fn from_registers(id1: u16, id2: u16) -> Option<Self> {
        match ((id1 as u32) << 16) | id2 as u32 {
            0 | 0xffff_ffff => None,
            raw => Some(Self(raw)),
        }
    }

    /// Returns both registers, register 2 in the upper half.
    #[must_use]
    pub const fn raw(self) -> u32 {
        self.0
    }

    /// Returns bits 3 to 24 of the manufacturer's OUI in the order of the registers: 22 bits.
    #[must_use]
    pub const fn oui(self) -> u32 {
        self.0 >> 10
    }

    /// Returns the manufacturer's model number: 6 bits.
    #[must_use]
    pub const fn model(self) -> u8 {
        ((self.0 >> 4) & 0x3f) as u8
    }

    /// Returns the revision: 4 bits.
    #[must_use]
    pub const fn revision(self) -> u8 {
        (self.0 & 0xf) as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn from_registers_lan8720a_parts() {
        let id = PhyId::from_registers(0x0007, 0xc0f1).unwrap();
        // SMSC, 00-80-0F: each octet bit-reversed, without the first two bits.
        assert_eq!((id.oui(), id.model(), id.revision()), (0x0001f0, 0x0f, 1));
        assert_eq!(PhyId::from_registers(0xffff, 0xffff), None);
        assert_eq!(PhyId::from_registers(0, 0), None);
    }

    proptest! {
        #[test]
        fn from_registers_any_parts_compose_raw(id1: u16, id2: u16) {
            match PhyId::from_registers(id1, id2) {
                Some(id) => {
                    prop_assert_eq!(id.raw() >> 16, u32::from(id1));
                    prop_assert_eq!(id.raw() as u16, id2);
                    prop_assert_eq!(
                        (id.oui() << 10) | (u32::from(id.model()) << 4) | u32::from(id.revision()),
                        id.raw()
                    );
                }
                None => prop_assert!((id1, id2) == (0, 0) || (id1, id2) == (0xffff, 0xffff)),
            }
        }
    }
}
