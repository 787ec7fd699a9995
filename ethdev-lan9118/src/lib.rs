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
mod device;
mod error;
mod fifo;
mod filter;
mod irq;
mod lifecycle;
mod phy;
mod regs;
mod reset;
mod rx;
mod trace;
mod tx;
mod variant;

pub use config::{Config, IrqOutput};
pub use error::{Error, Fault, WaitFor};
pub use lifecycle::Lan9118;
pub use variant::Model;
