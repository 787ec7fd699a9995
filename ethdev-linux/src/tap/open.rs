//! Opens a TAP interface and reads its settings.

use std::io;

use ethdev::{IpMtu, MacAddress};
use nix::libc;
use tun_rs::{DeviceBuilder, Layer, SyncDevice};

use crate::error::InterfaceError;
use crate::lookup::{check_name, index_of};
use crate::port::Settings;
use crate::tap::config::TapConfig;

/// How many frames fewer than `txqueuelen` the kernel's queue may hold. The kernel clears the slots
/// of its ring in batches (`ptr_ring`: two cache lines of pointers, that is 16, or 32 with 128-byte
/// lines).
const RING_SLACK: u32 = 32;

/// What opening an interface of another user requires.
const REQUIRES: &str = "CAP_NET_ADMIN, or an interface that belongs to this user";

/// An open interface.
pub(super) struct Opened {
    pub(super) io: SyncDevice,
    pub(super) name: String,
    pub(super) index: u32,
    pub(super) mac_address: MacAddress,
}

pub(super) fn open(config: &TapConfig) -> Result<Opened, InterfaceError> {
    check_name(&config.name)?;
    let existing = if config.create {
        None
    } else {
        Some(index_of(&config.name)?)
    };
    // Offload (and with it the virtio-net header), packet information and multi-queue are off by
    // default.
    let mut builder = DeviceBuilder::new().layer(Layer::L2).inherit_enable_state();
    if !config.name.is_empty() {
        builder = builder.name(config.name.clone());
    }
    let io = builder.build_sync().map_err(|e| open_error(&config.name, e))?;
    let failed = |what| move |e| error(what, &config.name, e);
    let name = io.name().map_err(failed("reading the name"))?;
    let index = io.if_index().map_err(failed("reading the index"))?;
    if existing.is_some_and(|existing| existing != index) {
        // The interface was deleted after the look-up, and opening created another one.
        return Err(InterfaceError::NoSuchInterface { name });
    }
    io.set_nonblocking(true).map_err(failed("setting non-blocking mode"))?;
    if let Some(ip_mtu) = config.ip_mtu {
        u16::try_from(ip_mtu.bytes())
            .map_err(|_| io::Error::from_raw_os_error(libc::EINVAL))
            .and_then(|mtu| io.set_mtu(mtu))
            .map_err(failed("setting the IP MTU"))?;
    }
    if config.up {
        io.enabled(true).map_err(failed("bringing the interface up"))?;
    }
    let mac_address = device_address(
        config,
        &name,
        MacAddress::new(io.mac_address().map_err(failed("reading the MAC address"))?),
    )?;
    Ok(Opened {
        io,
        name,
        index,
        mac_address,
    })
}

pub(super) fn read_settings(io: &SyncDevice, name: &str) -> Result<Settings, InterfaceError> {
    let mtu = io.mtu().map_err(|e| error("reading the IP MTU", name, e))?;
    let queue_frames = io
        .tx_queue_len()
        .map_err(|e| error("reading the queue length", name, e))?;
    if queue_frames == 0 {
        return Err(InterfaceError::NoQueue { name: name.to_owned() });
    }
    Ok(Settings {
        ip_mtu: IpMtu::new(usize::from(mtu)),
        queue_frames: queue_frames.saturating_sub(RING_SLACK),
        // With some margin for frames that arrive meanwhile.
        drain_limit: queue_frames.saturating_mul(2).saturating_add(16),
    })
}

/// Maps the error of a management operation.
fn error(what: &'static str, name: &str, source: io::Error) -> InterfaceError {
    InterfaceError::of(what, REQUIRES, name, source)
}

/// Maps the error of opening the interface.
fn open_error(name: &str, source: io::Error) -> InterfaceError {
    let what = "opening the interface";
    let owned = name.to_owned();
    match source.raw_os_error() {
        Some(libc::EACCES) => InterfaceError::of(what, "read and write access to /dev/net/tun", name, source),
        Some(libc::ENOENT | libc::ENODEV | libc::ENXIO) => InterfaceError::NoDriver { source },
        Some(libc::EBUSY) => InterfaceError::InUse { name: owned, source },
        Some(libc::EINVAL) => InterfaceError::NotTap { name: owned, source },
        _ => error(what, name, source),
    }
}

/// Returns the configured address of this device, or derives one. `kernel` is the address of the
/// kernel's interface.
fn device_address(config: &TapConfig, name: &str, kernel: MacAddress) -> Result<MacAddress, InterfaceError> {
    match config.mac_address {
        Some(address) if !address.is_unicast() || address == kernel => {
            Err(InterfaceError::InvalidMacAddress { address })
        }
        Some(address) => Ok(address),
        None => {
            // Without an ID the address depends on the name alone.
            let machine = std::fs::read("/etc/machine-id").unwrap_or_default();
            Ok(derive_address(name, &machine, kernel))
        }
    }
}

/// Derives a locally administered unicast address from the name of the interface and the ID of the
/// machine: `02`, then the low 40 bits of their FNV-1a hash.
fn derive_address(name: &str, machine: &[u8], kernel: MacAddress) -> MacAddress {
    const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    let bytes = name.bytes().chain([0]).chain(machine.iter().copied());
    let hash = bytes.fold(OFFSET, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME));
    let [_, _, _, a, b, c, d, e] = hash.to_be_bytes();
    let address = MacAddress::new([0x02, a, b, c, d, e]);
    if address == kernel {
        MacAddress::new([0x02, a, b, c, d, e ^ 1])
    } else {
        address
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::NameError;
    use core::error::Error as _;
    use ethdev::{Error as _, ErrorKind};
    use proptest::prelude::*;

    fn failed_open(config: &TapConfig) -> InterfaceError {
        match open(config) {
            Err(e) => e,
            Ok(_) => panic!("{} was opened", config.name),
        }
    }

    fn error_of(errno: i32) -> InterfaceError {
        open_error("tap7", io::Error::from_raw_os_error(errno))
    }

    #[test]
    fn open_error_errno_has_kind_and_source() {
        for (errno, kind) in [
            (libc::EPERM, ErrorKind::PermissionDenied),
            (libc::EACCES, ErrorKind::PermissionDenied),
            (libc::ENOENT, ErrorKind::NotPresent),
            (libc::ENODEV, ErrorKind::NotPresent),
            (libc::EBUSY, ErrorKind::Other),
            (libc::EINVAL, ErrorKind::InvalidInput),
            (libc::EMFILE, ErrorKind::Bus),
        ] {
            let error = error_of(errno);
            assert_eq!(error.kind(), kind, "{error}");
            let source = error.source().and_then(|e| e.downcast_ref::<io::Error>());
            assert_eq!(source.and_then(io::Error::raw_os_error), Some(errno), "{error}");
        }
    }

    #[test]
    fn display_permission_denied_names_requirement() {
        let text = error_of(libc::EPERM).to_string();
        assert!(text.starts_with("tap7: permission denied"), "{text}");
        assert!(text.contains("CAP_NET_ADMIN"), "{text}");
        assert!(error_of(libc::EACCES).to_string().contains("/dev/net/tun"));
    }

    #[test]
    fn open_error_interface_in_use_is_not_transient() {
        assert!(!error_of(libc::EBUSY).kind().is_transient());
    }

    #[test]
    fn open_invalid_name_is_rejected() {
        for name in ["1234567890123456", "a/b", "tap%d", ".."] {
            let error = failed_open(&TapConfig::new(name));
            assert!(matches!(error, InterfaceError::InvalidName { .. }), "{error}");
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
        }
    }

    #[test]
    fn open_missing_interface_without_create_is_not_present() {
        let error = failed_open(&TapConfig::new("no-such-if").with_create(false));
        assert!(matches!(error, InterfaceError::NoSuchInterface { .. }), "{error}");
        assert_eq!(error.kind(), ErrorKind::NotPresent);
        let error = failed_open(&TapConfig::new("").with_create(false));
        assert!(
            matches!(
                error,
                InterfaceError::InvalidName {
                    source: NameError::Empty,
                    ..
                }
            ),
            "{error}"
        );
    }

    #[test]
    fn device_address_unusable_is_rejected() {
        let kernel = MacAddress::new([0x02, 0, 0, 0, 0, 1]);
        let address_of = |mac: [u8; 6]| {
            let config = TapConfig::new("tap0").with_mac_address(MacAddress::new(mac));
            device_address(&config, "tap0", kernel).map_err(|e| e.kind())
        };
        assert_eq!(address_of([0x02, 0, 0, 0, 0, 1]), Err(ErrorKind::InvalidInput));
        assert_eq!(address_of([0x03, 0, 0, 0, 0, 2]), Err(ErrorKind::InvalidInput));
        assert_eq!(address_of([0; 6]), Err(ErrorKind::InvalidInput));
        let valid = [0x02, 0, 0, 0, 0, 2];
        assert_eq!(address_of(valid), Ok(MacAddress::new(valid)));
    }

    #[test]
    fn derive_address_differs_by_name_and_machine() {
        let derive = |name, machine: &[u8]| derive_address(name, machine, MacAddress::UNSPECIFIED);
        assert_eq!(derive("tap0", b"m"), derive("tap0", b"m"));
        assert_ne!(derive("tap0", b"m"), derive("tap1", b"m"));
        assert_ne!(derive("tap0", b"m"), derive("tap0", b"n"));
    }

    proptest! {
        #[test]
        fn derive_address_any_is_local_unicast_and_not_kernel_address(name: String, machine: Vec<u8>) {
            let first = derive_address(&name, &machine, MacAddress::UNSPECIFIED);
            prop_assert!(first.is_unicast() && first.is_local());
            let other = derive_address(&name, &machine, first);
            prop_assert!(other.is_unicast() && other.is_local() && other != first);
        }
    }
}
