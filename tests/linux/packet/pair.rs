//! Pairs of virtual Ethernet interfaces.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use ethdev::{EthernetDevice, Interest};
use ethdev_linux::PacketSocket;

use crate::testbed::*;

/// Creates two connected interfaces that are up, with names of their own: checks run concurrently in
/// one namespace.
pub(super) fn create_pair() -> (String, String) {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let (near, far) = (format!("near{number}"), format!("far{number}"));
    ip(&format!("link add {near} type veth peer name {far}"));
    ip(&format!("link set {near} up"));
    ip(&format!("link set {far} up"));
    (near, far)
}

/// Opens a packet socket on `interface` and waits for the link.
pub(super) fn open(interface: &str) -> PacketSocket {
    let mut device = PacketSocket::open(interface).expect("packet socket not opened");
    let begin = Instant::now();
    while !device.link().is_up() {
        assert!(begin.elapsed() < TIMEOUT, "timed out waiting for the link");
        device
            .wait(Interest::LINK, Some(Duration::from_millis(100)))
            .expect("the interface failed");
    }
    device
}
