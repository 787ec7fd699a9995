//! What can go wrong, with its cause.

use core::fmt;

use embedded_hal::digital;
use ethdev::ErrorKind;

/// What a wait was for that took longer than the data sheet gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Wait {
    /// The oscillator, after a reset or a sleep (data sheet section 2.2).
    Clock,
    /// The MII's busy bit (section 3.3.1).
    Mii,
    /// The end of a frame that was arriving when the receiver was turned off (section 14.0).
    ReceiverIdle,
}

/// An error of the driver. `E` is the SPI device's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error<E> {
    /// The SPI device failed. What the chip made of the instruction is not known; the driver finds out before it goes on.
    Spi(E),
    /// The RESET pin could not be driven.
    ResetPin(digital::ErrorKind),
    /// The INT pin could not be waited for.
    InterruptPin(digital::ErrorKind),
    /// Nothing answers: all zeros or all ones where the revision should be.
    NotResponding {
        /// What was read.
        read: u8,
    },
    /// Something answers, but no revision of this chip: another chip, or bytes that are damaged on their way.
    WrongChip {
        /// What was read where the revision should be.
        revision: u8,
    },
    /// Its MAC or PHY registers do not hold what was written, or not what is constant. Chip select rises less than 210 ns after the last clock
    /// (data sheet table 16-6), or the clock is below 8 MHz with a B1 or B4 (erratum 1).
    RegisterMismatch {
        /// Bank (4 = PHY) and address of the register.
        register: (u8, u8),
        /// What it should hold.
        expected: u16,
        /// What was read.
        found: u16,
    },
    /// The chip did not do its part in time.
    Timeout(Wait),
    /// The caller's request cannot be met: the kinds that the contract names for callers, [`Stopped`](ErrorKind::Stopped), [`LinkDown`](ErrorKind::LinkDown)
    /// and [`Busy`](ErrorKind::Busy).
    Request(ErrorKind),
    /// An earlier attempt to start the chip failed: `recover()` tries again.
    Fault,
}

impl<E: fmt::Debug> ethdev::Error for Error<E> {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Spi(_) | Self::ResetPin(_) | Self::InterruptPin(_) | Self::RegisterMismatch { .. } => ErrorKind::Bus,
            Self::NotResponding { .. } | Self::WrongChip { .. } => ErrorKind::NotPresent,
            Self::Timeout(_) => ErrorKind::Timeout,
            Self::Request(kind) => *kind,
            Self::Fault => ErrorKind::Fault,
        }
    }
}

impl<E: fmt::Debug> fmt::Display for Error<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Spi(e) => write!(f, "SPI failed: {e:?}"),
            Self::ResetPin(e) => write!(f, "RESET pin failed: {e}"),
            Self::InterruptPin(e) => write!(f, "INT pin failed: {e}"),
            Self::NotResponding { read } => write!(f, "no ENC28J60 answers (every byte is {read:#04x})"),
            Self::WrongChip { revision } => write!(f, "no ENC28J60: revision {revision:#04x}"),
            Self::RegisterMismatch {
                register: (bank, address),
                expected,
                found,
            } => write!(
                f,
                "register {bank}:{address:#04x} reads {found:#06x} instead of {expected:#06x}: is chip select held 210 ns?"
            ),
            Self::Timeout(wait) => write!(f, "waited in vain for {wait:?}"),
            Self::Request(kind) => fmt::Display::fmt(kind, f),
            Self::Fault => f.write_str("the chip could not be started, recover() is needed"),
        }
    }
}

impl<E: fmt::Debug> core::error::Error for Error<E> {}
