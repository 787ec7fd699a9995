//! Opening an interface, and what is asked about it once.

use std::io;

use ethdev::{IpMtu, MacAddress};
use nix::errno::Errno;
use nix::net::if_::if_nametoindex;
use tun_rs::{DeviceBuilder, Layer, SyncDevice};

use crate::{NameError, TapConfig, TapError};

/// An open interface.
pub(crate) struct Opened {
    pub(crate) io: SyncDevice,
    pub(crate) name: String,
    pub(crate) index: u32,
    pub(crate) mac_address: MacAddress,
}

/// What an administrator may change while the interface is open.
pub(crate) struct Facts {
    pub(crate) ip_mtu: IpMtu,
    /// Frames that the kernel queues for us.
    pub(crate) queue_frames: u32,
}

pub(crate) fn open(config: &TapConfig) -> Result<Opened, TapError> {
    let existing = check_name(config)?;
    // Offload (and with it the virtio-net header), packet information and multi-queue are off unless asked for.
    let mut builder = DeviceBuilder::new().layer(Layer::L2).inherit_enable_state();
    if !config.name.is_empty() {
        builder = builder.name(config.name.clone());
    }
    let io = builder.build_sync().map_err(|e| TapError::of_open(&config.name, e))?;
    let failed = |what| move |e| TapError::of(what, &config.name, e);
    let name = io.name().map_err(failed("reading its name"))?;
    let index = io.if_index().map_err(failed("reading its index"))?;
    if existing.is_some_and(|existing| existing != index) {
        // It was deleted since it was looked up, and what is open now was made by opening it.
        return Err(TapError::NoSuchInterface { name });
    }
    io.set_nonblocking(true).map_err(failed("making it non-blocking"))?;
    if let Some(ip_mtu) = config.ip_mtu {
        u16::try_from(ip_mtu.bytes())
            .map_err(|_| io::Error::from_raw_os_error(nix::libc::EINVAL))
            .and_then(|mtu| io.set_mtu(mtu))
            .map_err(failed("setting its IP MTU"))?;
    }
    if config.up {
        io.enabled(true).map_err(failed("bringing it up"))?;
    }
    let mac_address = our_address(
        config,
        &name,
        MacAddress::new(io.mac_address().map_err(failed("reading its address"))?),
    )?;
    Ok(Opened {
        io,
        name,
        index,
        mac_address,
    })
}

pub(crate) fn facts(io: &SyncDevice, name: &str) -> Result<Facts, TapError> {
    let mtu = io.mtu().map_err(|e| TapError::of("reading its IP MTU", name, e))?;
    let queue_frames = io
        .tx_queue_len()
        .map_err(|e| TapError::of("reading its queue length", name, e))?;
    if queue_frames == 0 {
        return Err(TapError::NoQueue { name: name.to_owned() });
    }
    Ok(Facts {
        ip_mtu: IpMtu::new(usize::from(mtu)),
        queue_frames,
    })
}

/// The index of the interface, where one has to exist.
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
            what: "looking the interface up",
            source: e.into(),
        }),
    }
}

/// The configured address of our end, or one made up. `kernels` is that of the other end.
fn our_address(config: &TapConfig, name: &str, kernels: MacAddress) -> Result<MacAddress, TapError> {
    match config.mac_address {
        Some(address) if !address.is_unicast() || address == kernels => Err(TapError::InvalidMacAddress { address }),
        Some(address) => Ok(address),
        None => {
            // Without an id the name alone has to do: hosts bridged together should have one.
            let machine = std::fs::read("/etc/machine-id").unwrap_or_default();
            Ok(made_up(name, &machine, kernels))
        }
    }
}

/// A locally administered unicast address from the name and the machine's id: FNV-1a, of which the low 40 bits and a `02` in front are used.
fn made_up(name: &str, machine: &[u8], kernels: MacAddress) -> MacAddress {
    const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    let bytes = name.bytes().chain([0]).chain(machine.iter().copied());
    let hash = bytes.fold(OFFSET, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME));
    let [_, _, _, a, b, c, d, e] = hash.to_be_bytes();
    let address = MacAddress::new([0x02, a, b, c, d, e]);
    if address == kernels {
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
    fn bad_names_are_refused_unasked() {
        for name in ["1234567890123456", "a/b", "tap%d", ".."] {
            let error = open_error(&TapConfig::new(name));
            assert!(matches!(error, TapError::InvalidName { .. }), "{error}");
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
        }
    }

    #[test]
    fn what_must_exist_and_does_not() {
        let error = open_error(&TapConfig::new("no-such-if").with_create(false));
        assert!(matches!(error, TapError::NoSuchInterface { .. }), "{error}");
        assert_eq!(error.kind(), ErrorKind::NotPresent);
        assert!(error.to_string().contains("ip tuntap add dev no-such-if mode tap"));
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
    fn our_end_needs_an_address_of_its_own() {
        let kernels = MacAddress::new([0x02, 0, 0, 0, 0, 1]);
        let ours = |mac: [u8; 6]| {
            let config = TapConfig::new("tap0").with_mac_address(MacAddress::new(mac));
            our_address(&config, "tap0", kernels).map_err(|e| e.kind())
        };
        assert_eq!(ours([0x02, 0, 0, 0, 0, 1]), Err(ErrorKind::InvalidInput));
        assert_eq!(ours([0x03, 0, 0, 0, 0, 2]), Err(ErrorKind::InvalidInput));
        assert_eq!(ours([0; 6]), Err(ErrorKind::InvalidInput));
        let fine = [0x02, 0, 0, 0, 0, 2];
        assert_eq!(ours(fine), Ok(MacAddress::new(fine)));
    }

    #[test]
    fn made_up_addresses_tell_interfaces_and_machines_apart() {
        let make = |name, machine: &[u8]| made_up(name, machine, MacAddress::UNSPECIFIED);
        assert_eq!(make("tap0", b"m"), make("tap0", b"m"));
        assert_ne!(make("tap0", b"m"), make("tap1", b"m"));
        assert_ne!(make("tap0", b"m"), make("tap0", b"n"));
    }

    proptest! {
        #[test]
        fn made_up_addresses_are_stations_and_not_the_kernels(name: String, machine: Vec<u8>) {
            let first = made_up(&name, &machine, MacAddress::UNSPECIFIED);
            prop_assert!(first.is_unicast() && first.is_local());
            let other = made_up(&name, &machine, first);
            prop_assert!(other.is_unicast() && other.is_local() && other != first);
        }
    }
}
