//! What a chip saw.

use core::time::Duration;

/// The traffic on the SPI bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct BusCounters {
    /// Assertions of chip select.
    pub transactions: u64,
    /// Bytes, opcodes included.
    pub bytes: u64,
    /// Reads of control registers.
    pub rcr: u64,
    /// Reads of buffer memory.
    pub rbm: u64,
    /// Writes of control registers.
    pub wcr: u64,
    /// Writes of buffer memory.
    pub wbm: u64,
    /// Bit fields set.
    pub bfs: u64,
    /// Bit fields cleared.
    pub bfc: u64,
    /// System resets.
    pub src: u64,
    /// Bytes of buffer memory read.
    pub rbm_bytes: u64,
    /// Bytes of buffer memory written.
    pub wbm_bytes: u64,
    /// How long chip select was asserted.
    pub selected: Duration,
}

/// What became of every frame: the stats that a driver's counters are compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ModelStats {
    /// Frames that arrived at the chip's end of the wire.
    pub arrived: u64,
    /// Own frames that came back through a loopback.
    pub looped_back: u64,
    /// Frames put into the FIFO.
    pub received: u64,
    /// Rejected by the filters.
    pub filtered: u64,
    /// Dropped for a wrong FCS (CRCEN).
    pub bad_crc: u64,
    /// Shorter than 18 bytes.
    pub runts: u64,
    /// Longer than MAMXFL.
    pub giants: u64,
    /// Aborted because the FIFO was full.
    pub overflowed: u64,
    /// Aborted because EPKTCNT was 255.
    pub packet_count_full: u64,
    /// Came while the chip did not receive: RXEN or MARXEN off, asleep, in reset, without a link.
    pub deaf: u64,
    /// Pause frames, and other control frames without PASSALL.
    pub control: u64,
    /// Killed by erratum 17, or lost in an unreliable loopback.
    pub killed: u64,
    /// Were in the FIFO and counted by EPKTCNT when a reset took them away.
    pub lost_in_reset: u64,
    /// Transmissions started.
    pub tx_started: u64,
    /// Transmitted, as far as the chip knows.
    pub transmitted: u64,
    /// Frames sent while there was no link. Nobody heard them, and the chip reports them like any other.
    pub tx_unheard: u64,
    /// Aborted by the chip.
    pub tx_aborted: u64,
    /// Hit by erratum 12: started and never moved.
    pub tx_stalled: u64,
    /// Broken off by the host: TXRTS cleared, TXRST, or a reset.
    pub tx_cancelled: u64,
}

impl ModelStats {
    /// Transmissions that were started and have not ended: 0 or 1.
    #[must_use]
    pub const fn tx_running(&self) -> u64 {
        self.tx_started - self.transmitted - self.tx_aborted - self.tx_stalled - self.tx_cancelled
    }

    /// Whether everything that came is accounted for. Always so.
    #[must_use]
    pub const fn balanced(&self) -> bool {
        self.arrived + self.looped_back
            == self.received
                + self.filtered
                + self.bad_crc
                + self.runts
                + self.giants
                + self.overflowed
                + self.packet_count_full
                + self.deaf
                + self.control
                + self.killed
    }
}
