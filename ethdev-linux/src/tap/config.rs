//! The TAP interface to open, and its settings.

use ethdev::{IpMtu, MacAddress};

/// The TAP interface to open, and its settings.
///
/// ```
/// use ethdev::MacAddress;
/// use ethdev_linux::TapConfig;
///
/// let config = TapConfig::new("tap0")
///     .with_mac_address(MacAddress::new([0x02, 0, 0, 0, 0, 0x17]))
///     .with_create(false);
/// assert_eq!(config.name, "tap0");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TapConfig {
    /// Name of the interface, at most 15 bytes. If it is empty, the kernel creates a new interface
    /// and chooses its name: `tap0`, `tap1`, ...
    pub name: String,
    /// MAC address of this device. The kernel's interface has its own address, and the two must
    /// differ.
    ///
    /// `None`: a locally administered address derived from the name of the interface and the ID of
    /// the machine (`/etc/machine-id`), the same on every run. Set an address if the interface
    /// is bridged to a network that contains clones of this machine.
    pub mac_address: Option<MacAddress>,
    /// Whether to create the interface if it does not exist. Default: true. Requires
    /// `CAP_NET_ADMIN`. The kernel deletes a created interface when the [`Tap`](crate::Tap) is
    /// dropped.
    pub create: bool,
    /// Whether to bring the interface up, as `ip link set NAME up` does. Default: false, which
    /// leaves its state unchanged. Requires `CAP_NET_ADMIN`.
    pub up: bool,
    /// IP MTU of the interface. Default: `None`, which leaves it unchanged. Requires
    /// `CAP_NET_ADMIN`.
    pub ip_mtu: Option<IpMtu>,
}

impl TapConfig {
    /// Creates a configuration for the interface `name`: opened if it exists, created otherwise.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            mac_address: None,
            create: true,
            up: false,
            ip_mtu: None,
        }
    }

    /// Sets the MAC address of this device.
    #[must_use]
    pub const fn with_mac_address(mut self, address: MacAddress) -> Self {
        self.mac_address = Some(address);
        self
    }

    /// Sets whether an interface that does not exist is created.
    #[must_use]
    pub const fn with_create(mut self, create: bool) -> Self {
        self.create = create;
        self
    }

    /// Sets whether the interface is brought up.
    #[must_use]
    pub const fn with_up(mut self, up: bool) -> Self {
        self.up = up;
        self
    }

    /// Sets the IP MTU of the interface.
    #[must_use]
    pub const fn with_ip_mtu(mut self, ip_mtu: IpMtu) -> Self {
        self.ip_mtu = Some(ip_mtu);
        self
    }
}
