#![doc = include_str!("../README.md")]
#![no_std]
#![deny(unsafe_code)]
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

pub mod dma;
mod error;
mod irq;
mod mac;
mod map_err;
pub mod mdio;
pub mod mmio;
pub mod phy;
mod port;

pub use error::Error;
pub use irq::{IrqPin, NoIrq, PhyIrq};
pub use mac::Mac;
pub use map_err::MapErr;
pub use port::EthernetPort;
