//! Floods, invalid frames, failing devices, invalid addresses.

use core::time::Duration;

use ethdev::frame::Header;
use ethdev::{Capabilities, ErrorKind, ErrorType, EthernetDevice, Events, Link, MacAddress, RxMeta, Stats};
use ethdev_sim::{Clock, Peer, RingConfig, RingNic, Wire, WireConfig};
use ethdev_smoltcp::{PollAt, SmoltcpDevice};
use proptest::prelude::*;
use smoltcp::time::Instant;
use smoltcp::wire::{IpCidr, Ipv4Address};

use super::super::micros;
use super::{CONFIG, NODE_IP, NODE_MAC, UNUSED_IP, simulate};
use crate::apps::{Config, ConfigError, Node, Slots, Storage};

/// Runs a node on a ring NIC. `send` is called between two polls, with their number and the link
/// peer; false ends it.
fn run_with_frames(mut send: impl FnMut(usize, &Peer) -> bool) -> Stats {
    let clock = Clock::new();
    let (_wire, nic, peer) = RingNic::with_peer(&clock, WireConfig::default(), RingConfig::new(NODE_MAC));
    let (mut reply, mut storage, mut slots) = ([0; 1514], Box::new(Storage::<1024>::new()), Slots::new());
    let mut device = SmoltcpDevice::lending(nic, &mut reply);
    let mut node = Node::new(&CONFIG, &mut device, Instant::ZERO, &mut storage, &mut slots).unwrap();
    let mut polls = 0;
    while send(polls, &peer) {
        node.poll(micros(clock.now()), &mut device).unwrap();
        let _ = node.poll_at(micros(clock.now()), &mut device);
        clock.advance(Duration::from_micros(200));
        polls += 1;
    }
    for _ in 0..100 {
        node.poll(micros(clock.now()), &mut device).unwrap();
        clock.advance(Duration::from_millis(1));
    }
    assert_eq!(device.errors().total(), 0);
    device.stats()
}

fn frame(ethertype: u16, payload: &[u8]) -> Vec<u8> {
    let header = Header {
        destination: NODE_MAC,
        source: MacAddress::new([2, 0, 0, 0, 0, 9]),
        ethertype,
    };
    [&header.to_bytes(), payload].concat()
}

#[test]
fn flood_is_received_or_counted() {
    let mut sent = 0;
    let stats = run_with_frames(|poll, peer| {
        // More than the wire carries between two polls.
        for _ in 0..8 {
            peer.send(&frame(0x0800, &[0x45; 200]));
            sent += 1;
        }
        poll < 500
    });
    assert_eq!(stats.rx_frames + stats.rx_lost(), sent);
    assert!(stats.rx_frames > 1000, "{stats:?}");
}

#[test]
fn flood_of_handshakes_does_not_block_services() {
    simulate(WireConfig::default(), |sim, _| {
        // Connections that are never completed: the replies are not answered.
        for n in 0..200_u16 {
            for port in [7, 80] {
                let _ = sim.peer.connect(NODE_IP, port, 20_000 + n).map(|handle| {
                    sim.peer.poll(micros(sim.clock.now()));
                    sim.peer.remove(handle);
                });
            }
            sim.settle(Duration::from_millis(1)).unwrap();
        }
        sim.settle(Duration::from_secs(60)).unwrap();
        let handle = sim.connect(7, 50_000);
        sim.send(handle, b"alive");
        assert_eq!(sim.recv_until(handle, |got| got.len() == 5), b"alive");
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn arbitrary_frames_are_counted(frames in proptest::collection::vec((0..4_usize, proptest::collection::vec(any::<u8>(), 0..200)), 1..20)) {
        let stats = run_with_frames(|poll, peer| {
            let Some((kind, payload)) = frames.get(poll) else { return false };
            match kind {
                0 => peer.send(&frame(0x0800, payload)),
                1 => peer.send(&frame(0x0806, payload)),
                // A valid IPv4 header in front of arbitrary bytes: UDP, TCP or ICMP.
                2 => peer.send(&frame(0x0800, &[&ipv4_header(payload), &payload[..]].concat())),
                _ => peer.send_raw(payload),
            };
            true
        });
        prop_assert_eq!((stats.rx_frames + stats.rx_lost()) as usize, frames.len());
    }
}

/// Builds a valid header for `payload`, whose first byte selects the protocol.
fn ipv4_header(payload: &[u8]) -> [u8; 20] {
    use smoltcp::phy::ChecksumCapabilities;
    use smoltcp::wire::{IpProtocol, Ipv4Packet, Ipv4Repr};
    let protocols = [IpProtocol::Udp, IpProtocol::Tcp, IpProtocol::Icmp];
    let repr = Ipv4Repr {
        src_addr: UNUSED_IP,
        dst_addr: NODE_IP,
        next_header: protocols[usize::from(payload.first().copied().unwrap_or(0)) % 3],
        payload_len: payload.len(),
        hop_limit: 64,
    };
    let mut memory = vec![0; 20 + payload.len()];
    repr.emit(
        &mut Ipv4Packet::new_unchecked(&mut memory[..]),
        &ChecksumCapabilities::default(),
    );
    *memory.first_chunk().unwrap()
}

/// A device that fails on every call.
struct Broken;

impl ErrorType for Broken {
    type Error = ErrorKind;
}

impl EthernetDevice for Broken {
    fn mac_address(&self) -> MacAddress {
        NODE_MAC
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::ETHERNET
    }

    fn link(&self) -> Link {
        Link::UP
    }

    fn stats(&self) -> Stats {
        Stats::ZERO
    }

    fn recv_frame(&mut self, _: &mut [u8]) -> Result<Option<RxMeta>, ErrorKind> {
        Err(ErrorKind::Bus)
    }

    fn discard_frame(&mut self) -> Result<bool, ErrorKind> {
        Err(ErrorKind::Bus)
    }

    fn tx_ready(&mut self) -> Result<bool, ErrorKind> {
        Err(ErrorKind::Bus)
    }

    fn send_vectored(&mut self, _: &[&[u8]]) -> Result<(), ErrorKind> {
        Err(ErrorKind::Bus)
    }

    fn service(&mut self) -> Result<Events, ErrorKind> {
        Err(ErrorKind::Bus)
    }
}

#[test]
fn failing_device_is_reported_without_hang() {
    let (mut rx, mut reply) = ([0; 1514], [0; 1514]);
    let (mut storage, mut slots) = (Box::new(Storage::<1024>::new()), Slots::new());
    let mut device = SmoltcpDevice::new(Broken, &mut rx, &mut reply);
    let mut node = Node::new(&CONFIG, &mut device, Instant::ZERO, &mut storage, &mut slots).unwrap();
    for _ in 0..100 {
        let error = node.poll(Instant::ZERO, &mut device).unwrap_err();
        assert_eq!(ethdev::Error::kind(&error), ErrorKind::Bus);
        assert_ne!(node.poll_at(Instant::ZERO, &mut device), PollAt::Now);
    }
    assert!(device.errors().bus >= 200);
}

#[test]
fn idle_node_waits_indefinitely() {
    let clock = Clock::new();
    let (wire, port, _) = Wire::new(&clock, WireConfig::default().with_link_up(false));
    let nic = RingNic::new(&clock, port, RingConfig::new(NODE_MAC));
    let (mut reply, mut storage, mut slots) = ([0; 1514], Box::new(Storage::<1024>::new()), Slots::new());
    let mut device = SmoltcpDevice::lending(nic, &mut reply);
    let mut node = Node::new(&CONFIG, &mut device, Instant::ZERO, &mut storage, &mut slots).unwrap();
    for up in [false, true, false] {
        wire.set_link(up);
        node.poll(micros(clock.now()), &mut device).unwrap();
        let poll_at = node.poll_at(micros(clock.now()), &mut device);
        assert!(matches!(poll_at, PollAt::Wait { until: None, .. }), "{up}: {poll_at:?}");
        assert_eq!(device.link().is_up(), up);
    }
}

#[test]
fn new_invalid_address_is_rejected() {
    let error_of = |mac: MacAddress, addresses: &[IpCidr]| {
        let mut slots = Slots::new();
        let mut storage = Box::new(Storage::<64>::new());
        let (mut rx, mut reply) = ([0; 1514], [0; 1514]);
        let mut device = SmoltcpDevice::new(WithMac(mac), &mut rx, &mut reply);
        let config = Config { addresses, ..CONFIG };
        Node::new(&config, &mut device, Instant::ZERO, &mut storage, &mut slots).err()
    };
    let group = MacAddress::new([1, 0, 0, 0, 0, 1]);
    assert_eq!(error_of(group, &[]), Some(ConfigError::MacAddress(group)));
    let multicast = IpCidr::new(Ipv4Address::new(224, 0, 0, 1).into(), 24);
    assert_eq!(error_of(NODE_MAC, &[multicast]), Some(ConfigError::Address(multicast)));
    let good = IpCidr::new(NODE_IP.into(), 24);
    assert_eq!(error_of(NODE_MAC, &[good; 10]), Some(ConfigError::TooManyAddresses));
    assert_eq!(error_of(NODE_MAC, &[good]), None);
}

/// A device with this address and no link.
struct WithMac(MacAddress);

impl ErrorType for WithMac {
    type Error = ErrorKind;
}

impl EthernetDevice for WithMac {
    fn mac_address(&self) -> MacAddress {
        self.0
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::ETHERNET
    }

    fn link(&self) -> Link {
        Link::Down
    }

    fn stats(&self) -> Stats {
        Stats::ZERO
    }

    fn recv_frame(&mut self, _: &mut [u8]) -> Result<Option<RxMeta>, ErrorKind> {
        Ok(None)
    }

    fn discard_frame(&mut self) -> Result<bool, ErrorKind> {
        Ok(false)
    }

    fn tx_ready(&mut self) -> Result<bool, ErrorKind> {
        Ok(false)
    }

    fn send_vectored(&mut self, _: &[&[u8]]) -> Result<(), ErrorKind> {
        Err(ErrorKind::LinkDown)
    }

    fn service(&mut self) -> Result<Events, ErrorKind> {
        Ok(Events::NONE)
    }
}
