//! Errors, with their causes.

use core::fmt;

use ethdev::{ErrorKind, LinkMode};

/// An error of a [`SoftMac`](crate::SoftMac). `P` is the error of the ports, `M` that of the MDIO
/// bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Error<P, M> {
    /// An error without a further cause: transmit queue full, link down, stopped, invalid argument,
    /// illegal length.
    Kind(ErrorKind),
    /// A port failed.
    Port(P),
    /// The MDIO bus failed.
    Mdio(M),
    /// A buffer is too short for a frame.
    BufferTooShort {
        /// Length of the buffer in bytes.
        len: usize,
        /// Required length in bytes.
        needed: usize,
    },
    /// The link mode is not 100 Mbit/s full duplex.
    LinkMode(LinkMode),
    /// A port did not return all of its buffers.
    BuffersLost,
}

impl<P: ethdev::Error + 'static, M: ethdev::Error + 'static> ethdev::Error for Error<P, M> {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Kind(kind) => *kind,
            Self::Port(e) => e.kind(),
            Self::Mdio(e) => e.kind(),
            Self::BufferTooShort { .. } => ErrorKind::InvalidInput,
            Self::LinkMode(_) => ErrorKind::Unsupported,
            Self::BuffersLost => ErrorKind::Fault,
        }
    }
}

impl<P, M> From<ErrorKind> for Error<P, M> {
    fn from(kind: ErrorKind) -> Self {
        Self::Kind(kind)
    }
}

impl<P: fmt::Display, M: fmt::Display> fmt::Display for Error<P, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kind(kind) => kind.fmt(f),
            Self::Port(e) => write!(f, "RMII port error: {e}"),
            Self::Mdio(e) => write!(f, "MDIO error: {e}"),
            Self::BufferTooShort { len, needed } => write!(f, "buffer of {len} bytes is too short, {needed} needed"),
            Self::LinkMode(mode) => write!(f, "unsupported link mode: {}", ethdev::Link::Up(*mode)),
            Self::BuffersLost => f.write_str("port did not return all of its buffers"),
        }
    }
}

impl<P: core::error::Error + 'static, M: core::error::Error + 'static> core::error::Error for Error<P, M> {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Port(e) => Some(e),
            Self::Mdio(e) => Some(e),
            Self::Kind(_) | Self::BufferTooShort { .. } | Self::LinkMode(_) | Self::BuffersLost => None,
        }
    }
}

/// An error of one direction, which has no MDIO bus.
#[derive(Debug)]
pub(crate) enum PortError<P> {
    Kind(ErrorKind),
    Port(P),
    BuffersLost,
}

impl<P> From<ErrorKind> for PortError<P> {
    fn from(kind: ErrorKind) -> Self {
        Self::Kind(kind)
    }
}

impl<P, M> From<PortError<P>> for Error<P, M> {
    fn from(error: PortError<P>) -> Self {
        match error {
            PortError::Kind(kind) => Self::Kind(kind),
            PortError::Port(e) => Self::Port(e),
            PortError::BuffersLost => Self::BuffersLost,
        }
    }
}
