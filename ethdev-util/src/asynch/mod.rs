//! Async from blocking: for devices whose methods return at once.

mod blocking_async;
#[cfg(feature = "critical-section")]
mod interrupt;
#[cfg(feature = "embedded-hal-async")]
mod timer;

pub use blocking_async::{BlockingAsync, Wake};
#[cfg(feature = "critical-section")]
pub use interrupt::Interrupt;
#[cfg(feature = "embedded-hal-async")]
pub use timer::Timer;
