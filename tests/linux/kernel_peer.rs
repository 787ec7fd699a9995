//! A link partner: an interface of the kernel, accessed through a packet socket of its own.

use std::os::fd::{AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

use ethdev_conformance::{HookResult, LinkPeer};
use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, LinkAddr, MsgFlags, SockFlag, SockProtocol, SockType, bind, recvfrom, send, socket,
};

use crate::testbed::*;

/// Type of a packet that the interface sends (packet(7)).
const PACKET_OUTGOING: u8 = 4;

pub(crate) struct KernelPeer {
    switch: LinkSwitch,
    min_frame_len: usize,
    socket: OwnedFd,
}

/// How the link is interrupted.
pub(crate) struct LinkSwitch {
    /// The interface that is changed.
    pub(crate) interface: String,
    /// The changes that take the link down and up.
    pub(crate) commands: [&'static str; 2],
    /// The interfaces of which the state follows.
    pub(crate) watched: Vec<String>,
}

impl KernelPeer {
    /// Opens a socket on `interface`, of which the shortest frame has `min_frame_len` bytes.
    pub(crate) fn new(interface: &str, min_frame_len: usize, switch: LinkSwitch) -> Self {
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
            switch,
            min_frame_len,
            socket,
        }
    }
}

impl LinkPeer for KernelPeer {
    fn peer_send(&mut self, frame: &[u8]) {
        let send = || send(self.socket.as_raw_fd(), frame, MsgFlags::empty());
        // Fails without carrier: the frame is lost, as on an unplugged cable. The socket also
        // reports once that the interface was down before.
        if send() == Err(Errno::ENETDOWN) {
            let _ = send();
        }
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
        self.min_frame_len
    }

    fn keeps_vlan_tags(&self) -> bool {
        false
    }

    fn set_link(&mut self, up: bool) -> HookResult {
        let LinkSwitch {
            interface,
            commands,
            watched,
        } = &self.switch;
        ip(&format!("link set {interface} {}", commands[usize::from(up)]));
        // The kernel changes the state with a delay that the device is not responsible for.
        let begin = Instant::now();
        for interface in watched {
            while ip(&format!("link show dev {interface}")).contains("DOWN mode") == up {
                assert!(begin.elapsed() < TIMEOUT, "timed out waiting for the carrier");
            }
        }
        Ok(())
    }
}
