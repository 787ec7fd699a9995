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

mod bus;
mod config;
mod descriptor;
mod device;
pub mod errata;
mod error;
mod filter;
mod irq;
mod lifecycle;
mod phy;
mod regs;
mod rx;
mod stats;
mod tx;

pub use config::{Config, Interface};
pub use error::{Error, Fault};
pub use lifecycle::Enet;
pub use phy::EnetMdio;
pub use rx::EnetRx;
pub use tx::EnetTx;

/// The memory of an [`Enet`]: `RX` receive and `TX` transmit descriptors with their buffers. See
/// [`ethdev_phy::dma::Rings`].
pub type Rings<const RX: usize, const TX: usize> = ethdev_phy::dma::Rings<RX, TX, 2>;

/// Length of the register block in bytes.
pub const BLOCK_LEN: usize = regs::BLOCK_LEN;
