//! The reference memory device: a NIC with descriptor rings, its chip and its driver.

mod config;
mod control;
mod device;
mod error;
mod handle;
mod hardware;
mod lend;
mod ring;
#[cfg(test)]
mod tests;

pub use config::{RingConfig, Trigger};
pub use device::RingNic;
pub use error::RingError;
pub use handle::RingHandle;
pub use lend::{RingRx, RingTx};
