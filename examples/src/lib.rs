//! One set of applications, generic over the device, and the programs that run them.
//!
//! - [`apps`]: the applications. No `std`, no alloc: the caller brings the memory. The firmware runs exactly these.
//! - `serve` (feature `std`): the NICs that the program `serve` runs on, with the Linux kernel at the far end.
//! - `lab` (feature `std`): every NIC of the workspace on a simulated wire, for the program `swap` and for tests.
#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]

#[cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::unreachable
    )
)]
pub mod apps;
#[cfg(feature = "std")]
pub mod lab;
#[cfg(feature = "std")]
pub mod serve;
