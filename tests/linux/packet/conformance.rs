//! The conformance suite. The link partner is the other end of the pair.

use ethdev::frame::MIN_FRAME_LEN;
use ethdev_conformance::{Fixture, Suite};
use ethdev_linux::{AsyncPacketSocket, PacketSocket};

use super::pair::*;
use crate::kernel_peer::{KernelPeer, LinkSwitch};
use crate::testbed::*;

fn open_pair() -> (PacketSocket, KernelPeer) {
    let (near, far) = create_pair();
    // The peer's socket accepts 4 bytes more than the IP MTU only in frames with a VLAN tag.
    ip(&format!("link set {far} mtu 1504"));
    let device = open(&near);
    let switch = LinkSwitch {
        interface: far.clone(),
        commands: ["down", "up"],
        watched: vec![near, far.clone()],
    };
    (device, KernelPeer::new(&far, MIN_FRAME_LEN, switch))
}

const MISSING: Option<&'static [&'static str]> = Some(&[
    "accesses",
    "fail_bus",
    "fail_bus_at",
    "inject_fault",
    "override_rx_len",
    "peer_send_before_access",
    "peer_send_raw",
    "set_link_before_access",
    "sleep",
    "stall_tx",
    "wake",
]);

struct Blocking;

impl Fixture for Blocking {
    type Device = PacketSocket;
    type LinkPeer = KernelPeer;
    const MISSING: Option<&'static [&'static str]> = MISSING;

    fn new() -> (PacketSocket, KernelPeer) {
        open_pair()
    }
}

struct Async;

impl Fixture for Async {
    type Device = AsyncPacketSocket;
    type LinkPeer = KernelPeer;
    const MISSING: Option<&'static [&'static str]> = MISSING;

    fn new() -> (AsyncPacketSocket, KernelPeer) {
        let (device, peer) = open_pair();
        (device.into_async().expect("not registered"), peer)
    }
}

#[test]
fn conformance_blocking_passes() {
    in_namespace(|| {
        Suite::<Blocking>::new()
            .pull()
            .control()
            .poll_ready()
            .run()
            .assert_passed();
    });
}

#[test]
fn conformance_async_passes() {
    in_namespace(|| Suite::<Async>::new().asynch().run().assert_passed());
}
