//! The error type.

use core::fmt;
use std::io;

use ethdev::{Error, ErrorKind, MacAddress};
use nix::libc;

use crate::name::NameError;

/// An error of a [`Tap`](crate::Tap) or a [`PacketSocket`](crate::PacketSocket).
/// [`source`](core::error::Error::source) returns the error of the kernel.
#[derive(Debug)]
#[non_exhaustive]
pub enum InterfaceError {
    /// An error without a further cause: link down, stopped, bad length, unsupported.
    Kind(ErrorKind),
    /// The interface name is invalid. No system call was made.
    InvalidName {
        /// The name.
        name: String,
        /// The reason.
        source: NameError,
    },
    /// The MAC address is a group address or all zeros, or, for a TAP interface, the address of the
    /// kernel's end.
    InvalidMacAddress {
        /// The address.
        address: MacAddress,
    },
    /// The user may not do this. The [crate documentation](crate#permissions) lists what each
    /// operation requires.
    PermissionDenied {
        /// The operation.
        what: &'static str,
        /// What it requires, for example a capability (capabilities(7)).
        requires: &'static str,
        /// Name of the interface.
        name: String,
        /// The error of the kernel.
        source: io::Error,
    },
    /// The kernel has no TUN/TAP driver, or `/dev/net/tun` does not exist (`modprobe tun` loads the
    /// driver).
    NoDriver {
        /// The error of the kernel.
        source: io::Error,
    },
    /// The interface does not exist. For a TAP interface:
    /// [`TapConfig::create`](crate::TapConfig::create) is false.
    NoSuchInterface {
        /// Name of the interface.
        name: String,
    },
    /// The interface exists and is not a TAP interface with a single queue.
    NotTap {
        /// Name of the interface.
        name: String,
        /// The error of the kernel.
        source: io::Error,
    },
    /// The frames of the interface have no Ethernet header (a loopback, tunnel or monitor
    /// interface). Packet sockets only.
    NotEthernet {
        /// Name of the interface.
        name: String,
        /// The hardware type of the interface (`ARPHRD_*`, netdevice(7)); 1 is Ethernet.
        hardware_type: u16,
    },
    /// Another process has the TAP interface open.
    InUse {
        /// Name of the interface.
        name: String,
        /// The error of the kernel.
        source: io::Error,
    },
    /// The transmit queue length of the TAP interface (`txqueuelen`) is 0: the kernel drops every
    /// frame for this device without counting it.
    NoQueue {
        /// Name of the interface.
        name: String,
    },
    /// The interface was deleted while it was open, or, for a packet socket, moved to another
    /// network namespace.
    InterfaceRemoved {
        /// Name of the interface.
        name: String,
        /// The error of the kernel, if a system call reported the removal.
        source: Option<io::Error>,
    },
    /// A write found the interface down before `service` or `wait` did.
    LinkDown {
        /// The error of the kernel.
        source: io::Error,
    },
    /// The kernel does not accept a frame now.
    Busy {
        /// The error of the kernel.
        source: io::Error,
    },
    /// Another system call failed.
    Io {
        /// The operation.
        what: &'static str,
        /// The error of the kernel.
        source: io::Error,
    },
}

impl InterfaceError {
    /// Maps the error of a management operation, which requires `requires`.
    pub(crate) fn of(what: &'static str, requires: &'static str, name: &str, source: io::Error) -> Self {
        let name = name.to_owned();
        match source.raw_os_error() {
            Some(libc::EPERM | libc::EACCES) => Self::PermissionDenied {
                what,
                requires,
                name,
                source,
            },
            Some(libc::ENODEV | libc::ENXIO | libc::EBADFD) => Self::InterfaceRemoved {
                name,
                source: Some(source),
            },
            _ => Self::Io { what, source },
        }
    }
}

impl Error for InterfaceError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Kind(kind) => *kind,
            Self::InvalidName { .. }
            | Self::InvalidMacAddress { .. }
            | Self::NotTap { .. }
            | Self::NotEthernet { .. }
            | Self::NoQueue { .. } => ErrorKind::InvalidInput,
            Self::PermissionDenied { .. } => ErrorKind::PermissionDenied,
            Self::NoDriver { .. } | Self::NoSuchInterface { .. } | Self::InterfaceRemoved { .. } => {
                ErrorKind::NotPresent
            }
            // Not `Busy`, which is transient: another process keeps the interface.
            Self::InUse { .. } => ErrorKind::Other,
            Self::LinkDown { .. } => ErrorKind::LinkDown,
            Self::Busy { .. } => ErrorKind::Busy,
            Self::Io { source, .. } if source.kind() == io::ErrorKind::InvalidInput => ErrorKind::InvalidInput,
            Self::Io { .. } => ErrorKind::Bus,
        }
    }
}

impl From<ErrorKind> for InterfaceError {
    fn from(kind: ErrorKind) -> Self {
        Self::Kind(kind)
    }
}

impl fmt::Display for InterfaceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kind(kind) => kind.fmt(f),
            Self::InvalidName { name, source } => write!(f, "invalid interface name {name:?}: {source}"),
            Self::InvalidMacAddress { address } => write!(f, "invalid MAC address {address}"),
            Self::PermissionDenied {
                what, requires, name, ..
            } => write!(f, "{name}: permission denied: {what} requires {requires}"),
            Self::NoDriver { .. } => f.write_str("no TUN/TAP driver: /dev/net/tun cannot be opened"),
            Self::NoSuchInterface { name } => write!(f, "no interface {name}"),
            Self::NotTap { name, .. } => write!(f, "{name} is not a TAP interface with a single queue"),
            Self::NotEthernet { name, hardware_type } => {
                write!(f, "{name} is not an Ethernet interface (hardware type {hardware_type})")
            }
            Self::InUse { name, .. } => write!(f, "{name} is in use by another process"),
            Self::NoQueue { name } => write!(f, "{name} has a transmit queue length (txqueuelen) of 0"),
            Self::InterfaceRemoved { name, .. } => write!(f, "{name} was deleted"),
            Self::LinkDown { .. } => ErrorKind::LinkDown.fmt(f),
            Self::Busy { .. } => ErrorKind::Busy.fmt(f),
            Self::Io { what, source } => write!(f, "{what} failed: {source}"),
        }
    }
}

impl core::error::Error for InterfaceError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::InvalidName { source, .. } => Some(source),
            Self::PermissionDenied { source, .. }
            | Self::NoDriver { source }
            | Self::NotTap { source, .. }
            | Self::InUse { source, .. }
            | Self::LinkDown { source }
            | Self::Busy { source }
            | Self::Io { source, .. } => Some(source),
            Self::InterfaceRemoved { source, .. } => source.as_ref().map(|source| source as _),
            Self::Kind(_)
            | Self::InvalidMacAddress { .. }
            | Self::NoSuchInterface { .. }
            | Self::NotEthernet { .. }
            | Self::NoQueue { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::error::Error as _;

    #[test]
    fn busy_keeps_source() {
        let source = io::Error::from_raw_os_error(libc::ENOBUFS);
        let error = InterfaceError::Busy { source };
        assert_eq!(error.kind(), ErrorKind::Busy);
        assert!(error.source().is_some());
    }

    #[test]
    fn from_kind_any_keeps_kind() {
        for kind in [
            ErrorKind::Busy,
            ErrorKind::Stopped,
            ErrorKind::FrameTooLong { max: 1514 },
        ] {
            assert_eq!(InterfaceError::from(kind).kind(), kind);
        }
    }
}
