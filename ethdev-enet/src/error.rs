//! What can go wrong.

use core::fmt;

use ethdev::ErrorKind;

/// An error of the ENET.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Error {
    /// The caller's buffer is shorter than the frame that is next.
    BufferTooSmall {
        /// Length of that frame in bytes.
        needed: usize,
    },
    /// The caller's frame is longer than is sent.
    FrameTooLong {
        /// The longest in bytes.
        max: usize,
    },
    /// The caller's frame is shorter than a header.
    FrameTooShort,
    /// The address is none that a station can have.
    InvalidAddress,
    /// The MAC does 10 and 100 Mbit/s.
    UnsupportedSpeed,
    /// The rings lie where the uDMA does not see them, or are not aligned to 64 bytes on its bus.
    Unreachable,
    /// Every transmit descriptor is in use.
    Busy,
    /// The link is down.
    LinkDown,
    /// The MAC is stopped.
    Stopped,
    /// The MAC's reset did not end.
    ResetTimeout,
    /// A transaction on MDIO did not end: MDC stands still, for instance because the module has no clock.
    MdioTimeout,
    /// The MAC stopped by itself; [`recover`](ethdev::Control::recover) is needed.
    Fault(Fault),
}

/// Why the MAC stopped by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Fault {
    /// The uDMA met an error on the system bus (`EIR[EBERR]`).
    Bus,
    /// It was disabled or reset by somebody else, or lost its power.
    Disabled,
}

impl ethdev::Error for Error {
    fn kind(&self) -> ErrorKind {
        match *self {
            Self::BufferTooSmall { needed } => ErrorKind::BufferTooSmall { needed },
            Self::FrameTooLong { max } => ErrorKind::FrameTooLong { max },
            Self::FrameTooShort => ErrorKind::FrameTooShort,
            Self::InvalidAddress | Self::UnsupportedSpeed | Self::Unreachable => ErrorKind::InvalidInput,
            Self::Busy => ErrorKind::Busy,
            Self::LinkDown => ErrorKind::LinkDown,
            Self::Stopped => ErrorKind::Stopped,
            Self::ResetTimeout | Self::MdioTimeout => ErrorKind::Timeout,
            Self::Fault(_) => ErrorKind::Fault,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::InvalidAddress => "no address of a station",
            Self::UnsupportedSpeed => "neither 10 nor 100 Mbit/s",
            Self::Unreachable => "the rings are out of the uDMA's reach, or not aligned",
            Self::ResetTimeout => "the MAC's reset did not end",
            Self::MdioTimeout => "a transaction on MDIO did not end",
            Self::Fault(Fault::Bus) => "the uDMA met a bus error, recover() is needed",
            Self::Fault(Fault::Disabled) => "the MAC is not enabled any more, recover() is needed",
            other => return fmt::Display::fmt(&ethdev::Error::kind(other), f),
        };
        f.write_str(text)
    }
}

impl core::error::Error for Error {}
