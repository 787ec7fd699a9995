//! smoltcp's `phy::Device` written by hand for one MAC each, as is usual: what `cargo xtask qemu --figures` compares with. They do what the stack needs and no
//! more: no PHY, no link, no interrupts, no books, no recovery, no lengths checked twice.

#[cfg(board = "mps2_an385")]
mod lan9118;
#[cfg(board = "imx6ul_evk")]
mod sys_enet;

#[cfg(board = "mps2_an385")]
pub use lan9118::ByHand;
#[cfg(board = "imx6ul_evk")]
pub use sys_enet::ByHand;
