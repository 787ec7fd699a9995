//! Errors: the part that code generic over devices can act on.

use core::fmt;

/// The kind of an error, the same for every device.
///
/// A device keeps the cause in its own error type; generic code decides by the kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum ErrorKind {
    /// The caller's buffer is shorter than the next frame. The frame stays next.
    BufferTooSmall {
        /// Length of the next frame in bytes, without FCS.
        needed: usize,
    },
    /// The caller's frame is longer than the device sends. Nothing was sent.
    FrameTooLong {
        /// Longest frame that the device sends, in bytes, without FCS.
        max: usize,
    },
    /// The caller's frame is shorter than an Ethernet header (14 bytes). Nothing was sent.
    FrameTooShort,
    /// The device does not accept the argument (an address, a filter, a register).
    InvalidInput,
    /// The device is stopped or asleep.
    Stopped,
    /// The device has no such function.
    Unsupported,
    /// The transmit queue is full. Nothing was sent and nothing was lost; the same call may succeed
    /// later.
    Busy,
    /// The link is down. Nothing was queued.
    LinkDown,
    /// The bus between host and chip failed (SPI, MDIO, a system call).
    Bus,
    /// The chip did not finish within the time that its data sheet gives.
    Timeout,
    /// The chip is in a state that only [`Control::recover`](crate::Control::recover) ends.
    Fault,
    /// There is no such device: absent chip, wrong chip, removed interface.
    NotPresent,
    /// The user of the host may not use this device.
    PermissionDenied,
    /// The chip delivered an invalid frame (length or header out of range). It was counted and
    /// dropped.
    BadFrame,
    /// Any other error.
    Other,
}

impl ErrorKind {
    /// Whether the same call can succeed later without any action of the caller:
    /// [`Busy`](Self::Busy) and [`LinkDown`](Self::LinkDown).
    #[must_use]
    #[inline]
    pub const fn is_transient(self) -> bool {
        matches!(self, Self::Busy | Self::LinkDown)
    }

    /// Whether the device rejected the call itself, so that the same call fails again: a wrong
    /// length or argument, a function that it does not have, or a stopped device.
    #[must_use]
    #[inline]
    pub const fn is_rejection(self) -> bool {
        matches!(
            self,
            Self::BufferTooSmall { .. }
                | Self::FrameTooLong { .. }
                | Self::FrameTooShort
                | Self::InvalidInput
                | Self::Stopped
                | Self::Unsupported
        )
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BufferTooSmall { needed } => write!(f, "buffer too small, the next frame has {needed} bytes"),
            Self::FrameTooLong { max } => write!(f, "frame too long, the device sends at most {max} bytes"),
            Self::FrameTooShort => f.write_str("frame shorter than an Ethernet header"),
            Self::InvalidInput => f.write_str("invalid argument"),
            Self::Stopped => f.write_str("device is stopped"),
            Self::Unsupported => f.write_str("not supported by this device"),
            Self::Busy => f.write_str("transmit queue full"),
            Self::LinkDown => f.write_str("link is down"),
            Self::Bus => f.write_str("bus error"),
            Self::Timeout => f.write_str("timed out waiting for the device"),
            Self::Fault => f.write_str("device fault, recover() required"),
            Self::NotPresent => f.write_str("no such device"),
            Self::PermissionDenied => f.write_str("permission denied"),
            Self::BadFrame => f.write_str("device delivered an invalid frame"),
            Self::Other => f.write_str("other error"),
        }
    }
}

impl core::error::Error for ErrorKind {}

/// An error of a device, with a [`kind`](Error::kind) that generic code understands.
///
/// # For driver authors
///
/// - Give the error type one variant `Kind(ErrorKind)` for the kinds that have no further cause
///   (busy, link down, stopped, bad length, unsupported, invalid argument), and a `From<ErrorKind>`
///   that makes it. Layers in front of the device report their own rejections by it, so that a
///   layer's error is the device's.
/// - Variants with a cause keep it (`Spi(E)`, `Io(io::Error)`), and `source()` returns it where its
///   type is an error.
/// - `E::from(kind).kind() == kind` for every kind. The conformance suite checks it.
///
/// ```
/// use core::fmt;
/// use ethdev::ErrorKind;
///
/// #[derive(Debug)]
/// #[non_exhaustive]
/// pub enum Error<E> {
///     /// An error without a further cause.
///     Kind(ErrorKind),
///     /// The SPI bus failed.
///     Spi(E),
/// }
///
/// impl<E: fmt::Debug> ethdev::Error for Error<E> {
///     fn kind(&self) -> ErrorKind {
///         match self {
///             Self::Kind(kind) => *kind,
///             Self::Spi(_) => ErrorKind::Bus,
///         }
///     }
/// }
///
/// impl<E> From<ErrorKind> for Error<E> {
///     fn from(kind: ErrorKind) -> Self {
///         Self::Kind(kind)
///     }
/// }
///
/// impl<E: fmt::Debug> fmt::Display for Error<E> {
///     fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
///         match self {
///             Self::Kind(kind) => kind.fmt(f),
///             Self::Spi(e) => write!(f, "SPI error: {e:?}"),
///         }
///     }
/// }
///
/// impl<E: fmt::Debug> core::error::Error for Error<E> {}
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an `ethdev` error",
    note = "implement `ethdev::Error` and `From<ethdev::ErrorKind>` for it, or wrap the device in `ethdev_util::Erased`, whose error is `ErrorKind`"
)]
pub trait Error: core::error::Error {
    /// Returns the kind of this error.
    fn kind(&self) -> ErrorKind;
}

/// The error type of a device, the same for all its APIs.
///
/// It is a trait of its own, as in embedded-hal, so that `D::Error` is never ambiguous.
pub trait ErrorType {
    /// The error, with its causes.
    type Error: Error + From<ErrorKind>;
}

impl<T: ErrorType + ?Sized> ErrorType for &mut T {
    type Error = T::Error;
}

impl Error for ErrorKind {
    #[inline]
    fn kind(&self) -> ErrorKind {
        *self
    }
}

impl Error for core::convert::Infallible {
    fn kind(&self) -> ErrorKind {
        match *self {}
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::string::ToString;

    #[test]
    fn display_contains_the_value() {
        for (kind, text) in [
            (
                ErrorKind::BufferTooSmall { needed: 60 },
                "buffer too small, the next frame has 60 bytes",
            ),
            (
                ErrorKind::FrameTooLong { max: 1514 },
                "frame too long, the device sends at most 1514 bytes",
            ),
            (ErrorKind::Busy, "transmit queue full"),
        ] {
            assert_eq!(kind.to_string(), text);
            assert_eq!(kind.kind(), kind);
        }
    }

    #[test]
    fn is_rejection_wrong_argument_true() {
        assert!(ErrorKind::FrameTooLong { max: 1514 }.is_rejection());
        assert!(ErrorKind::Stopped.is_rejection());
        assert!(!ErrorKind::Fault.is_rejection());
        assert!(!ErrorKind::Bus.is_rejection());
    }

    #[test]
    fn is_transient_busy_and_link_down_only() {
        assert!(ErrorKind::Busy.is_transient() && ErrorKind::LinkDown.is_transient());
        assert!(!ErrorKind::Timeout.is_transient() && !ErrorKind::Stopped.is_transient());
    }
}
