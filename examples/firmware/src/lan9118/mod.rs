//! SMSC LAN9118: a MAC with its own FIFOs and a built-in PHY, behind a 32-bit bus.

mod chip;
mod device;
mod driver;
mod error;
pub(crate) mod regs;
#[cfg(test)]
mod tests;

pub use chip::Registers;
pub use driver::Lan9118;
pub use error::{Error, Step, Timeout};
pub use regs::Register;
