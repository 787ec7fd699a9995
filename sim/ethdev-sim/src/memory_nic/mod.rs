//! The reference memory device: a NIC with descriptor rings, its chip and its driver.

mod chip;
mod chip_state;
mod config;
mod control;
mod device;
mod error;
mod halves;
mod handle;
mod ring;
#[cfg(test)]
mod tests;

pub use config::{RingConfig, Trigger};
pub use device::RingNic;
pub use error::RingError;
pub use halves::{RingRx, RingTx};
pub use handle::RingHandle;
