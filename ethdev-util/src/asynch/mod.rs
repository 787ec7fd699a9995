//! Async from blocking: for devices whose methods return at once.

mod adapter;
#[cfg(feature = "critical-section")]
mod interrupt;
#[cfg(feature = "embedded-hal-async")]
mod timer;

pub use adapter::{Async, Waiter};
#[cfg(feature = "critical-section")]
pub use interrupt::Interrupt;
#[cfg(feature = "embedded-hal-async")]
pub use timer::Timer;
