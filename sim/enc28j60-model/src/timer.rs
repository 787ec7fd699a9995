//! The timers of the chip.

/// A timer that a part of the chip has started.
///
/// Each carries the number of the operation that it ends: a timer whose operation was cancelled has
/// no effect.
#[derive(Debug)]
pub(crate) enum Timer {
    /// The oscillator runs: CLKRDY is set.
    OscillatorReady {
        /// Number of the start.
        start: u64,
    },
    /// A DMA operation ends.
    DmaDone {
        /// Number of the operation.
        operation: u64,
        /// The addresses that it reads.
        source: Vec<u16>,
        /// Whether it computes a checksum instead of copying.
        is_checksum: bool,
    },
    /// An MII operation ends.
    MiiDone {
        /// Number of the operation.
        operation: u64,
        /// What it does.
        access: MiiAccess,
    },
    /// PHCON1.PRST reads 0 again.
    PhyResetDone {
        /// Number of the MII operation that set it.
        operation: u64,
    },
    /// The PHY has found its link partner, if there is one.
    LinkReady {
        /// Number of the search.
        search: u64,
    },
    /// A transmission that waited begins.
    TxBegin {
        /// Number of the transmission.
        transmission: u64,
        /// Collisions so far.
        collisions: u8,
    },
    /// A transmission ends.
    TxDone {
        /// Number of the transmission.
        transmission: u64,
        /// How it ends.
        end: TxEnd,
        /// The transmit status vector.
        status: u64,
        /// The frame, with its FCS, where it is looped back to the receiver.
        looped_back: Option<Vec<u8>>,
    },
}

/// An MII operation.
#[derive(Debug, Clone, Copy)]
pub(crate) enum MiiAccess {
    /// Reads the PHY register at this address.
    Read(u8),
    /// Writes this value to the PHY register at this address.
    Write(u8, u16),
}

/// How a transmission ends.
#[derive(Debug, Clone, Copy)]
pub(crate) enum TxEnd {
    /// The frame was transmitted.
    Sent,
    /// Aborted, with these bits in the transmit status vector.
    Aborted(u64),
    /// Erratum 13, without TXIF.
    Stuck {
        /// Whether TXERIF is set.
        error: bool,
    },
}
