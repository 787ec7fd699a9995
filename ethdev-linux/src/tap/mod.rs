//! TAP interfaces.

mod config;
mod open;
mod port;

use crate::error::InterfaceError;
use crate::interface::Interface;

pub use config::TapConfig;
pub use port::TapPort;

/// A TAP interface as a device. Its link partner is the Linux kernel.
///
/// The [crate documentation](crate) describes the kernel's side.
pub type Tap = Interface<TapPort>;

impl Tap {
    /// Opens the TAP interface `name`, or creates it if it does not exist. Equivalent to
    /// [`with_config`](Self::with_config) with [`TapConfig::new`].
    ///
    /// # Errors
    ///
    /// Those of `with_config`, and `NoDriver`, `NotTap`, `InUse`, `NoQueue`.
    pub fn open(name: &str) -> Result<Self, InterfaceError> {
        Self::with_config(TapConfig::new(name))
    }
}
