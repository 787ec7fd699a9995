//! No copy between the descriptor rings of the ENET and smoltcp: smoltcp reads and writes the DMA
//! buffers.
//!
//! The addresses of the frames that smoltcp reads and writes are compared with those of the rings
//! while it echoes datagrams.

use std::cell::RefCell;
use std::ops::Range;
use std::time::Duration;

use ethdev::{Duplex, EthernetDevice, Link, LinkMode, MacAddress, Speed};
use ethdev_enet::{Config, Enet, Rings};
use ethdev_examples::testbed::enet::{Memory, Registers};
use ethdev_phy::Mac as _;
use ethdev_phy::dma::{BUFFER_LEN, HostMemory};
use ethdev_sim::{Clock, RingConfig, RingNic, SimDelay, Wire, WireConfig};
use ethdev_smoltcp::{Mode, SmoltcpDevice};
use nxp_enet_model::{ChipConfig, EnetChip};
use smoltcp::iface::{Interface, SocketSet};
use smoltcp::phy::{Device, DeviceCapabilities, RxToken, TxToken};
use smoltcp::socket::udp;
use smoltcp::time::Instant;
use smoltcp::wire::{IpAddress, IpCidr, IpEndpoint};

const RX: usize = 8;
const TX: usize = 4;
const PORT: u16 = 7;

type Nic = Enet<Registers, SimDelay, HostMemory>;

/// The addresses of the frames that smoltcp read and wrote.
#[derive(Debug, Default)]
struct Addresses {
    received: RefCell<Vec<Range<usize>>>,
    sent: RefCell<Vec<Range<usize>>>,
}

fn address_range(frame: &[u8]) -> Range<usize> {
    let start = frame.as_ptr().addr();
    start..start + frame.len()
}

/// A device of smoltcp that records the addresses of frames.
struct Recorder<'a, D> {
    device: D,
    addresses: &'a Addresses,
}

struct Token<'a, T> {
    token: T,
    addresses: &'a Addresses,
}

impl<T: RxToken> RxToken for Token<'_, T> {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        self.token.consume(|frame| {
            self.addresses.received.borrow_mut().push(address_range(frame));
            f(frame)
        })
    }
}

impl<T: TxToken> TxToken for Token<'_, T> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, f: F) -> R {
        self.token.consume(len, |frame| {
            self.addresses.sent.borrow_mut().push(address_range(frame));
            f(frame)
        })
    }
}

impl<'a, D: Device> Device for Recorder<'a, D> {
    type RxToken<'t>
        = Token<'a, D::RxToken<'t>>
    where
        Self: 't;
    type TxToken<'t>
        = Token<'a, D::TxToken<'t>>
    where
        Self: 't;

    fn receive(&mut self, now: Instant) -> Option<(Self::RxToken<'_>, Self::TxToken<'_>)> {
        let addresses = self.addresses;
        let (rx, tx) = self.device.receive(now)?;
        Some((Token { token: rx, addresses }, Token { token: tx, addresses }))
    }

    fn transmit(&mut self, now: Instant) -> Option<Self::TxToken<'_>> {
        let addresses = self.addresses;
        self.device.transmit(now).map(|token| Token { token, addresses })
    }

    fn capabilities(&self) -> DeviceCapabilities {
        self.device.capabilities()
    }
}

/// A host with one UDP socket.
struct Host<D: Device> {
    device: D,
    iface: Interface,
    sockets: SocketSet<'static>,
}

impl<D: Device> Host<D> {
    fn new(mut device: D, address: MacAddress, host: u8) -> Self {
        let address = smoltcp::wire::EthernetAddress(address.octets());
        let config = smoltcp::iface::Config::new(address.into());
        let mut iface = Interface::new(config, &mut device, Instant::ZERO);
        iface.update_ip_addrs(|addresses| {
            addresses
                .push(IpCidr::new(IpAddress::v4(192, 168, 69, host), 24))
                .expect("smoltcp holds one address");
        });
        let buffer = || udp::PacketBuffer::new(vec![udp::PacketMetadata::EMPTY; 16], vec![0; 32 * 1024]);
        let mut socket = udp::Socket::new(buffer(), buffer());
        socket.bind(PORT).expect("an unused port");
        let mut sockets = SocketSet::new(Vec::new());
        sockets.add(socket);
        Self { device, iface, sockets }
    }

    fn socket(&mut self) -> &mut udp::Socket<'static> {
        let Some((_, smoltcp::socket::Socket::Udp(socket))) = self.sockets.iter_mut().next() else {
            panic!("the set holds one UDP socket");
        };
        socket
    }

    fn poll(&mut self, clock: &Clock) {
        let now = Instant::from_micros(clock.now().as_micros() as i64);
        self.iface.poll(now, &mut self.device, &mut self.sockets);
    }
}

fn nic(clock: &Clock, port: ethdev_sim::Port) -> (Nic, Range<usize>) {
    let memory = HostMemory::new();
    let chip = EnetChip::new(port, Memory(memory.clone()), ChipConfig::default());
    let rings: &'static mut Rings<RX, TX> = Box::leak(Box::new(Rings::new()));
    let start = (&raw const *rings).addr();
    let within = start..start + size_of::<Rings<RX, TX>>();
    let config = Config::new(MacAddress::new([0x02, 0, 0, 0, 0, 1]), 66_000_000);
    let mut nic =
        Enet::with_dma(Registers(chip), rings, SimDelay::new(clock), memory, config).expect("the driver starts");
    let mode = LinkMode::new(Speed::MBPS_100, Duplex::Full);
    nic.set_link(Link::Up(mode)).expect("the link is set");
    (nic, within)
}

/// Sends datagrams of several lengths to a host that echoes them, and checks each echo.
fn echo<D: EthernetDevice, M: Mode<D>>(
    adapter: SmoltcpDevice<'_, D, M>,
    address: MacAddress,
    addresses: &Addresses,
    clock: &Clock,
    peer: RingNic,
) {
    let mut host = Host::new(
        Recorder {
            device: adapter,
            addresses,
        },
        address,
        1,
    );
    let mut peer_reply = [0; 1514];
    let peer_address = peer.mac_address();
    let mut peer = Host::new(SmoltcpDevice::lending(peer, &mut peer_reply), peer_address, 2);
    let to = IpEndpoint::new(IpAddress::v4(192, 168, 69, 1), PORT);
    for len in [1, 18, 100, 512, 1000, 1472, 1472, 1472] {
        let text: Vec<u8> = (0..len).map(|n| n as u8).collect();
        peer.socket().send_slice(&text, to).expect("the socket is not full");
        let mut reply = None;
        for _ in 0..100 {
            peer.poll(clock);
            clock.advance(Duration::from_micros(200));
            host.poll(clock);
            if let Ok((text, meta)) = host.socket().recv().map(|(text, meta)| (text.to_vec(), meta)) {
                host.socket()
                    .send_slice(&text, meta.endpoint)
                    .expect("the socket is not full");
                host.poll(clock);
            }
            clock.advance(Duration::from_micros(200));
            reply = peer.socket().recv().map(|(text, _)| text.to_vec()).ok();
            if reply.is_some() {
                break;
            }
        }
        assert_eq!(reply.as_ref(), Some(&text), "{len} bytes");
    }
}

#[test]
fn smoltcp_on_enet_uses_dma_buffers_without_copy() {
    let clock = Clock::new();
    let (_wire, port, other) = Wire::new(&clock, WireConfig::default());
    let (nic, within) = nic(&clock, port);
    let address = nic.mac_address();
    let peer = RingNic::new(&clock, other, RingConfig::new(MacAddress::new([0x02, 0, 0, 0, 0, 2])));
    let (addresses, mut reply) = (Addresses::default(), [0; 1514]);
    echo(
        SmoltcpDevice::lending(nic, &mut reply),
        address,
        &addresses,
        &clock,
        peer,
    );

    let (received, sent) = (addresses.received.take(), addresses.sent.take());
    assert!(
        received.len() >= 8 && sent.len() >= 8,
        "{} and {} frames",
        received.len(),
        sent.len()
    );
    // Each frame is at the start of a buffer of the rings, all buffers are used, and receive and
    // transmit buffers differ.
    let buffers = |places: &[Range<usize>]| {
        let mut starts: Vec<usize> = places.iter().map(|place| place.start).collect();
        starts.sort_unstable();
        starts.dedup();
        starts
    };
    for place in received.iter().chain(&sent) {
        assert!(
            within.start <= place.start && place.end <= within.end,
            "frame at {place:x?}, rings at {within:x?}"
        );
        assert_eq!((place.start - within.start) % 64, 0, "not the start of a buffer");
    }
    let (received, sent) = (buffers(&received), buffers(&sent));
    assert_eq!((received.len(), sent.len()), (RX, TX));
    for starts in [&received, &sent] {
        assert!(
            starts.windows(2).all(|pair| pair[1] - pair[0] == BUFFER_LEN),
            "{starts:x?}"
        );
    }
    assert!(received.iter().all(|start| !sent.contains(start)));
}

/// The check detects a device that copies.
#[test]
fn smoltcp_on_buffered_enet_uses_other_buffers() {
    let clock = Clock::new();
    let (_wire, port, other) = Wire::new(&clock, WireConfig::default());
    let (nic, within) = nic(&clock, port);
    let address = nic.mac_address();
    let peer = RingNic::new(&clock, other, RingConfig::new(MacAddress::new([0x02, 0, 0, 0, 0, 2])));
    let (addresses, mut reply) = (Addresses::default(), [0; 1514]);
    let (mut rx, mut tx) = ([0; 1514], [0; 1514]);
    let buffered = ethdev_util::Buffered::new(nic, &mut rx, &mut tx);
    let adapter = SmoltcpDevice::lending(buffered, &mut reply);
    echo(adapter, address, &addresses, &clock, peer);
    let (received, sent) = (addresses.received.take(), addresses.sent.take());
    assert!(received.len() >= 8 && sent.len() >= 8);
    let outside = |place: &Range<usize>| !within.contains(&place.start);
    assert!(received.iter().chain(&sent).all(outside));
}
