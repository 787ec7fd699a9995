//! Addresses and bits (IEEE 802.3 clause 22; LAN8720A data sheet DS00002165B, section 4).

pub(crate) const BMCR: u8 = 0;
pub(crate) const BMSR: u8 = 1;
pub(crate) const PHYID1: u8 = 2;
pub(crate) const PHYID2: u8 = 3;
pub(crate) const ANAR: u8 = 4;
pub(crate) const ANLPAR: u8 = 5;
pub(crate) const ANER: u8 = 6;
/// Last register of next pages and MMD access on the LAN8740A and LAN8742A. The others have no
/// registers from 7 to 15.
pub(crate) const LAST_STANDARD: u8 = 15;
pub(crate) const EDPD_NLP: u8 = 16;
pub(crate) const MCSR: u8 = 17;
pub(crate) const SMR: u8 = 18;
pub(crate) const SECR: u8 = 26;
pub(crate) const SCSIR: u8 = 27;
pub(crate) const ISR: u8 = 29;
pub(crate) const IMR: u8 = 30;
pub(crate) const PSCSR: u8 = 31;

/// Basic control (section 4.2.1).
pub(crate) mod bmcr {
    pub(crate) const SRESET: u16 = 1 << 15;
    pub(crate) const LOOPBACK: u16 = 1 << 14;
    pub(crate) const SPEED: u16 = 1 << 13;
    pub(crate) const AN_ENABLE: u16 = 1 << 12;
    pub(crate) const POWER_DOWN: u16 = 1 << 11;
    pub(crate) const ISOLATE: u16 = 1 << 10;
    pub(crate) const AN_RESTART: u16 = 1 << 9;
    pub(crate) const DUPLEX: u16 = 1 << 8;
}

/// Basic status (section 4.2.2).
pub(crate) mod bmsr {
    /// 100BASE-TX and 10BASE-T, both duplexes; able to negotiate; extended registers.
    pub(crate) const ALWAYS: u16 = 0x7809;
    pub(crate) const AN_COMPLETE: u16 = 1 << 5;
    pub(crate) const REMOTE_FAULT: u16 = 1 << 4;
    pub(crate) const LINK: u16 = 1 << 2;
}

/// Advertisement and link partner ability (sections 4.2.5 and 4.2.6).
pub(crate) mod ability {
    pub(crate) const ACK: u16 = 1 << 14;
    pub(crate) const REMOTE_FAULT: u16 = 1 << 13;
    pub(crate) const ASYM_PAUSE: u16 = 1 << 11;
    pub(crate) const PAUSE: u16 = 1 << 10;
    pub(crate) const TX_FULL: u16 = 1 << 8;
    pub(crate) const TX_HALF: u16 = 1 << 7;
    pub(crate) const T_FULL: u16 = 1 << 6;
    pub(crate) const T_HALF: u16 = 1 << 5;
    pub(crate) const SELECTOR: u16 = 0x1f;
    pub(crate) const IEEE_802_3: u16 = 1;
}

/// Auto-negotiation expansion (section 4.2.7).
pub(crate) mod aner {
    pub(crate) const PARALLEL_FAULT: u16 = 1 << 4;
    pub(crate) const PAGE_RECEIVED: u16 = 1 << 1;
    pub(crate) const PARTNER_ABLE: u16 = 1 << 0;
}

/// Mode control/status (section 4.2.8).
pub(crate) mod mcsr {
    pub(crate) const EDPWRDOWN: u16 = 1 << 13;
    pub(crate) const FARLOOPBACK: u16 = 1 << 9;
    pub(crate) const ALTINT: u16 = 1 << 6;
    pub(crate) const ENERGYON: u16 = 1 << 1;
    /// LAN8700: the PHY answers at every address.
    pub(crate) const PHYADBP: u16 = 1 << 3;
    /// LAN8700: MDPREBP, SQE and forced link status.
    pub(crate) const LAN8700: u16 = 1 << 11 | 1 << 10 | PHYADBP | 1 << 2;
}

/// Special modes (section 4.2.9).
pub(crate) mod smr {
    pub(crate) const RESERVED_ONE: u16 = 1 << 14;
    pub(crate) const MODE: u16 = 7 << 5;
    pub(crate) const MODE_SHIFT: u16 = 5;
    pub(crate) const PHYAD: u16 = 0x1f;
}

/// Special control/status indications (section 4.2.11).
pub(crate) mod scsir {
    pub(crate) const AMDIXCTRL: u16 = 1 << 15;
    pub(crate) const CH_SELECT: u16 = 1 << 13;
    pub(crate) const SQEOFF: u16 = 1 << 11;
    pub(crate) const XPOL: u16 = 1 << 4;
}

/// Interrupt sources and mask (sections 4.2.12 and 4.2.13).
pub(crate) mod int {
    pub(crate) const ENERGYON: u16 = 1 << 7;
    pub(crate) const AN_COMPLETE: u16 = 1 << 6;
    pub(crate) const REMOTE_FAULT: u16 = 1 << 5;
    pub(crate) const LINK_DOWN: u16 = 1 << 4;
    pub(crate) const LP_ACK: u16 = 1 << 3;
    pub(crate) const PARALLEL_FAULT: u16 = 1 << 2;
    pub(crate) const PAGE_RECEIVED: u16 = 1 << 1;
    pub(crate) const ALL: u16 = 0xfe;
    /// Wake on LAN, on the LAN8740A and LAN8742A.
    pub(crate) const WOL: u16 = 1 << 8;
}

/// PHY special control/status (section 4.2.14).
pub(crate) mod pscsr {
    pub(crate) const AUTODONE: u16 = 1 << 12;
    pub(crate) const SPEED_SHIFT: u16 = 2;
    pub(crate) const SPEED: u16 = 7 << SPEED_SHIFT;
    /// Bits 11 to 5 must be written as 0000010.
    pub(crate) const WRITE_AS: u16 = 1 << 6;
    pub(crate) const WRITE_AS_MASK: u16 = 0x0fe0;
}
