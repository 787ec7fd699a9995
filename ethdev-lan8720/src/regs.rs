//! The registers of the LAN8720A and its relatives beyond clause 22's, as data (data sheet, section 4.2). No behaviour.

use ethdev_phy::mdio::RegisterAddress;

/// Extended crossover and energy-detect timing. Documented for the LAN8740A and its siblings; bit 0 is there in the LAN8720A, too.
pub(super) const EDPD_NLP_CROSSOVER: RegisterAddress = RegisterAddress::from_low_bits(16);
/// Allows more time for the crossover to be found.
pub(super) const EXT_CROSS_TIME: u16 = 1 << 0;

/// Mode control/status (section 4.2.8).
pub(super) const MCSR: RegisterAddress = RegisterAddress::from_low_bits(17);
pub(super) mod mcsr {
    /// Sleep while no energy is detected.
    pub(crate) const EDPWRDOWN: u16 = 1 << 13;
    /// Sends back what comes from the line.
    pub(crate) const FARLOOPBACK: u16 = 1 << 9;
    /// The alternate interrupt system.
    pub(crate) const ALTINT: u16 = 1 << 6;
    /// Energy is detected on the line. Read-only.
    pub(crate) const ENERGYON: u16 = 1 << 1;
}

/// Special modes (section 4.2.9): the straps. Not affected by a software reset.
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
    /// **1** turns HP Auto-MDIX off, and bit 13 decides.
    pub(crate) const AMDIXCTRL: u16 = 1 << 15;
    /// Manual selection: 1 is MDI-X.
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
    fn addresses_as_the_data_sheet_has_them() {
        let addresses = [EDPD_NLP_CROSSOVER, MCSR, SMR, SECR, SCSIR, ISR, IMR, PSCSR].map(RegisterAddress::get);
        assert_eq!(addresses, [16, 17, 18, 26, 27, 29, 30, 31]);
    }
}
