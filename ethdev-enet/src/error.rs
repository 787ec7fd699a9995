//! Errors, with their causes.

use core::fmt;

use ethdev::{ErrorKind, Speed};

/// An error of the driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Error {
    /// An error without a further cause: transmit queue full, link down, stopped, buffer too small,
    /// illegal length, invalid argument.
    Kind(ErrorKind),
    /// The MAC supports 10 and 100 Mbit/s only.
    UnsupportedSpeed(Speed),
    /// The DMA engine cannot access the rings, or they are not aligned to 64 bytes on its bus.
    Unreachable,
    /// Timed out waiting for the end of the MAC reset.
    ResetTimeout,
    /// Timed out waiting for the end of an MDIO frame. MDC stops if the module has no clock, for
    /// example.
    MdioTimeout,
    /// The MAC stopped by itself, or a call did not take its whole effect.
    /// [`recover`](ethdev::Control::recover) resets it.
    Fault(Fault),
}

/// The reason of a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Fault {
    /// The DMA engine detected a bus error (`EIR[EBERR]`).
    Bus,
    /// Other software disabled or reset the MAC, it lost power, or a recovery failed.
    Disabled,
    /// A register does not have the value that was written.
    RegisterMismatch {
        /// Its offset in bytes.
        register: u16,
        /// Its content.
        found: u32,
    },
}

impl ethdev::Error for Error {
    fn kind(&self) -> ErrorKind {
        match *self {
            Self::Kind(kind) => kind,
            Self::UnsupportedSpeed(_) => ErrorKind::Unsupported,
            Self::Unreachable => ErrorKind::InvalidInput,
            Self::ResetTimeout | Self::MdioTimeout => ErrorKind::Timeout,
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
            Self::UnsupportedSpeed(speed) => write!(f, "unsupported speed: {speed}"),
            Self::Unreachable => f.write_str("rings not accessible by DMA, or not aligned to 64 bytes"),
            Self::ResetTimeout => f.write_str("timed out waiting for the end of the MAC reset"),
            Self::MdioTimeout => f.write_str("timed out waiting for the end of an MDIO frame"),
            Self::Fault(Fault::Bus) => f.write_str("DMA bus error"),
            Self::Fault(Fault::Disabled) => f.write_str("MAC disabled"),
            Self::Fault(Fault::RegisterMismatch { register, found }) => {
                write!(
                    f,
                    "register {register:#05x} reads {found:#010x} instead of the written value"
                )
            }
        }
    }
}

impl core::error::Error for Error {}
