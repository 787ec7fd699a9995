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

mod caps;
mod device;
mod ledger;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod tokens;
mod tx_port;
mod wakeup;

pub use caps::MIN_SPARE_LEN;
pub use device::{DEFAULT_RX_BUDGET, SmoltcpDevice, SpareTooShort};
pub use ledger::{DropStats, ErrorCounts};
pub use tokens::{RxToken, TxToken};
pub use wakeup::{Backoff, PollAt};
