//! The error of the memory NIC.

use core::fmt;

use ethdev::ErrorKind;

/// An error of a [`RingNic`](super::RingNic).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RingError {
    /// An error without a further cause.
    Kind(ErrorKind),
    /// The chip does not respond until it is reset.
    Fault,
    /// The chip does not respond, and a reset does not help.
    Dead,
}

impl ethdev::Error for RingError {
    #[inline]
    fn kind(&self) -> ErrorKind {
        match *self {
            Self::Kind(kind) => kind,
            Self::Fault | Self::Dead => ErrorKind::Fault,
        }
    }
}

impl From<ErrorKind> for RingError {
    #[inline]
    fn from(kind: ErrorKind) -> Self {
        Self::Kind(kind)
    }
}

impl fmt::Display for RingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kind(kind) => kind.fmt(f),
            Self::Fault => f.write_str("chip does not respond, reset required"),
            Self::Dead => f.write_str("chip does not respond after a reset"),
        }
    }
}

impl core::error::Error for RingError {}
