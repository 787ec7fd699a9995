//! Why a PHY does not do.

use core::fmt;

use super::PhyId;
use crate::mdio::PhyAddress;
use ethdev::{Error, ErrorKind};

/// Why a PHY call failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum PhyError<E> {
    /// The bus failed.
    Mdio(E),
    /// All ones or all zeros at this address: no PHY, no clock, or held in reset.
    NotResponding(PhyAddress),
    /// A PHY that this driver does not know.
    UnknownId(PhyId),
    /// The software reset did not end within 0.5 s (clause 22.2.4.1.1).
    ResetTimeout,
    /// The partner and this end have no mode in common, or the MAC cannot do the one they have.
    NoCommonMode,
    /// Not while the PHY is stopped, absent or in its reset.
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

impl<E: fmt::Debug> fmt::Display for PhyError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mdio(e) => write!(f, "MDIO failed: {e:?}"),
            Self::NotResponding(address) => write!(f, "no PHY answers at MDIO address {address}"),
            Self::UnknownId(id) => write!(f, "unknown PHY {:#010x}", id.raw()),
            Self::ResetTimeout => f.write_str("PHY reset did not end"),
            Self::NoCommonMode => f.write_str("no common link mode with the partner"),
            Self::NotStarted => f.write_str("PHY is not started"),
        }
    }
}

impl<E: fmt::Debug> core::error::Error for PhyError<E> {}
