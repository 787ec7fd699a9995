//! What can go wrong with a ring NIC.

use core::fmt;

use ethdev::ErrorKind;

/// What can go wrong with a [`RingNic`](super::RingNic).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RingError {
    /// The buffer is shorter than the next frame.
    BufferTooSmall {
        /// The frame's length in bytes.
        needed: usize,
    },
    /// The frame is longer than the device sends, or longer than what was reserved for it.
    FrameTooLong {
        /// The longest that was allowed, in bytes.
        max: usize,
    },
    /// The frame is shorter than an Ethernet header.
    FrameTooShort,
    /// Every transmit descriptor is the chip's.
    Busy,
    /// The link is down.
    LinkDown,
    /// The device is stopped or asleep.
    Stopped,
    /// The chip does not answer until it is reset.
    Fault,
    /// The chip does not answer, and resetting it does not help.
    Dead,
}

impl ethdev::Error for RingError {
    fn kind(&self) -> ErrorKind {
        match *self {
            Self::BufferTooSmall { needed } => ErrorKind::BufferTooSmall { needed },
            Self::FrameTooLong { max } => ErrorKind::FrameTooLong { max },
            Self::FrameTooShort => ErrorKind::FrameTooShort,
            Self::Busy => ErrorKind::Busy,
            Self::LinkDown => ErrorKind::LinkDown,
            Self::Stopped => ErrorKind::Stopped,
            Self::Fault | Self::Dead => ErrorKind::Fault,
        }
    }
}

impl fmt::Display for RingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BufferTooSmall { needed } => write!(f, "the next frame has {needed} bytes, the buffer fewer"),
            Self::FrameTooLong { max } => write!(f, "frame longer than {max} bytes"),
            Self::FrameTooShort => f.write_str("frame shorter than an Ethernet header"),
            Self::Busy => f.write_str("every transmit descriptor is in use"),
            Self::LinkDown => f.write_str("the link is down"),
            Self::Stopped => f.write_str("the device is stopped or asleep"),
            Self::Fault => f.write_str("the chip does not answer until it is reset"),
            Self::Dead => f.write_str("the chip does not answer, not even to a reset"),
        }
    }
}

impl core::error::Error for RingError {}
