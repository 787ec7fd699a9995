//! The silicon's errata (DS80349C): one item each, with what is done about it. Behaviour that exists because of one lives here.

use crate::bus::Bus;
use crate::chip::{Chip, Result};
use crate::error::{Error, Wait};
use crate::regs::{self, econ1, econ2, eir, estat, phy};
use crate::ring::{RX_END, RX_START};

/// A revision of the silicon, as EREVID tells it.
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
    /// From EREVID; `None` where there is no such revision.
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

    /// Whether it sees collisions where there are none (erratum 13).
    #[must_use]
    pub const fn has_false_late_collisions(self) -> bool {
        matches!(self, Self::B5 | Self::B7)
    }

    /// Whether its MAC registers need an SPI clock of at least 8 MHz (erratum 1).
    #[must_use]
    pub const fn needs_fast_spi(self) -> bool {
        matches!(self, Self::B1 | Self::B4)
    }
}

/// How long CLKRDY takes after sleep: 7500 clocks of 25 MHz (section 2.2).
const OSCILLATOR_US: u32 = 300;
/// Erratum 2: how long MAC and PHY are not there after a system reset.
const RESET_US: u32 = 1000;
/// How often the clock is looked at after a reset, [`CLOCK_LOOK_US`] apart.
const CLOCK_LOOKS: usize = 10;
const CLOCK_LOOK_US: u32 = 100;
/// How often a reset is tried before the chip counts as not ready.
const RESETS: usize = 3;
/// How long the RESET pin is low: 400 ns at least (table 16-3).
const RESET_PIN_US: u32 = 2;

/// Errata 12 and 13: how often one frame is sent anew.
pub(crate) const TX_RETRIES: u8 = 16;
/// Errata 12 and 13: how long a transmission may take in half duplex before it counts as stuck, in units of 0.1 µs. Four times the longest frame on the wire
/// (1.24 ms): those of others may be in the way.
const TX_STUCK_HALF: u32 = 50_000;
/// The same in full duplex, where the partner may ask for 65,535 times 512 bits of silence (IEEE 802.3 annex 31B): 3.36 s.
const TX_STUCK_FULL: u32 = 40_000_000;

/// When a transmission counts as stuck, in units of 0.1 µs.
pub(crate) const fn tx_stuck(full_duplex: bool) -> u32 {
    if full_duplex { TX_STUCK_FULL } else { TX_STUCK_HALF }
}

/// Erratum 14: an even ERXRDPT may damage the receive buffer. The byte before the next packet, which is at an even address, is odd.
pub(crate) const fn receive_read_pointer(next: u16) -> u16 {
    if next == RX_START { RX_END } else { next - 1 }
}

/// Errata 9 and 16: PHCON1 is always written, because its reset value may be wrong; in half duplex PHCON2 turns the unreliable loopback off.
pub(crate) const fn duplex_of_phy(full: bool) -> (u16, u16) {
    if full {
        (phy::PHCON1_PDPXMD, 0)
    } else {
        (0, phy::PHCON2_HDLDIS)
    }
}

/// Erratum 15: ESTAT.LATECOL cannot be trusted for late collisions. The status vector of the frame can: bit 29.
pub(crate) const fn is_late_collision(status: [u8; 7]) -> bool {
    let [_, _, _, flags, ..] = status;
    flags & 0x20 != 0
}

impl<B: Bus> Chip<B> {
    /// Resets the chip from whatever state it is in.
    ///
    /// Erratum 19: a system reset is ignored by a chip that sleeps, so that it is woken first. Erratum 2: CLKRDY stays set while MAC and PHY are not there, so that
    /// time decides; the bit only tells that a chip is there at all.
    pub(crate) async fn reset(&mut self) -> Result<(), B> {
        let mut seen = 0;
        for _ in 0..RESETS {
            if self.spi.bus.reset_pin(true).map_err(Error::ResetPin)? {
                self.spi.wait_us(RESET_PIN_US).await;
                self.spi.bus.reset_pin(false).map_err(Error::ResetPin)?;
                self.spi.wait_us(OSCILLATOR_US).await;
            } else {
                self.spi.clear(regs::ECON2, econ2::PWRSV).await?;
                self.spi.wait_us(OSCILLATOR_US).await;
                self.spi.system_reset().await?;
            }
            self.spi.wait_us(RESET_US).await;
            self.spi.bank_was_reset();
            for _ in 0..CLOCK_LOOKS {
                seen = self.spi.look(regs::ESTAT).await?;
                if seen & (estat::CLKRDY | estat::ZERO) == estat::CLKRDY {
                    return Ok(());
                }
                self.spi.wait_us(CLOCK_LOOK_US).await;
            }
        }
        match seen {
            0x00 | 0xff => Err(Error::NotResponding { read: seen }),
            _ => Err(Error::Timeout(Wait::Clock)),
        }
    }

    /// Erratum 6: EIR.PKTIF may be wrong, EPKTCNT is right.
    pub(crate) async fn packets_waiting(&mut self) -> Result<u8, B> {
        let count = self.spi.read(regs::EPKTCNT).await?;
        if self.config.fcs_in_software {
            // A bus that is not trusted is asked twice.
            let again = self.spi.read(regs::EPKTCNT).await?;
            return Ok(count.min(again));
        }
        Ok(count)
    }

    /// Erratum 12: after a transmission that was aborted the transmitter may be stuck until it is reset; the end of that reset may set TXERIF.
    pub(crate) async fn reset_transmitter(&mut self) -> Result<(), B> {
        self.spi.clear(regs::ECON1, econ1::TXRTS).await?;
        self.spi.set(regs::ECON1, econ1::TXRST).await?;
        self.spi.clear(regs::ECON1, econ1::TXRST).await?;
        self.spi.clear(regs::EIR, eir::TXIF | eir::TXERIF).await?;
        // Sticky until cleared.
        self.spi.clear(regs::ESTAT, estat::TXABRT | estat::LATECOL).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ring;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_read_pointer_is_odd_and_just_behind(next in 0..ring::RX_LEN / 2) {
            let pointer = receive_read_pointer(next * 2);
            prop_assert_eq!(pointer % 2, 1);
            prop_assert_eq!(ring::advance(pointer, 1), next * 2);
        }
    }

    #[test]
    fn revisions() {
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
    fn late_collision_is_bit_29() {
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
