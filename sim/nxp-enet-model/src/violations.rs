//! Kinds of protocol violations.

/// A rule of the reference manual or of an erratum that the host violated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ViolationKind {
    /// An access to an offset without a register, or that is not a multiple of four.
    NoRegister,
    /// A 1 was written to a reserved or read-only bit.
    ReservedBits,
    /// A register was changed that must not be changed while ECR\[ETHEREN\] is set.
    ChangedWhileEnabled,
    /// The MAC was enabled with settings that contradict each other, or was written to in a reset.
    BadSettings,
    /// A ring or a buffer is not aligned to 64 bytes.
    Misaligned,
    /// RCR\[PADEN\] is set: frames without payload halt the uDMA of i.MX 6.
    PadRemoval,
    /// A management frame was started during another one.
    MiiBusy,
    /// MDC is above 2.5 MHz.
    MdcTooFast,
    /// A transmit descriptor is empty, or its frame is too long.
    BadLength,
    /// A frame was sent without FCS.
    NoFcs,
    /// The host took back a descriptor that the uDMA owned.
    TakenBack,
}

/// One protocol violation.
pub type Violation = ethdev_sim::model::Violation<ViolationKind>;
