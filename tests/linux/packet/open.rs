//! Opening: errors, settings and permissions.

use core::error::Error as _;
use std::process::{Command, Stdio};

use ethdev::{Duplex, Error as _, ErrorKind, EthernetDevice, Link, LinkMode, Speed};
use ethdev_linux::{InterfaceError, PacketSocket};

use super::pair::*;
use crate::testbed::*;

fn open_error(name: &str) -> InterfaceError {
    match PacketSocket::open(name) {
        Err(e) => e,
        Ok(device) => panic!("{} was opened", device.name()),
    }
}

#[test]
fn open_unusable_interface_is_typed_error() {
    in_namespace(|| {
        let error = open_error("missing9");
        assert!(matches!(error, InterfaceError::NoSuchInterface { .. }), "{error:?}");
        assert_eq!(error.to_string(), "no interface missing9");
        assert_eq!(error.kind(), ErrorKind::NotPresent);
        for name in ["", "a/b", "1234567890123456"] {
            let error = open_error(name);
            assert!(matches!(error, InterfaceError::InvalidName { .. }), "{error:?}");
            assert!(error.source().is_some());
        }
        ip("tuntap add dev tun9 mode tun");
        for (name, hardware) in [("lo", "772"), ("tun9", "65534")] {
            let error = open_error(name);
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error:?}");
            let text = error.to_string();
            assert!(
                text.contains("not an Ethernet interface") && text.contains(hardware),
                "{text}"
            );
        }
    });
}

#[test]
fn open_interface_down_comes_up() {
    in_namespace(|| {
        ip("link add near type veth peer name far");
        let mut device = PacketSocket::open("near").expect("not opened");
        assert_eq!((device.name(), device.link()), ("near", Link::Down));
        let text = ip("link show dev near");
        assert!(text.contains(&device.mac_address().to_string()), "{text}");
        ip("link set near up");
        ip("link set far up");
        wait_for_link(&mut device, true);
        let mode = LinkMode::new(Speed::from_mbps(10_000), Duplex::Full);
        assert_eq!(device.link(), Link::Up(mode), "the mode of a veth interface");
        let mut peer = open("far");
        peer.send_frame(&frame(device.mac_address(), peer.mac_address(), 60, 1))
            .expect("not sent");
        assert_eq!(expect_frame(&mut device, &mut [0; 1518]), 60);
    });
}

/// Runs as the user nobody, in a process that the test below starts.
#[test]
#[ignore = "run by `open_as_other_user_requires_capability`, as another user"]
fn open_as_nobody() {
    let error = open_error("near");
    assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error:?}");
    assert!(error.source().is_some());
    let text = error.to_string();
    assert!(
        text.starts_with("near: permission denied") && text.contains("CAP_NET_RAW"),
        "{text}"
    );
}

#[test]
fn open_as_other_user_requires_capability() {
    in_namespace(|| {
        create_pair();
        ip("link add near type veth peer name far");
        let binary = std::env::current_exe().expect("path of the test program is unknown");
        // Starts: setpriv, which starts this program
        let output = Command::new("setpriv")
            .args(["--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all"])
            .arg(binary)
            .args(["--ignored", "--exact", "packet::open::open_as_nobody"])
            .stdin(Stdio::null())
            .output()
            .expect("setpriv (util-linux) cannot be run");
        let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && text.contains("1 passed"), "{text}");
    });
}
