//! Misuse of the chip, as it is reported.

use core::fmt;
use core::time::Duration;

/// What the data sheet or the errata forbid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ViolationKind {
    /// SCK above 20 MHz.
    SckTooFast,
    /// Chip select rose earlier after the last bit than 10 ns, or 210 ns for MAC and MII registers.
    ShortHold,
    /// Chip select was high for less than 50 ns.
    ShortGap,
    /// An instruction that does not exist.
    BadInstruction,
    /// An instruction without its data byte.
    Incomplete,
    /// The bus was used in the middle of another transaction.
    BusReentered,
    /// A reserved address.
    ReservedAddress,
    /// A 1 written to a reserved or unimplemented bit, in a control register or a PHY register.
    ReservedBits,
    /// A write to a read-only register.
    ReadOnly,
    /// BFS or BFC on a MAC or MII register.
    BitFieldOnMac,
    /// MAC, MII or PHY registers were used before they were ready, or asleep.
    NotReady,
    /// TXRTS or RXEN was set before the oscillator had started.
    StartedTooEarly,
    /// An MII operation was started during another, or its data taken before its end.
    MiiBusy,
    /// A whole-register write to ECON1 while RXEN or TXRTS was set.
    WholeWriteEcon1,
    /// ERXST or ERXND was written while RXEN was set.
    FifoMoved,
    /// ERXST is odd or does not lie below ERXND when reception starts.
    BadFifo,
    /// A filter or the station's address was changed while RXEN was set.
    FilterChanged,
    /// TX registers, or bytes of the frame that is going out, were written while TXRTS was set.
    TxChanged,
    /// The transmit buffer, with its status vector, lies in the receive FIFO or ends before it starts.
    BadTxBuffer,
    /// ERXRDPT is even (erratum 14).
    EvenReadPointer,
    /// ERXRDPT lies outside the FIFO, or frees what was not read yet.
    BadReadPointer,
    /// PKTDEC with no packet there.
    PacketCountUnderflow,
    /// The host read beyond the packets received.
    ReadAhead,
    /// The host wrote into the receive FIFO while RXEN was set.
    FifoWritten,
    /// MACON3.FULDPX and PHCON1.PDPXMD differ when reception or a transmission starts.
    DuplexMismatch,
    /// MACON3 asks for padding and not for the CRC that this implies.
    PaddingWithoutCrc,
    /// DMA with EDMAST = EDMAND, or with pointers changed while it runs, or a checksum during reception (erratum 17).
    DmaMisuse,
    /// System reset in power-save (erratum 19).
    ResetAsleep,
    /// The RESET pin was low for less than 400 ns.
    ShortReset,
}

/// One misuse of the chip.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// When.
    pub at: Duration,
    /// What the host sent since it asserted chip select, up to eight bytes. Empty where no instruction is to blame.
    pub instruction: Vec<u8>,
    /// The instruction in words.
    pub decoded: String,
    /// What is wrong with it.
    pub kind: ViolationKind,
    /// The values in question.
    pub detail: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} at {:?} by {} {:02x?}: {}",
            self.kind, self.at, self.decoded, self.instruction, self.detail
        )
    }
}
