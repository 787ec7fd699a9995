//! Pairs of virtual Ethernet interfaces.

use std::net::UdpSocket;
use std::sync::atomic::{AtomicU32, Ordering};

use ethdev::EthernetDevice;
use ethdev_linux::PacketSocket;

use crate::testbed::*;

/// Creates two connected interfaces that are up, with names of their own: checks run concurrently
/// in one namespace.
pub(super) fn create_pair() -> (String, String) {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let (near, far) = (format!("near{number}"), format!("far{number}"));
    create_named(&near, &far);
    (near, far)
}

fn create_named(near: &str, far: &str) {
    ip(&format!("link add {near} type veth peer name {far}"));
    ip(&format!("link set {near} up"));
    ip(&format!("link set {far} up"));
}

/// Opens a packet socket on `interface` and waits for the link.
pub(super) fn open(interface: &str) -> PacketSocket {
    let mut device = PacketSocket::open(interface).expect("packet socket not opened");
    wait_for_link(&mut device, true);
    device
}

/// Connects the interfaces `near` and `far` and opens a packet socket on `near`.
pub(super) fn near() -> PacketSocket {
    create_named("near", "far");
    open("near")
}

/// As [`near`], with the IP address 10.99.0.1 for the kernel at the far end.
pub(super) fn near_with_kernel() -> PacketSocket {
    let device = near();
    ip("addr add 10.99.0.1/24 dev far");
    ip(&format!(
        "neigh add {DEVICE_IP} lladdr {} dev far",
        device.mac_address()
    ));
    device
}

/// A socket of the kernel at the far end.
pub(super) fn kernel_socket() -> UdpSocket {
    UdpSocket::bind("10.99.0.1:0").expect("no socket")
}
