//! What a PHY saw.

/// The traffic on MDIO.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct MdioCounters {
    /// Reads, of whatever address.
    pub reads: u64,
    /// Writes, to whatever address.
    pub writes: u64,
    /// Accesses to an address where this PHY does not answer.
    pub elsewhere: u64,
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

/// What became of every frame between MAC and cable, and of the link: the stats that a driver's counters are compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ModelStats {
    /// Frames that the MAC handed over.
    pub tx_frames: u64,
    /// Of those: put on the cable.
    pub tx_sent: u64,
    /// Of those: gone because there was no link, or the PHY was isolated, in power-down, in reset or without clock.
    pub tx_no_link: u64,
    /// Of those: gone because the MAC was set to another speed than the PHY.
    pub tx_wrong_speed: u64,
    /// Of those: sent back to the MAC by the near-end loopback.
    pub tx_looped: u64,
    /// Frames that came from the cable.
    pub rx_frames: u64,
    /// Of those: handed to the MAC, damaged or not.
    pub rx_delivered: u64,
    /// Of those: nobody to hand them to: no link (yet), isolated, far loopback, or no MAC attached.
    pub rx_unheard: u64,
    /// Of those: gone because the MAC was set to another speed than the PHY.
    pub rx_wrong_speed: u64,
    /// Frames among `rx_delivered` with symbol errors.
    pub rx_symbol_errors: u64,
    /// Frames sent back to the cable by the far loopback.
    pub far_looped: u64,
    /// Times that the link came up.
    pub link_ups: u64,
    /// Times that the link was lost.
    pub link_downs: u64,
    /// Times that auto-negotiation began anew.
    pub negotiations: u64,
    /// Soft resets begun.
    pub soft_resets: u64,
    /// Hardware resets ended.
    pub hard_resets: u64,
    /// Times that energy-detect power-down fell asleep.
    pub sleeps: u64,
    /// Times that it slept through a cable being plugged in.
    pub missed_wakes: u64,
}

impl ModelStats {
    /// Whether every frame is accounted for. Always so.
    #[must_use]
    pub const fn balanced(&self) -> bool {
        self.tx_frames == self.tx_sent + self.tx_no_link + self.tx_wrong_speed + self.tx_looped
            && self.rx_frames == self.rx_delivered + self.rx_unheard + self.rx_wrong_speed
    }
}
