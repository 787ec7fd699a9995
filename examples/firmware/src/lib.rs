//! The applications of `ethdev-examples` on a bare-metal Cortex-M3, over a LAN9118.
//!
//! - [`lan9118`]: a driver for the board's NIC. It knows no board, and its tests run on the host.
//! - [`echo`]: the application whose image is measured.
//! - `board`: registers, clock, sleep and interrupts of the board. Only on the target.
#![cfg_attr(not(test), no_std)]
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

#[cfg(target_os = "none")]
pub mod board;
pub mod echo;
pub mod lan9118;
