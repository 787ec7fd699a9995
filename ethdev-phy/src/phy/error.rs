//! The error of a PHY.

use core::fmt;

use super::PhyId;
use crate::mdio::PhyAddress;
use ethdev::{Error, ErrorKind};

/// The error of a PHY. `E` is the error of the MDIO bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum PhyError<E> {
    /// The MDIO bus failed.
    Mdio(E),
    /// The registers at this address read as all ones or all zeros, or do not store what is
    /// written: no PHY, no clock, or the PHY is held in reset.
    NotResponding(PhyAddress),
    /// The driver does not support the PHY with this identifier.
    UnknownId(PhyId),
    /// The software reset did not end within 0.5 s (IEEE 802.3 clause 22.2.4.1.1).
    ResetTimeout,
    /// The link partner offers no mode that the MAC supports, or the requested mode is not
    /// supported.
    NoCommonMode,
    /// The PHY is stopped, does not respond, or is in its reset.
    NotStarted,
}

impl<E: Error> Error for PhyError<E> {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Mdio(e) => e.kind(),
            Self::NotResponding(_) | Self::UnknownId(_) => ErrorKind::NotPresent,
            Self::ResetTimeout => ErrorKind::Timeout,
            Self::NoCommonMode => ErrorKind::LinkDown,
            Self::NotStarted => ErrorKind::Stopped,
        }
    }
}

impl<E: fmt::Display> fmt::Display for PhyError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mdio(e) => write!(f, "MDIO error: {e}"),
            Self::NotResponding(address) => write!(f, "no PHY responds at MDIO address {address}"),
            Self::UnknownId(id) => write!(f, "unsupported PHY identifier {:#010x}", id.raw()),
            Self::ResetTimeout => f.write_str("timed out waiting for the end of the PHY reset"),
            Self::NoCommonMode => f.write_str("no common link mode"),
            Self::NotStarted => f.write_str("PHY is not started"),
        }
    }
}

/// The message includes that of the bus error; [`source`](core::error::Error::source) continues
/// below it.
impl<E: core::error::Error> core::error::Error for PhyError<E> {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Mdio(e) => e.source(),
            _ => None,
        }
    }
}
