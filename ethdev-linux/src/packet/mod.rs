//! Packet sockets.

mod config;
mod memberships;
mod port;
mod sys;
mod sys_ring;

use crate::error::InterfaceError;
use crate::interface::Interface;

pub use config::PacketConfig;
pub use port::PacketPort;

/// An interface of the host as a device, through a packet socket (packet(7)). Its link partner is
/// what the interface is connected to.
///
/// The [crate documentation](crate#packet-socket) describes what the kernel does to frames.
pub type PacketSocket = Interface<PacketPort>;

impl PacketSocket {
    /// Opens a packet socket on the interface `name`, with its MAC address. Equivalent to
    /// [`with_config`](Self::with_config) with [`PacketConfig::new`]. Requires `CAP_NET_RAW`.
    ///
    /// # Errors
    ///
    /// Those of `with_config`, and `NotEthernet`.
    pub fn open(name: &str) -> Result<Self, InterfaceError> {
        Self::with_config(PacketConfig::new(name))
    }
}
