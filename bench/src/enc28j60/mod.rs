//! The ENC28J60 driver on the model of its chip: the testbed of `cargo xtask bench enc28j60` and
//! `cargo xtask stress enc28j60`.

mod frame;
pub mod stress;
mod testbed;

pub use frame::{CHIP, build, number};
pub use testbed::{Testbed, config_for_all};
