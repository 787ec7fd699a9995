//! Opens an interface and reads its settings.

use std::io;

use ethdev::{IpMtu, MacAddress};
use nix::errno::Errno;
use nix::net::if_::if_nametoindex;
use tun_rs::{DeviceBuilder, Layer, SyncDevice};

use crate::config::{NameError, TapConfig};
use crate::error::TapError;

/// An open interface.
pub(crate) struct Opened {
    pub(crate) io: SyncDevice,
    pub(crate) name: String,
    pub(crate) index: u32,
    pub(crate) mac_address: MacAddress,
}

/// Settings that an administrator may change while the interface is open.
pub(crate) struct Settings {
    pub(crate) ip_mtu: IpMtu,
    /// Frames that the kernel queues for this device (`txqueuelen`).
    pub(crate) queue_frames: u32,
}

pub(crate) fn open(config: &TapConfig) -> Result<Opened, TapError> {
    let existing = check_name(config)?;
    // Offload (and with it the virtio-net header), packet information and multi-queue are off by
    // default.
    let mut builder = DeviceBuilder::new().layer(Layer::L2).inherit_enable_state();
    if !config.name.is_empty() {
        builder = builder.name(config.name.clone());
    }
    let io = builder.build_sync().map_err(|e| TapError::of_open(&config.name, e))?;
    let failed = |what| move |e| TapError::of(what, &config.name, e);
    let name = io.name().map_err(failed("reading the name"))?;
    let index = io.if_index().map_err(failed("reading the index"))?;
    if existing.is_some_and(|existing| existing != index) {
        // The interface was deleted after the look-up, and opening created another one.
        return Err(TapError::NoSuchInterface { name });
    }
    io.set_nonblocking(true).map_err(failed("setting non-blocking mode"))?;
    if let Some(ip_mtu) = config.ip_mtu {
        u16::try_from(ip_mtu.bytes())
            .map_err(|_| io::Error::from_raw_os_error(nix::libc::EINVAL))
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

pub(crate) fn read_settings(io: &SyncDevice, name: &str) -> Result<Settings, TapError> {
    let mtu = io.mtu().map_err(|e| TapError::of("reading the IP MTU", name, e))?;
    let queue_frames = io
        .tx_queue_len()
        .map_err(|e| TapError::of("reading the queue length", name, e))?;
    if queue_frames == 0 {
        return Err(TapError::NoQueue { name: name.to_owned() });
    }
    Ok(Settings {
        ip_mtu: IpMtu::new(usize::from(mtu)),
        queue_frames,
    })
}

/// Validates the name. Returns the index of the interface if it must exist.
fn check_name(config: &TapConfig) -> Result<Option<u32>, TapError> {
    let name = || config.name.clone();
    NameError::check(&config.name).map_err(|source| TapError::InvalidName { name: name(), source })?;
    if config.create {
        return Ok(None);
    }
    if config.name.is_empty() {
        return Err(TapError::InvalidName {
            name: name(),
            source: NameError::Empty,
        });
    }
    match if_nametoindex(config.name.as_str()) {
        Ok(index) => Ok(Some(index)),
        Err(Errno::ENODEV) => Err(TapError::NoSuchInterface { name: name() }),
        Err(e) => Err(TapError::Io {
            what: "looking up the interface",
            source: e.into(),
        }),
    }
}

/// Returns the configured address of this device, or derives one. `kernel` is the address of the
/// kernel's interface.
fn device_address(config: &TapConfig, name: &str, kernel: MacAddress) -> Result<MacAddress, TapError> {
    match config.mac_address {
        Some(address) if !address.is_unicast() || address == kernel => Err(TapError::InvalidMacAddress { address }),
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
    use ethdev::{Error as _, ErrorKind};
    use proptest::prelude::*;

    fn open_error(config: &TapConfig) -> TapError {
        match open(config) {
            Err(e) => e,
            Ok(_) => panic!("{} was opened", config.name),
        }
    }

    #[test]
    fn open_invalid_name_is_rejected() {
        for name in ["1234567890123456", "a/b", "tap%d", ".."] {
            let error = open_error(&TapConfig::new(name));
            assert!(matches!(error, TapError::InvalidName { .. }), "{error}");
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
        }
    }

    #[test]
    fn open_missing_interface_without_create_is_not_present() {
        let error = open_error(&TapConfig::new("no-such-if").with_create(false));
        assert!(matches!(error, TapError::NoSuchInterface { .. }), "{error}");
        assert_eq!(error.kind(), ErrorKind::NotPresent);
        let error = open_error(&TapConfig::new("").with_create(false));
        assert!(
            matches!(
                error,
                TapError::InvalidName {
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
