//! Reference counters of the frames.

/// Reference counters of the frames, for comparison with those of a driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ModelStats {
    /// Frames that came in while the MAC was enabled, with runts.
    pub rx_frames: u64,
    /// Frames that came in while the MAC was disabled.
    pub rx_disabled: u64,
    /// Frames of `rx_frames` shorter than 64 bytes.
    pub rx_runts: u64,
    /// PAUSE frames of `rx_frames`.
    pub rx_pauses: u64,
    /// Frames of `rx_frames` that did not pass the filter.
    pub rx_filtered: u64,
    /// Frames of `rx_frames` that did not fit into the FIFO.
    pub rx_overruns: u64,
    /// Frames whose last descriptor was closed, with or without an error.
    pub rx_closed: u64,
    /// Whole frames lost in the FIFO when the MAC was disabled.
    pub rx_fifo_lost: u64,
    /// Frames whose last bit was sent.
    pub tx_frames: u64,
    /// Frames dropped after collisions.
    pub tx_aborted: u64,
}
