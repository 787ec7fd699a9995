//! The NICs of the program `serve`.

mod link_peer;
mod modelled;
mod wired;
mod wireless;

use core::time::Duration;

use ethdev::{EthernetDevice, Interest};
use ethdev_linux::{InterfaceError, PacketSocket, Tap};

pub use modelled::{Board, BoardFault, Modelled, ModelledError};
pub use wired::{Wired, WiredBoard, WiredError};
pub use wireless::{Wireless, WirelessBoard, WirelessError};

/// A NIC with an interrupt that the program can wait for.
pub trait Nic: EthernetDevice<Error: 'static> {
    /// Waits until something of `interest` may hold, or for `timeout`. With a `timeout` of zero it
    /// only does what is due.
    ///
    /// # Errors
    ///
    /// The device failed.
    fn wait_for(&mut self, interest: Interest, timeout: Duration) -> Result<(), Self::Error>;

    /// Recovers from `error`, if that is possible.
    ///
    /// # Errors
    ///
    /// Recovery is not possible (the same error), or failed.
    fn recover_from(&mut self, error: Self::Error) -> Result<(), Self::Error> {
        Err(error)
    }

    /// Describes the NIC to the user.
    fn about(&self) -> &'static str;

    /// Returns counters in addition to [`Stats`](ethdev::Stats).
    fn counters(&self) -> Vec<(&'static str, u64)> {
        Vec::new()
    }
}

impl Nic for Tap {
    fn wait_for(&mut self, interest: Interest, timeout: Duration) -> Result<(), InterfaceError> {
        if !timeout.is_zero() {
            self.wait(interest, Some(timeout))?;
        }
        Ok(())
    }

    fn about(&self) -> &'static str {
        "the TAP interface itself"
    }
}

impl Nic for PacketSocket {
    fn wait_for(&mut self, interest: Interest, timeout: Duration) -> Result<(), InterfaceError> {
        if !timeout.is_zero() {
            self.wait(interest, Some(timeout))?;
        }
        Ok(())
    }

    fn about(&self) -> &'static str {
        "a packet socket on the interface"
    }
}
