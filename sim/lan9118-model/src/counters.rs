//! What a chip saw.

/// The traffic on the host's bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct BusCounters {
    /// Reads of all kinds.
    pub reads: u64,
    /// Writes of all kinds.
    pub writes: u64,
    /// Reads of `BYTE_TEST`: what is spent on passing the time.
    pub byte_tests: u64,
    /// Words read from the receive data FIFO.
    pub rx_words: u64,
    /// Words written to the transmit data FIFO, commands included.
    pub tx_words: u64,
    /// MDIO frames.
    pub mdio: u64,
}

impl BusCounters {
    /// Accesses of all kinds.
    #[must_use]
    pub const fn accesses(&self) -> u64 {
        self.reads + self.writes
    }
}

/// What became of every frame: the stats that a driver's counters are compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ModelStats {
    /// Frames that arrived at the chip's end of the wire.
    pub arrived: u64,
    /// Put into the receive FIFO without an error.
    pub received: u64,
    /// Put into it with an error in their status.
    pub received_bad: u64,
    /// Refused by the address filter.
    pub filtered: u64,
    /// Runts that were dropped.
    pub runts: u64,
    /// PAUSE frames that were obeyed.
    pub paused: u64,
    /// Dropped for want of room, as `RX_DROP` counts them.
    pub dropped: u64,
    /// Came while the receiver was off, the chip asleep or in a reset.
    pub deaf: u64,
    /// Frames that were in the receive FIFO and were thrown away, by a dump or a reset.
    pub rx_dropped: u64,
    /// Frames that were written to the transmit FIFO as a whole.
    pub tx_written: u64,
    /// Transmitted, as far as the chip knows.
    pub transmitted: u64,
    /// Given up by the chip.
    pub tx_failed: u64,
    /// Thrown away before they went out, by a dump or a reset.
    pub tx_lost: u64,
    /// PAUSE frames sent.
    pub pauses_sent: u64,
}
