//! Example applications, generic over the device, and the programs that run them.
//!
//! - [`apps`]: the applications. No `std`, no alloc: the caller provides the memory. The firmware
//!   runs the same code.
//! - `serve` (feature `std`): the NICs of the program `serve`, with the Linux kernel as link peer.
//! - `testbed` (feature `std`): every NIC of the workspace on a simulated wire, for the program
//!   `swap` and for tests.
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
pub mod serve;
#[cfg(feature = "std")]
pub mod testbed;
