//! The error type of the driver.

use core::fmt;

use embedded_hal::digital;
use ethdev::ErrorKind;

/// What the driver waited for when it timed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum WaitFor {
    /// ESTAT.CLKRDY, after a reset or power save (data sheet section 2.2).
    ClkRdy,
    /// MISTAT.BUSY to clear (section 3.3.1).
    Mii,
    /// ESTAT.RXBUSY to clear after the receiver was turned off (section 14.0).
    RxIdle,
}

/// An error of the driver. `E` is the error of the SPI device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error<E> {
    /// An error without a further cause: busy, link down, stopped, wrong length, invalid argument,
    /// unsupported, or a chip that could not be started ([`Fault`](ErrorKind::Fault), see
    /// [`recover`](ethdev::Control::recover)).
    Kind(ErrorKind),
    /// The SPI device failed. Whether the chip executed the instruction is unknown; the next call
    /// finds out.
    Spi(E),
    /// The RESET pin failed.
    ResetPin(digital::ErrorKind),
    /// The INT pin failed.
    InterruptPin(digital::ErrorKind),
    /// No chip responds: EREVID or ESTAT reads all zeros or all ones.
    NotResponding {
        /// The byte that was read.
        read: u8,
    },
    /// EREVID is not a known revision: another chip, or a bus that corrupts bytes.
    WrongChip {
        /// The value of EREVID.
        revision: u8,
    },
    /// A register does not read back as written, or an ID register has the wrong value. MAC and PHY
    /// registers: chip select rises less than 210 ns after the last clock (data sheet table 16-6),
    /// or SCK is below 8 MHz on revision B1 or B4 (erratum 1). Others: the chip was reset during the
    /// call, does not execute a reset, or the bus corrupts bytes.
    RegisterMismatch {
        /// Bank (4 = PHY) and address of the register.
        register: (u8, u8),
        /// The expected value.
        expected: u16,
        /// The value that was read.
        found: u16,
    },
    /// The chip did not finish within the time that the data sheet gives.
    Timeout(WaitFor),
}

impl<E: fmt::Debug> ethdev::Error for Error<E> {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Kind(kind) => *kind,
            Self::Spi(_) | Self::ResetPin(_) | Self::InterruptPin(_) | Self::RegisterMismatch { .. } => ErrorKind::Bus,
            Self::NotResponding { .. } | Self::WrongChip { .. } => ErrorKind::NotPresent,
            Self::Timeout(_) => ErrorKind::Timeout,
        }
    }
}

impl<E> From<ErrorKind> for Error<E> {
    fn from(kind: ErrorKind) -> Self {
        Self::Kind(kind)
    }
}

impl fmt::Display for WaitFor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ClkRdy => "CLKRDY",
            Self::Mii => "the MII",
            Self::RxIdle => "the receiver to become idle",
        })
    }
}

impl<E: fmt::Debug> fmt::Display for Error<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kind(kind) => kind.fmt(f),
            Self::Spi(e) => write!(f, "SPI error: {e:?}"),
            Self::ResetPin(e) => write!(f, "RESET pin error: {e}"),
            Self::InterruptPin(e) => write!(f, "INT pin error: {e}"),
            Self::NotResponding { read } => write!(f, "ENC28J60 not responding (read {read:#04x})"),
            Self::WrongChip { revision } => write!(f, "not an ENC28J60 (EREVID {revision:#04x})"),
            Self::RegisterMismatch {
                register: (bank, address),
                expected,
                found,
            } => write!(
                f,
                "register {address:#04x} of bank {bank} reads {found:#06x}, expected {expected:#06x}"
            ),
            Self::Timeout(wait) => write!(f, "timed out waiting for {wait}"),
        }
    }
}

impl<E: fmt::Debug> core::error::Error for Error<E> {}

#[cfg(test)]
mod tests {
    use super::*;
    use ethdev::Error as _;

    #[test]
    fn from_kind_round_trips() {
        for kind in [
            ErrorKind::Busy,
            ErrorKind::Fault,
            ErrorKind::BufferTooSmall { needed: 60 },
        ] {
            assert_eq!(Error::<()>::from(kind).kind(), kind);
        }
    }
}
