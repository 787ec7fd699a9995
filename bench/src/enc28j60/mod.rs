//! The ENC28J60's driver on the model of its chip: the laboratory that `cargo xtask bench enc28j60` and `cargo xtask stress enc28j60` share.

mod frame;
mod lab;
pub mod stress;

pub use frame::{CHIP, build, number};
pub use lab::Lab;
