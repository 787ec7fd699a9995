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
mod chip;
#[cfg(feature = "enc28j60-crate")]
pub mod compat;
mod config;
mod device;
mod errata;
mod error;
mod fcs;
mod filter;
mod phy;
mod regs;
mod ring;
mod rx;
mod spi;
mod trace;
mod tx;

pub use bus::{NoReset, Reset, ResetPin};
pub use config::{Config, Led, Leds, Stretch};
pub use device::Enc28j60;
pub use errata::Revision;
pub use error::{Error, Wait};
