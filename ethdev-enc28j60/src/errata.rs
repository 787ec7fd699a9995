//! Workarounds for silicon errata (DS80349C), one item each. Those that access the bus are in
//! `logic/errata.rs`.

use core::time::Duration;

use crate::regs::phy;
use crate::ring;

/// A revision of the silicon, read from EREVID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Revision {
    /// EREVID 2.
    B1,
    /// EREVID 4.
    B4,
    /// EREVID 5.
    B5,
    /// EREVID 6.
    B7,
}

impl Revision {
    /// Converts the value of EREVID; `None` for an unknown revision.
    #[must_use]
    pub const fn from_erevid(value: u8) -> Option<Self> {
        match value {
            0x02 => Some(Self::B1),
            0x04 => Some(Self::B4),
            0x05 => Some(Self::B5),
            0x06 => Some(Self::B7),
            _ => None,
        }
    }

    /// Whether it reports false late collisions (erratum 13).
    #[must_use]
    pub const fn has_false_late_collisions(self) -> bool {
        matches!(self, Self::B5 | Self::B7)
    }

    /// Whether its MAC registers require an SPI clock of at least 8 MHz (erratum 1).
    #[must_use]
    pub const fn needs_fast_spi(self) -> bool {
        matches!(self, Self::B1 | Self::B4)
    }
}

/// Errata 12 and 13: how often one frame is sent again.
pub(crate) const TX_RETRIES: u8 = 16;
/// Errata 12 and 13: how long a transmission may take in half duplex before it counts as stuck, in
/// units of 0.1 µs. Four times the longest frame on the wire (1.24 ms): those of others may be in
/// the way.
const TX_STUCK_HALF: u32 = 50_000;
/// The same in full duplex, where the partner may ask for 65,535 times 512 bits of silence (IEEE
/// 802.3 annex 31B): 3.36 s.
const TX_STUCK_FULL: u32 = 40_000_000;

/// Erratum 13: a transmitter that is stuck raises no interrupt. How often a blocking host that has
/// frames to send must call `service`. The driver has no clock but its own delays, so that it takes
/// up to 18 calls until the frame is sent again: 0.36 s.
pub(crate) const SERVICE_INTERVAL: Duration = Duration::from_millis(20);

/// When a transmission counts as stuck, in units of 0.1 µs.
pub(crate) const fn tx_stuck(full_duplex: bool) -> u32 {
    if full_duplex { TX_STUCK_FULL } else { TX_STUCK_HALF }
}

/// Erratum 14: an even ERXRDPT may corrupt the receive buffer. The last byte of a page is odd.
pub(crate) const fn receive_read_pointer(page: u8) -> u16 {
    ring::end_of(page)
}

/// Errata 9 and 16: PHCON1 is always written, because its reset value may be wrong; in half duplex
/// PHCON2 turns the unreliable loopback off.
pub(crate) const fn duplex_of_phy(full: bool) -> (u16, u16) {
    if full {
        (phy::PHCON1_PDPXMD, 0)
    } else {
        (0, phy::PHCON2_HDLDIS)
    }
}

/// Erratum 15: ESTAT.LATECOL is unreliable. Bit 29 of the status vector of the frame reports late
/// collisions.
pub(crate) const fn is_late_collision(status: [u8; 7]) -> bool {
    let [_, _, _, flags, ..] = status;
    flags & 0x20 != 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn receive_read_pointer_any_position_is_odd(next in 0..ring::RX_LEN / 2) {
            let pointer = receive_read_pointer(ring::page_before(next * 2));
            prop_assert_eq!(pointer % 2, 1);
            prop_assert!(ring::distance(pointer, next * 2) <= 0x100);
        }
    }

    #[test]
    fn from_erevid_unknown_is_none() {
        assert_eq!(
            [2, 4, 5, 6].map(Revision::from_erevid),
            [
                Some(Revision::B1),
                Some(Revision::B4),
                Some(Revision::B5),
                Some(Revision::B7)
            ]
        );
        for other in (0..=0xff).filter(|value| ![2, 4, 5, 6].contains(value)) {
            assert_eq!(Revision::from_erevid(other), None);
        }
    }

    #[test]
    fn is_late_collision_only_bit_29() {
        let with = |bit: usize| {
            let mut status = [0; 7];
            status[bit / 8] |= 1 << (bit % 8);
            status
        };
        for bit in 0..56 {
            assert_eq!(is_late_collision(with(bit)), bit == 29);
        }
    }
}
