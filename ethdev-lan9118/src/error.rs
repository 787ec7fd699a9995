//! What can go wrong with the chip.

use core::fmt;

use ethdev::ErrorKind;

/// Why a call of the driver failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Error {
    /// No chip of the family answers: what was read where `0x87654321` belongs.
    NoChip {
        /// Content of `BYTE_TEST`.
        found: u32,
    },
    /// A chip answers, but bytes or halves of words arrive in the wrong order: what was read where `0x87654321` belongs.
    ByteOrder {
        /// Content of `BYTE_TEST`.
        found: u32,
    },
    /// A chip answers that this driver does not know.
    WrongChip {
        /// Upper half of `ID_REV`: which chip.
        id: u16,
        /// Lower half of `ID_REV`: its revision.
        revision: u16,
    },
    /// Neither the configuration nor an EEPROM has a station address.
    NoAddress,
    /// The chip did not finish in time.
    Timeout(Wait),
    /// The chip is out of step, or gone. Only a recovery helps.
    Fault(Fault),
    /// The call cannot be served now, or not with these arguments.
    Refused(ErrorKind),
}

/// What was being waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Wait {
    /// The chip to be ready after power-on or sleep.
    Ready,
    /// The end of the soft reset.
    SoftReset,
    /// The address to be loaded from the EEPROM.
    Eeprom,
    /// The receiver to stop.
    StopReceiver,
    /// The receive FIFOs to be emptied.
    EmptyReceiver,
    /// The transmitter to stop.
    StopTransmitter,
    /// The transmit FIFOs to be emptied.
    EmptyTransmitter,
    /// Access to a register of the MAC.
    MacRegister,
    /// Access to a register of the PHY.
    PhyRegister,
}

/// What shows that the chip is out of step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Fault {
    /// It says that the transmit FIFO was written against its rules: its interrupt status.
    Transmitter(u32),
    /// The receive FIFO is said to hold more than it can: `RX_FIFO_INF`.
    RxFifo(u32),
    /// There are more statuses of sent frames than frames that were sent: `TX_FIFO_INF`.
    TxFifo(u32),
    /// The chip does not answer as it did: content of `BYTE_TEST`.
    Gone(u32),
    /// The way back after another fault, or into another state, failed in this.
    HalfWay(Wait),
}

impl ethdev::Error for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NoChip { .. } | Self::ByteOrder { .. } | Self::WrongChip { .. } => ErrorKind::NotPresent,
            Self::NoAddress => ErrorKind::InvalidInput,
            Self::Timeout(_) => ErrorKind::Timeout,
            Self::Fault(_) => ErrorKind::Fault,
            Self::Refused(kind) => *kind,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoChip { found } => write!(f, "no LAN9118 here: byte test reads {found:#010x}"),
            Self::ByteOrder { found } => write!(f, "byte order of the bus: byte test reads {found:#010x}"),
            Self::WrongChip { id, revision } => write!(f, "unknown chip {id:#06x}, revision {revision:#06x}"),
            Self::NoAddress => f.write_str("no station address: no EEPROM, and none given"),
            Self::Timeout(wait) => fmt::Display::fmt(wait, f),
            Self::Fault(fault) => fmt::Display::fmt(fault, f),
            Self::Refused(kind) => fmt::Display::fmt(kind, f),
        }
    }
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ready => "chip not ready after power-on or sleep",
            Self::SoftReset => "soft reset did not end",
            Self::Eeprom => "EEPROM was not read in time",
            Self::StopReceiver => "receiver did not stop",
            Self::EmptyReceiver => "receive FIFOs were not emptied",
            Self::StopTransmitter => "transmitter did not stop",
            Self::EmptyTransmitter => "transmit FIFOs were not emptied",
            Self::MacRegister => "MAC register stayed busy",
            Self::PhyRegister => "PHY register stayed busy",
        })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Transmitter(status) => write!(f, "transmit FIFO out of step, interrupt status {status:#010x}"),
            Self::RxFifo(info) => write!(f, "receive FIFO out of step, RX_FIFO_INF {info:#010x}"),
            Self::TxFifo(info) => write!(f, "transmit FIFO out of step, TX_FIFO_INF {info:#010x}"),
            Self::Gone(found) => write!(f, "chip gone: byte test reads {found:#010x}"),
            Self::HalfWay(wait) => write!(f, "chip left half way: {wait}"),
        }
    }
}

impl core::error::Error for Error {}
