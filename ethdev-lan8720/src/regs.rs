//! Registers of the family beyond clause 22 (data sheet, section 4.2).

use ethdev_phy::mdio::RegisterAddress;

/// Extended crossover and energy-detect timing. Documented for the LAN8740A to LAN8742A; the
/// LAN8720A has bit 0 too.
pub(super) const EDPD_NLP_CROSSOVER: RegisterAddress = RegisterAddress::from_low_bits(16);
/// Allows more time for crossover detection.
pub(super) const EXT_CROSS_TIME: u16 = 1 << 0;

/// Mode control/status (section 4.2.8).
pub(super) const MCSR: RegisterAddress = RegisterAddress::from_low_bits(17);
pub(super) mod mcsr {
    /// Power-down while no energy is detected.
    pub(crate) const EDPWRDOWN: u16 = 1 << 13;
    /// Far loopback.
    pub(crate) const FARLOOPBACK: u16 = 1 << 9;
    /// The alternate interrupt system.
    pub(crate) const ALTINT: u16 = 1 << 6;
    /// Energy is detected on the line. Read-only.
    pub(crate) const ENERGYON: u16 = 1 << 1;
}

/// Special modes (section 4.2.9): the straps. Kept in a software reset.
pub(super) const SMR: RegisterAddress = RegisterAddress::from_low_bits(18);
pub(super) mod smr {
    /// MODE\[2:0\].
    pub(crate) const MODE: u16 = 0b111 << 5;
    pub(crate) const MODE_SHIFT: u32 = 5;
    /// PHYAD\[4:0\].
    pub(crate) const PHYAD: u16 = 0b1_1111;
}

/// Symbol error counter (section 4.2.10): 100BASE-TX only.
pub(super) const SECR: RegisterAddress = RegisterAddress::from_low_bits(26);

/// Special control/status indications (section 4.2.11).
pub(super) const SCSIR: RegisterAddress = RegisterAddress::from_low_bits(27);
pub(super) mod scsir {
    /// 1 disables HP Auto-MDIX; bit 13 then selects the pairs.
    pub(crate) const AMDIXCTRL: u16 = 1 << 15;
    /// Selection of the pairs: 1 is MDI-X.
    pub(crate) const CH_SELECT: u16 = 1 << 13;
}

/// Interrupt source flags (section 4.2.12): latched, cleared by reading.
pub(super) const ISR: RegisterAddress = RegisterAddress::from_low_bits(29);
/// Interrupt mask (section 4.2.13): the same bits, 1 is enabled.
pub(super) const IMR: RegisterAddress = RegisterAddress::from_low_bits(30);
pub(super) mod int {
    pub(crate) const ENERGYON: u16 = 1 << 7;
    pub(crate) const AUTONEG_COMPLETE: u16 = 1 << 6;
    pub(crate) const LINK_DOWN: u16 = 1 << 4;
}

/// PHY special control/status (section 4.2.14).
pub(super) const PSCSR: RegisterAddress = RegisterAddress::from_low_bits(31);
pub(super) mod pscsr {
    pub(crate) const AUTODONE: u16 = 1 << 12;
    pub(crate) const HCDSPEED_SHIFT: u32 = 2;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_match_data_sheet() {
        let addresses = [EDPD_NLP_CROSSOVER, MCSR, SMR, SECR, SCSIR, ISR, IMR, PSCSR].map(RegisterAddress::get);
        assert_eq!(addresses, [16, 17, 18, 26, 27, 29, 30, 31]);
    }
}
