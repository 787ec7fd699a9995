//! The CYW43439's driver on the model of its chip: the laboratory that `cargo xtask bench cyw43` and `cargo xtask stress cyw43` share.

mod host;
mod lab;
pub mod stress;

pub use host::Host;
pub use lab::{Lab, MAC, PASSPHRASE, SSID};
