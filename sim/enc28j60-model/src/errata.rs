//! Silicon revisions, and the errata of DS80349C by their numbers.

/// A silicon revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Revision {
    /// The first one sold.
    B1,
    /// Modelled as B1.
    B4,
    /// The first one with erratum 13, and without erratum 1.
    B5,
    /// The current one.
    B7,
}

impl Revision {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::B1, Self::B4, Self::B5, Self::B7];

    /// What EREVID reads.
    #[must_use]
    pub const fn id(self) -> u8 {
        match self {
            Self::B1 => 0x02,
            Self::B4 => 0x04,
            Self::B5 => 0x05,
            Self::B7 => 0x06,
        }
    }
}

/// The errata of a chip, and the probabilities of those that occur at random.
///
/// Errata 3, 4, 7, 8 and 11 concern temperature, analog parts and LEDs, which are not modelled.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Errata {
    /// 1: accesses to MAC registers fail where SCK is below 8 MHz.
    pub e1_slow_sck: bool,
    /// 2: after the system reset instruction, MAC, MII and PHY do not respond for 1 ms, though CLKRDY
    /// is set. The RESET pin is not concerned.
    pub e2_reset_ready: bool,
    /// 5: writing ERXST or ERXND sometimes loads the internal write pointer with 0000.
    pub e5_rx_pointer: bool,
    /// 6: EIR.PKTIF sometimes reads wrong. EPKTCNT and the INT pin are right.
    pub e6_packet_flag: bool,
    /// 9: the loopback of half duplex loses and corrupts frames.
    pub e9_half_duplex_loopback: bool,
    /// 10: the PHY's loopback in full duplex loses and corrupts frames.
    pub e10_phy_loopback: bool,
    /// 12: after an abort in half duplex, the transmitter stalls until TXRST; clearing TXRST may
    /// set TXERIF.
    pub e12_tx_stall: bool,
    /// 13: in half duplex, a link pulse is taken for a late collision. The outcome is one of three:
    /// TXIF and TXERIF; TXERIF alone with TXRTS stuck; no flag with TXRTS stuck.
    pub e13_false_late_collision: bool,
    /// 14: an even ERXRDPT sometimes corrupts the header of a later packet.
    pub e14_even_read_pointer: bool,
    /// 15: ESTAT.LATECOL stays 0.
    pub e15_latecol: bool,
    /// 16: the reset value of PHCON1.PDPXMD is random.
    pub e16_duplex_strap: bool,
    /// 17: a DMA checksum during reception drops the packet, with RXERIF and BUFER.
    pub e17_dma_checksum: bool,
    /// 18: the pattern filter sometimes accepts what it should not.
    pub e18_pattern: bool,
    /// 19: the system reset instruction is ignored in power-save.
    pub e19_reset_asleep: bool,
    /// Probabilities of the random ones.
    pub probabilities: Probabilities,
}

/// Probabilities of the errata that occur at random.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Probabilities {
    /// 1, per access to a MAC or MII register.
    pub slow_sck: f64,
    /// 5, per write to ERXST or ERXND.
    pub rx_pointer: f64,
    /// 6, per read of EIR.
    pub packet_flag: f64,
    /// 9 and 10, per frame.
    pub loopback: f64,
    /// 12: TXERIF is set when TXRST is cleared after an abort.
    pub reset_error: f64,
    /// 13, per frame sent.
    pub false_late_collision: f64,
    /// 14, per packet received while ERXRDPT is even.
    pub even_read_pointer: f64,
    /// 18, per frame that the pattern filter rejects.
    pub pattern: f64,
}

impl Default for Probabilities {
    fn default() -> Self {
        Self {
            slow_sck: 1.0 / 16.0,
            rx_pointer: 0.25,
            packet_flag: 0.125,
            loopback: 0.25,
            reset_error: 0.5,
            false_late_collision: 0.002,
            even_read_pointer: 0.02,
            pattern: 0.05,
        }
    }
}

impl Errata {
    /// The errata of a revision.
    #[must_use]
    pub fn of(revision: Revision) -> Self {
        Self {
            e1_slow_sck: matches!(revision, Revision::B1 | Revision::B4),
            e2_reset_ready: true,
            e5_rx_pointer: true,
            e6_packet_flag: true,
            e9_half_duplex_loopback: true,
            e10_phy_loopback: true,
            e12_tx_stall: true,
            e13_false_late_collision: matches!(revision, Revision::B5 | Revision::B7),
            e14_even_read_pointer: true,
            e15_latecol: true,
            e16_duplex_strap: true,
            e17_dma_checksum: true,
            e18_pattern: true,
            e19_reset_asleep: true,
            probabilities: Probabilities::default(),
        }
    }

    /// No errata: the chip of the data sheet.
    #[must_use]
    pub fn none() -> Self {
        Self {
            e1_slow_sck: false,
            e2_reset_ready: false,
            e5_rx_pointer: false,
            e6_packet_flag: false,
            e9_half_duplex_loopback: false,
            e10_phy_loopback: false,
            e12_tx_stall: false,
            e13_false_late_collision: false,
            e14_even_read_pointer: false,
            e15_latecol: false,
            e16_duplex_strap: false,
            e17_dma_checksum: false,
            e18_pattern: false,
            e19_reset_asleep: false,
            probabilities: Probabilities::default(),
        }
    }
}
