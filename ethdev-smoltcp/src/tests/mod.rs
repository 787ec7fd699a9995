//! The adapter over a device that obeys, and over one that does not.

mod wakeup;

use std::vec::Vec;

use ethdev::{Capabilities, Control, ErrorKind, Link, MaxFrameLen};
use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet};
use smoltcp::phy::{Device, RxToken, TxToken};
use smoltcp::socket::udp;
use smoltcp::time::Instant;
use smoltcp::wire::{
    ArpOperation, ArpPacket, ArpRepr, EthernetAddress, EthernetFrame, EthernetProtocol, EthernetRepr, IpAddress,
    IpCidr, IpEndpoint, Ipv4Address,
};

use crate::testing::{Memory, OWN, Wrong};
use crate::{DropStats, MIN_SPARE_LEN, PollAt, SmoltcpDevice, SpareTooShort};

const NOW: Instant = Instant::ZERO;
const LOCAL: Ipv4Address = Ipv4Address::new(192, 168, 69, 1);
const PEER: Ipv4Address = Ipv4Address::new(192, 168, 69, 2);
const PEER_MAC: EthernetAddress = EthernetAddress([2, 0, 0, 0, 0, 2]);

fn spare() -> [u8; 1514] {
    [0; 1514]
}

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

struct Stack {
    iface: Interface,
    sockets: SocketSet<'static>,
    udp: SocketHandle,
}

impl Stack {
    fn new(adapter: &mut SmoltcpDevice<'_, Memory>) -> Self {
        let mut iface = Interface::new(Config::new(adapter.hardware_address()), adapter, NOW);
        iface.update_ip_addrs(|addrs| addrs.push(IpCidr::new(IpAddress::Ipv4(LOCAL), 24)).unwrap());
        let buffer = || udp::PacketBuffer::new(std::vec![udp::PacketMetadata::EMPTY; 16], std::vec![0; 4096]);
        let mut socket = udp::Socket::new(buffer(), buffer());
        socket.bind(9).unwrap();
        let mut sockets = SocketSet::new(Vec::new());
        let udp = sockets.add(socket);
        Self { iface, sockets, udp }
    }

    /// Knows the peer's address already.
    fn with_neighbor(adapter: &mut SmoltcpDevice<'_, Memory>) -> Self {
        let mut stack = Self::new(adapter);
        adapter.inner_mut().rx.push_back(arp_request());
        stack.poll(adapter);
        adapter.inner_mut().tx.clear();
        stack
    }

    fn poll(&mut self, adapter: &mut SmoltcpDevice<'_, Memory>) {
        self.iface.poll(NOW, adapter, &mut self.sockets);
    }

    fn send(&mut self, payload: &[u8]) {
        let to = IpEndpoint::new(IpAddress::Ipv4(PEER), 7);
        let socket = self.sockets.get_mut::<udp::Socket<'_>>(self.udp);
        socket.send_slice(payload, to).unwrap();
    }

    fn wakeup(&mut self, adapter: &mut SmoltcpDevice<'_, Memory>) -> PollAt {
        adapter.poll_at(&mut self.iface, &self.sockets, NOW)
    }
}

fn drops(set: impl FnOnce(&mut DropStats)) -> DropStats {
    let mut drops = DropStats::default();
    set(&mut drops);
    drops
}

/// Takes the next pair and answers with `len` bytes of `first` from inside the receive closure, as smoltcp does.
fn answer(adapter: &mut SmoltcpDevice<'_, Memory>, first: u8, len: usize) -> Option<Vec<u8>> {
    let (rx, tx) = adapter.receive(NOW)?;
    Some(rx.consume(|frame| {
        tx.consume(len, |memory| {
            assert_eq!(memory.len(), len);
            memory.fill(first);
        });
        frame.to_vec()
    }))
}

#[test]
fn frames_are_read_and_written_where_they_lie() {
    let mut spare = spare();
    let mut adapter = SmoltcpDevice::new(Memory::new(), &mut spare);
    adapter.inner_mut().rx.push_back(frame(1, 60));
    assert_eq!(answer(&mut adapter, 7, 42), Some(frame(1, 60)));
    assert_eq!(answer(&mut adapter, 7, 42), None);
    assert_eq!(adapter.inner().tx, [[7; 42]]);
    adapter.into_inner();
    // Nothing went through the spare.
    assert_eq!(spare, [0; 1514]);
}

#[test]
fn a_dropped_pair_leaves_the_frame_and_gives_the_memory_back() {
    let mut spare = spare();
    let mut adapter = SmoltcpDevice::new(Memory::new(), &mut spare);
    adapter.inner_mut().room = 1;
    adapter.inner_mut().rx.push_back(frame(1, 60));
    for _ in 0..10 {
        drop(adapter.receive(NOW).unwrap());
        drop(adapter.transmit(NOW).unwrap());
    }
    assert_eq!(adapter.inner().stats.rx_frames, 0);
    assert_eq!(answer(&mut adapter, 7, 42), Some(frame(1, 60)));
    assert_eq!(adapter.inner().stats.rx_frames, 1);
    assert_eq!(adapter.inner().tx, [[7; 42]]);
}

#[test]
fn receiving_goes_on_while_transmit_is_full() {
    let mut spare = spare();
    let mut adapter = SmoltcpDevice::new(Memory::new(), &mut spare);
    adapter.inner_mut().room = 0;
    for n in 0..3 {
        adapter.inner_mut().rx.push_back(frame(n, 60));
    }
    for n in 0..3 {
        assert_eq!(answer(&mut adapter, n, 42), Some(frame(n, 60)));
        assert!(adapter.has_pending_reply());
    }
    assert!(adapter.transmit(NOW).is_none());
    assert_eq!(adapter.drops(), drops(|d| d.tx_replies_dropped = 2));

    adapter.inner_mut().room = 5;
    assert!(adapter.transmit(NOW).is_some());
    // The newest waited, the ones before gave way.
    assert_eq!(adapter.inner().tx, [[2; 42]]);
    assert!(!adapter.has_pending_reply());
    assert_eq!(adapter.drops().tx_lost(), 2);
}

#[test]
fn what_waits_goes_out_by_whatever_is_called_next() {
    for by in [
        |adapter: &mut SmoltcpDevice<'_, Memory>| drop(adapter.receive(NOW)),
        |adapter: &mut SmoltcpDevice<'_, Memory>| drop(adapter.transmit(NOW)),
        |adapter: &mut SmoltcpDevice<'_, Memory>| assert!(adapter.service().is_ok()),
    ] {
        let mut spare = spare();
        let mut adapter = SmoltcpDevice::new(Memory::new(), &mut spare);
        adapter.inner_mut().room = 0;
        adapter.inner_mut().rx.push_back(frame(1, 60));
        answer(&mut adapter, 7, 42);
        adapter.inner_mut().room = 1;
        by(&mut adapter);
        assert_eq!(adapter.inner().tx, [[7; 42]]);
    }
}

#[test]
fn a_waiting_reply_is_not_overtaken() {
    let mut spare = spare();
    let mut adapter = SmoltcpDevice::new(Memory::new(), &mut spare);
    adapter.inner_mut().room = 0;
    adapter.inner_mut().rx.extend([frame(1, 60), frame(2, 60)]);
    answer(&mut adapter, 1, 42);
    adapter.inner_mut().room = 2;
    answer(&mut adapter, 2, 42);
    assert_eq!(adapter.inner().tx, [[1; 42], [2; 42]]);
}

#[test]
fn room_that_comes_between_is_not_for_the_newer_frame() {
    let mut spare = spare();
    let mut adapter = SmoltcpDevice::new(Memory::new(), &mut spare);
    adapter.inner_mut().wrong.late_room = true;
    adapter.inner_mut().rx.extend([frame(1, 60), frame(2, 60)]);
    answer(&mut adapter, 1, 42);
    answer(&mut adapter, 2, 42);
    assert!(adapter.inner().tx.is_empty());
    assert_eq!(adapter.drops(), drops(|d| d.tx_replies_dropped = 1));
}

#[test]
fn what_waits_and_is_refused_is_counted_and_makes_way() {
    let mut spare = spare();
    let mut adapter = SmoltcpDevice::new(Memory::new(), &mut spare);
    adapter.inner_mut().room = 0;
    adapter.inner_mut().rx.push_back(frame(1, 60));
    answer(&mut adapter, 1, 42);
    adapter.inner_mut().room = 9;
    // Busy is no refusal.
    adapter.inner_mut().wrong.commit = Some(ErrorKind::Busy);
    adapter.service().unwrap();
    assert!(adapter.has_pending_reply());
    adapter.inner_mut().wrong.commit = Some(ErrorKind::Bus);
    adapter.service().unwrap();
    assert!(!adapter.has_pending_reply());
    assert_eq!(adapter.drops(), drops(|d| d.tx_refused = 1));
    assert_eq!(adapter.take_error(), Some(ErrorKind::Bus));
}

#[test]
fn link_down_is_counted_and_receiving_goes_on() {
    let mut spare = spare();
    let mut adapter = SmoltcpDevice::new(Memory::new(), &mut spare);
    (adapter.inner_mut().link, adapter.inner_mut().cable) = (Link::Down, Link::Down);
    for n in 0..50 {
        adapter.inner_mut().rx.push_back(frame(n, 60));
        assert_eq!(answer(&mut adapter, n, 42), Some(frame(n, 60)));
    }
    assert_eq!(adapter.drops(), drops(|d| d.tx_link_down = 50));
    assert_eq!((adapter.take_error(), adapter.errors().total()), (None, 0));
    assert!(!adapter.has_pending_reply());
}

#[test]
fn with_the_link_down_sockets_keep_what_they_have() {
    let mut spare = spare();
    let mut adapter = SmoltcpDevice::new(Memory::new(), &mut spare);
    let mut stack = Stack::with_neighbor(&mut adapter);
    adapter.inner_mut().cable = Link::Down;
    assert!(adapter.service().unwrap().link_changed);
    for n in 0..3 {
        stack.send(&[n; 10]);
        stack.poll(&mut adapter);
    }
    assert_eq!(adapter.drops(), DropStats::default());
    adapter.inner_mut().cable = Link::UP;
    stack.poll(&mut adapter);
    assert_eq!(adapter.inner().tx.len(), 3);
    // Found by the adapter itself, which had something to send; told all the same.
    assert!(adapter.service().unwrap().link_changed);
    assert!(!adapter.service().unwrap().link_changed);
}

#[test]
fn errors_are_latched_once_and_counted_always() {
    let mut spare = spare();
    let mut adapter = SmoltcpDevice::new(Memory::new(), &mut spare);
    adapter.inner_mut().wrong.peek = Some(ErrorKind::Bus);
    assert!(adapter.receive(NOW).is_none());
    adapter.inner_mut().wrong = Wrong::default();
    adapter.inner_mut().wrong.ready = Some(ErrorKind::Fault);
    assert!(adapter.transmit(NOW).is_none());
    adapter.inner_mut().wrong.ready = Some(ErrorKind::NotPresent);
    assert!(adapter.transmit(NOW).is_none());
    adapter.inner_mut().wrong.service = Some(ErrorKind::Timeout);
    assert_eq!(adapter.service(), Err(ErrorKind::Timeout));
    let errors = adapter.errors();
    assert_eq!((errors.bus, errors.fault, errors.not_present), (1, 1, 1));
    assert_eq!((errors.timeout, errors.total()), (1, 4));
    // One of each direction is kept, the first.
    assert_eq!(adapter.take_error(), Some(ErrorKind::Bus));
    assert_eq!(adapter.take_error(), Some(ErrorKind::Fault));
    assert_eq!(adapter.take_error(), None);
    assert!(adapter.recover().is_ok());
    assert!(adapter.transmit(NOW).is_some());
}

#[test]
fn every_refusal_hands_smoltcp_a_buffer_all_the_same() {
    let refusals: [(Wrong, u32, u32); 5] = [
        (
            Wrong {
                reserve: Some(ErrorKind::Bus),
                ..Wrong::default()
            },
            1,
            0,
        ),
        (
            Wrong {
                reserve: Some(ErrorKind::FrameTooLong { max: 20 }),
                ..Wrong::default()
            },
            1,
            0,
        ),
        (
            Wrong {
                reserve: Some(ErrorKind::Busy),
                ..Wrong::default()
            },
            0,
            1,
        ),
        (
            Wrong {
                commit: Some(ErrorKind::Fault),
                ..Wrong::default()
            },
            1,
            0,
        ),
        (
            Wrong {
                lends_short: Some(20),
                ..Wrong::default()
            },
            0,
            1,
        ),
    ];
    for (wrong, refused, parked) in refusals {
        let mut spare = spare();
        let mut adapter = SmoltcpDevice::new(Memory::new(), &mut spare);
        adapter.inner_mut().wrong = wrong;
        adapter.inner_mut().rx.push_back(frame(1, 60));
        assert_eq!(answer(&mut adapter, 7, 1514), Some(frame(1, 60)), "{wrong:?}");
        assert_eq!(adapter.drops().tx_refused, refused, "{wrong:?}");
        assert_eq!(u32::from(adapter.has_pending_reply()), parked, "{wrong:?}");
        assert_eq!(adapter.errors().total(), refused, "{wrong:?}");
        assert!(adapter.inner().tx.is_empty());
    }
}

#[test]
fn room_that_was_promised_and_is_not_there_parks() {
    let mut spare = spare();
    let mut adapter = SmoltcpDevice::new(Memory::new(), &mut spare);
    adapter.inner_mut().wrong.ready_lies = true;
    adapter.inner_mut().room = 0;
    adapter.transmit(NOW).unwrap().consume(60, |memory| memory.fill(3));
    assert!(adapter.has_pending_reply());
    assert!(adapter.transmit(NOW).is_none());
    adapter.inner_mut().room = 1;
    adapter.service().unwrap();
    assert_eq!(adapter.inner().tx, [[3; 60]]);
}

#[test]
fn no_frame_of_any_length_from_a_lying_device_disturbs_smoltcp() {
    let mut spare = spare();
    let mut adapter = SmoltcpDevice::new(Memory::new(), &mut spare);
    let mut stack = Stack::new(&mut adapter);
    let lengths = [0, 1, 13, 14, 15, 33, 34, 41, 42, 59, 60, 1514, 1515, 1518, 1600, 9000];
    for ethertype in [0x0806_u16, 0x0800, 0x86dd, 0x88b5] {
        for len in lengths {
            let mut bad = frame(0x45, len);
            if let Some(field) = bad.get_mut(12..14) {
                field.copy_from_slice(&ethertype.to_be_bytes());
            }
            adapter.inner_mut().rx.push_back(bad);
        }
        stack.poll(&mut adapter);
        assert!(adapter.inner().rx.is_empty());
    }
    assert_eq!(adapter.drops(), drops(|d| d.rx_too_short = 4 * 3));
    let stats = adapter.stats();
    assert_eq!((stats.rx_frames, stats.rx_discarded), (4 * (16 - 3), 4 * 3));
}

#[test]
fn a_frame_that_is_gone_when_it_is_read_is_nothing() {
    let mut spare = spare();
    let mut adapter = SmoltcpDevice::new(Memory::new(), &mut spare);
    let mut stack = Stack::new(&mut adapter);
    adapter.inner_mut().wrong.vanishes = true;
    adapter.inner_mut().rx.push_back(arp_request());
    stack.poll(&mut adapter);
    assert!(adapter.inner().tx.is_empty());
}

#[test]
fn a_device_that_lends_the_same_frame_for_ever_does_not_hang_a_poll() {
    let mut spare = spare();
    let mut adapter = SmoltcpDevice::new(Memory::new(), &mut spare).with_rx_budget(8);
    let mut stack = Stack::new(&mut adapter);
    adapter.inner_mut().wrong.never_ends = true;
    adapter.inner_mut().rx.push_back(arp_request());
    stack.poll(&mut adapter);
    assert_eq!(adapter.inner().tx.len(), 8);
    assert_eq!(stack.wakeup(&mut adapter), PollAt::Now);
}

#[test]
fn a_flood_is_taken_in_portions() {
    let mut spare = spare();
    let mut adapter = SmoltcpDevice::new(Memory::new(), &mut spare).with_rx_budget(16);
    let mut stack = Stack::new(&mut adapter);
    adapter.inner_mut().rx.extend((0..40).map(|n| frame(n, 60)));
    for (left, more) in [(24, true), (8, true), (0, false)] {
        stack.poll(&mut adapter);
        assert_eq!(adapter.inner().rx.len(), left);
        assert_eq!(stack.wakeup(&mut adapter) == PollAt::Now, more);
    }
}

#[test]
fn a_device_that_errs_at_every_call_neither_panics_nor_hangs() {
    let failing = |kind| Wrong {
        peek: Some(kind),
        release: Some(kind),
        ready: Some(kind),
        reserve: Some(kind),
        commit: Some(kind),
        service: Some(kind),
        ..Wrong::default()
    };
    for kind in [
        ErrorKind::Bus,
        ErrorKind::Fault,
        ErrorKind::NotPresent,
        ErrorKind::Busy,
        ErrorKind::LinkDown,
        ErrorKind::BadFrame,
        ErrorKind::Other,
    ] {
        let mut spare = spare();
        let mut adapter = SmoltcpDevice::new(Memory::new(), &mut spare);
        let mut stack = Stack::with_neighbor(&mut adapter);
        adapter.inner_mut().wrong = failing(kind);
        adapter.inner_mut().rx.push_back(arp_request());
        stack.send(b"payload");
        for _ in 0..10 {
            assert_eq!(adapter.service(), Err(kind));
            stack.poll(&mut adapter);
            assert_ne!(stack.wakeup(&mut adapter), PollAt::Now, "{kind:?}");
        }
        assert_eq!(adapter.take_error(), Some(kind));
        assert!(adapter.errors().total() >= 30);
        // It heals, and nothing was lost by the stack.
        adapter.inner_mut().wrong = Wrong::default();
        stack.poll(&mut adapter);
        assert_eq!(adapter.inner().tx.len(), 2, "{kind:?}");
    }
}

#[test]
fn errors_of_release_are_latched_and_the_frame_was_read() {
    let mut spare = spare();
    let mut adapter = SmoltcpDevice::new(Memory::new(), &mut spare);
    adapter.inner_mut().wrong.release = Some(ErrorKind::Bus);
    adapter.inner_mut().rx.push_back(frame(1, 60));
    assert_eq!(answer(&mut adapter, 7, 42), Some(frame(1, 60)));
    assert_eq!(adapter.take_error(), Some(ErrorKind::Bus));
}

#[test]
fn a_wrong_frame_length_is_refused_and_counted() {
    let mut spare = spare();
    let mut device = Memory::new();
    // Less than smoltcp can be told.
    device.caps = Capabilities::ETHERNET.with_max_frame_len(MaxFrameLen::new(100));
    let mut adapter = SmoltcpDevice::new(device, &mut spare);
    let mut stack = Stack::with_neighbor(&mut adapter);
    stack.send(&[1; 58]);
    stack.send(&[2; 59]);
    stack.poll(&mut adapter);
    assert_eq!(adapter.inner().tx.len(), 1);
    assert_eq!(adapter.drops(), drops(|d| d.tx_refused = 1));
    assert_eq!(adapter.take_error(), Some(ErrorKind::FrameTooLong { max: 100 }));
    assert_eq!(adapter.errors().frame_too_long, 1);
}

#[test]
fn shorter_frames_can_be_asked_for_and_longer_ones_cannot() {
    let mut spare = spare();
    let mtu = |adapter: SmoltcpDevice<'_, Memory>| adapter.capabilities().max_transmission_unit;
    let mut with =
        |bytes| mtu(SmoltcpDevice::new(Memory::new(), &mut spare).with_max_frame_len(MaxFrameLen::new(bytes)));
    assert_eq!(with(1294), 1294);
    assert_eq!(with(9000), 1514);
    assert_eq!(with(100), MIN_SPARE_LEN);
}

#[test]
fn short_spares_are_refused() {
    let mut short = [0; MIN_SPARE_LEN - 1];
    let refused = SmoltcpDevice::try_new(Memory::new(), &mut short).err();
    assert_eq!(refused, Some(SpareTooShort { len: MIN_SPARE_LEN - 1 }));
    let mut shortest = [0; MIN_SPARE_LEN];
    let adapter = SmoltcpDevice::try_new(Memory::new(), &mut shortest).unwrap();
    assert_eq!(adapter.capabilities().max_transmission_unit, MIN_SPARE_LEN);
}

#[test]
fn it_goes_to_another_thread_with_its_device() {
    fn is_send<T: Send>() {}
    is_send::<SmoltcpDevice<'_, Memory>>();
}
