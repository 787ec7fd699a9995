//! What can go wrong, with its cause.

use core::fmt;

use embedded_hal::digital;
use ethdev::ErrorKind;

use crate::firmware::FirmwareError;
use crate::join::JoinError;
use crate::network::Invalid;

/// What a wait was for that took too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Wait {
    /// The low-power clock, before the firmware is loaded.
    Clock,
    /// A core that should be in reset, or out of it.
    Core,
    /// The fast clock: the firmware did not start. Most often it, or the NVRAM, is not for this chip.
    FirmwareStart,
    /// The firmware ready to take frames.
    FirmwareReady,
    /// The firmware ready to take another request.
    Credit,
    /// The answer to a request.
    Answer,
    /// The firmware busy with an earlier request.
    Firmware,
}

/// How the chip failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Fault {
    /// It lost power or was reset: it does not answer as it was set up to.
    Reset,
    /// Its firmware stopped, and says so.
    FirmwareHalted,
    /// What it says makes no sense, again and again.
    Garbled,
    /// It could not be started.
    NotStarted,
}

/// An error of the driver. `E` is the bus'.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error<E> {
    /// The bus failed. What the chip made of the transaction is not known; the driver finds out before it goes on.
    Bus(E),
    /// `WL_REG_ON` could not be driven.
    PowerPin(digital::ErrorKind),
    /// The chip does not answer after power-up, or the bus damages words.
    NotResponding {
        /// What was read.
        read: u32,
        /// What should have been.
        expected: u32,
    },
    /// Something answers, but no CYW43439.
    WrongChip {
        /// Its chip id.
        id: u16,
    },
    /// An image, or its copy in the chip, is not as it should be.
    Firmware(FirmwareError),
    /// The chip did not do its part in time.
    Timeout(Wait),
    /// The firmware refused a request.
    Rejected {
        /// The number of the request; 262 and 263 read and write variables.
        request: u32,
        /// The firmware's reason, negative.
        status: i32,
    },
    /// The firmware answered, and the answer is too short or makes no sense.
    BadAnswer {
        /// The number of the request.
        request: u32,
    },
    /// The network was not joined.
    Join(JoinError),
    /// What the caller gave cannot be used. Nothing of it reached the chip.
    Invalid(Invalid),
    /// The memory that was given for frames is too short.
    Memory {
        /// How many bytes are needed at least.
        needed: usize,
    },
    /// The caller's request cannot be met: the kinds that the contract names for callers, [`Stopped`](ErrorKind::Stopped) before `start`,
    /// [`LinkDown`](ErrorKind::LinkDown) and [`Busy`](ErrorKind::Busy).
    Request(ErrorKind),
    /// The chip failed: `recover()` is the way out.
    Fault(Fault),
    /// A blocking bus did not finish a call, which its trait forbids.
    Suspended,
}

impl<E: fmt::Debug> ethdev::Error for Error<E> {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Bus(_) | Self::PowerPin(_) | Self::Suspended => ErrorKind::Bus,
            Self::NotResponding { .. } | Self::WrongChip { .. } => ErrorKind::NotPresent,
            Self::Firmware(FirmwareError::ReadBack { .. }) => ErrorKind::Bus,
            Self::Timeout(_) | Self::Join(JoinError::Timeout | JoinError::NoAnswer) => ErrorKind::Timeout,
            Self::Join(JoinError::NoSuchNetwork | JoinError::Refused { .. }) => ErrorKind::LinkDown,
            Self::Firmware(_) | Self::Invalid(_) | Self::Memory { .. } => ErrorKind::InvalidInput,
            Self::Join(JoinError::WrongPassphrase | JoinError::SecurityMismatch) => ErrorKind::InvalidInput,
            Self::Request(kind) => *kind,
            Self::Fault(_) => ErrorKind::Fault,
            Self::Rejected { .. } | Self::BadAnswer { .. } | Self::Join(_) => ErrorKind::Other,
        }
    }
}

impl<E: fmt::Debug> fmt::Display for Error<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bus(e) => write!(f, "bus failed: {e:?}"),
            Self::PowerPin(e) => write!(f, "WL_REG_ON failed: {e}"),
            Self::NotResponding { read, expected } => {
                write!(f, "no CYW43439 answers: read {read:#010x} instead of {expected:#010x}")
            }
            Self::WrongChip { id } => write!(f, "no CYW43439: chip id {id:#06x}"),
            Self::Firmware(e) => fmt::Display::fmt(e, f),
            Self::Timeout(wait) => write!(f, "waited in vain for {wait:?}"),
            Self::Rejected { request, status } => write!(f, "the firmware refused request {request} ({status})"),
            Self::BadAnswer { request } => write!(f, "the firmware's answer to request {request} makes no sense"),
            Self::Join(e) => fmt::Display::fmt(e, f),
            Self::Invalid(e) => fmt::Display::fmt(e, f),
            Self::Memory { needed } => write!(f, "at least {needed} bytes of memory for frames are needed"),
            Self::Request(kind) => fmt::Display::fmt(kind, f),
            Self::Fault(fault) => write!(f, "the chip failed ({fault:?}), recover() is needed"),
            Self::Suspended => f.write_str("a blocking bus did not finish a call"),
        }
    }
}

impl<E: fmt::Debug> core::error::Error for Error<E> {}
