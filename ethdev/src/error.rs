//! What can go wrong, in terms that code generic over devices can act on.

use core::fmt;

/// The kind of an error: what code that does not know the device may decide by.
///
/// A device keeps the whole story in its own error type; this is the part of it that is the same for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum ErrorKind {
    /// The caller's buffer is shorter than the frame that is next. The frame is still next.
    BufferTooSmall {
        /// Length of the waiting frame in bytes, without FCS.
        needed: usize,
    },
    /// The caller's frame is longer than the device sends. Nothing went out.
    FrameTooLong {
        /// The longest frame the device sends, in bytes, without FCS.
        max: usize,
    },
    /// The caller's frame is shorter than an Ethernet header (14 bytes). Nothing went out.
    FrameTooShort,
    /// The caller's argument is not one the device can take (an address, a filter, a register).
    InvalidInput,
    /// The device is stopped or asleep.
    Stopped,
    /// This device has no such function.
    Unsupported,
    /// No room to transmit now. Nothing was sent and nothing was lost; try again later.
    Busy,
    /// The link is down. Nothing was queued.
    LinkDown,
    /// The bus between host and chip failed (SPI, MDIO, a system call).
    Bus,
    /// The chip did not finish in the time its data sheet gives it.
    Timeout,
    /// The chip is in a state that only [`Control::recover`](crate::Control::recover) ends.
    Fault,
    /// There is no such device: absent chip, wrong chip, interface gone.
    NotPresent,
    /// The host's user may not use this device.
    PermissionDenied,
    /// The chip delivered something that is no frame (lengths or headers out of range). It was counted and dropped.
    BadFrame,
    /// Anything else.
    Other,
}

/// Who has to do something about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum ErrorClass {
    /// The calling code: the same call fails again until it is changed.
    Caller,
    /// Nobody: try again later.
    Busy,
    /// Whoever holds the cable or the radio.
    Link,
    /// The host's wiring, bus or operating system.
    Bus,
    /// The device: [`Control::recover`](crate::Control::recover) is the way out.
    Device,
    /// The other end of the wire.
    Wire,
    /// Unknown.
    Other,
}

impl ErrorKind {
    /// Who has to do something about it.
    #[must_use]
    pub const fn class(self) -> ErrorClass {
        match self {
            Self::BufferTooSmall { .. }
            | Self::FrameTooLong { .. }
            | Self::FrameTooShort
            | Self::InvalidInput
            | Self::Stopped
            | Self::Unsupported => ErrorClass::Caller,
            Self::Busy => ErrorClass::Busy,
            Self::LinkDown => ErrorClass::Link,
            Self::Bus | Self::PermissionDenied => ErrorClass::Bus,
            Self::Timeout | Self::Fault | Self::NotPresent => ErrorClass::Device,
            Self::BadFrame => ErrorClass::Wire,
            Self::Other => ErrorClass::Other,
        }
    }

    /// Whether the same call can succeed later with nobody doing anything ([`Busy`](Self::Busy) only).
    #[must_use]
    pub const fn is_busy(self) -> bool {
        matches!(self, Self::Busy)
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
            Self::Busy => f.write_str("no room to transmit now"),
            Self::LinkDown => f.write_str("link is down"),
            Self::Bus => f.write_str("bus error"),
            Self::Timeout => f.write_str("device did not answer in time"),
            Self::Fault => f.write_str("device fault, recover() is needed"),
            Self::NotPresent => f.write_str("no such device"),
            Self::PermissionDenied => f.write_str("permission denied"),
            Self::BadFrame => f.write_str("device delivered garbage"),
            Self::Other => f.write_str("other error"),
        }
    }
}

impl core::error::Error for ErrorKind {}

/// An error of a device, with a [`kind`](Error::kind) that generic code understands.
///
/// # For driver authors
///
/// Keep the inner error (`Spi(E)`, `Mdio(E)`, `Io(io::Error)`) and map each variant to one kind. The kinds `BufferTooSmall`, `FrameTooLong`,
/// `FrameTooShort`, `Busy`, `LinkDown` and `Stopped` are part of the contract of [`EthernetDevice`](crate::EthernetDevice): adapters act on them.
pub trait Error: fmt::Debug {
    /// The kind of this error.
    fn kind(&self) -> ErrorKind;
}

/// The error type of a device, the same for all its surfaces. (As in embedded-hal: one place, so that `D::Error` is never ambiguous.)
pub trait ErrorType {
    /// What can go wrong, with its causes kept.
    type Error: Error;
}

impl<T: ErrorType + ?Sized> ErrorType for &mut T {
    type Error = T::Error;
}

impl Error for ErrorKind {
    fn kind(&self) -> ErrorKind {
        *self
    }
}

impl Error for core::convert::Infallible {
    fn kind(&self) -> ErrorKind {
        match *self {}
    }
}

impl<E: Error + ?Sized> Error for &E {
    fn kind(&self) -> ErrorKind {
        (**self).kind()
    }
}

/// An error of a layer in front of a device: the layer's own, or the device's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum LayerError<E> {
    /// The layer refused: a length, no room, a state of its own.
    Layer(ErrorKind),
    /// The device failed or refused.
    Device(E),
}

impl<E: Error> Error for LayerError<E> {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Layer(kind) => *kind,
            Self::Device(e) => e.kind(),
        }
    }
}

impl<E: fmt::Debug> fmt::Display for LayerError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Layer(kind) => fmt::Display::fmt(kind, f),
            Self::Device(e) => write!(f, "device failed: {e:?}"),
        }
    }
}

impl<E: fmt::Debug> core::error::Error for LayerError<E> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_of_the_caller_are_told_from_faults_of_the_device() {
        assert_eq!(ErrorKind::FrameTooLong { max: 1514 }.class(), ErrorClass::Caller);
        assert_eq!(ErrorKind::Fault.class(), ErrorClass::Device);
        assert_eq!(ErrorKind::BadFrame.class(), ErrorClass::Wire);
        assert_eq!(ErrorKind::Bus.class(), ErrorClass::Bus);
    }

    #[test]
    fn only_busy_passes_by_itself() {
        assert!(ErrorKind::Busy.is_busy());
        assert!(!ErrorKind::LinkDown.is_busy());
    }
}
