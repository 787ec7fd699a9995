#![doc = include_str!("../README.md")]
#![no_std]
#![deny(unsafe_code)]
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

mod device;
mod error;
mod halves;
mod line;
pub mod mac;
mod phy;
mod trace;

pub use device::{Lan8720, MacPhy};
pub use error::Error;
pub use halves::{PortRx, PortTx};
pub use line::{NoLine, PhyLine, PinLine};
pub use mac::Mac;
pub use phy::{AFTER_RESET, Lan8720Phy, Loopback, Mdix, Model, PhyConfig, RESET_LOW, Straps, hardware_reset};
