//! Floods, garbage, devices that fail, addresses that are none.

use core::time::Duration;

use ethdev::frame::Header;
use ethdev::{Capabilities, ErrorKind, ErrorType, EthernetDevice, Events, Link, MacAddress, RxMeta, Stats};
use ethdev_sim::{Clock, Peer, RingConfig, RingNic, Wire, WireConfig};
use ethdev_smoltcp::{PollAt, SmoltcpDevice};
use ethdev_util::Buffered;
use proptest::prelude::*;
use smoltcp::time::Instant;
use smoltcp::wire::{IpCidr, Ipv4Address};

use super::super::micros;
use super::{CONFIG, NOBODY, NODE_IP, NODE_MAC, in_world};
use crate::apps::{Config, ConfigError, Node, Slots, Storage};

/// A node on a ring NIC, and a station that sends it whatever it likes. `turn` is called between the node's turns, with the number of the turn.
fn bombarded(mut turn: impl FnMut(usize, &Peer) -> bool) -> Stats {
    let clock = Clock::new();
    let (_wire, nic, station) = RingNic::with_station(&clock, WireConfig::default(), RingConfig::new(NODE_MAC));
    let (mut spare, mut storage, mut slots) = ([0; 1514], Box::new(Storage::<1024>::new()), Slots::new());
    let mut device = SmoltcpDevice::new(nic, &mut spare);
    let mut node = Node::new(&CONFIG, &mut device, Instant::ZERO, &mut storage, &mut slots).unwrap();
    let mut turns = 0;
    while turn(turns, &station) {
        node.poll(micros(clock.now()), &mut device).unwrap();
        let _ = node.wakeup(micros(clock.now()), &mut device);
        clock.advance(Duration::from_micros(200));
        turns += 1;
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
fn a_flood_is_taken_in_or_counted() {
    let mut sent = 0;
    let stats = bombarded(|turn, station| {
        // Much more than the wire carries in between, so that it is always full.
        for _ in 0..8 {
            station.send(&frame(0x0800, &[0x45; 200]));
            sent += 1;
        }
        turn < 500
    });
    assert_eq!(stats.rx_frames + stats.rx_lost(), sent);
    assert!(stats.rx_frames > 1000, "{stats:?}");
}

#[test]
fn a_flood_of_handshakes_leaves_the_services_alive() {
    in_world(WireConfig::default(), |world, _| {
        // Connections that are never completed: answers go to a host that is not there.
        for n in 0..200_u16 {
            for port in [7, 80] {
                let _ = world.peer.connect(NODE_IP, port, 20_000 + n).map(|handle| {
                    world.peer.poll(micros(world.clock.now()));
                    world.peer.remove(handle);
                });
            }
            world.settle(Duration::from_millis(1)).unwrap();
        }
        world.settle(Duration::from_secs(60)).unwrap();
        let handle = world.connected(7, 50_000);
        world.send(handle, b"alive");
        assert_eq!(world.recv_until(handle, |got| got.len() == 5), b"alive");
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn garbage_harms_nobody(frames in proptest::collection::vec((0..4_usize, proptest::collection::vec(any::<u8>(), 0..200)), 1..20)) {
        let stats = bombarded(|turn, station| {
            let Some((kind, payload)) = frames.get(turn) else { return false };
            match kind {
                0 => station.send(&frame(0x0800, payload)),
                1 => station.send(&frame(0x0806, payload)),
                // A good IPv4 header in front of garbage: UDP, TCP or ICMP.
                2 => station.send(&frame(0x0800, &[&ipv4_header(payload), &payload[..]].concat())),
                _ => station.send_raw(payload),
            };
            true
        });
        prop_assert_eq!((stats.rx_frames + stats.rx_lost()) as usize, frames.len());
    }
}

/// A right header for `payload`, whose first byte chooses the protocol.
fn ipv4_header(payload: &[u8]) -> [u8; 20] {
    use smoltcp::phy::ChecksumCapabilities;
    use smoltcp::wire::{IpProtocol, Ipv4Packet, Ipv4Repr};
    let protocols = [IpProtocol::Udp, IpProtocol::Tcp, IpProtocol::Icmp];
    let repr = Ipv4Repr {
        src_addr: NOBODY,
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

/// Fails at every call.
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
fn a_device_that_fails_at_every_call_is_told_and_does_not_hang() {
    let (mut spare, mut storage, mut slots) = ([0; 1514], Box::new(Storage::<1024>::new()), Slots::new());
    let mut device = SmoltcpDevice::new(Buffered::<_, 1514>::new(Broken), &mut spare);
    let mut node = Node::new(&CONFIG, &mut device, Instant::ZERO, &mut storage, &mut slots).unwrap();
    for _ in 0..100 {
        let error = node.poll(Instant::ZERO, &mut device).unwrap_err();
        assert_eq!(ethdev::Error::kind(&error), ErrorKind::Bus);
        assert_ne!(node.wakeup(Instant::ZERO, &mut device), PollAt::Now);
    }
    assert!(device.errors().bus >= 200);
}

#[test]
fn nothing_to_do_is_nothing_done() {
    let clock = Clock::new();
    let (wire, port, _) = Wire::new(&clock, WireConfig::default().with_link_up(false));
    let nic = RingNic::new(&clock, port, RingConfig::new(NODE_MAC));
    let (mut spare, mut storage, mut slots) = ([0; 1514], Box::new(Storage::<1024>::new()), Slots::new());
    let mut device = SmoltcpDevice::new(nic, &mut spare);
    let mut node = Node::new(&CONFIG, &mut device, Instant::ZERO, &mut storage, &mut slots).unwrap();
    for up in [false, true, false] {
        wire.set_link(up);
        node.poll(micros(clock.now()), &mut device).unwrap();
        let wakeup = node.wakeup(micros(clock.now()), &mut device);
        assert!(matches!(wakeup, PollAt::Wait { until: None, .. }), "{up}: {wakeup:?}");
        assert_eq!(device.link().is_up(), up);
    }
}

#[test]
fn what_cannot_be_an_address_is_refused() {
    let refused = |mac: MacAddress, addresses: &[IpCidr]| {
        let mut slots = Slots::new();
        let mut storage = Box::new(Storage::<64>::new());
        let mut spare = [0; 1514];
        let mut device = SmoltcpDevice::new(Buffered::<_, 1514>::new(WithMac(mac)), &mut spare);
        let config = Config { addresses, ..CONFIG };
        Node::new(&config, &mut device, Instant::ZERO, &mut storage, &mut slots).err()
    };
    let group = MacAddress::new([1, 0, 0, 0, 0, 1]);
    assert_eq!(refused(group, &[]), Some(ConfigError::MacAddress(group)));
    let multicast = IpCidr::new(Ipv4Address::new(224, 0, 0, 1).into(), 24);
    assert_eq!(refused(NODE_MAC, &[multicast]), Some(ConfigError::Address(multicast)));
    let good = IpCidr::new(NODE_IP.into(), 24);
    assert_eq!(refused(NODE_MAC, &[good; 10]), Some(ConfigError::TooManyAddresses));
    assert_eq!(refused(NODE_MAC, &[good]), None);
}

/// A device of which only the address matters.
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
