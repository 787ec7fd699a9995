//! The node in the laboratory: what its peers may do to it.

mod echo;
mod hostile;
mod http;

use core::time::Duration;

use ethdev_sim::{Clock, Peer, RingConfig, RingNic, Wire, WireConfig};
use ethdev_smoltcp::SmoltcpDevice;
use smoltcp::iface::SocketHandle;
use smoltcp::socket::tcp;
use smoltcp::wire::{IpCidr, Ipv4Address};

use super::bench::{NODE_IP, NODE_MAC, PEER_IP, PEER_MAC, PREFIX_LEN};
use super::peer::StackPeer;
use super::world::World;
use crate::apps::{Config, Node, Slots, Storage};

type RingWorld<'w, 'n, 's> = World<'w, 'n, 's, RingNic>;

/// Small enough for back-pressure to be felt.
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
fn in_world(config: WireConfig, test: impl FnOnce(&mut RingWorld<'_, '_, '_>, &Wire)) {
    let clock = Clock::new();
    let (wire, port, peer) = Wire::new(&clock, config);
    let nic = RingNic::new(&clock, port, RingConfig::new(NODE_MAC));
    let (mut spare, mut storage, mut slots) = ([0; 1514], Box::new(Storage::<TCP_BUFFER>::new()), Slots::new());
    let mut device = SmoltcpDevice::new(nic, &mut spare);
    let now = super::micros(clock.now());
    let node = Node::new(&CONFIG, &mut device, now, &mut storage, &mut slots).unwrap();
    let peer = StackPeer::new(
        &clock,
        Peer::new(peer),
        PEER_MAC,
        IpCidr::new(PEER_IP.into(), PREFIX_LEN),
        8,
    );
    let mut world = World {
        clock,
        node,
        device,
        peer,
        background: &mut || Ok(false),
    };
    test(&mut world, &wire);
}

impl RingWorld<'_, '_, '_> {
    fn tcp(&mut self, handle: SocketHandle) -> &mut tcp::Socket<'static> {
        self.peer.socket(handle)
    }

    /// A connection that is established.
    fn connected(&mut self, port: u16, local_port: u16) -> SocketHandle {
        let handle = self.peer.connect(NODE_IP, port, local_port).unwrap();
        self.until(Duration::from_secs(10), |peer| {
            peer.socket::<tcp::Socket<'_>>(handle).may_send()
        });
        handle
    }

    /// Turns until `done`.
    #[track_caller]
    fn until(&mut self, limit: Duration, mut done: impl FnMut(&mut StackPeer) -> bool) {
        self.run(limit, |peer, _| Ok(done(peer).then_some(()))).unwrap();
    }

    /// Turns until `handle` has sent all of `data`.
    #[track_caller]
    fn send(&mut self, handle: SocketHandle, data: &[u8]) {
        let mut rest = data;
        self.until(Duration::from_secs(20), |peer| {
            let socket = peer.socket::<tcp::Socket<'_>>(handle);
            rest = &rest[socket.send_slice(rest).unwrap()..];
            rest.is_empty() && socket.send_queue() == 0
        });
    }

    /// All that comes until the node closes its half, or `enough` says so.
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

/// A peer address that nobody has.
const NOBODY: Ipv4Address = Ipv4Address::new(192, 168, 69, 77);
