//! Kinds of protocol violations.

/// A rule of the data sheet that the host violated, or something that this model does not
/// implement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ViolationKind {
    /// An access to an offset without a register, or that is not a multiple of four.
    UndefinedRegister,
    /// A write to a read-only register, or a read of a write-only one.
    WrongDirection,
    /// A reserved bit was not written as the data sheet requires.
    ReservedBits,
    /// A register was read sooner after a write, or after a read from a FIFO, than tables 6.1 and
    /// 6.2 allow.
    TooSoon,
    /// An access while the chip is not ready: after power-on, in a reset, in a power-saving state.
    NotReady,
    /// A write before the first read after power-on, a reset or a wake-up. It has no effect.
    WriteBeforeRead,
    /// A MAC register was accessed during another access to one, or does not exist.
    MacRegister,
    /// An MDIO frame was started during another one.
    MiiBusy,
    /// The MAC address was written while the EEPROM is being read, which overwrites it.
    AddressRace,
    /// A read from an empty receive FIFO.
    RxUnderrun,
    /// A read from the empty transmit status FIFO.
    TxStatusUnderrun,
    /// Commands and data that contradict each other were written to the transmit FIFO.
    TxProtocol,
    /// A write to the full transmit data FIFO.
    TxOverrun,
    /// A FIFO was emptied or resized while it was in use.
    FifoInUse,
    /// A size of the transmit FIFO that is not in table 5.3.
    BadFifoSize,
    /// FDPX and RCVOWN contradict each other: the MAC receives its own frames in half duplex, or
    /// receives nothing while it sends in full duplex.
    DuplexMismatch,
    /// A function of the chip that this model does not implement.
    NotModelled,
}

/// One protocol violation.
pub type Violation = ethdev_sim::model::Violation<ViolationKind>;
