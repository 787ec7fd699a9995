//! The applications of `ethdev-examples` on bare metal, in QEMU: a Cortex-M3 with a LAN9118, a
//! Cortex-A7 with an ENET.
//!
//! - [`app`]: the node on a NIC, for any scheduler. The programs in `src/bin` schedule it.
//! - `tasks`: the host on embassy-net in tasks, for any executor.
//! - [`nic`]: the NIC of the board. Other modules do not depend on its type.
//! - [`board`]: clock, alarm, sleep, interrupts and registers of the board.
//! - [`frames`] and [`baseline`]: instructions per frame with and without ethdev.
//! - [`echo`]: the application of the size comparison.
#![no_std]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::unreachable
)]

#[cfg(target_os = "none")]
pub mod app;
#[cfg(target_os = "none")]
pub mod baseline;
#[cfg(target_os = "none")]
pub mod board;
pub mod echo;
#[cfg(target_os = "none")]
pub mod frames;
#[cfg(target_os = "none")]
pub mod nic;
#[cfg(target_os = "none")]
pub mod report;
#[cfg(board = "mps2_an385")]
pub mod sys_executor;
#[cfg(board = "mps2_an385")]
mod sys_time;
#[cfg(board = "mps2_an385")]
pub mod tasks;
