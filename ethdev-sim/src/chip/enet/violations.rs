//! Misuse of the chip, as it is reported.

use core::fmt;
use core::time::Duration;

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
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// When.
    pub at: Duration,
    /// What is wrong.
    pub kind: ViolationKind,
    /// The values in question.
    pub detail: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} at {:?}: {}", self.kind, self.at, self.detail)
    }
}
