//! The example of IPv6 in the README. The file of `readme/` is in it, word for word.

include!("readme/hear_all_groups.rs");

use core::time::Duration;

use ethdev::MacAddress;
use ethdev_sim::{Clock, RingConfig, RingNic, WireConfig};
use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet};
use smoltcp::socket::udp;
use smoltcp::time::Instant;
use smoltcp::wire::{IpAddress, IpCidr, IpEndpoint, IpListenEndpoint};

/// An interface with the address `fe80::n` and a UDP socket on port 9.
struct Host<'b> {
    device: SmoltcpDevice<'b, RingNic>,
    interface: Interface,
    sockets: SocketSet<'static>,
    udp: SocketHandle,
}

fn address(n: u16) -> IpAddress {
    IpAddress::v6(0xfe80, 0, 0, 0, 0, 0, 0, n)
}

impl<'b> Host<'b> {
    fn new(n: u16, nic: RingNic, [rx, reply]: &'b mut [[u8; 1514]; 2]) -> Self {
        let mut device = SmoltcpDevice::new(nic, rx, reply);
        let mut interface = Interface::new(Config::new(device.hardware_address()), &mut device, Instant::ZERO);
        interface.update_ip_addrs(|addresses| addresses.extend([IpCidr::new(address(n), 64)]));
        let buffer = || udp::PacketBuffer::new(vec![udp::PacketMetadata::EMPTY; 4], vec![0; 4096]);
        let mut socket = udp::Socket::new(buffer(), buffer());
        socket.bind(IpListenEndpoint::from(9)).unwrap();
        let mut sockets = SocketSet::new(Vec::new());
        let udp = sockets.add(socket);
        Self {
            device,
            interface,
            sockets,
            udp,
        }
    }

    fn socket(&mut self) -> &mut udp::Socket<'static> {
        self.sockets.get_mut(self.udp)
    }

    fn poll(&mut self, clock: &Clock) {
        let now = Instant::from_micros(i64::try_from(clock.now().as_micros()).unwrap());
        self.interface.poll(now, &mut self.device, &mut self.sockets);
    }
}

/// Sends a datagram from one host to another. Returns whether it arrives within ten seconds.
fn arrives(prepare: impl FnOnce(&mut SmoltcpDevice<'_, RingNic>)) -> bool {
    let clock = Clock::new();
    let configs = [1, 2].map(|n| RingConfig::new(MacAddress::new([2, 0, 0, 0, 0, n])));
    let [a, b] = configs;
    let (_wire, a, b) = RingNic::pair(&clock, WireConfig::default(), a, b);
    let (mut memory_a, mut memory_b) = ([[0; 1514]; 2], [[0; 1514]; 2]);
    let (mut sender, mut receiver) = (Host::new(1, a, &mut memory_a), Host::new(2, b, &mut memory_b));
    prepare(&mut receiver.device);
    sender
        .socket()
        .send_slice(b"hello", IpEndpoint::new(address(2), 9))
        .unwrap();
    for _ in 0..1000 {
        sender.poll(&clock);
        receiver.poll(&clock);
        clock.advance(Duration::from_millis(10));
        if let Ok((data, _)) = receiver.socket().recv() {
            assert_eq!(data, b"hello");
            return true;
        }
    }
    false
}

#[test]
fn hear_all_groups_is_in_readme() {
    assert!(include_str!("../README.md").contains(include_str!("readme/hear_all_groups.rs")));
}

#[test]
fn hear_all_groups_neighbor_finds_the_address() {
    assert!(arrives(|device| hear_all_groups(device).unwrap()));
}

#[test]
fn default_filter_no_neighbor_finds_the_address() {
    assert!(!arrives(|_| {}));
}
