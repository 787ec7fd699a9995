//! Counters of the bus, and reference counters of the frames.

/// Traffic on the host's bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct BusCounters {
    /// Reads of any register.
    pub reads: u64,
    /// Writes of any register.
    pub writes: u64,
    /// Reads of `BYTE_TEST`, with which drivers pass the time.
    pub byte_tests: u64,
    /// Words read from the receive data FIFO.
    pub rx_words: u64,
    /// Words written to the transmit data FIFO, commands included.
    pub tx_words: u64,
    /// MDIO frames.
    pub mdio: u64,
}

impl BusCounters {
    /// Reads and writes.
    #[must_use]
    pub const fn accesses(&self) -> u64 {
        self.reads + self.writes
    }
}

/// Reference counters of the frames, for comparison with those of a driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ModelStats {
    /// Frames that arrived at the chip's end of the wire.
    pub arrived: u64,
    /// Put into the receive FIFO without an error.
    pub received: u64,
    /// Put into it with an error in their status.
    pub received_bad: u64,
    /// Dropped by the address filter.
    pub filtered: u64,
    /// Runts that were dropped.
    pub runts: u64,
    /// PAUSE frames that took effect.
    pub paused: u64,
    /// Dropped because the receive FIFO was full, as `RX_DROP` counts them.
    pub dropped: u64,
    /// Dropped because the receiver was off, or the chip asleep or in a reset.
    pub rx_off: u64,
    /// Dropped from the receive FIFO by a dump or a reset.
    pub rx_dropped: u64,
    /// Frames written to the transmit FIFO as a whole.
    pub tx_written: u64,
    /// Transmitted without an error.
    pub transmitted: u64,
    /// Transmitted with an error, or dropped after collisions.
    pub tx_failed: u64,
    /// Dropped before they were sent, by a dump or a reset.
    pub tx_lost: u64,
    /// PAUSE frames sent.
    pub pauses_sent: u64,
}
