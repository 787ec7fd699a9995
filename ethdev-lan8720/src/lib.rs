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

mod config;
mod energy;
mod ops;
mod phy;
mod regs;
mod reset;
mod straps;
mod symbols;
mod trace;
mod variant;

pub use config::{Mdix, PhyConfig};
pub use phy::{Lan8720Phy, Loopback};
pub use reset::{AFTER_RESET, RESET_LOW, hardware_reset};
pub use straps::Straps;
pub use variant::Model;

/// A [`EthernetPort`](ethdev_phy::EthernetPort) with a LAN8720A or one of its relatives.
pub type Lan8720<M, C, I = ethdev_phy::NoIrq> = ethdev_phy::EthernetPort<M, Lan8720Phy, C, I>;
