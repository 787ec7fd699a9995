//! Injected faults of MDIO.

use core::fmt;

use ethdev::{Error, ErrorKind};

use ethdev_sim::random::probability;

/// The state of the MDIO line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum MdioLine {
    /// The PHY drives it.
    #[default]
    Connected,
    /// Reads ones, as without a PHY. Writes have no effect.
    StuckHigh,
    /// Reads zeros, as with a short. Writes have no effect.
    StuckLow,
    /// No access completes: on a bus of whole frames each one ends in [`MdioFault::Timeout`].
    Hung,
}

/// Random faults of MDIO, each with a probability. The default is none.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct MdioFaults {
    /// Probability that an access on a bus of whole frames fails. It has no effect then.
    pub failure: f64,
    /// Probability that one bit of a read is flipped.
    pub bit_error: f64,
}

impl MdioFaults {
    /// No faults.
    pub const NONE: Self = Self {
        failure: 0.0,
        bit_error: 0.0,
    };

    /// Sets the probability that an access fails.
    ///
    /// # Panics
    ///
    /// Where `p` is not between 0 and 1.
    #[must_use]
    pub fn with_failure(mut self, p: f64) -> Self {
        self.failure = probability(p);
        self
    }

    /// Sets the probability that a bit of a read is flipped.
    ///
    /// # Panics
    ///
    /// Where `p` is not between 0 and 1.
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

/// Error of an access to MDIO.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MdioFault {
    /// An injected fault.
    Injected,
    /// The access did not complete in time.
    Timeout,
}

impl fmt::Display for MdioFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Injected => "injected MDIO fault",
            Self::Timeout => "MDIO access timed out",
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
