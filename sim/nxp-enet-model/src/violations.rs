//! Misuse of the chip, as it is reported.

/// What the reference manual or an erratum forbids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ViolationKind {
    /// An access to an offset where no register is, or that is no multiple of four.
    NoRegister,
    /// A 1 written to a bit that is reserved or read-only.
    ReservedBits,
    /// A register was changed that must not be while ECR\[ETHEREN\] is set.
    ChangedWhileEnabled,
    /// The MAC was enabled with settings that do not go together.
    BadSettings,
    /// Rings or buffers that are not aligned.
    Misaligned,
    /// RCR\[PADEN\]: frames without payload bring the uDMA of i.MX 6 to a halt.
    PadRemoval,
    /// A management frame was started during another one.
    MiiBusy,
    /// MDC runs at more than 2.5 MHz.
    MdcTooFast,
    /// A transmit descriptor without data, or with more than a frame may have.
    BadLength,
    /// A frame was sent without FCS.
    NoFcs,
    /// The host took a descriptor back that belonged to the uDMA.
    TakenBack,
}

/// One misuse of the chip.
pub type Violation = ethdev_sim::model::Violation<ViolationKind>;
