//! The interface of a packet socket, and its settings.

use ethdev::MacAddress;

/// The interface of a packet socket, and its settings.
///
/// ```
/// use ethdev::MacAddress;
/// use ethdev_linux::PacketConfig;
///
/// let config = PacketConfig::new("eth0").with_mac_address(MacAddress::new([0x02, 0, 0, 0, 0, 0x17]));
/// assert_eq!(config.name, "eth0");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PacketConfig {
    /// Name of the interface, 1 to 15 bytes.
    pub name: String,
    /// MAC address of this device.
    ///
    /// `None`: that of the interface, which this device then shares with the host's own stack. An
    /// address of its own is added to the interface; many Wi-Fi access points accept only the
    /// address of the interface.
    pub mac_address: Option<MacAddress>,
}

impl PacketConfig {
    /// Creates a configuration for the interface `name` and its MAC address.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            mac_address: None,
        }
    }

    /// Sets the MAC address of this device.
    #[must_use]
    pub const fn with_mac_address(mut self, address: MacAddress) -> Self {
        self.mac_address = Some(address);
        self
    }
}
