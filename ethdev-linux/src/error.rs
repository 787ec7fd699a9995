//! What can go wrong with a TAP interface.

use core::fmt;
use std::io;

use ethdev::{Error, ErrorKind};

use crate::NameError;

/// What can go wrong with a TAP interface. The kernel's own error is kept as [`source`](core::error::Error::source).
#[derive(Debug)]
#[non_exhaustive]
pub enum TapError {
    /// No interface can have this name. The kernel was not asked.
    InvalidName {
        /// The name.
        name: String,
        /// What is wrong with it.
        source: NameError,
    },
    /// The configured address cannot be our end's: a group address, all zeros, or the address of the kernel's own end.
    InvalidMacAddress {
        /// The address.
        address: ethdev::MacAddress,
    },
    /// This user may not do it. The message says what helps.
    PermissionDenied {
        /// What was tried.
        what: &'static str,
        /// The interface.
        name: String,
        /// The kernel's answer.
        source: io::Error,
    },
    /// The kernel has no TUN/TAP driver, or `/dev/net/tun` is missing.
    NoDriver {
        /// The kernel's answer.
        source: io::Error,
    },
    /// There is no interface of that name, and none was to be created.
    NoSuchInterface {
        /// The name.
        name: String,
    },
    /// There is an interface of that name, and it is no TAP interface with a single queue.
    NotTap {
        /// The name.
        name: String,
        /// The kernel's answer.
        source: io::Error,
    },
    /// Another process has the interface open.
    InUse {
        /// The name.
        name: String,
        /// The kernel's answer.
        source: io::Error,
    },
    /// The interface's transmit queue length (`txqueuelen`) is 0: the kernel drops every frame that it is to deliver, and counts none.
    NoQueue {
        /// The interface.
        name: String,
    },
    /// The interface was deleted while it was open.
    InterfaceRemoved {
        /// The interface.
        name: String,
        /// The kernel's answer, where a read or a write noticed it.
        source: Option<io::Error>,
    },
    /// The interface is not up, or has no carrier.
    LinkDown {
        /// The kernel's answer, where a write noticed it before `service` did.
        source: Option<io::Error>,
    },
    /// The kernel has no room for a frame now.
    Busy {
        /// The kernel's answer.
        source: io::Error,
    },
    /// The device is [stopped](ethdev::Control::stop).
    Stopped,
    /// The caller's buffer is shorter than the next frame, which is still next.
    BufferTooSmall {
        /// Length of the frame in bytes.
        needed: usize,
    },
    /// The caller's frame is longer than the interface carries.
    FrameTooLong {
        /// The longest that it does, in bytes.
        max: usize,
    },
    /// The caller's frame is shorter than an Ethernet header.
    FrameTooShort,
    /// A system call failed in another way.
    Io {
        /// What it was for.
        what: &'static str,
        /// The kernel's answer.
        source: io::Error,
    },
}

impl TapError {
    /// A failure of something other than reading and writing frames.
    pub(crate) fn of(what: &'static str, name: &str, source: io::Error) -> Self {
        match source.raw_os_error() {
            Some(nix::libc::EPERM | nix::libc::EACCES) => Self::PermissionDenied {
                what,
                name: name.to_owned(),
                source,
            },
            Some(nix::libc::ENODEV | nix::libc::EBADFD) => Self::InterfaceRemoved {
                name: name.to_owned(),
                source: Some(source),
            },
            _ => Self::Io { what, source },
        }
    }

    /// A failure of opening the interface.
    pub(crate) fn of_open(name: &str, source: io::Error) -> Self {
        let name = name.to_owned();
        match source.raw_os_error() {
            Some(nix::libc::EPERM | nix::libc::EACCES) => Self::PermissionDenied {
                what: "opening it",
                name,
                source,
            },
            Some(nix::libc::ENOENT | nix::libc::ENODEV | nix::libc::ENXIO) => Self::NoDriver { source },
            Some(nix::libc::EBUSY) => Self::InUse { name, source },
            Some(nix::libc::EINVAL) => Self::NotTap { name, source },
            _ => Self::Io {
                what: "opening the interface",
                source,
            },
        }
    }

    /// What [`ethdev::validate_tx_len`] found.
    pub(crate) const fn of_frame(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::FrameTooLong { max } => Self::FrameTooLong { max },
            _ => Self::FrameTooShort,
        }
    }
}

impl Error for TapError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::InvalidName { .. } | Self::InvalidMacAddress { .. } | Self::NotTap { .. } | Self::NoQueue { .. } => {
                ErrorKind::InvalidInput
            }
            Self::PermissionDenied { .. } => ErrorKind::PermissionDenied,
            Self::NoDriver { .. } | Self::NoSuchInterface { .. } | Self::InterfaceRemoved { .. } => {
                ErrorKind::NotPresent
            }
            // Not `Busy`: that is "no room now, try again", and nothing here passes by itself.
            Self::InUse { .. } => ErrorKind::Other,
            Self::LinkDown { .. } => ErrorKind::LinkDown,
            Self::Busy { .. } => ErrorKind::Busy,
            Self::Stopped => ErrorKind::Stopped,
            Self::BufferTooSmall { needed } => ErrorKind::BufferTooSmall { needed: *needed },
            Self::FrameTooLong { max } => ErrorKind::FrameTooLong { max: *max },
            Self::FrameTooShort => ErrorKind::FrameTooShort,
            Self::Io { source, .. } if source.kind() == io::ErrorKind::InvalidInput => ErrorKind::InvalidInput,
            Self::Io { .. } => ErrorKind::Bus,
        }
    }
}

impl fmt::Display for TapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidName { name, source } => write!(f, "{name:?} is no interface name: {source}"),
            Self::InvalidMacAddress { address } => write!(
                f,
                "{address} cannot be the address of this end: it must be a station's, and not the kernel interface's own"
            ),
            Self::PermissionDenied { what, name, source } if source.raw_os_error() == Some(nix::libc::EACCES) => {
                write!(
                    f,
                    "{name}: {what} is not permitted: /dev/net/tun must be readable and writable for this user (its usual mode is 0666)"
                )
            }
            Self::PermissionDenied { what, name, .. } => write!(
                f,
                "{name}: {what} is not permitted: it needs CAP_NET_ADMIN, or an interface that belongs to this user \
                 (sudo ip tuntap add dev {name} mode tap user $USER && sudo ip link set {name} up)"
            ),
            Self::NoDriver { .. } => {
                f.write_str("/dev/net/tun cannot be opened (modprobe tun loads the kernel's driver)")
            }
            Self::NoSuchInterface { name } => write!(
                f,
                "there is no interface {name}: sudo ip tuntap add dev {name} mode tap user $USER"
            ),
            Self::NotTap { name, .. } => write!(f, "{name} is no TAP interface with a single queue"),
            Self::InUse { name, .. } => write!(f, "{name} is in use by another process"),
            Self::NoQueue { name } => write!(
                f,
                "{name} has a transmit queue length of 0 and delivers no frame: sudo ip link set {name} txqueuelen 1000"
            ),
            Self::InterfaceRemoved { name, .. } => write!(f, "{name} was deleted"),
            Self::LinkDown { .. } => f.write_str("the interface is down"),
            Self::Busy { .. } => f.write_str("no room to transmit now"),
            Self::Stopped => f.write_str("device is stopped"),
            Self::BufferTooSmall { needed } => write!(f, "buffer too small, the next frame has {needed} bytes"),
            Self::FrameTooLong { max } => write!(f, "frame too long, the interface carries at most {max} bytes"),
            Self::FrameTooShort => f.write_str("frame shorter than an Ethernet header"),
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
            | Self::Busy { source }
            | Self::Io { source, .. } => Some(source),
            Self::InterfaceRemoved { source, .. } | Self::LinkDown { source } => match source {
                Some(source) => Some(source),
                None => None,
            },
            Self::InvalidMacAddress { .. }
            | Self::NoSuchInterface { .. }
            | Self::NoQueue { .. }
            | Self::Stopped
            | Self::BufferTooSmall { .. }
            | Self::FrameTooLong { .. }
            | Self::FrameTooShort => None,
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
    fn refused_opens_have_kinds_and_causes() {
        for (errno, kind) in [
            (nix::libc::EPERM, ErrorKind::PermissionDenied),
            (nix::libc::EACCES, ErrorKind::PermissionDenied),
            (nix::libc::ENOENT, ErrorKind::NotPresent),
            (nix::libc::ENODEV, ErrorKind::NotPresent),
            (nix::libc::EBUSY, ErrorKind::Other),
            (nix::libc::EINVAL, ErrorKind::InvalidInput),
            (nix::libc::EMFILE, ErrorKind::Bus),
        ] {
            let error = open(errno);
            assert_eq!(error.kind(), kind, "{error}");
            let cause = error.source().and_then(|e| e.downcast_ref::<io::Error>());
            assert_eq!(cause.and_then(io::Error::raw_os_error), Some(errno), "{error}");
        }
    }

    #[test]
    fn a_refusal_says_what_helps() {
        let text = open(nix::libc::EPERM).to_string();
        assert!(text.contains("ip tuntap add dev tap7 mode tap"), "{text}");
        assert!(text.contains("CAP_NET_ADMIN"), "{text}");
        assert!(open(nix::libc::EACCES).to_string().contains("/dev/net/tun"));
    }

    #[test]
    fn an_interface_in_use_is_not_worth_a_retry() {
        assert!(!open(nix::libc::EBUSY).kind().is_busy());
    }
}
