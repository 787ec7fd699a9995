//! What a port saw, and what it complains of.

/// What became of every frame: the stats that a driver's counters are compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ModelStats {
    /// Frames that came from the PHY, of whatever length.
    pub arrived: u64,
    /// Of those: received, whole or not.
    pub received: u64,
    /// Of those: lost because the receiver was not running, or had not been when they began.
    pub unarmed: u64,
    /// Of those: lost because the receiver was stopped between their last bit and their event.
    pub stopped: u64,
    /// Among `received`: longer than the buffer, and cut off there.
    pub clipped: u64,
    /// Among `received`: shorter than 64 bytes with FCS.
    pub runts: u64,
    /// Among `received`: the rest of one that had begun before the receiver was started.
    pub rests: u64,
    /// Among `received`: a byte of garbage was added.
    pub strays: u64,
    /// Carriers without a frame that a started receiver saw.
    pub false_carriers: u64,
    /// Transmissions started; with those that are held back, hang, or run.
    pub tx_started: u64,
    /// Of those: went to the PHY, down to the last bit. Whether they got anywhere is the PHY's business.
    pub tx_sent: u64,
    /// Of those: broken off by the start of another one.
    pub tx_truncated: u64,
    /// Of those: broken off by the host.
    pub tx_aborted: u64,
}

impl ModelStats {
    /// Transmissions that were started and have not ended: 0 or 1.
    #[must_use]
    pub const fn tx_running(&self) -> u64 {
        self.tx_started - self.tx_sent - self.tx_truncated - self.tx_aborted
    }

    /// Whether everything that came is accounted for. Always so, but between the last bit of a frame and its event.
    #[must_use]
    pub const fn balanced(&self) -> bool {
        self.arrived == self.received + self.unarmed + self.stopped
    }
}

/// What must not be done with such a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ViolationKind {
    /// The receiver was started while it was running.
    RxStartedTwice,
    /// The receiver was started while the frame received last had not been taken.
    RxNotTaken,
    /// The receiver was given a buffer of no bytes.
    RxNoBuffer,
    /// A transmission was started during another one, or in the gap after it.
    TxBusy,
    /// A transmission of no bytes, or of more than there are in its buffer: that one never ends.
    TxLength,
    /// A frame of less than 64 bytes with FCS was sent.
    TxRunt,
    /// A frame without a right FCS was sent.
    TxBadFcs,
    /// A transmission was started while the link was not 100 Mbit/s full duplex.
    TxWrongMode,
}

/// One misuse.
pub type Violation = ethdev_sim::model::Violation<ViolationKind>;
