//! The errata of DS80349C as switches, with their numbers.

use super::Revision;

/// Which errata a chip has, and how often those strike that do so at random.
///
/// Errata 3, 4, 7, 8 and 11 are about temperature, analog parts and LEDs: nothing that a model on a digital wire shows.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Errata {
    /// 1: accesses to MAC registers go wrong where SCK is below 8 MHz.
    pub e1_slow_sck: bool,
    /// 2: after a system reset by instruction, MAC, MII and PHY are dead for 1 ms, though CLKRDY says otherwise.
    pub e2_reset_ready: bool,
    /// 5: writing ERXST or ERXND sometimes loads the internal write pointer with 0000.
    pub e5_rx_pointer: bool,
    /// 6: EIR.PKTIF sometimes reads wrong. EPKTCNT and the INT pin are right.
    pub e6_packet_flag: bool,
    /// 9: the loopback of half duplex loses and garbles frames.
    pub e9_half_duplex_loopback: bool,
    /// 10: so does the PHY's loopback in full duplex.
    pub e10_phy_loopback: bool,
    /// 12: after an abort in half duplex, the transmitter stalls until TXRST; letting go of TXRST may set TXERIF.
    pub e12_tx_stall: bool,
    /// 13: in half duplex, a link pulse is taken for a late collision. It ends in one of three ways: TXIF and TXERIF; TXERIF alone with TXRTS stuck; nothing at
    /// all.
    pub e13_false_late_collision: bool,
    /// 14: an even ERXRDPT sometimes spoils the header of a later packet.
    pub e14_even_read_pointer: bool,
    /// 15: ESTAT.LATECOL stays 0.
    pub e15_latecol: bool,
    /// 16: the reset value of PHCON1.PDPXMD is random.
    pub e16_duplex_strap: bool,
    /// 17: a DMA checksum during reception kills the packet, with RXERIF and BUFER.
    pub e17_dma_checksum: bool,
    /// 18: the pattern filter sometimes accepts what it should not.
    pub e18_pattern: bool,
    /// 19: the system reset instruction is ignored in power-save.
    pub e19_reset_asleep: bool,
    /// How often they strike.
    pub odds: Probabilities,
}

/// How often errata strike, each as a probability.
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
    /// 12: that TXERIF is set when TXRST is let go after an abort.
    pub reset_error: f64,
    /// 13, per frame sent.
    pub false_late_collision: f64,
    /// 14, per packet received while ERXRDPT is even.
    pub even_read_pointer: f64,
    /// 18, per frame that the pattern rejects.
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
    /// All that the revision has.
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
            odds: Probabilities::default(),
        }
    }

    /// None: the chip of the data sheet.
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
            odds: Probabilities::default(),
        }
    }
}
