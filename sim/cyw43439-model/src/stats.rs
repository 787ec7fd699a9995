//! Counters of the bus and of the frames.

use core::time::Duration;

/// Counters of the bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct BusCounters {
    /// Assertions of chip select with at least a command.
    pub transactions: u64,
    /// Bytes in both directions: commands, padding, data, status words.
    pub bytes: u64,
    /// Reading transactions by function: bus registers, backplane, frames, Bluetooth.
    pub reads: [u64; 4],
    /// Writing transactions by function.
    pub writes: [u64; 4],
    /// Bytes of the reading transactions by function, all included.
    pub read_bytes: [u64; 4],
    /// Bytes of the writing transactions by function, all included.
    pub write_bytes: [u64; 4],
    /// Reads of the interrupt or status register while function 2 was ready and no frame was
    /// announced: the cost of polling.
    pub idle_polls: u64,
    /// Ioctls that arrived.
    pub ioctls: u64,
    /// Total time of chip select low.
    pub selected: Duration,
}

/// One transaction on the bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Transaction {
    /// When chip select fell.
    pub at: Duration,
    /// Whether the host wrote.
    pub write: bool,
    /// Function: 0 bus registers, 1 backplane, 2 frames, 3 Bluetooth.
    pub function: u8,
    /// Address in the function, as the command says.
    pub address: u32,
    /// Bytes, as the command says.
    pub len: usize,
    /// Words clocked, command and status included.
    pub words: u64,
}

/// Reference counters of all frames, to compare a driver's counters with.
///
/// Ethernet frames. "For the host" is from the air, "from the host" is into the air.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ModelStats {
    /// Frames for the host that arrived at the access points' end of the wire, and duplicates made
    /// by a fault.
    pub arrived: u64,
    /// Read by the host completely and unchanged.
    pub delivered: u64,
    /// Read by the host, corrupted by a fault.
    pub delivered_corrupted: u64,
    /// Dropped by the access point: wrong FCS, shorter than an Ethernet header, or longer than 1514
    /// bytes.
    pub bad: u64,
    /// Arrived while the chip had no access to a network: off, not started, not joined, no keys.
    pub not_joined: u64,
    /// For other stations.
    pub filtered_unicast: u64,
    /// Multicast frames that are not on the list.
    pub filtered_multicast: u64,
    /// Lost in the air, by a fault.
    pub lost_in_air: u64,
    /// Lost in the firmware, by a fault.
    pub lost_by_fault: u64,
    /// Dropped because the firmware's queue was full.
    pub overflowed: u64,
    /// The host cut off the read, had the chip drop the frame, or read less than announced.
    pub aborted: u64,
    /// Queued in the chip when it lost its power or its network.
    pub lost_in_reset: u64,

    /// Frames from the host that arrived completely.
    pub tx_accepted: u64,
    /// Sent into the network.
    pub transmitted: u64,
    /// Lost in the air by a fault. The firmware does not notice.
    pub tx_lost_in_air: u64,
    /// Dropped without a network.
    pub tx_not_joined: u64,
    /// Dropped because they were longer than 1514 bytes or shorter than an Ethernet header.
    pub tx_bad_length: u64,
    /// Dropped because the host had no credit for them.
    pub tx_no_credit: u64,
    /// Queued in the chip when it lost its power.
    pub tx_lost_in_reset: u64,
    /// Writes of the host to function 2 that were not a frame: wrong header, unknown channel, cut
    /// off.
    pub tx_malformed: u64,

    /// Replies to ioctls that the host read.
    pub replies: u64,
    /// Events that the host read.
    pub events: u64,
    /// Frames without contents or with random contents that the host read.
    pub junk: u64,
    /// Replies and events that were not read: dropped by the host, lost by a fault, or by loss of
    /// power.
    pub control_lost: u64,
}

impl ModelStats {
    /// Frames for the host that are queued in the chip or still in the air.
    #[must_use]
    pub const fn waiting(&self) -> u64 {
        self.arrived - self.settled()
    }

    /// Frames from the host that are queued in the chip.
    #[must_use]
    pub const fn tx_waiting(&self) -> u64 {
        self.tx_accepted - self.tx_settled()
    }

    /// Whether no frame is counted under two outcomes.
    #[must_use]
    pub const fn balanced(&self) -> bool {
        self.arrived >= self.settled() && self.tx_accepted >= self.tx_settled()
    }

    const fn settled(&self) -> u64 {
        self.delivered
            + self.delivered_corrupted
            + self.bad
            + self.not_joined
            + self.filtered_unicast
            + self.filtered_multicast
            + self.lost_in_air
            + self.lost_by_fault
            + self.overflowed
            + self.aborted
            + self.lost_in_reset
    }

    const fn tx_settled(&self) -> u64 {
        self.transmitted
            + self.tx_lost_in_air
            + self.tx_not_joined
            + self.tx_bad_length
            + self.tx_no_credit
            + self.tx_lost_in_reset
    }
}
