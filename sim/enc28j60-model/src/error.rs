//! Errors of the simulated SPI bus.

use core::fmt;

use embedded_hal::spi::ErrorKind;

/// An error of the host's SPI controller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SpiFault {
    /// An injected fault, at this byte of all that were transferred.
    AtByte(u64),
    /// Another transaction is running.
    Busy,
}

impl fmt::Display for SpiFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtByte(n) => write!(f, "injected SPI fault at byte {n}"),
            Self::Busy => f.write_str("SPI bus busy"),
        }
    }
}

impl core::error::Error for SpiFault {}

impl embedded_hal::spi::Error for SpiFault {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Other
    }
}
