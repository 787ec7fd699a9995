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

mod device;
mod error;
mod fcs;
mod fifo;
mod filter;
mod irq;
mod lifecycle;
mod phy;
mod port;
mod rx;
mod stats;
mod trace;
mod tx;

pub use error::Error;
pub use lifecycle::{Parts, SoftMac};
pub use port::{FrameError, PortInterrupt, Received, RxPort, TxPort, distinct_pins};
pub use rx::SoftMacRx;
pub use tx::SoftMacTx;
