#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]
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
mod energy_detect;
mod ops;
mod phy;
mod regs;
mod reset;
mod straps;
mod symbol_errors;
mod trace;
mod variant;

pub use config::{Mdix, PhyConfig};
pub use phy::{Lan8720Phy, Loopback};
pub use reset::{RESET_DELAY, RESET_PULSE, hardware_reset};
pub use straps::Straps;
pub use variant::Model;

/// An [`EthernetPort`](ethdev_phy::EthernetPort) of the MAC `M` and a PHY of the family. `C` is the
/// clock.
pub type Lan8720<M, C, I = ethdev_phy::NoIrq> = ethdev_phy::EthernetPort<M, Lan8720Phy, C, I>;
