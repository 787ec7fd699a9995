//! Two hosts with smoltcp on a simulated wire: one has a UDP echo server, the other one sends a
//! datagram and receives it back. The server also replies to pings, if smoltcp's feature
//! `auto-icmp-echo-reply` is enabled.
//!
//! `cargo run -p ethdev-smoltcp --example udp_echo`

use core::time::Duration;

use ethdev::{EthernetDevice, MacAddress};
use ethdev_sim::{Clock, RingConfig, RingNic, WireConfig};
use ethdev_smoltcp::{Mode, PollAt, SmoltcpDevice};
use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet};
use smoltcp::socket::udp;
use smoltcp::time::Instant;
use smoltcp::wire::{IpAddress, IpCidr};

const SERVER: IpAddress = IpAddress::v4(192, 168, 69, 1);
const CLIENT: IpAddress = IpAddress::v4(192, 168, 69, 2);

/// A host with one UDP socket.
struct Host<'b, D: EthernetDevice, M> {
    device: SmoltcpDevice<'b, D, M>,
    iface: Interface,
    sockets: SocketSet<'static>,
    socket: SocketHandle,
}

impl<'b, D: EthernetDevice, M: Mode<D>> Host<'b, D, M> {
    fn new(mut device: SmoltcpDevice<'b, D, M>, address: IpAddress, port: u16) -> Result<Self, udp::BindError> {
        let mut iface = Interface::new(Config::new(device.hardware_address()), &mut device, Instant::ZERO);
        iface.update_ip_addrs(|addrs| {
            addrs.push(IpCidr::new(address, 24)).ok(); // there is capacity for two by default
        });
        let buffer = || udp::PacketBuffer::new(vec![udp::PacketMetadata::EMPTY; 4], vec![0; 4096]);
        let mut socket = udp::Socket::new(buffer(), buffer());
        socket.bind(port)?;
        let mut sockets = SocketSet::new(Vec::new());
        let socket = sockets.add(socket);
        Ok(Self {
            device,
            iface,
            sockets,
            socket,
        })
    }

    fn socket(&mut self) -> &mut udp::Socket<'static> {
        self.sockets.get_mut(self.socket)
    }

    /// Receives and sends what is possible now. Returns when smoltcp has to be polled again at the
    /// latest.
    fn poll(&mut self, now: Instant) -> Result<PollAt, D::Error> {
        self.device.service()?;
        self.iface.poll(now, &mut self.device, &mut self.sockets);
        // smoltcp's traits return no error: the adapter keeps the first one.
        if let Some(error) = self.device.take_error() {
            return Err(error);
        }
        Ok(self.device.poll_at(&mut self.iface, &self.sockets, now))
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let clock = Clock::new();
    let [a, b] = [1, 2].map(|n| RingConfig::new(MacAddress::new([0x02, 0, 0, 0, 0, n])));
    let (_wire, server, client) = RingNic::pair(&clock, WireConfig::default(), a, b);

    // A pull device takes two buffers; a device that lends its memory takes the one for replies.
    let (mut rx, mut reply, mut client_reply) = ([0; 1514], [0; 1514], [0; 1514]);
    let mut server = Host::new(SmoltcpDevice::new(server, &mut rx, &mut reply), SERVER, 7)?;
    let mut client = Host::new(SmoltcpDevice::lending(client, &mut client_reply), CLIENT, 49152)?;
    client.socket().send_slice(b"hello", (SERVER, 7))?;

    while !client.socket().can_recv() {
        let now = Instant::from_micros(i64::try_from(clock.now().as_micros())?);
        let next = [server.poll(now)?, client.poll(now)?];
        if let Ok((data, from)) = server.socket().recv() {
            let data = data.to_vec();
            println!("server: {} bytes from {from}", data.len());
            server.socket().send_slice(&data, from.endpoint)?;
        } else if !next.contains(&PollAt::Now) {
            // Firmware rearms its interrupt here and sleeps until it, or until `PollAt::Wait::until`.
            clock.advance(Duration::from_micros(10));
        }
        if clock.now() > Duration::from_secs(5) {
            return Err("no reply within 5 s".into());
        }
    }
    let (data, from) = client.socket().recv()?;
    assert_eq!(data, b"hello");
    println!(
        "client: {:?} from {from} at {:?}",
        String::from_utf8_lossy(data),
        clock.now()
    );
    Ok(())
}
