//! The interface to open, and its settings.

use core::fmt;

use ethdev::{IpMtu, MacAddress};

/// Longest interface name in bytes: `IFNAMSIZ` without the terminating zero.
const MAX_NAME_LEN: usize = nix::libc::IFNAMSIZ - 1;

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

/// The reason why an interface name is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NameError {
    /// The name is empty, and [`TapConfig::create`] is false.
    Empty,
    /// The name has more than 15 bytes.
    TooLong {
        /// Length of the name in bytes.
        len: usize,
    },
    /// The name contains a character that the kernel rejects (`/`, `:`, white space, a control
    /// character) or interprets (`%`).
    BadCharacter {
        /// The first such character.
        found: char,
    },
    /// The name is `.` or `..`.
    Dots,
}

impl NameError {
    /// Checks the rules of the kernel (`dev_valid_name`), and of `TUNSETIFF`, which expands `%d`.
    pub(crate) fn check(name: &str) -> Result<(), Self> {
        if name.len() > MAX_NAME_LEN {
            return Err(Self::TooLong { len: name.len() });
        }
        if name == "." || name == ".." {
            return Err(Self::Dots);
        }
        let bad = |c: &char| matches!(c, '/' | ':' | '%') || c.is_whitespace() || c.is_control();
        name.chars()
            .find(bad)
            .map_or(Ok(()), |found| Err(Self::BadCharacter { found }))
    }
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("empty name"),
            Self::TooLong { len } => write!(f, "{len} bytes, the maximum is {MAX_NAME_LEN}"),
            Self::BadCharacter { found } => write!(f, "invalid character {found:?}"),
            Self::Dots => f.write_str("reserved name"),
        }
    }
}

impl core::error::Error for NameError {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn check_valid_name_ok() {
        for name in ["tap0", "a", "veth-1.2_x", "123456789012345", "été"] {
            assert_eq!(NameError::check(name), Ok(()), "{name}");
        }
    }

    #[test]
    fn check_invalid_name_reports_reason() {
        assert_eq!(
            NameError::check("1234567890123456"),
            Err(NameError::TooLong { len: 16 })
        );
        // Eight characters, sixteen bytes.
        assert_eq!(NameError::check("éééééééé"), Err(NameError::TooLong { len: 16 }));
        assert_eq!(NameError::check("."), Err(NameError::Dots));
        assert_eq!(NameError::check(".."), Err(NameError::Dots));
        for (name, found) in [
            ("a/b", '/'),
            ("a:1", ':'),
            ("a b", ' '),
            ("tap%d", '%'),
            ("a\0", '\0'),
            ("a\n", '\n'),
        ] {
            assert_eq!(
                NameError::check(name),
                Err(NameError::BadCharacter { found }),
                "{name:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn check_accepted_name_fits_ifreq(name: String) {
            if NameError::check(&name).is_ok() {
                prop_assert!(name.len() < nix::libc::IFNAMSIZ && !name.contains('\0'));
            }
        }
    }

    #[test]
    fn display_name_error_has_the_value() {
        for (error, text) in [
            (NameError::Empty, "empty name"),
            (NameError::TooLong { len: 16 }, "16 bytes, the maximum is 15"),
            (NameError::BadCharacter { found: '/' }, "invalid character '/'"),
            (NameError::Dots, "reserved name"),
        ] {
            assert_eq!(error.to_string(), text);
        }
    }
}
