//! A smoltcp interface with a UDP socket, on any device.

use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet};
use smoltcp::phy::Device;
use smoltcp::socket::udp;
use smoltcp::time::Instant;
use smoltcp::wire::{EthernetAddress, IpAddress, IpCidr, IpEndpoint};

/// The addresses of a host.
#[derive(Debug, Clone, Copy)]
pub struct Address {
    /// The MAC address.
    pub mac: EthernetAddress,
    /// The UDP endpoint.
    pub endpoint: IpEndpoint,
}

/// The host that is measured.
pub const HOST: Address = address(1);
/// The host at the other end.
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

/// Capacity of the socket in each direction, in datagrams.
const DATAGRAMS: usize = 64;

/// An interface with a UDP socket.
pub struct Stack {
    /// The interface.
    pub iface: Interface,
    /// The set that contains the socket.
    pub sockets: SocketSet<'static>,
    handle: SocketHandle,
}

impl Stack {
    /// Creates an interface with this address and a socket bound to its port.
    ///
    /// # Panics
    ///
    /// If smoltcp is built with room for no address.
    pub fn new(device: &mut impl Device, at: Address) -> Self {
        let mut iface = Interface::new(Config::new(at.mac.into()), device, Instant::ZERO);
        iface.update_ip_addrs(|addrs| {
            addrs
                .push(IpCidr::new(at.endpoint.addr, 24))
                .expect("smoltcp holds one address");
        });
        let buffer = || udp::PacketBuffer::new(vec![udp::PacketMetadata::EMPTY; DATAGRAMS], vec![0; DATAGRAMS * 1500]);
        let mut socket = udp::Socket::new(buffer(), buffer());
        socket.bind(at.endpoint.port).expect("an unbound socket can be bound");
        let mut sockets = SocketSet::new(Vec::new());
        let handle = sockets.add(socket);
        Self { iface, sockets, handle }
    }

    /// Polls the interface once.
    #[inline]
    pub fn poll(&mut self, now: Instant, device: &mut impl Device) {
        self.iface.poll(now, device, &mut self.sockets);
    }

    /// The socket.
    #[inline]
    pub fn socket(&mut self) -> &mut udp::Socket<'static> {
        self.sockets.get_mut(self.handle)
    }

    /// Discards every received datagram. Returns their number.
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
    /// If the socket is full.
    pub fn queue(&mut self, payload: &[u8], to: Address) {
        self.socket()
            .send_slice(payload, to.endpoint)
            .expect("the socket is not full");
    }

    /// Sends every received datagram back. Returns their number.
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
