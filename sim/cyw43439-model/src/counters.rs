//! What a chip saw.

use core::time::Duration;

/// The traffic on the bus.
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
    /// Looks at the interrupts or the status while function 2 was ready and no frame was announced: what polling costs.
    pub idle_looks: u64,
    /// Ioctls that arrived.
    pub ioctls: u64,
    /// How long chip select was asserted.
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

/// What became of every frame: the stats that a driver's counters are compared with.
///
/// Frames are Ethernet frames. "For the host" is from the air, "from the host" is into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ModelStats {
    /// Frames for the host that arrived at the access points' end of the wire, and copies that a fault made.
    pub arrived: u64,
    /// Read by the host to their end, as they came.
    pub delivered: u64,
    /// Read by the host, spoiled by a fault.
    pub delivered_spoiled: u64,
    /// Came with a wrong FCS, shorter than an Ethernet header, or longer than 1514 bytes: an access point drops them.
    pub bad: u64,
    /// Came while the chip had no access to a network: off, not started, not joined, keys missing.
    pub not_joined: u64,
    /// For other stations.
    pub filtered_unicast: u64,
    /// Multicasts that are not on the list.
    pub filtered_multicast: u64,
    /// Lost in the air, by a fault.
    pub lost_in_air: u64,
    /// Lost in the firmware, by a fault.
    pub lost_by_fault: u64,
    /// The firmware's queue was full.
    pub overflowed: u64,
    /// The host broke off the read, told the chip to drop the frame, or read another length than announced.
    pub aborted: u64,
    /// Waited in the chip when it lost its power, or its network.
    pub lost_in_reset: u64,

    /// Frames from the host that arrived whole.
    pub tx_accepted: u64,
    /// Sent into the network.
    pub transmitted: u64,
    /// Lost in the air, by a fault. The firmware knows nothing of it.
    pub tx_lost_in_air: u64,
    /// Dropped without a network.
    pub tx_not_joined: u64,
    /// Dropped because they are longer than 1514 bytes, or shorter than an Ethernet header.
    pub tx_bad_length: u64,
    /// Dropped because the host had no credit for them.
    pub tx_no_credit: u64,
    /// Waited in the chip when it lost its power.
    pub tx_lost_in_reset: u64,
    /// What the host wrote to the frame function and was no frame: wrong header, unknown channel, cut off.
    pub tx_malformed: u64,

    /// Replies to ioctls that the host read.
    pub replies: u64,
    /// Events that the host read.
    pub events: u64,
    /// Frames without anything in them, or with noise in them, that the host read.
    pub junk: u64,
    /// Replies and events that were never read: the host told the chip to drop them, they were lost by a fault, or the power went.
    pub control_lost: u64,
}

impl ModelStats {
    /// Frames for the host that wait in the chip, or are still under way in the air.
    #[must_use]
    pub const fn waiting(&self) -> u64 {
        self.arrived - self.settled()
    }

    /// Frames from the host that wait in the chip.
    #[must_use]
    pub const fn tx_waiting(&self) -> u64 {
        self.tx_accepted - self.tx_settled()
    }

    /// Whether no frame was accounted for twice. Always so.
    #[must_use]
    pub const fn balanced(&self) -> bool {
        self.arrived >= self.settled() && self.tx_accepted >= self.tx_settled()
    }

    const fn settled(&self) -> u64 {
        self.delivered
            + self.delivered_spoiled
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
