//! Kinds of protocol violations.

/// A rule of the data sheet or of the standard that the host or the MAC violated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ViolationKind {
    /// Less than 400 ns from one rising edge of MDC to the next, or an MDC clock above 2.5 MHz.
    MdcTooFast,
    /// MDC was high or low for less than 160 ns.
    MdcPulse,
    /// MDIO changed less than 10 ns before or after the rising edge of MDC at which the PHY sampled
    /// it.
    SetupHold,
    /// Fewer than 32 ones before a frame. This PHY requires the preamble (BMSR bit 6).
    ShortPreamble,
    /// A start or an opcode that clause 22 does not define.
    BadFrame,
    /// The turnaround of a write was not 10, or that of a read was driven.
    Turnaround,
    /// Host and PHY drove MDIO at the same time.
    Contention,
    /// A reserved bit was not written as the data sheet requires.
    ReservedBits,
    /// A write to a read-only register.
    ReadOnly,
    /// A write to a register that the part does not have, or does not document.
    UnknownRegister,
    /// The soft reset bit was written together with others, which have no effect.
    ResetWithOthers,
    /// A write during a soft reset. It has no effect.
    WriteInReset,
    /// Power-down was set while auto-negotiation was enabled.
    PowerDownNegotiating,
    /// Near-end loopback was set while auto-negotiation was enabled.
    LoopbackNegotiating,
    /// nRST was low for less than 100 µs.
    ShortReset,
    /// nRST rose less than 25 ms after power-up.
    EarlyReset,
    /// The PHY was used without a hardware reset after power-up.
    NeverReset,
    /// nRST rose without `REF_CLK`.
    NoClock,
    /// The MAC sent while it was set to another speed than the PHY.
    WrongSpeed,
    /// The MAC sent while it was set to another duplex than the PHY.
    WrongDuplex,
}

/// One protocol violation.
pub type Violation = ethdev_sim::model::Violation<ViolationKind>;
