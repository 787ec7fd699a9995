//! The async form of blocking devices whose methods return immediately.

mod blocking_async;
#[cfg(feature = "critical-section")]
mod interrupt;
mod poll_ready;
#[cfg(feature = "embedded-hal-async")]
mod timer;

#[cfg(feature = "critical-section")]
pub(crate) use blocking_async::check;
pub use blocking_async::{BlockingAsync, Wake};
#[cfg(feature = "critical-section")]
pub use interrupt::Interrupt;
pub use poll_ready::KeptWaker;
#[cfg(feature = "embedded-hal-async")]
pub use timer::Timer;
