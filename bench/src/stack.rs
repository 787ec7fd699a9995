//! An interface with a UDP socket, whatever it runs on.

use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet};
use smoltcp::phy::Device;
use smoltcp::socket::udp;
use smoltcp::time::Instant;
use smoltcp::wire::{EthernetAddress, IpAddress, IpCidr, IpEndpoint};

/// Where a station is.
#[derive(Debug, Clone, Copy)]
pub struct Address {
    /// Its MAC address.
    pub mac: EthernetAddress,
    /// Its UDP endpoint.
    pub endpoint: IpEndpoint,
}

/// The station that is measured.
pub const HOST: Address = address(1);
/// The station at the other end.
pub const PEER: Address = address(2);

const fn address(n: u8) -> Address {
    Address {
        mac: EthernetAddress([2, 0, 0, 0, 0, n]),
        endpoint: IpEndpoint {
            addr: IpAddress::v4(192, 168, 69, n),
            port: 6969,
        },
    }
}

/// Datagrams that a socket holds each way.
const DATAGRAMS: usize = 64;

/// An interface with a UDP socket.
pub struct Stack {
    /// The interface.
    pub iface: Interface,
    /// The socket, alone.
    pub sockets: SocketSet<'static>,
    handle: SocketHandle,
}

impl Stack {
    /// A station.
    ///
    /// # Panics
    ///
    /// Where smoltcp is configured for no address at all.
    pub fn new(device: &mut impl Device, at: Address) -> Self {
        let mut iface = Interface::new(Config::new(at.mac.into()), device, Instant::ZERO);
        iface.update_ip_addrs(|addrs| {
            addrs
                .push(IpCidr::new(at.endpoint.addr, 24))
                .expect("room for one address");
        });
        let buffer = || udp::PacketBuffer::new(vec![udp::PacketMetadata::EMPTY; DATAGRAMS], vec![0; DATAGRAMS * 1500]);
        let mut socket = udp::Socket::new(buffer(), buffer());
        socket.bind(at.endpoint.port).expect("a fresh socket can be bound");
        let mut sockets = SocketSet::new(Vec::new());
        let handle = sockets.add(socket);
        Self { iface, sockets, handle }
    }

    /// One poll.
    #[inline]
    pub fn poll(&mut self, now: Instant, device: &mut impl Device) {
        self.iface.poll(now, device, &mut self.sockets);
    }

    /// The socket.
    #[inline]
    pub fn socket(&mut self) -> &mut udp::Socket<'static> {
        self.sockets.get_mut(self.handle)
    }

    /// Takes every datagram that arrived; how many.
    pub fn take_all(&mut self) -> usize {
        let socket = self.socket();
        let mut taken = 0;
        while let Ok((payload, _)) = socket.recv() {
            std::hint::black_box(payload);
            taken += 1;
        }
        taken
    }

    /// Queues a datagram.
    ///
    /// # Panics
    ///
    /// Where the socket is full.
    pub fn queue(&mut self, payload: &[u8], to: Address) {
        self.socket()
            .send_slice(payload, to.endpoint)
            .expect("room in the socket");
    }

    /// Sends back every datagram that arrived; how many.
    pub fn echo_all(&mut self) -> usize {
        let socket = self.socket();
        let mut echoed = 0;
        while socket.can_send() {
            let Ok((payload, from)) = socket.recv() else { break };
            let payload = payload.to_vec();
            if socket.send_slice(&payload, from.endpoint).is_ok() {
                echoed += 1;
            }
        }
        echoed
    }
}
