//! The link peer: smoltcp on a hand-written `phy::Device`. It uses none of ethdev's APIs, so that
//! it does not share their bugs.

use std::time::Duration;

use ethdev_sim::{Clock, Peer};
use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet};
use smoltcp::phy::{self, DeviceCapabilities, Medium};
use smoltcp::socket::{AnySocket, icmp, tcp};
use smoltcp::time::Instant;
use smoltcp::wire::{EthernetAddress, IpCidr, Ipv4Address};

use super::micros;

/// Length of the transmit queue, in frames.
const TX_QUEUE: u32 = 8;
/// Longest frame in bytes, without FCS.
const MAX_FRAME_LEN: usize = 1514;

/// smoltcp at one end of a wire.
pub struct StackPeer {
    phy: WirePeer,
    iface: Interface,
    sockets: SocketSet<'static>,
}

impl StackPeer {
    /// Creates a host with this address, and `ip` as its only IP address.
    #[must_use]
    pub fn new(clock: &Clock, peer: Peer, mac: EthernetAddress, ip: IpCidr, seed: u64) -> Self {
        let mut phy = WirePeer {
            clock: clock.clone(),
            peer,
        };
        let mut config = Config::new(mac.into());
        config.random_seed = seed;
        let mut iface = Interface::new(config, &mut phy, micros(clock.now()));
        iface.update_ip_addrs(|addresses| addresses.extend([ip]));
        Self {
            phy,
            iface,
            sockets: SocketSet::new(Vec::new()),
        }
    }

    /// Adds a socket.
    pub fn add<S: AnySocket<'static>>(&mut self, socket: S) -> SocketHandle {
        self.sockets.add(socket)
    }

    /// Returns a socket.
    ///
    /// # Panics
    ///
    /// It is of another type.
    pub fn socket<S: AnySocket<'static>>(&mut self, handle: SocketHandle) -> &mut S {
        self.sockets.get_mut(handle)
    }

    #[cfg(test)]
    pub(super) fn remove(&mut self, handle: SocketHandle) {
        self.sockets.remove(handle);
    }

    /// Opens a TCP connection from `local_port` to `port` of `server`.
    ///
    /// # Errors
    ///
    /// smoltcp refuses the address.
    pub fn connect(&mut self, server: Ipv4Address, port: u16, local_port: u16) -> Result<SocketHandle, String> {
        let buffer = || tcp::SocketBuffer::new(vec![0; 64 * 1024]);
        let mut socket = tcp::Socket::new(buffer(), buffer());
        socket
            .connect(self.iface.context(), (server, port), local_port)
            .map_err(|e| format!("peer cannot connect: {e}"))?;
        Ok(self.add(socket))
    }

    /// Adds a socket for pings with this identifier.
    pub(super) fn ping_socket(&mut self, ident: u16) -> Result<SocketHandle, String> {
        let buffer = || icmp::PacketBuffer::new(vec![icmp::PacketMetadata::EMPTY; 4], vec![0; 4 * 1514]);
        let mut socket = icmp::Socket::new(buffer(), buffer());
        socket
            .bind(icmp::Endpoint::Ident(ident))
            .map_err(|e| format!("peer cannot ping: {e}"))?;
        Ok(self.add(socket))
    }

    /// Receives and sends what is due at `now`.
    pub fn poll(&mut self, now: Instant) {
        self.iface.poll(now, &mut self.phy, &mut self.sockets);
    }

    /// Returns whether a received frame is pending.
    pub(super) fn is_pending(&self) -> bool {
        self.phy.peer.pending() > 0
    }

    /// Returns when the peer must be polled next, apart from received frames.
    pub(super) fn poll_at(&mut self, now: Instant) -> Option<Instant> {
        let at = self.iface.poll_at(now, &self.sockets)?;
        // A frame to send while the queue is full waits until the wire is idle.
        Some(if at <= now {
            now.max(micros(self.phy.peer.idle_at()))
        } else {
            at
        })
    }
}

struct WirePeer {
    clock: Clock,
    peer: Peer,
}

impl WirePeer {
    fn tx_ready(&self) -> bool {
        // 1538 byte times at 10 Mbit/s, the slowest wire.
        let longest = Duration::from_nanos(1_230_400);
        self.peer.idle_at() < self.clock.now() + longest * TX_QUEUE
    }
}

impl phy::Device for WirePeer {
    type RxToken<'a> = Received;
    type TxToken<'a> = Sending<'a>;

    fn receive(&mut self, _: Instant) -> Option<(Received, Sending<'_>)> {
        let frame = self.peer.recv()?;
        Some((Received(frame), Sending(&self.peer)))
    }

    fn transmit(&mut self, _: Instant) -> Option<Sending<'_>> {
        self.tx_ready().then_some(Sending(&self.peer))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ethernet;
        capabilities.max_transmission_unit = MAX_FRAME_LEN;
        capabilities
    }
}

struct Received(Vec<u8>);

impl phy::RxToken for Received {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        f(&self.0)
    }
}

struct Sending<'a>(&'a Peer);

impl phy::TxToken for Sending<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, f: F) -> R {
        let mut frame = vec![0; len];
        let result = f(&mut frame);
        self.0.send(&frame);
        result
    }
}
