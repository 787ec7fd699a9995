//! Counters of the bus and of the frames.

use core::time::Duration;

/// Counters of the SPI bus.
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
    /// Total time of chip select low.
    pub selected: Duration,
}

/// Reference counters of all frames, to compare a driver's counters with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ModelStats {
    /// Frames that arrived at the chip's end of the wire.
    pub arrived: u64,
    /// Transmitted frames that a loopback returned.
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
    /// Arrived while the receiver was off: RXEN or MARXEN clear, asleep, in reset, without a link.
    pub rx_disabled: u64,
    /// Pause frames, and other control frames without PASSALL.
    pub control: u64,
    /// Dropped by erratum 17, or lost in a loopback by erratum 9 or 10.
    pub lost_to_errata: u64,
    /// In the FIFO and counted by EPKTCNT when the chip was reset.
    pub lost_in_reset: u64,
    /// Transmissions started.
    pub tx_started: u64,
    /// Transmitted, as the chip reports.
    pub transmitted: u64,
    /// Transmitted without a link. The chip reports them like the others; they are part of
    /// `transmitted`.
    pub tx_without_link: u64,
    /// Aborted by the chip.
    pub tx_aborted: u64,
    /// Stalled by erratum 12.
    pub tx_stalled: u64,
    /// Cancelled by the host: TXRTS cleared, TXRST, or a reset.
    pub tx_cancelled: u64,
}

impl ModelStats {
    /// Transmissions that have started and not ended: 0 or 1.
    #[must_use]
    pub const fn tx_running(&self) -> u64 {
        self.tx_started - self.transmitted - self.tx_aborted - self.tx_stalled - self.tx_cancelled
    }

    /// Whether every frame that arrived is counted under exactly one outcome.
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
                + self.rx_disabled
                + self.control
                + self.lost_to_errata
    }
}
