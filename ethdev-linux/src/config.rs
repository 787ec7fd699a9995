//! Which TAP interface to open, and how.

use core::fmt;

use ethdev::{IpMtu, MacAddress};

/// Longest interface name in bytes: `IFNAMSIZ` less the terminating zero.
const MAX_NAME_LEN: usize = nix::libc::IFNAMSIZ - 1;

/// Which TAP interface to open, and how.
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
    /// The interface's name, at most 15 bytes. Empty: the kernel makes a new interface and chooses `tap0`, `tap1`, ...
    pub name: String,
    /// The address of *our* end of the wire, the NIC that the stack drives. The kernel's interface has one of its own, and they must differ.
    ///
    /// `None`: a locally administered address made from the interface's name and the machine's id (`/etc/machine-id`): the same at every run, another
    /// for every interface. Choose one where the interface is bridged to a network with clones of this machine on it.
    pub mac_address: Option<MacAddress>,
    /// Whether to create an interface that does not exist (needs `CAP_NET_ADMIN`; it goes away with the [`Tap`](crate::Tap)). True unless said otherwise.
    pub create: bool,
    /// Whether to bring the interface up at once, as `ip link set NAME up` does (needs `CAP_NET_ADMIN`). False unless said otherwise: it stays as it is.
    pub up: bool,
    /// The IP MTU to give the interface (needs `CAP_NET_ADMIN`). `None` leaves it as it is.
    pub ip_mtu: Option<IpMtu>,
}

impl TapConfig {
    /// The interface of this name: opened if it exists, else created.
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

    /// The same with this address for our end.
    #[must_use]
    pub const fn with_mac_address(mut self, address: MacAddress) -> Self {
        self.mac_address = Some(address);
        self
    }

    /// The same with or without creating what does not exist.
    #[must_use]
    pub const fn with_create(mut self, create: bool) -> Self {
        self.create = create;
        self
    }

    /// The same with or without bringing the interface up.
    #[must_use]
    pub const fn with_up(mut self, up: bool) -> Self {
        self.up = up;
        self
    }

    /// The same with this IP MTU.
    #[must_use]
    pub const fn with_ip_mtu(mut self, ip_mtu: IpMtu) -> Self {
        self.ip_mtu = Some(ip_mtu);
        self
    }
}

/// What is wrong with an interface's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NameError {
    /// There is none, where an existing interface is asked for.
    Empty,
    /// More than 15 bytes.
    TooLong {
        /// Its length in bytes.
        len: usize,
    },
    /// It has a character that the kernel refuses (`/`, `:`, white space, a control character), or one that means something else to it (`%`).
    BadCharacter {
        /// The first such character.
        found: char,
    },
    /// It is `.` or `..`.
    Dots,
}

impl NameError {
    /// The rules of the kernel (`dev_valid_name`), and those of `TUNSETIFF`, which takes `%d` for a template.
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
            Self::Empty => f.write_str("it is empty"),
            Self::TooLong { len } => write!(f, "it has {len} bytes, the kernel takes at most {MAX_NAME_LEN}"),
            Self::BadCharacter { found } => write!(f, "{found:?} cannot be in it"),
            Self::Dots => f.write_str("it is a directory's name"),
        }
    }
}

impl core::error::Error for NameError {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_that_the_kernel_takes() {
        for name in ["tap0", "a", "veth-1.2_x", "123456789012345", "été"] {
            assert_eq!(NameError::check(name), Ok(()), "{name}");
        }
    }

    #[test]
    fn names_that_it_does_not() {
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
        fn what_passes_fits_the_kernels_structure(name: String) {
            if NameError::check(&name).is_ok() {
                prop_assert!(name.len() < nix::libc::IFNAMSIZ && !name.contains('\0'));
            }
        }
    }
}
