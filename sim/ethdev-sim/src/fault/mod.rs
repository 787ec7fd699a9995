//! Faults in front of any device.

mod control;
mod device;
mod lending;
mod plan;
mod state;
#[cfg(test)]
mod tests;

pub use device::Faulty;
pub use lending::{FaultyRx, FaultyTx};
pub use plan::{FaultPlan, Injected, When};
