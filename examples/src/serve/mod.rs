//! The NICs that the program `serve` runs on: the Linux kernel is at the other end of the wire.

mod far_end;
mod modelled;
mod wired;
mod wireless;

use core::time::Duration;

use ethdev::{EthernetDevice, Interest};
use ethdev_linux::{Tap, TapError};

pub use modelled::{Board, BoardFault, Modelled, ModelledError};
pub use wired::{Wired, WiredBoard, WiredError};
pub use wireless::{Wireless, WirelessBoard, WirelessError};

/// A NIC that a program can sleep on.
pub trait Nic: EthernetDevice<Error: std::error::Error + 'static> {
    /// Sleeps until something of interest happens, or for so long. Zero: does what is due, and does not sleep.
    ///
    /// # Errors
    ///
    /// The device failed.
    fn sleep(&mut self, interest: Interest, at_most: Duration) -> Result<(), Self::Error>;

    /// Gets over an error by a recovery, where one may help.
    ///
    /// # Errors
    ///
    /// None does: the same error, or the one that the recovery ended with.
    fn get_over(&mut self, error: Self::Error) -> Result<(), Self::Error> {
        Err(error)
    }

    /// What it is, for the user.
    fn about(&self) -> &'static str;

    /// What there is to count beside [`Stats`](ethdev::Stats).
    fn counters(&self) -> Vec<(&'static str, u64)> {
        Vec::new()
    }
}

impl Nic for Tap {
    fn sleep(&mut self, interest: Interest, at_most: Duration) -> Result<(), TapError> {
        if !at_most.is_zero() {
            self.wait(interest, Some(at_most))?;
        }
        Ok(())
    }

    fn about(&self) -> &'static str {
        "the TAP interface itself"
    }
}
