//! Reference counters of MDIO, of the frames and of the link.

/// Traffic on MDIO.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct MdioCounters {
    /// Reads, at any address.
    pub reads: u64,
    /// Writes, at any address.
    pub writes: u64,
    /// Accesses to addresses where this PHY does not answer.
    pub other_address: u64,
    /// Accesses that failed by an injected fault.
    pub failed: u64,
    /// Reads whose value was changed by an injected fault.
    pub corrupted: u64,
}

impl MdioCounters {
    /// All accesses.
    #[must_use]
    pub const fn accesses(&self) -> u64 {
        self.reads + self.writes
    }
}

/// Reference counters of the frames between MAC and cable, and of the link, for comparison with
/// those of a driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ModelStats {
    /// Frames from the MAC.
    pub tx_frames: u64,
    /// Frames of `tx_frames` sent on the cable.
    pub tx_sent: u64,
    /// Frames of `tx_frames` lost because there was no link, or the PHY was isolated, in
    /// power-down, in reset or without clock.
    pub tx_no_link: u64,
    /// Frames of `tx_frames` lost because the MAC was set to another speed than the PHY.
    pub tx_wrong_speed: u64,
    /// Frames of `tx_frames` returned to the MAC by the near-end loopback.
    pub tx_looped: u64,
    /// Frames from the cable.
    pub rx_frames: u64,
    /// Frames of `rx_frames` delivered to the MAC, corrupted or not.
    pub rx_delivered: u64,
    /// Frames of `rx_frames` dropped because there was no link, the PHY was isolated or looping
    /// back, or no MAC was attached.
    pub rx_dropped: u64,
    /// Frames of `rx_frames` lost because the MAC was set to another speed than the PHY.
    pub rx_wrong_speed: u64,
    /// Frames of `rx_delivered` with symbol errors.
    pub rx_symbol_errors: u64,
    /// Frames returned to the cable by the far loopback.
    pub far_looped: u64,
    /// Number of times that the link came up.
    pub link_ups: u64,
    /// Number of times that the link was lost.
    pub link_downs: u64,
    /// Number of times that auto-negotiation started.
    pub negotiations: u64,
    /// Soft resets started.
    pub soft_resets: u64,
    /// Hardware resets ended.
    pub hard_resets: u64,
    /// Number of times that energy-detect power-down powered the chip down.
    pub sleeps: u64,
    /// Number of times that the powered-down chip missed a cable that was plugged in.
    pub missed_wakes: u64,
}

impl ModelStats {
    /// Whether every frame is counted under one outcome. Holds always.
    #[must_use]
    pub const fn balanced(&self) -> bool {
        self.tx_frames == self.tx_sent + self.tx_no_link + self.tx_wrong_speed + self.tx_looped
            && self.rx_frames == self.rx_delivered + self.rx_dropped + self.rx_wrong_speed
    }
}
