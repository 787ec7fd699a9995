//! Reference counters of a port.

/// Reference counters of the frames, for comparison with those of a driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ModelStats {
    /// Frames that came from the PHY, of any length.
    pub arrived: u64,
    /// Frames of `arrived` that were received, whole or not.
    pub received: u64,
    /// Frames of `arrived` that were lost because the receiver was not running when they began.
    pub unarmed: u64,
    /// Frames of `arrived` that were lost because the receiver was stopped between their last bit
    /// and their event.
    pub stopped: u64,
    /// Frames of `received` that were longer than the buffer, and were cut off there.
    pub truncated: u64,
    /// Frames of `received` shorter than 64 bytes with FCS.
    pub runts: u64,
    /// Frames of `received` of which the beginning is missing: they had begun before the receiver
    /// was started.
    pub partial: u64,
    /// Frames of `received` to which a random byte was added.
    pub stray_bytes: u64,
    /// Carriers without a frame while the receiver was running.
    pub false_carriers: u64,
    /// Transmissions started, with those that are held back, hang, or run.
    pub tx_started: u64,
    /// Transmissions that reached the PHY to the last bit. What the PHY did with them is in its own
    /// counters.
    pub tx_sent: u64,
    /// Transmissions that were cut off by the start of another one.
    pub tx_truncated: u64,
    /// Transmissions that were aborted by the host.
    pub tx_aborted: u64,
}

impl ModelStats {
    /// Transmissions that were started and have not ended: 0 or 1.
    #[must_use]
    pub const fn tx_running(&self) -> u64 {
        self.tx_started - self.tx_sent - self.tx_truncated - self.tx_aborted
    }

    /// Whether every frame is counted under one outcome. Holds always, except between the last bit
    /// of a frame and its event.
    #[must_use]
    pub const fn balanced(&self) -> bool {
        self.arrived == self.received + self.unarmed + self.stopped
    }
}
