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

pub mod asynch;
mod buffered;
mod callback;
#[cfg(feature = "critical-section")]
mod doorbell;
mod erased;
#[cfg(feature = "pump")]
pub mod pump;
#[cfg(feature = "critical-section")]
mod shared;
mod trace;

pub use buffered::{Buffered, BufferedRx, BufferedTx};
pub use callback::Callback;
#[cfg(feature = "critical-section")]
pub use doorbell::{Doorbell, Wait};
pub use erased::{Erased, ErasedDevice};
