//! What can go wrong in a port, with its cause.

use core::fmt;

use crate::phy::PhyError;
use ethdev::ErrorKind;

/// An error of a [`EthernetPort`](crate::EthernetPort). `E` is the MAC's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error<E> {
    /// The MAC's.
    Mac(E),
    /// The PHY's, or that of the MAC's bus to it.
    Phy(PhyError<E>),
    /// The MAC does not start as it is configured.
    Refused(ErrorKind),
}

impl<E: ethdev::Error> ethdev::Error for Error<E> {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Mac(e) => e.kind(),
            Self::Phy(e) => e.kind(),
            Self::Refused(kind) => *kind,
        }
    }
}

impl<E: fmt::Debug> fmt::Display for Error<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mac(e) => write!(f, "MAC: {e:?}"),
            Self::Phy(e) => write!(f, "PHY: {e}"),
            Self::Refused(kind) => write!(f, "MAC does not start: {kind}"),
        }
    }
}

impl<E: fmt::Debug> core::error::Error for Error<E> {}

#[cfg(feature = "defmt")]
impl<E: fmt::Debug> defmt::Format for Error<E> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "{}", defmt::Display2Format(self));
    }
}
