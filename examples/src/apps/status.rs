//! What there is to tell about a device.

use core::time::Duration;

use ethdev::{EthernetDevice, Link, MacAddress, Stats};

/// A device's state at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// Its address.
    pub mac_address: MacAddress,
    /// Its link.
    pub link: Link,
    /// What became of every frame.
    pub stats: Stats,
    /// Time since the node was made.
    pub uptime: Duration,
}

impl Status {
    /// The state of `device`, from its cached values.
    pub fn of<D: EthernetDevice + ?Sized>(device: &D, uptime: Duration) -> Self {
        Self {
            mac_address: device.mac_address(),
            link: device.link(),
            stats: device.stats(),
            uptime,
        }
    }
}
