//! Two smoltcp interfaces on one NIC, each on a port, and a third one at the other end of the wire.

use std::time::Duration;

use ethdev::{EthernetDevice, MacAddress};
use ethdev_sim::{Clock, RingConfig, RingError, RingNic, WireConfig};
use ethdev_smoltcp::SmoltcpDevice;
use ethdev_switch::Switch;
use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet};
use smoltcp::socket::tcp;
use smoltcp::time::Instant;
use smoltcp::wire::{IpAddress, IpCidr};

/// Bytes that each client sends and receives.
const BYTES: usize = 60_000;
const PORT: u16 = 7;

/// An interface with one TCP socket: it echoes, or is a client of an echo.
struct Host<D: EthernetDevice> {
    device: SmoltcpDevice<'static, D>,
    interface: Interface,
    sockets: SocketSet<'static>,
    socket: SocketHandle,
    /// Bytes sent and received, of a client.
    progress: (usize, usize),
}

const fn byte(at: usize) -> u8 {
    (at % 251) as u8
}

impl<D: EthernetDevice<Error = RingError>> Host<D> {
    fn new(nic: D, number: u8) -> Self {
        let [rx, reply] = [0; 2].map(|_| Box::leak(Box::new([0; 1514])));
        let mut device = SmoltcpDevice::new(nic, rx, reply);
        let config = Config::new(device.hardware_address());
        let mut interface = Interface::new(config, &mut device, Instant::ZERO);
        interface.update_ip_addrs(|addresses| {
            addresses
                .push(IpCidr::new(IpAddress::v4(192, 168, 69, number), 24))
                .unwrap();
        });
        let buffer = || tcp::SocketBuffer::new(vec![0; 4096]);
        let mut sockets = SocketSet::new(vec![]);
        let socket = sockets.add(tcp::Socket::new(buffer(), buffer()));
        Self {
            device,
            interface,
            sockets,
            socket,
            progress: (0, 0),
        }
    }

    fn listen(mut self) -> Self {
        self.sockets
            .get_mut::<tcp::Socket<'_>>(self.socket)
            .listen(PORT)
            .unwrap();
        self
    }

    fn connect(mut self, server: u8) -> Self {
        let remote = (IpAddress::v4(192, 168, 69, server), PORT);
        let socket = self.sockets.get_mut::<tcp::Socket<'_>>(self.socket);
        socket.connect(self.interface.context(), remote, 49_152).unwrap();
        self
    }

    fn poll(&mut self, now: Instant) {
        self.device.service().unwrap();
        self.interface.poll(now, &mut self.device, &mut self.sockets);
        assert!(self.device.take_error().is_none());
    }

    fn echo(&mut self) {
        let socket = self.sockets.get_mut::<tcp::Socket<'_>>(self.socket);
        while socket.can_recv() && socket.can_send() {
            let mut buf = [0; 512];
            let free = socket.send_capacity() - socket.send_queue();
            let len = buf.len().min(free);
            let len = socket.recv_slice(&mut buf[..len]).unwrap();
            socket.send_slice(&buf[..len]).unwrap();
        }
    }

    fn exchange(&mut self) {
        let socket = self.sockets.get_mut::<tcp::Socket<'_>>(self.socket);
        let (sent, received) = &mut self.progress;
        while socket.can_send() && *sent < BYTES {
            let data: Vec<u8> = (*sent..BYTES.min(*sent + 512)).map(byte).collect();
            *sent += socket.send_slice(&data).unwrap();
        }
        while socket.can_recv() {
            let mut buf = [0; 512];
            let len = socket.recv_slice(&mut buf).unwrap();
            for (at, got) in (*received..).zip(&buf[..len]) {
                assert_eq!(*got, byte(at), "byte {at}");
            }
            *received += len;
        }
    }
}

#[test]
fn two_interfaces_on_one_nic_talk_to_the_wire_and_to_each_other() {
    let clock = Clock::new();
    let address = |n| MacAddress::new([2, 0, 0, 0, 0, n]);
    let [near, far] = [9, 3].map(|n| RingConfig::new(address(n)));
    let (_wire, nic, far) = RingNic::pair(&clock, WireConfig::default(), near, far);
    let (mut queues, mut table) = ([[[0; 1514]; 8]; 4], []);
    // Two servers, and two clients beside the one at the other end of the wire.
    let addresses = [1, 2, 4, 5].map(address);
    let mut switch = Switch::new(nic, addresses, &mut queues, &mut table);
    switch.open().unwrap();
    let ([first, second, local, mut idle], _) = switch.split().unwrap();
    let mut servers = [Host::new(first, 1).listen(), Host::new(second, 2).listen()];
    let mut local = Host::new(local, 4).connect(1);
    let mut far = Host::new(far, 3).connect(2);

    let done = |progress: (usize, usize)| progress == (BYTES, BYTES);
    while !(done(local.progress) && done(far.progress)) {
        assert!(
            clock.now() < Duration::from_secs(10),
            "{:?} {:?}",
            local.progress,
            far.progress
        );
        let now = Instant::from_micros(clock.now().as_micros() as i64);
        for server in &mut servers {
            server.poll(now);
            server.echo();
        }
        local.poll(now);
        local.exchange();
        far.poll(now);
        far.exchange();
        clock.advance(Duration::from_micros(100));
    }
    // Of the local connection nothing but the broadcasts of ARP is on the wire.
    let [wired, local] = [far.device.stats(), local.device.stats()];
    let received_from_second = servers[1].device.stats().tx_frames;
    assert!(local.rx_frames > 40 && wired.rx_frames + wired.rx_filtered <= received_from_second + 4);
    // The client without a peer has received ARP's broadcasts only.
    let (mut buf, mut broadcasts) = ([0; 1514], 0);
    while let Some(_meta) = idle.recv_frame(&mut buf).unwrap() {
        assert_eq!(buf[..6], [0xff; 6]);
        broadcasts += 1;
    }
    assert!((1..=4).contains(&broadcasts), "{broadcasts}");
    for server in &servers {
        assert_eq!(server.device.stats().rx_overrun, 0);
    }
}
