//! The error type.

use core::fmt;
use std::io;

use ethdev::{Error, ErrorKind, MacAddress};
use nix::libc;

use crate::config::NameError;

/// An error of a TAP device. [`source`](core::error::Error::source) returns the error of the
/// kernel.
#[derive(Debug)]
#[non_exhaustive]
pub enum TapError {
    /// An error without a further cause: link down, stopped, bad length, unsupported.
    Kind(ErrorKind),
    /// The interface name is invalid. No system call was made.
    InvalidName {
        /// The name.
        name: String,
        /// The reason.
        source: NameError,
    },
    /// The MAC address is a group address, all zeros, or the address of the kernel's interface.
    InvalidMacAddress {
        /// The address.
        address: MacAddress,
    },
    /// The user may not do this. The [crate documentation](crate#permissions) lists what each
    /// operation requires.
    PermissionDenied {
        /// The operation.
        what: &'static str,
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
    /// The interface does not exist, and [`TapConfig::create`](crate::TapConfig::create) is false.
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
    /// Another process has the interface open.
    InUse {
        /// Name of the interface.
        name: String,
        /// The error of the kernel.
        source: io::Error,
    },
    /// The transmit queue length of the interface (`txqueuelen`) is 0: the kernel drops every frame
    /// for this device without counting it.
    NoQueue {
        /// Name of the interface.
        name: String,
    },
    /// The interface was deleted while it was open.
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

impl TapError {
    /// Maps the error of a management operation.
    pub(crate) fn of(what: &'static str, name: &str, source: io::Error) -> Self {
        match source.raw_os_error() {
            Some(libc::EPERM | libc::EACCES) => Self::PermissionDenied {
                what,
                name: name.to_owned(),
                source,
            },
            Some(libc::ENODEV | libc::EBADFD) => Self::InterfaceRemoved {
                name: name.to_owned(),
                source: Some(source),
            },
            _ => Self::Io { what, source },
        }
    }

    /// Maps the error of opening the interface.
    pub(crate) fn of_open(name: &str, source: io::Error) -> Self {
        let what = "opening the interface";
        let name = name.to_owned();
        match source.raw_os_error() {
            Some(libc::EPERM | libc::EACCES) => Self::PermissionDenied { what, name, source },
            Some(libc::ENOENT | libc::ENODEV | libc::ENXIO) => Self::NoDriver { source },
            Some(libc::EBUSY) => Self::InUse { name, source },
            Some(libc::EINVAL) => Self::NotTap { name, source },
            _ => Self::Io { what, source },
        }
    }
}

impl Error for TapError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Kind(kind) => *kind,
            Self::InvalidName { .. } | Self::InvalidMacAddress { .. } | Self::NotTap { .. } | Self::NoQueue { .. } => {
                ErrorKind::InvalidInput
            }
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

impl From<ErrorKind> for TapError {
    fn from(kind: ErrorKind) -> Self {
        Self::Kind(kind)
    }
}

impl fmt::Display for TapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kind(kind) => kind.fmt(f),
            Self::InvalidName { name, source } => write!(f, "invalid interface name {name:?}: {source}"),
            Self::InvalidMacAddress { address } => write!(f, "invalid MAC address {address}"),
            Self::PermissionDenied { what, name, source } => {
                let required = match source.raw_os_error() {
                    Some(libc::EACCES) => "read and write access to /dev/net/tun",
                    _ => "CAP_NET_ADMIN, or an interface that belongs to this user",
                };
                write!(f, "{name}: permission denied: {what} requires {required}")
            }
            Self::NoDriver { .. } => f.write_str("no TUN/TAP driver: /dev/net/tun cannot be opened"),
            Self::NoSuchInterface { name } => write!(f, "no interface {name}"),
            Self::NotTap { name, .. } => write!(f, "{name} is not a TAP interface with a single queue"),
            Self::InUse { name, .. } => write!(f, "{name} is in use by another process"),
            Self::NoQueue { name } => write!(f, "{name} has a transmit queue length (txqueuelen) of 0"),
            Self::InterfaceRemoved { name, .. } => write!(f, "{name} was deleted"),
            Self::LinkDown { .. } => ErrorKind::LinkDown.fmt(f),
            Self::Busy { .. } => ErrorKind::Busy.fmt(f),
            Self::Io { what, source } => write!(f, "{what} failed: {source}"),
        }
    }
}

impl core::error::Error for TapError {
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
            Self::Kind(_) | Self::InvalidMacAddress { .. } | Self::NoSuchInterface { .. } | Self::NoQueue { .. } => {
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::error::Error as _;

    fn open(errno: i32) -> TapError {
        TapError::of_open("tap7", io::Error::from_raw_os_error(errno))
    }

    #[test]
    fn of_open_errno_has_kind_and_source() {
        for (errno, kind) in [
            (libc::EPERM, ErrorKind::PermissionDenied),
            (libc::EACCES, ErrorKind::PermissionDenied),
            (libc::ENOENT, ErrorKind::NotPresent),
            (libc::ENODEV, ErrorKind::NotPresent),
            (libc::EBUSY, ErrorKind::Other),
            (libc::EINVAL, ErrorKind::InvalidInput),
            (libc::EMFILE, ErrorKind::Bus),
        ] {
            let error = open(errno);
            assert_eq!(error.kind(), kind, "{error}");
            let source = error.source().and_then(|e| e.downcast_ref::<io::Error>());
            assert_eq!(source.and_then(io::Error::raw_os_error), Some(errno), "{error}");
        }
    }

    #[test]
    fn display_permission_denied_names_requirement() {
        let text = open(libc::EPERM).to_string();
        assert!(text.starts_with("tap7: permission denied"), "{text}");
        assert!(text.contains("CAP_NET_ADMIN"), "{text}");
        assert!(open(libc::EACCES).to_string().contains("/dev/net/tun"));
    }

    #[test]
    fn of_open_interface_in_use_is_not_transient() {
        assert!(!open(libc::EBUSY).kind().is_transient());
    }

    #[test]
    fn busy_keeps_source() {
        let source = io::Error::from_raw_os_error(libc::ENOBUFS);
        let error = TapError::Busy { source };
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
            assert_eq!(TapError::from(kind).kind(), kind);
        }
    }
}
