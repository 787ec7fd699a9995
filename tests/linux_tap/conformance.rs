//! The conformance suite. The link partner is the kernel's interface, accessed through a packet
//! socket.

use std::os::fd::{AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

use ethdev_conformance::{Fixture, HookResult, LinkPeer, Suite};
use ethdev_linux::{AsyncTap, Tap, TapConfig};
use nix::sys::socket::{
    AddressFamily, LinkAddr, MsgFlags, SockFlag, SockProtocol, SockType, bind, recvfrom, send, socket,
};

use crate::testbed::*;

/// Type of a packet that the interface sends (packet(7)).
const PACKET_OUTGOING: u8 = 4;

struct KernelPeer {
    interface: String,
    socket: OwnedFd,
}

impl KernelPeer {
    fn new(interface: &str) -> Self {
        let socket = socket(
            AddressFamily::Packet,
            SockType::Raw,
            SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC,
            SockProtocol::EthAll,
        )
        .expect("packet socket not opened");
        let address = nix::ifaddrs::getifaddrs()
            .expect("interfaces not listed")
            .filter(|found| found.interface_name == interface)
            .find_map(|found| found.address?.as_link_addr().copied())
            .expect("no such interface");
        bind(socket.as_raw_fd(), &address).expect("not bound");
        Self {
            interface: interface.to_owned(),
            socket,
        }
    }
}

impl LinkPeer for KernelPeer {
    fn peer_send(&mut self, frame: &[u8]) {
        // Fails without carrier: the frame is lost, as on an unplugged cable.
        let _ = send(self.socket.as_raw_fd(), frame, MsgFlags::empty());
    }

    fn peer_recv(&mut self) -> Option<Vec<u8>> {
        let mut buf = [0; 2048];
        loop {
            let (len, from) = recvfrom::<LinkAddr>(self.socket.as_raw_fd(), &mut buf).ok()?;
            if from?.pkttype() != PACKET_OUTGOING {
                return Some(buf[..len].to_vec());
            }
        }
    }

    fn advance(&mut self, by: Duration) {
        // Real time. Frames cross immediately, changes of the link do not.
        std::thread::sleep(by);
    }

    fn frame_time(&self) -> Duration {
        Duration::ZERO
    }

    fn medium_min_frame_len(&self) -> usize {
        ethdev::frame::HEADER_LEN
    }

    fn keeps_vlan_tags(&self) -> bool {
        false
    }

    fn set_link(&mut self, up: bool) -> HookResult {
        let carrier = if up { "on" } else { "off" };
        ip(&format!("link set {} carrier {carrier}", self.interface));
        // The kernel changes the state with a delay that the device is not responsible for.
        let begin = Instant::now();
        while ip(&format!("link show dev {}", self.interface)).contains("state DOWN") == up {
            assert!(begin.elapsed() < TIMEOUT, "timed out waiting for the carrier");
        }
        Ok(())
    }
}

/// Opens an interface whose name the kernel chooses: checks run concurrently in one namespace.
fn open_pair() -> (Tap, KernelPeer) {
    let mut tap = Tap::with_config(TapConfig::new("").with_up(true)).expect("no TAP");
    // The packet socket accepts 4 bytes more than the IP MTU only in frames with a VLAN tag.
    ip(&format!("link set {} mtu 1504", tap.name()));
    wait_for_link(&mut tap, true);
    let peer = KernelPeer::new(tap.name());
    (tap, peer)
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
