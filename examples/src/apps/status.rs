//! The status of a device.

use core::time::Duration;

use ethdev::{EthernetDevice, Link, MacAddress, Stats};

/// The status of a device at one time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// MAC address.
    pub mac_address: MacAddress,
    /// Link state.
    pub link: Link,
    /// Counters.
    pub stats: Stats,
    /// Time since the node was created.
    pub uptime: Duration,
}

impl Status {
    /// Reads the cached values of `device`.
    pub fn of<D: EthernetDevice + ?Sized>(device: &D, uptime: Duration) -> Self {
        Self {
            mac_address: device.mac_address(),
            link: device.link(),
            stats: device.stats(),
            uptime,
        }
    }
}
