//! Between the ENET's descriptor rings and smoltcp nothing is copied: what smoltcp reads and writes *is* the buffer that the uDMA filled, or reads next.
//!
//! The addresses that smoltcp sees are compared with those of the rings, frame by frame, while it answers pings and echoes datagrams.

use std::cell::RefCell;
use std::ops::Range;
use std::time::Duration;

use ethdev::{Duplex, LendingDevice, Link, LinkMode, MacAddress, Speed};
use ethdev_enet::{Config, Enet, Rings};
use ethdev_examples::lab::enet::{Memory, Registers};
use ethdev_phy::Mac as _;
use ethdev_phy::dma::{BUFFER_LEN, HostMemory};
use ethdev_sim::{Clock, RingConfig, RingNic, SimDelay, Wire, WireConfig};
use ethdev_smoltcp::SmoltcpDevice;
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

/// Where smoltcp saw its frames.
#[derive(Debug, Default)]
struct Seen {
    received: RefCell<Vec<Range<usize>>>,
    sent: RefCell<Vec<Range<usize>>>,
}

fn place(frame: &[u8]) -> Range<usize> {
    let start = frame.as_ptr().addr();
    start..start + frame.len()
}

/// smoltcp's device, with a note of the addresses that it hands to smoltcp.
struct Noted<'a, D> {
    device: D,
    seen: &'a Seen,
}

struct Token<'a, T> {
    token: T,
    seen: &'a Seen,
}

impl<T: RxToken> RxToken for Token<'_, T> {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        self.token.consume(|frame| {
            self.seen.received.borrow_mut().push(place(frame));
            f(frame)
        })
    }
}

impl<T: TxToken> TxToken for Token<'_, T> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, f: F) -> R {
        self.token.consume(len, |frame| {
            self.seen.sent.borrow_mut().push(place(frame));
            f(frame)
        })
    }
}

impl<'a, D: Device> Device for Noted<'a, D> {
    type RxToken<'t>
        = Token<'a, D::RxToken<'t>>
    where
        Self: 't;
    type TxToken<'t>
        = Token<'a, D::TxToken<'t>>
    where
        Self: 't;

    fn receive(&mut self, now: Instant) -> Option<(Self::RxToken<'_>, Self::TxToken<'_>)> {
        let seen = self.seen;
        let (rx, tx) = self.device.receive(now)?;
        Some((Token { token: rx, seen }, Token { token: tx, seen }))
    }

    fn transmit(&mut self, now: Instant) -> Option<Self::TxToken<'_>> {
        let seen = self.seen;
        self.device.transmit(now).map(|token| Token { token, seen })
    }

    fn capabilities(&self) -> DeviceCapabilities {
        self.device.capabilities()
    }
}

/// A station with one UDP socket.
struct Peer<D: Device> {
    device: D,
    iface: Interface,
    sockets: SocketSet<'static>,
}

impl<D: Device> Peer<D> {
    fn new(mut device: D, address: MacAddress, host: u8) -> Self {
        let address = smoltcp::wire::EthernetAddress(address.octets());
        let config = smoltcp::iface::Config::new(address.into());
        let mut iface = Interface::new(config, &mut device, Instant::ZERO);
        iface.update_ip_addrs(|addresses| {
            addresses
                .push(IpCidr::new(IpAddress::v4(192, 168, 69, host), 24))
                .expect("room for an address");
        });
        let buffer = || udp::PacketBuffer::new(vec![udp::PacketMetadata::EMPTY; 16], vec![0; 32 * 1024]);
        let mut socket = udp::Socket::new(buffer(), buffer());
        socket.bind(PORT).expect("a free port");
        let mut sockets = SocketSet::new(Vec::new());
        sockets.add(socket);
        Self { device, iface, sockets }
    }

    fn socket(&mut self) -> &mut udp::Socket<'static> {
        let Some((_, smoltcp::socket::Socket::Udp(socket))) = self.sockets.iter_mut().next() else {
            panic!("there is one socket, for UDP");
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
    let mut nic = Enet::with_dma(Registers(chip), rings, SimDelay::new(clock), memory, config).expect("it starts");
    let mode = LinkMode::new(Speed::MBPS_100, Duplex::Full);
    nic.set_link(Link::Up(mode)).expect("it takes its link");
    (nic, within)
}

/// Sends datagrams of every size to a station that echoes them; whether all came back.
fn echo<D: LendingDevice>(
    device: D,
    address: MacAddress,
    seen: &Seen,
    clock: &Clock,
    peer: RingNic,
    spare: &mut [u8; 1514],
) {
    let adapter = SmoltcpDevice::new(device, spare);
    let mut station = Peer::new(Noted { device: adapter, seen }, address, 1);
    let mut peer_spare = [0; 1514];
    let peer_address = ethdev::EthernetDevice::mac_address(&peer);
    let mut peer = Peer::new(SmoltcpDevice::new(peer, &mut peer_spare), peer_address, 2);
    let to = IpEndpoint::new(IpAddress::v4(192, 168, 69, 1), PORT);
    for len in [1, 18, 100, 512, 1000, 1472, 1472, 1472] {
        let text: Vec<u8> = (0..len).map(|n| n as u8).collect();
        peer.socket().send_slice(&text, to).expect("room in the socket");
        let mut answer = None;
        for _ in 0..100 {
            peer.poll(clock);
            clock.advance(Duration::from_micros(200));
            station.poll(clock);
            if let Ok((text, meta)) = station.socket().recv().map(|(text, meta)| (text.to_vec(), meta)) {
                station
                    .socket()
                    .send_slice(&text, meta.endpoint)
                    .expect("room in the socket");
                station.poll(clock);
            }
            clock.advance(Duration::from_micros(200));
            answer = peer.socket().recv().map(|(text, _)| text.to_vec()).ok();
            if answer.is_some() {
                break;
            }
        }
        assert_eq!(answer.as_ref(), Some(&text), "{len} bytes");
    }
}

#[test]
fn smoltcp_reads_and_writes_the_rings_own_buffers() {
    let clock = Clock::new();
    let (_wire, port, other) = Wire::new(&clock, WireConfig::default());
    let (nic, within) = nic(&clock, port);
    let address = ethdev::EthernetDevice::mac_address(&nic);
    let peer = RingNic::new(&clock, other, RingConfig::new(MacAddress::new([0x02, 0, 0, 0, 0, 2])));
    let (seen, mut spare) = (Seen::default(), [0; 1514]);
    echo(nic, address, &seen, &clock, peer, &mut spare);

    let (received, sent) = (seen.received.take(), seen.sent.take());
    assert!(
        received.len() >= 8 && sent.len() >= 8,
        "{} and {} frames",
        received.len(),
        sent.len()
    );
    // Each frame at the beginning of a buffer of the rings, in all of them, and received ones in others than sent ones.
    let buffers = |places: &[Range<usize>]| {
        let mut starts: Vec<usize> = places.iter().map(|place| place.start).collect();
        starts.sort_unstable();
        starts.dedup();
        starts
    };
    for place in received.iter().chain(&sent) {
        assert!(
            within.start <= place.start && place.end <= within.end,
            "smoltcp saw a frame at {place:x?}, the rings are at {within:x?}"
        );
        assert_eq!((place.start - within.start) % 64, 0, "not the beginning of a buffer");
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

/// The same look at a device that does copy: it must be able to tell.
#[test]
fn a_copying_device_is_told_from_a_lending_one() {
    let clock = Clock::new();
    let (_wire, port, other) = Wire::new(&clock, WireConfig::default());
    let (nic, within) = nic(&clock, port);
    let address = ethdev::EthernetDevice::mac_address(&nic);
    let peer = RingNic::new(&clock, other, RingConfig::new(MacAddress::new([0x02, 0, 0, 0, 0, 2])));
    let (seen, mut spare) = (Seen::default(), [0; 1514]);
    let buffered: ethdev_util::Buffered<Nic, 1514> = ethdev_util::Buffered::new(nic);
    echo(buffered, address, &seen, &clock, peer, &mut spare);
    let outside = |place: &Range<usize>| !within.contains(&place.start);
    assert!(seen.received.take().iter().chain(&seen.sent.take()).all(outside));
}
