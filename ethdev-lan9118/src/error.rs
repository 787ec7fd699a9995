//! Errors, with their causes.

use core::fmt;

use ethdev::ErrorKind;

/// An error of the driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Error {
    /// An error without a further cause: transmit queue full, link down, stopped, buffer too small,
    /// illegal length, invalid argument.
    Kind(ErrorKind),
    /// No chip of the family: `BYTE_TEST` does not read `0x87654321`.
    NoChip {
        /// Content of `BYTE_TEST`.
        found: u32,
    },
    /// The bus swaps bytes or half-words: `BYTE_TEST` reads `0x87654321` in another order.
    ByteOrder {
        /// Content of `BYTE_TEST`.
        found: u32,
    },
    /// A chip that the driver does not support.
    WrongChip {
        /// Upper half of `ID_REV`: the chip.
        id: u16,
        /// Lower half of `ID_REV`: its revision.
        revision: u16,
    },
    /// Neither the configuration nor an EEPROM has a MAC address.
    NoAddress,
    /// Timed out waiting for the chip.
    Timeout(WaitFor),
    /// The chip is in an inconsistent state, or gone. [`recover`](ethdev::Control::recover) resets
    /// it.
    Fault(Fault),
}

/// The event that a wait timed out on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum WaitFor {
    /// Ready after power-on, reset or sleep (`PMT_CTRL`).
    Ready,
    /// End of the soft reset.
    SoftReset,
    /// End of loading the address from the EEPROM.
    Eeprom,
    /// Receiver stopped.
    StopReceiver,
    /// Receive FIFOs emptied.
    EmptyReceiver,
    /// Transmitter stopped.
    StopTransmitter,
    /// Transmit FIFOs emptied.
    EmptyTransmitter,
    /// End of an access to a MAC register.
    MacRegister,
    /// End of an access to a PHY register.
    PhyRegister,
}

/// A fault of the chip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Fault {
    /// The chip reports that the transmit FIFO was written incorrectly: content of `INT_STS`.
    Transmitter(u32),
    /// The level of the receive FIFO exceeds its size: content of `RX_FIFO_INF`.
    RxFifo(u32),
    /// More status words than frames that were sent: content of `TX_FIFO_INF`.
    TxFifo(u32),
    /// The chip does not respond any more: content of `BYTE_TEST`; or another chip responds:
    /// content of `ID_REV`.
    Gone(u32),
    /// A transition into another state, or a change of a setting, timed out.
    Transition(WaitFor),
    /// A MAC register does not have the value that was written.
    RegisterMismatch {
        /// Its index (section 5.4).
        csr: u8,
        /// Its content.
        found: u32,
    },
}

impl ethdev::Error for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Kind(kind) => *kind,
            Self::NoChip { .. } | Self::ByteOrder { .. } | Self::WrongChip { .. } => ErrorKind::NotPresent,
            Self::NoAddress => ErrorKind::InvalidInput,
            Self::Timeout(_) => ErrorKind::Timeout,
            Self::Fault(_) => ErrorKind::Fault,
        }
    }
}

impl From<ErrorKind> for Error {
    #[inline]
    fn from(kind: ErrorKind) -> Self {
        Self::Kind(kind)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kind(kind) => kind.fmt(f),
            Self::NoChip { found } => write!(f, "no LAN9118 found: BYTE_TEST reads {found:#010x}"),
            Self::ByteOrder { found } => write!(f, "wrong byte order on the bus: BYTE_TEST reads {found:#010x}"),
            Self::WrongChip { id, revision } => write!(f, "unsupported chip {id:#06x}, revision {revision:#06x}"),
            Self::NoAddress => f.write_str("no MAC address: none configured, and no EEPROM"),
            Self::Timeout(wait) => write!(f, "timed out waiting for {wait}"),
            Self::Fault(fault) => fault.fmt(f),
        }
    }
}

impl fmt::Display for WaitFor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ready => "PMT_CTRL ready",
            Self::SoftReset => "end of soft reset",
            Self::Eeprom => "EEPROM",
            Self::StopReceiver => "receiver stopped",
            Self::EmptyReceiver => "receive FIFOs emptied",
            Self::StopTransmitter => "transmitter stopped",
            Self::EmptyTransmitter => "transmit FIFOs emptied",
            Self::MacRegister => "MAC register",
            Self::PhyRegister => "PHY register",
        })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Transmitter(status) => write!(f, "transmitter error: INT_STS reads {status:#010x}"),
            Self::RxFifo(info) => write!(f, "receive FIFO level out of range: RX_FIFO_INF reads {info:#010x}"),
            Self::TxFifo(info) => write!(f, "unexpected transmit status: TX_FIFO_INF reads {info:#010x}"),
            Self::Gone(found) => write!(f, "chip does not respond: BYTE_TEST reads {found:#010x}"),
            Self::Transition(wait) => write!(f, "change of state or setting timed out waiting for {wait}"),
            Self::RegisterMismatch { csr, found } => {
                write!(f, "MAC register {csr} reads {found:#010x} instead of the written value")
            }
        }
    }
}

impl core::error::Error for Error {}
