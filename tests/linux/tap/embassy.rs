//! embassy-net-tuntap as a device: the conformance suite.

use std::sync::atomic::{AtomicUsize, Ordering};

use embassy_net_tuntap::TunTapDevice;
use ethdev_conformance::{Fixture, HookResult, LinkPeer, Suite, Unsupported};
use ethdev_embassy::EmbassyDevice;

use super::conformance::kernel_peer;
use crate::kernel_peer::KernelPeer;
use crate::testbed::*;

/// The kernel, without what the driver does not see.
struct Peer(KernelPeer);

impl LinkPeer for Peer {
    fn inner(&self) -> Option<&dyn LinkPeer> {
        Some(&self.0)
    }

    fn inner_mut(&mut self) -> Option<&mut dyn LinkPeer> {
        Some(&mut self.0)
    }

    fn set_link(&mut self, _: bool) -> HookResult {
        Err(Unsupported("the driver reports the link as always up"))
    }
}

struct TunTap;

impl Fixture for TunTap {
    type Device = EmbassyDevice<'static, TunTapDevice>;
    type LinkPeer = Peer;
    const MISSING: Option<&'static [&'static str]> = Some(&[
        "accesses",
        "fail_bus",
        "fail_bus_at",
        "inject_fault",
        "override_rx_len",
        "peer_send_before_access",
        "peer_send_raw",
        "recover",
        "rx_queue_frames",
        "set_link",
        "set_link_before_access",
        "set_mac_address",
        "set_rx_filter",
        "sleep",
        "stall_tx",
        "stop",
        "tx_queue_frames",
        "wake",
    ]);

    fn new() -> (Self::Device, Peer) {
        // The driver does not return the name that the kernel chooses.
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let name = format!("embassy{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let driver = TunTapDevice::new(&name).expect("no TAP");
        // The driver panics if it sends while the interface is down.
        ip(&format!("link set {name} up"));
        let buf = Box::leak(Box::new([0; 1514]));
        let device = EmbassyDevice::new(driver, buf).expect("an Ethernet driver");
        (device, Peer(kernel_peer(&name)))
    }
}

#[test]
fn embassy_tuntap_conformance_passes() {
    in_namespace(|| {
        Suite::<TunTap>::new()
            .pull()
            .layers()
            .control()
            .poll_ready()
            .run()
            .assert_passed();
    });
}
