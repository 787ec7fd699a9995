//! The conformance suite, with the kernel's interface as the far end of the cable: a packet socket sends and receives there.

use std::os::fd::{AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

use ethdev_conformance::{Fixture, LinkPeer, Power, Report, Suite};
use ethdev_linux::{AsyncTap, Tap, TapConfig};
use nix::sys::socket::{
    AddressFamily, LinkAddr, MsgFlags, SockFlag, SockProtocol, SockType, bind, recvfrom, send, socket,
};

use crate::rig::*;

/// `PACKET_OUTGOING` (packet(7)): a copy of what the interface sends.
const OUTGOING: u8 = 4;

struct KernelEnd {
    interface: String,
    socket: OwnedFd,
}

impl KernelEnd {
    fn of(interface: &str) -> Self {
        let socket = socket(
            AddressFamily::Packet,
            SockType::Raw,
            SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC,
            SockProtocol::EthAll,
        )
        .expect("no packet socket");
        let address = nix::ifaddrs::getifaddrs()
            .expect("no interfaces")
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

impl LinkPeer for KernelEnd {
    fn peer_send(&mut self, frame: &[u8]) {
        // Without carrier there is no cable to put it on.
        let _ = send(self.socket.as_raw_fd(), frame, MsgFlags::empty());
    }

    fn peer_recv(&mut self) -> Option<Vec<u8>> {
        let mut buf = [0; 2048];
        loop {
            let (len, from) = recvfrom::<LinkAddr>(self.socket.as_raw_fd(), &mut buf).ok()?;
            if from?.pkttype() != OUTGOING {
                return Some(buf[..len].to_vec());
            }
        }
    }

    fn advance(&mut self, by: Duration) {
        // The kernel's time is real. Frames take none of it, changes of the link do.
        std::thread::sleep(by);
    }

    fn frame_time(&self) -> Duration {
        Duration::ZERO
    }

    fn medium_min_frame_len(&self) -> usize {
        ethdev::frame::HEADER_LEN
    }

    fn set_link(&mut self, up: bool) -> Power {
        let carrier = if up { "on" } else { "off" };
        ip(&format!("link set {} carrier {carrier}", self.interface));
        // The kernel announces it in its own time, which is not the device's to answer for.
        let begin = Instant::now();
        while ip(&format!("link show dev {}", self.interface)).contains("state DOWN") == up {
            assert!(begin.elapsed() < PATIENCE, "the carrier does not change");
        }
        Ok(())
    }
}

/// Of a name that the kernel chooses: the checks' interfaces live side by side.
fn wired() -> (Tap, KernelEnd) {
    let mut tap = Tap::with_config(TapConfig::new("").with_up(true)).expect("no TAP");
    // So that the packet socket takes frames as long as the device does without asking for a VLAN tag in them.
    ip(&format!("link set {} mtu 1504", tap.name()));
    wait_for_link(&mut tap, true);
    let far = KernelEnd::of(tap.name());
    (tap, far)
}

struct Blocking;

impl Fixture for Blocking {
    type Device = Tap;
    type LinkPeer = KernelEnd;

    fn new() -> (Tap, KernelEnd) {
        wired()
    }
}

struct Awaited;

impl Fixture for Awaited {
    type Device = AsyncTap;
    type LinkPeer = KernelEnd;

    fn new() -> (AsyncTap, KernelEnd) {
        let (tap, far) = wired();
        (tap.into_async().expect("no reactor"), far)
    }
}

fn check(report: &Report) {
    report.assert_passed();
    report.skips().for_each(|skip| say(&skip.to_string()));
}

#[test]
fn blocking() {
    in_namespace(|| check(&Suite::<Blocking>::new().pull().control().run()));
}

#[test]
fn awaited() {
    in_namespace(|| check(&Suite::<Awaited>::new().awaited_own().run()));
}
