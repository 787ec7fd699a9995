//! A minimal application of the stack: UDP and TCP echo, for the images that `cargo xtask size`
//! compares.

use ethdev::MacAddress;
use smoltcp::iface::{Config, Interface, SocketSet, SocketStorage};
use smoltcp::phy::Device;
use smoltcp::socket::udp::PacketMetadata;
use smoltcp::socket::{tcp, udp};
use smoltcp::time::Instant;
use smoltcp::wire::{EthernetAddress, IpCidr, Ipv4Address};

const PORT: u16 = 7;
const ADDRESS: IpCidr = IpCidr::new(smoltcp::wire::IpAddress::Ipv4(Ipv4Address::new(10, 0, 2, 15)), 24);

/// The memory of the sockets.
#[derive(Debug)]
pub struct Memory {
    tcp: [[u8; 1024]; 2],
    udp: [[u8; 1500]; 2],
    datagrams: [[PacketMetadata; 2]; 2],
}

impl Memory {
    /// Creates the memory.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            tcp: [[0; 1024]; 2],
            udp: [[0; 1500]; 2],
            datagrams: [[PacketMetadata::EMPTY; 2]; 2],
        }
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

/// Echoes indefinitely. `turn` is called once per iteration: it services the device and returns the
/// time.
pub fn run<D: Device>(
    device: &mut D,
    address: MacAddress,
    memory: &'static mut Memory,
    mut turn: impl FnMut(&mut D) -> Instant,
) -> ! {
    let now = turn(device);
    let mut iface = Interface::new(Config::new(EthernetAddress(address.octets()).into()), device, now);
    // The list is empty, so it is not full.
    iface.update_ip_addrs(|addresses| addresses.push(ADDRESS).unwrap_or_default());
    let mut slots = [SocketStorage::EMPTY, SocketStorage::EMPTY];
    let mut sockets = SocketSet::new(&mut slots[..]);
    let [rx, tx] = &mut memory.tcp;
    let tcp = sockets.add(tcp::Socket::new(
        tcp::SocketBuffer::new(&mut rx[..]),
        tcp::SocketBuffer::new(&mut tx[..]),
    ));
    let [rx, tx] = &mut memory.udp;
    let [rx_meta, tx_meta] = &mut memory.datagrams;
    let udp = sockets.add(udp::Socket::new(
        udp::PacketBuffer::new(&mut rx_meta[..], &mut rx[..]),
        udp::PacketBuffer::new(&mut tx_meta[..], &mut tx[..]),
    ));
    loop {
        let now = turn(device);
        iface.poll(now, device, &mut sockets);
        echo_udp(sockets.get_mut(udp));
        echo_tcp(sockets.get_mut(tcp));
    }
}

fn echo_udp(socket: &mut udp::Socket<'_>) {
    if !socket.is_open() {
        // The port is not 0 and the socket is closed, so it does not fail.
        let _ = socket.bind(PORT);
    }
    let mut data = [0; 64];
    while socket.can_send() {
        match socket.recv_slice(&mut data) {
            Ok((len, from)) => {
                let _ = socket.send_slice(data.get(..len).unwrap_or_default(), from);
            }
            Err(_) => break,
        }
    }
}

fn echo_tcp(socket: &mut tcp::Socket<'_>) {
    if !socket.is_open() {
        let _ = socket.listen(PORT);
    }
    let mut data = [0; 64];
    while socket.can_recv() && socket.send_capacity() - socket.send_queue() >= data.len() {
        let len = socket.recv_slice(&mut data).unwrap_or(0);
        let _ = socket.send_slice(data.get(..len).unwrap_or_default());
    }
    if socket.state() == tcp::State::CloseWait && !socket.can_recv() {
        socket.close();
    }
}
