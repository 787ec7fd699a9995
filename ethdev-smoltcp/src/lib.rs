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

mod capabilities;
mod device;
mod lending;
mod lifecycle;
#[cfg(test)]
mod mock;
mod mode;
mod poll_at;
mod pull;
mod rx;
#[cfg(test)]
mod tests;
mod tokens;

pub use device::SmoltcpDevice;
pub use ethdev_util::stack::{DropStats, ErrorCounts, MIN_BUFFER_LEN};
pub use lending::Lending;
pub use mode::Mode;
pub use poll_at::{Backoff, PollAt};
pub use pull::Pull;
pub use rx::DEFAULT_RX_BUDGET;
pub use tokens::{RxToken, TxToken};
