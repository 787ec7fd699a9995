//! The adapter on a mock device, in both modes.

mod accounting;
mod buffers;
mod errors;
mod lifecycle;
mod poll_at;
mod receive;
mod transmit;

use std::vec::Vec;

use ethdev::{ErrorKind, Link};
use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet};
use smoltcp::phy::{Device, RxToken, TxToken};
use smoltcp::socket::udp;
use smoltcp::time::Instant;
use smoltcp::wire::{
    ArpOperation, ArpPacket, ArpRepr, EthernetAddress, EthernetFrame, EthernetProtocol, EthernetRepr, IpAddress,
    IpCidr, IpEndpoint, Ipv4Address,
};

use crate::mock::{Faults, MockDevice, OWN};
use crate::{DropStats, Lending, MIN_BUFFER_LEN, Mode, PollAt, Pull, SmoltcpDevice};

type Dut<'b, M> = SmoltcpDevice<'b, MockDevice, M>;

const NOW: Instant = Instant::ZERO;
const LOCAL: Ipv4Address = Ipv4Address::new(192, 168, 69, 1);
const PEER: Ipv4Address = Ipv4Address::new(192, 168, 69, 2);
const PEER_MAC: EthernetAddress = EthernetAddress([2, 0, 0, 0, 0, 2]);

/// Makes two tests of each function: one in pull mode, one in lending mode.
macro_rules! in_both_modes {
    ($($name:ident),+ $(,)?) => {
        mod pull {
            $(#[test]
            fn $name() {
                let (mut rx, mut reply) = ([0; 1514], [0; 1514]);
                super::$name(super::Dut::new(super::MockDevice::new(), &mut rx, &mut reply));
            })+
        }

        mod lending {
            $(#[test]
            fn $name() {
                super::$name(super::Dut::lending(super::MockDevice::new(), &mut [0; 1514]));
            })+
        }
    };
}
use in_both_modes;

/// A frame to the device, filled with `first`.
fn frame(first: u8, len: usize) -> Vec<u8> {
    let mut frame = std::vec![first; len];
    if let Some(destination) = frame.first_chunk_mut() {
        *destination = OWN.octets();
    }
    frame
}

/// A request that smoltcp answers at once.
fn arp_request() -> Vec<u8> {
    let arp = ArpRepr::EthernetIpv4 {
        operation: ArpOperation::Request,
        source_hardware_addr: PEER_MAC,
        source_protocol_addr: PEER,
        target_hardware_addr: EthernetAddress([0; 6]),
        target_protocol_addr: LOCAL,
    };
    let ethernet = EthernetRepr {
        src_addr: PEER_MAC,
        dst_addr: EthernetAddress::BROADCAST,
        ethertype: EthernetProtocol::Arp,
    };
    let mut bytes = std::vec![0; 14 + arp.buffer_len()];
    let mut frame = EthernetFrame::new_unchecked(&mut bytes[..]);
    ethernet.emit(&mut frame);
    arp.emit(&mut ArpPacket::new_unchecked(frame.payload_mut()));
    bytes
}

/// smoltcp with one UDP socket.
struct Stack {
    iface: Interface,
    sockets: SocketSet<'static>,
    udp: SocketHandle,
}

impl Stack {
    fn new<M: Mode<MockDevice>>(adapter: &mut Dut<'_, M>) -> Self {
        let mut iface = Interface::new(Config::new(adapter.hardware_address()), adapter, NOW);
        iface.update_ip_addrs(|addrs| addrs.push(IpCidr::new(IpAddress::Ipv4(LOCAL), 24)).unwrap());
        let buffer = || udp::PacketBuffer::new(std::vec![udp::PacketMetadata::EMPTY; 16], std::vec![0; 4096]);
        let mut socket = udp::Socket::new(buffer(), buffer());
        socket.bind(9).unwrap();
        let mut sockets = SocketSet::new(Vec::new());
        let udp = sockets.add(socket);
        Self { iface, sockets, udp }
    }

    /// One that knows the address of the peer.
    fn with_neighbor<M: Mode<MockDevice>>(adapter: &mut Dut<'_, M>) -> Self {
        let mut stack = Self::new(adapter);
        adapter.inner_mut().rx.push_back(arp_request());
        stack.poll(adapter);
        adapter.inner_mut().tx.clear();
        stack
    }

    fn poll<M: Mode<MockDevice>>(&mut self, adapter: &mut Dut<'_, M>) {
        self.iface.poll(NOW, adapter, &mut self.sockets);
    }

    fn send(&mut self, payload: &[u8]) {
        let to = IpEndpoint::new(IpAddress::Ipv4(PEER), 7);
        let socket = self.sockets.get_mut::<udp::Socket<'_>>(self.udp);
        socket.send_slice(payload, to).unwrap();
    }

    fn poll_at<M: Mode<MockDevice>>(&mut self, adapter: &mut Dut<'_, M>) -> PollAt {
        adapter.poll_at(&mut self.iface, &self.sockets, NOW)
    }
}

fn drops(set: impl FnOnce(&mut DropStats)) -> DropStats {
    let mut drops = DropStats::default();
    set(&mut drops);
    drops
}

/// Receives the next frame and answers it with `len` bytes of `first` from inside the receive
/// closure, as smoltcp does.
fn answer<M: Mode<MockDevice>>(adapter: &mut Dut<'_, M>, first: u8, len: usize) -> Option<Vec<u8>> {
    let (rx, tx) = adapter.receive(NOW)?;
    Some(rx.consume(|frame| {
        tx.consume(len, |memory| {
            assert_eq!(memory.len(), len);
            memory.fill(first);
        });
        frame.to_vec()
    }))
}

/// Sends `len` bytes of `first` as a socket does. Returns whether the adapter gave a token.
fn send<M: Mode<MockDevice>>(adapter: &mut Dut<'_, M>, first: u8, len: usize) -> bool {
    let token = adapter.transmit(NOW);
    token
        .map(|token| token.consume(len, |memory| memory.fill(first)))
        .is_some()
}
