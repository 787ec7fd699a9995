//! The network stacks of the table.

use core::fmt;

use clap::ValueEnum;
use serde::Serialize;

/// A network stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Stack {
    /// smoltcp on `ethdev-smoltcp`.
    Smoltcp,
    /// embassy-net on `ethdev-embassy`.
    Embassy,
    /// lwIP, in C, on `ethdev-capi`.
    #[cfg(feature = "lwip")]
    Lwip,
}

impl Stack {
    /// Every stack.
    pub const ALL: &'static [Self] = &[
        Self::Smoltcp,
        Self::Embassy,
        #[cfg(feature = "lwip")]
        Self::Lwip,
    ];

    /// Returns the API of a NIC that the adapter uses, of a NIC whose best API is `best`.
    pub(super) fn api(self, best: &'static str) -> &'static str {
        match (self, best) {
            // The C API copies.
            #[cfg(feature = "lwip")]
            (Self::Lwip, "lending") => "pull",
            _ => best,
        }
    }
}

impl fmt::Display for Stack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Smoltcp => "smoltcp",
            Self::Embassy => "embassy",
            #[cfg(feature = "lwip")]
            Self::Lwip => "lwip",
        })
    }
}
