//! The error of a port.

use core::fmt;

use crate::phy::PhyError;
use ethdev::ErrorKind;

/// The error of an [`EthernetPort`](crate::EthernetPort). `E` is the error of its MAC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error<E> {
    /// An error without a further cause, from a layer in front of the port. Errors of the MAC are
    /// in [`Mac`](Self::Mac), those of this kind too.
    Kind(ErrorKind),
    /// The MAC failed or rejected the call.
    Mac(E),
    /// The PHY failed, or the MDIO bus.
    Phy(PhyError<E>),
}

impl<E: ethdev::Error> ethdev::Error for Error<E> {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Kind(kind) => *kind,
            Self::Mac(e) => e.kind(),
            Self::Phy(e) => e.kind(),
        }
    }
}

impl<E> From<ErrorKind> for Error<E> {
    fn from(kind: ErrorKind) -> Self {
        Self::Kind(kind)
    }
}

impl<E: fmt::Display> fmt::Display for Error<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kind(kind) => kind.fmt(f),
            Self::Mac(e) => write!(f, "MAC: {e}"),
            Self::Phy(e) => write!(f, "PHY: {e}"),
        }
    }
}

/// The message includes that of the inner error; [`source`](core::error::Error::source) continues
/// below it.
impl<E: core::error::Error> core::error::Error for Error<E> {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Kind(_) => None,
            Self::Mac(e) => e.source(),
            Self::Phy(e) => e.source(),
        }
    }
}

#[cfg(feature = "defmt")]
impl<E: fmt::Display> defmt::Format for Error<E> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "{}", defmt::Display2Format(self));
    }
}
