//! Kinds of protocol violations.

/// A rule that the host violated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ViolationKind {
    /// The receiver was started while it was running.
    RxStartedTwice,
    /// The receiver was started while the frame received last had not been taken.
    RxNotTaken,
    /// The receiver was given an empty buffer.
    RxNoBuffer,
    /// A transmission was started during another one, or in the gap after it.
    TxBusy,
    /// A transmission of no bytes, or of more bytes than the buffer has. It never ends.
    TxLength,
    /// A frame of less than 64 bytes with FCS was sent.
    TxRunt,
    /// A frame with a wrong FCS was sent.
    TxBadFcs,
    /// A transmission was started while the link was not 100 Mbit/s full duplex.
    TxWrongMode,
}

/// One protocol violation.
pub type Violation = ethdev_sim::model::Violation<ViolationKind>;
