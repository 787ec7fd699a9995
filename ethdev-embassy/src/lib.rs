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
mod driver;

pub use device::{EmbassyDevice, EmbassyDeviceError};
pub use driver::{EmbassyDriver, Handle, RxToken, State, TxToken};
pub use ethdev_util::stack::{DropStats, ErrorCounts, MIN_BUFFER_LEN};
