//! What can go wrong, with its cause.

use core::fmt;

use ethdev::{ErrorKind, LinkMode};

/// An error of a [`SoftMac`](super::SoftMac). `P` is the ports', `M` the MDIO bus'.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Error<P, M> {
    /// A port failed.
    Port(P),
    /// The bus to the PHY failed.
    Mdio(M),
    /// The caller's request cannot be met: the kinds that the contract names for callers, [`Stopped`](ErrorKind::Stopped), [`LinkDown`](ErrorKind::LinkDown)
    /// and [`Busy`](ErrorKind::Busy).
    Request(ErrorKind),
    /// A buffer is too short for a frame.
    BufferTooShort {
        /// Its length in bytes.
        len: usize,
        /// The least that does.
        needed: usize,
    },
    /// Another mode than 100 Mbit/s full duplex.
    LinkMode(LinkMode),
    /// A port did not give back all of its buffers.
    BuffersLost,
}

impl<P: ethdev::Error, M: ethdev::Error> ethdev::Error for Error<P, M> {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Port(e) => e.kind(),
            Self::Mdio(e) => e.kind(),
            Self::Request(kind) => *kind,
            Self::BufferTooShort { .. } => ErrorKind::InvalidInput,
            Self::LinkMode(_) => ErrorKind::Unsupported,
            Self::BuffersLost => ErrorKind::Fault,
        }
    }
}

impl<P: fmt::Debug, M: fmt::Debug> fmt::Display for Error<P, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Port(e) => write!(f, "port failed: {e:?}"),
            Self::Mdio(e) => write!(f, "MDIO failed: {e:?}"),
            Self::Request(kind) => fmt::Display::fmt(kind, f),
            Self::BufferTooShort { len, needed } => write!(f, "buffer of {len} bytes where {needed} are needed"),
            Self::LinkMode(mode) => write!(f, "cannot do a link that is {}", ethdev::Link::Up(*mode)),
            Self::BuffersLost => f.write_str("a port kept buffers for itself"),
        }
    }
}

impl<P: fmt::Debug, M: fmt::Debug> core::error::Error for Error<P, M> {}
