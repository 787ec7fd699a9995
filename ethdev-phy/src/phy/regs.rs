//! The registers of clause 22, as data.

/// Addresses of the registers of the standard (IEEE 802.3 table 22-6).
pub mod reg {
    use crate::mdio::RegisterAddress;

    /// Basic mode control (clause 22.2.4.1).
    pub const BMCR: RegisterAddress = RegisterAddress(0);
    /// Basic mode status (clause 22.2.4.2).
    pub const BMSR: RegisterAddress = RegisterAddress(1);
    /// PHY identifier, upper half (clause 22.2.4.3.1).
    pub const PHYID1: RegisterAddress = RegisterAddress(2);
    /// PHY identifier, lower half.
    pub const PHYID2: RegisterAddress = RegisterAddress(3);
    /// Auto-negotiation advertisement (clause 28.2.4.1.3).
    pub const ANAR: RegisterAddress = RegisterAddress(4);
    /// Auto-negotiation link partner ability (clause 28.2.4.1.4).
    pub const ANLPAR: RegisterAddress = RegisterAddress(5);
    /// Auto-negotiation expansion (clause 28.2.4.1.5).
    pub const ANER: RegisterAddress = RegisterAddress(6);
}

/// Bits of the basic mode control register.
pub mod bmcr {
    /// Software reset; clears itself within 0.5 s.
    pub const RESET: u16 = 1 << 15;
    /// Near-end loopback.
    pub const LOOPBACK: u16 = 1 << 14;
    /// 100 Mbit/s, if auto-negotiation is off.
    pub const SPEED_100: u16 = 1 << 13;
    /// Auto-negotiation on.
    pub const AUTONEG_ENABLE: u16 = 1 << 12;
    /// Power down.
    pub const POWER_DOWN: u16 = 1 << 11;
    /// Electrical isolation from the MII.
    pub const ISOLATE: u16 = 1 << 10;
    /// Restarts auto-negotiation; clears itself.
    pub const AUTONEG_RESTART: u16 = 1 << 9;
    /// Full duplex, if auto-negotiation is off.
    pub const FULL_DUPLEX: u16 = 1 << 8;
    /// Collision test.
    pub const COLLISION_TEST: u16 = 1 << 7;
}

/// Bits of the basic mode status register.
pub mod bmsr {
    /// Auto-negotiation is complete.
    pub const AUTONEG_COMPLETE: u16 = 1 << 5;
    /// The partner reports a fault; latched high.
    pub const REMOTE_FAULT: u16 = 1 << 4;
    /// The PHY supports auto-negotiation.
    pub const AUTONEG_ABLE: u16 = 1 << 3;
    /// The link is up; latched low until read: the first of two reads reports a loss since the last
    /// read, the second the present state.
    pub const LINK_UP: u16 = 1 << 2;
}

/// Bits of the auto-negotiation expansion register.
pub mod aner {
    /// More than one technology was detected without auto-negotiation; latched high.
    pub const PARALLEL_DETECTION_FAULT: u16 = 1 << 4;
    /// A page of the partner was received; latched high.
    pub const PAGE_RECEIVED: u16 = 1 << 1;
    /// The partner supports auto-negotiation. If it does not, the link came up by parallel
    /// detection: half duplex.
    pub const PARTNER_AUTONEG_ABLE: u16 = 1 << 0;
}
