//! Misuse of the chip, as it is reported.

/// What the data sheet forbids, or what this model does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ViolationKind {
    /// An offset that is not a multiple of four, or where no register is.
    UndefinedRegister,
    /// A write to a read-only register, or a read of a write-only one.
    WrongDirection,
    /// A 1 written to a reserved bit, or another value than the one that has to be written.
    ReservedBits,
    /// A register was read sooner after a write, or after a read from a FIFO, than tables 6.1 and 6.2 allow.
    TooSoon,
    /// An access while the chip is not ready: after power-on, in a reset, in a power-saving state.
    NotReady,
    /// A write before the first read after power-on, a reset or a wake-up. It does nothing.
    WriteBeforeRead,
    /// A MAC register was used while another access to one was going on, or one that does not exist.
    MacRegister,
    /// An MDIO frame was begun while another was going on, or its data were taken before its end.
    MiiBusy,
    /// The station's address was written while the EEPROM is being read, which overwrites it.
    AddressRace,
    /// The host read from a receive FIFO what was not there.
    RxUnderrun,
    /// The host read a transmit status that was not there.
    TxStatusUnderrun,
    /// Commands or data that do not go together were written to the transmit FIFO.
    TxProtocol,
    /// More was written to the transmit data FIFO than it had room for.
    TxOverrun,
    /// A FIFO was emptied or resized while it was in use.
    FifoInUse,
    /// A size of the transmit FIFO that table 5.3 does not have.
    BadFifoSize,
    /// The MAC hears itself in half duplex, or cannot hear others for that in full duplex.
    DuplexMismatch,
    /// Something that the chip can do and this model cannot.
    NotModelled,
}

/// One misuse of the chip.
pub type Violation = ethdev_sim::model::Violation<ViolationKind>;
