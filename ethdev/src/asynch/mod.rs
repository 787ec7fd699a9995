//! The async mirror: the pull and management APIs for async buses, and waiting.
//!
//! It assumes no executor and no timer. Drivers of chips have one source of logic for both forms; a
//! device whose methods return immediately (a memory device, a file descriptor) becomes async by
//! `ethdev_util::asynch::BlockingAsync`.
//!
//! The futures of these traits are not declared `Send`. They are `Send` wherever the device is, as
//! with every `async fn` in a trait: the compiler sees that once the type of the device is known.

mod control;
mod device;
mod yield_once;

pub use control::Control;
pub use device::EthernetDevice;
pub use yield_once::yield_once;
