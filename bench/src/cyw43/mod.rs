//! The CYW43439 driver on the model of its chip: the testbed of `cargo xtask bench cyw43` and
//! `cargo xtask stress cyw43`.

mod model_bus;
pub mod stress;
mod testbed;

pub use model_bus::ModelBus;
pub use testbed::{MAC, PASSPHRASE, SSID, Testbed};
