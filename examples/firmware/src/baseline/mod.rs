//! The baseline of `cargo xtask qemu --figures`: smoltcp's `phy::Device` for one MAC each, with the
//! minimum that the stack needs. No PHY, link state, interrupts, counters or recovery, and no
//! validation of lengths.

#[cfg(board = "mps2_an385")]
mod lan9118;
#[cfg(board = "imx6ul_evk")]
mod sys_enet;

#[cfg(board = "mps2_an385")]
pub use lan9118::Baseline;
#[cfg(board = "imx6ul_evk")]
pub use sys_enet::Baseline;
