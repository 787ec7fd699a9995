#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::unreachable
    )
)]

#[cfg(test)]
extern crate std;

pub mod asynch;
mod bus;
#[cfg(feature = "enc28j60-crate")]
pub mod compat;
mod config;
mod counters;
mod device;
mod errata;
mod error;
mod filter;
mod regs;
mod ring;
mod trace;

/// The chip logic on an async bus.
#[path = "logic"]
mod awaited {
    pub(crate) use maybe_async::must_be_async as bisync;

    pub(crate) use crate::bus::AsyncBus as Bus;

    mod arm;
    pub(crate) mod chip;
    mod phy;
    mod rx;
    mod spi;
    mod tx;
    mod workarounds;
}

/// The same, from the same files, on a blocking bus.
#[path = "logic"]
#[allow(clippy::duplicate_mod, reason = "one source of the chip logic, compiled twice")]
#[allow(
    dead_code,
    reason = "what only the async driver uses; in the other copy the compiler looks for the rest"
)]
mod blocking {
    pub(crate) use maybe_async::must_be_sync as bisync;

    pub(crate) use crate::bus::BlockingBus as Bus;

    mod arm;
    pub(crate) mod chip;
    mod phy;
    mod rx;
    mod spi;
    #[cfg(test)]
    mod spi_tests;
    mod tx;
    mod workarounds;
}

pub use bus::{NoReset, Reset, ResetPin};
pub use config::{Config, Led, LedStretch, Leds};
pub use device::Enc28j60;
pub use errata::Revision;
pub use error::{Error, Wait};
