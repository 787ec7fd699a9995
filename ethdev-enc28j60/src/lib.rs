#![doc = include_str!("../README.md")]
#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]
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
mod device;
mod errata;
mod error;
mod filter;
mod regs;
mod ring;
mod stats;
mod trace;

/// The chip logic on an async bus.
#[path = "logic"]
mod awaited {
    pub(crate) use maybe_async::must_be_async as bisync;

    pub(crate) use crate::bus::AsyncBus as Bus;

    pub(crate) mod chip;
    mod errata;
    mod irq;
    mod phy;
    mod rx;
    mod spi;
    mod tx;
}

/// The chip logic on a blocking bus, from the same files.
#[path = "logic"]
#[allow(clippy::duplicate_mod, reason = "one source of the chip logic, compiled twice")]
#[allow(
    dead_code,
    reason = "parts are used by the async driver only; the other copy is checked"
)]
mod blocking {
    pub(crate) use maybe_async::must_be_sync as bisync;

    pub(crate) use crate::bus::BlockingBus as Bus;

    pub(crate) mod chip;
    mod errata;
    mod irq;
    mod phy;
    mod rx;
    mod spi;
    #[cfg(test)]
    mod spi_tests;
    mod tx;
}

pub use bus::{NoReset, Reset, ResetPin};
pub use config::{Config, Led, LedStretch, Leds};
pub use device::Enc28j60;
pub use errata::Revision;
pub use error::{Error, WaitFor};
