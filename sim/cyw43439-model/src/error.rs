//! Errors of the simulated bus.

use core::fmt;

/// An error of the host's bus controller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BusFault {
    /// An injected fault in this transaction, counted from 0. It did not reach the chip.
    AtTransaction(u64),
    /// Another transaction is running.
    Busy,
}

impl fmt::Display for BusFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtTransaction(n) => write!(f, "injected bus fault at transaction {n}"),
            Self::Busy => f.write_str("bus busy"),
        }
    }
}

impl core::error::Error for BusFault {}
