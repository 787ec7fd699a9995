//! The conformance suite. The link partner is the kernel's interface.

use ethdev_conformance::{Fixture, Suite};
use ethdev_linux::{AsyncTap, Tap, TapConfig};

use crate::kernel_peer::{KernelPeer, LinkSwitch};
use crate::testbed::*;

/// Opens an interface whose name the kernel chooses: checks run concurrently in one namespace.
fn open_pair() -> (Tap, KernelPeer) {
    let mut tap = Tap::with_config(TapConfig::new("").with_up(true)).expect("no TAP");
    // The packet socket accepts 4 bytes more than the IP MTU only in frames with a VLAN tag.
    ip(&format!("link set {} mtu 1504", tap.name()));
    wait_for_link(&mut tap, true);
    let peer = kernel_peer(tap.name());
    (tap, peer)
}

/// The kernel's end of a TAP interface.
pub(super) fn kernel_peer(interface: &str) -> KernelPeer {
    let switch = LinkSwitch {
        interface: interface.to_owned(),
        commands: ["carrier off", "carrier on"],
        watched: vec![interface.to_owned()],
    };
    KernelPeer::new(interface, ethdev::frame::HEADER_LEN, switch)
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
    type Device = Tap;
    type LinkPeer = KernelPeer;
    const MISSING: Option<&'static [&'static str]> = MISSING;

    fn new() -> (Tap, KernelPeer) {
        open_pair()
    }
}

struct Async;

impl Fixture for Async {
    type Device = AsyncTap;
    type LinkPeer = KernelPeer;
    const MISSING: Option<&'static [&'static str]> = MISSING;

    fn new() -> (AsyncTap, KernelPeer) {
        let (tap, peer) = open_pair();
        (tap.into_async().expect("not registered"), peer)
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
