//! Example applications, generic over the device, and the programs that run them.
//!
//! - [`apps`]: the applications. No `std`, no alloc: the caller provides the memory. The firmware
//!   runs the same code.
//! - [`sys_executor`]: an executor without a heap, for tasks in statics.
//! - `serve` (feature `std`): the NICs of the program `serve`, with the Linux kernel as link peer.
//! - `testbed` (feature `std`): every NIC of the workspace on a simulated wire, for the program
//!   `swap` and for tests.
#![cfg_attr(not(any(feature = "std", test)), no_std)]
#![deny(unsafe_code)]

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
pub mod sys_executor;
#[cfg(feature = "std")]
pub mod testbed;
