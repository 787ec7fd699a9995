//! The async mirror: the same surface for async buses, plus waiting.
//!
//! No executor and no timer is assumed. Drivers of chips that exist in both forms come from one source of chip logic; a device whose methods need not wait
//! (a memory device, a file descriptor) becomes async by [`BlockingAsync`], which waits for its interrupt, or looks at intervals (feature `embedded-hal-async`),
//! or does whatever else a [`Waiter`] can.
//!
//! Futures of these traits are not `Send` by declaration. They are in fact wherever the device is, as with every `async fn` in a trait: the compiler sees
//! that when the device's type is known.

mod control;
mod device;
mod yielding;

pub use control::Control;
pub use device::EthernetDevice;
pub use yielding::yield_once;
