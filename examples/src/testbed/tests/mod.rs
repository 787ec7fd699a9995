//! The node against well-behaved and misbehaving peers.

mod echo;
mod faults;
mod http;
#[cfg(feature = "lwip")]
mod lwip;

use core::time::Duration;

use ethdev_sim::{Clock, Peer, RingConfig, RingNic, Wire, WireConfig};
use ethdev_smoltcp::{Lending, SmoltcpDevice};
use smoltcp::iface::SocketHandle;
use smoltcp::socket::tcp;
use smoltcp::wire::{IpCidr, Ipv4Address};

use super::harness::{NODE_IP, NODE_MAC, PEER_IP, PEER_MAC, PREFIX_LEN};
use super::peer::StackPeer;
use super::simulation::Simulation;
use super::smoltcp_host::SmoltcpHost;
use crate::apps::{Config, Node, Slots, Storage};

type RingSimulation<'w, 'n, 's> = Simulation<'w, SmoltcpHost<'n, 's, RingNic, Lending>>;

/// Small, so that back-pressure occurs.
const TCP_BUFFER: usize = 4096;

const CONFIG: Config<'_> = Config {
    name: "test",
    addresses: &[node_cidr()],
    gateway: None,
    seed: 7,
};

const fn node_cidr() -> IpCidr {
    IpCidr::Ipv4(smoltcp::wire::Ipv4Cidr::new(NODE_IP, PREFIX_LEN))
}

/// Runs `test` with a node on a ring NIC at one end of the wire, and a peer at the other.
fn simulate(config: WireConfig, test: impl FnOnce(&mut RingSimulation<'_, '_, '_>, &Wire)) {
    let clock = Clock::new();
    let (wire, port, peer) = Wire::new(&clock, config);
    let nic = RingNic::new(&clock, port, RingConfig::new(NODE_MAC));
    let (mut reply, mut storage, mut slots) = ([0; 1514], Box::new(Storage::<TCP_BUFFER>::new()), Slots::new());
    let mut device = SmoltcpDevice::lending(nic, &mut reply);
    let now = super::micros(clock.now());
    let node = Node::new(&CONFIG, &mut device, now, &mut storage, &mut slots).unwrap();
    let peer = StackPeer::new(
        &clock,
        Peer::new(peer),
        PEER_MAC,
        IpCidr::new(PEER_IP.into(), PREFIX_LEN),
        8,
    );
    let mut sim = Simulation {
        clock,
        host: SmoltcpHost { node, device },
        peer,
        background: &mut || Ok(false),
    };
    test(&mut sim, &wire);
}

impl RingSimulation<'_, '_, '_> {
    fn tcp(&mut self, handle: SocketHandle) -> &mut tcp::Socket<'static> {
        self.peer.socket(handle)
    }

    /// Opens a connection and waits until it is established.
    fn connect(&mut self, port: u16, local_port: u16) -> SocketHandle {
        let handle = self.peer.connect(NODE_IP, port, local_port).unwrap();
        self.until(Duration::from_secs(10), |peer| {
            peer.socket::<tcp::Socket<'_>>(handle).may_send()
        });
        handle
    }

    /// Runs until `done` returns true.
    #[track_caller]
    fn until(&mut self, limit: Duration, mut done: impl FnMut(&mut StackPeer) -> bool) {
        self.run(limit, |peer, _| Ok(done(peer).then_some(()))).unwrap();
    }

    /// Runs until all of `data` is sent and acknowledged.
    #[track_caller]
    fn send(&mut self, handle: SocketHandle, data: &[u8]) {
        let mut rest = data;
        self.until(Duration::from_secs(20), |peer| {
            let socket = peer.socket::<tcp::Socket<'_>>(handle);
            rest = &rest[socket.send_slice(rest).unwrap()..];
            rest.is_empty() && socket.send_queue() == 0
        });
    }

    /// Returns the bytes received until the node closes its half, or `enough` returns true.
    #[track_caller]
    fn recv_until(&mut self, handle: SocketHandle, enough: impl Fn(&[u8]) -> bool) -> Vec<u8> {
        let mut received = Vec::new();
        self.until(Duration::from_secs(60), |peer| {
            let socket = peer.socket::<tcp::Socket<'_>>(handle);
            while socket.can_recv() {
                socket
                    .recv(|data| {
                        received.extend_from_slice(data);
                        (data.len(), ())
                    })
                    .unwrap();
            }
            enough(&received) || !socket.may_recv()
        });
        received
    }
}

/// An IP address that no host has.
const UNUSED_IP: Ipv4Address = Ipv4Address::new(192, 168, 69, 77);
