//! What goes wrong on MDIO.

use core::fmt;

use ethdev::{Error, ErrorKind};

use ethdev_sim::random::probability;

/// What the host reads on MDIO, and whether what it writes arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum MdioLine {
    /// What the PHY says.
    #[default]
    Connected,
    /// Always ones: no PHY. Nothing arrives.
    StuckHigh,
    /// Always zeros: a short. Nothing arrives.
    StuckLow,
    /// Nothing ever completes: on a bus of whole frames each access ends in [`MdioFault::Timeout`].
    Hung,
}

/// Random faults on MDIO, each with a probability. The default: none.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct MdioFaults {
    /// Per access on a bus of whole frames: it fails. Nothing arrived.
    pub failure: f64,
    /// Per read: one bit is flipped.
    pub bit_error: f64,
}

impl MdioFaults {
    /// None.
    pub const NONE: Self = Self {
        failure: 0.0,
        bit_error: 0.0,
    };

    /// The same with this probability that an access fails.
    ///
    /// # Panics
    ///
    /// Where the number is no probability; so for the other.
    #[must_use]
    pub fn with_failure(mut self, p: f64) -> Self {
        self.failure = probability(p);
        self
    }

    /// The same with this probability that a bit of what is read is flipped.
    #[must_use]
    pub fn with_bit_error(mut self, p: f64) -> Self {
        self.bit_error = probability(p);
        self
    }
}

impl Default for MdioFaults {
    fn default() -> Self {
        Self::NONE
    }
}

/// An access to MDIO failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MdioFault {
    /// By an injected fault.
    Injected,
    /// It did not complete in time.
    Timeout,
}

impl fmt::Display for MdioFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Injected => "the MDIO bus failed",
            Self::Timeout => "the MDIO access did not complete",
        })
    }
}

impl core::error::Error for MdioFault {}

impl Error for MdioFault {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Injected => ErrorKind::Bus,
            Self::Timeout => ErrorKind::Timeout,
        }
    }
}
