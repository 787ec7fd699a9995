//! Protocol violations by the host.

use core::fmt;
use core::time::Duration;

/// A rule of the data sheet or the errata.
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
    /// BFS or BFC on a MAC or MII register. The bits take effect, as they do on silicon in drivers in
    /// wide use.
    BitFieldOnMac,
    /// MAC, MII or PHY registers were used before they were ready, or asleep.
    NotReady,
    /// TXRTS or RXEN was set before the oscillator had started.
    StartedTooEarly,
    /// An MII operation was started during another, or its data read before its end.
    MiiBusy,
    /// A whole write to ECON1 wrote TXRTS as the host had last read it, and it had changed since: the
    /// frame is sent again, or the one on its way is cancelled.
    StaleTxrts,
    /// ERXST or ERXND was written while RXEN was set.
    FifoMoved,
    /// ERXST is odd or not below ERXND when reception starts.
    BadFifo,
    /// A filter or the MAC address was changed while RXEN was set.
    FilterChanged,
    /// TX registers, or bytes of the frame that is being transmitted, were written while TXRTS was
    /// set.
    TxChanged,
    /// The transmit buffer, with its status vector, overlaps the receive FIFO or ends before it
    /// starts.
    BadTxBuffer,
    /// ERXRDPT is even (erratum 14).
    EvenReadPointer,
    /// ERXRDPT is outside the FIFO, or frees packets that were not read.
    BadReadPointer,
    /// PKTDEC while EPKTCNT was 0.
    PacketCountUnderflow,
    /// The host read beyond the packets received.
    ReadAhead,
    /// The host wrote into the receive FIFO while RXEN was set.
    FifoWritten,
    /// MACON3.FULDPX and PHCON1.PDPXMD differ when reception or a transmission starts.
    DuplexMismatch,
    /// MACON3 enables padding without the CRC that it requires.
    PaddingWithoutCrc,
    /// DMA with EDMAST = EDMAND, or with pointers changed while it runs, or a checksum during
    /// reception (erratum 17).
    BadDma,
    /// System reset in power-save (erratum 19).
    ResetAsleep,
    /// The RESET pin was low for less than 400 ns.
    ShortReset,
}

/// A protocol violation.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// Simulated time of the violation.
    pub at: Duration,
    /// The first eight bytes that the host sent since chip select fell. Empty before the first
    /// instruction.
    pub instruction: Vec<u8>,
    /// The instruction, decoded.
    pub decoded: String,
    /// The rule that was violated.
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
