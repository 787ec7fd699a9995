//! The same application on every NIC, selected by type or at run time.

use core::cell::Cell;
use core::time::Duration;
use std::rc::Rc;

use ethdev::{
    CallbackDevice, Capabilities, ErrorKind, ErrorType, EthernetDevice, Events, LendingDevice, Link, MacAddress,
    RxFrame, RxMeta, Speed, Stats, Transmit,
};
use ethdev_examples::apps::responder::Responder;
use ethdev_examples::testbed::{self, Failure, Harness, NICS, Nic, Row, Settings, Slot, Stack};
use ethdev_sim::{Clock, Peer, RingConfig, RingError, RingNic, WireConfig};
use ethdev_util::{Buffered, Callback, Erased, ErasedDevice};
use smoltcp::phy::ChecksumCapabilities;
use smoltcp::wire::{
    ArpOperation, ArpPacket, ArpRepr, EthernetAddress, EthernetFrame, EthernetProtocol, Icmpv4Packet, Icmpv4Repr,
    IpProtocol, Ipv4Address, Ipv4Packet, Ipv4Repr,
};

const OWN: MacAddress = MacAddress::new([2, 0, 0, 0, 0, 1]);
const ADDRESS: Ipv4Address = Ipv4Address::new(192, 168, 69, 1);
const PEER: EthernetAddress = EthernetAddress([2, 0, 0, 0, 0, 2]);
const PEER_ADDRESS: Ipv4Address = Ipv4Address::new(192, 168, 69, 2);

fn run(nic: &Nic, seed: u64) -> Row {
    run_under(Stack::Smoltcp, nic, seed)
}

fn run_under(stack: Stack, nic: &Nic, seed: u64) -> Row {
    let settings = Settings {
        seed,
        ..Settings::default()
    };
    testbed::run(nic, stack, &settings, &mut |_| ()).unwrap()
}

#[test]
fn run_every_nic_passes_and_is_reproducible() {
    for nic in NICS {
        let row = run(nic, 1);
        assert_eq!(row.failure, None, "{row:?}");
        assert_eq!(row, run(nic, 1), "the same seed gave another row");
    }
}

#[test]
fn run_other_stack_is_reproducible() {
    for &stack in Stack::ALL {
        let row = run_under(stack, &NICS[0], 1);
        assert_eq!(row, run_under(stack, &NICS[0], 1), "the same seed gave another row");
    }
}

#[test]
fn run_every_nic_and_stack_same_echo_hash() {
    let rows = NICS
        .iter()
        .flat_map(|nic| Stack::ALL.iter().map(|&stack| run_under(stack, nic, 5)));
    let mut hashes = Vec::new();
    for row in rows {
        assert_eq!(row.failure, None, "{row:?}");
        hashes.push(row.figures.echo_sha256);
    }
    assert!(
        hashes[0].is_some() && hashes.iter().all(|hash| *hash == hashes[0]),
        "{hashes:?}"
    );
    assert_ne!(
        hashes[0],
        run(&NICS[0], 6).figures.echo_sha256,
        "another seed gave the same payload"
    );
}

#[test]
fn run_copies_per_frame_as_documented() {
    for (name, copies) in [
        ("ring", 0.0),
        ("ring-pull", 1.0),
        ("ring-dyn", 1.0),
        ("ring-channel", 1.0),
    ] {
        let nic = NICS.iter().find(|nic| nic.name == name).unwrap();
        for stack in [Stack::Smoltcp, Stack::Embassy] {
            let measured = run_under(stack, nic, 1).figures.copies_per_frame.unwrap();
            assert!((measured - copies).abs() < 0.01, "{stack} on {name}: {measured}");
        }
    }
}

#[test]
fn run_goodput_within_wire_limits() {
    // 1460 bytes of payload in 1538 byte times.
    let max_ratio = 1460.0 / 1538.0;
    for (name, wire) in [("ring", 100.0), ("ring-10", 10.0)] {
        let nic = NICS.iter().find(|nic| nic.name == name).unwrap();
        let goodput = run(nic, 1).figures.goodput_mbps.unwrap();
        assert!(goodput > 0.9 * wire && goodput < max_ratio * wire, "{name}: {goodput}");
    }
}

/// A ring NIC with a defect.
struct DefectiveNic {
    nic: RingNic,
    defect: Defect,
    received: u32,
}

#[derive(Clone, Copy, PartialEq)]
enum Defect {
    /// Receives no frame.
    NoReceive,
    /// Loses every 100th frame, uncounted.
    UncountedLoss,
    /// Flips a bit of the last byte of every 100th frame, in its padding or payload.
    Corrupts,
    /// Fails after 100 frames.
    Fails,
}

impl ErrorType for DefectiveNic {
    type Error = RingError;
}

impl EthernetDevice for DefectiveNic {
    fn mac_address(&self) -> MacAddress {
        self.nic.mac_address()
    }

    fn capabilities(&self) -> Capabilities {
        self.nic.capabilities()
    }

    fn link(&self) -> Link {
        self.nic.link()
    }

    fn stats(&self) -> Stats {
        let mut stats = self.nic.stats();
        if self.defect == Defect::UncountedLoss {
            stats.rx_frames -= self.received / 100;
        }
        stats
    }

    fn recv_frame(&mut self, buf: &mut [u8]) -> Result<Option<RxMeta>, RingError> {
        if self.defect == Defect::NoReceive {
            return Ok(None);
        }
        let Some(meta) = self.nic.recv_frame(buf)? else {
            return Ok(None);
        };
        self.received += 1;
        if self.received.is_multiple_of(100) {
            match self.defect {
                Defect::UncountedLoss => return Ok(None),
                Defect::Corrupts => buf[meta.len - 1] ^= 1,
                Defect::Fails => return Err(RingError::Fault),
                Defect::NoReceive => {}
            }
        }
        Ok(Some(meta))
    }

    fn discard_frame(&mut self) -> Result<bool, RingError> {
        self.nic.discard_frame()
    }

    fn tx_ready(&mut self) -> Result<bool, RingError> {
        self.nic.tx_ready()
    }

    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), RingError> {
        self.nic.send_vectored(parts)
    }

    fn service(&mut self) -> Result<Events, RingError> {
        self.nic.service()
    }
}

fn defective(defect: Defect, slot: Slot, harness: Harness<'_>) -> Result<(), Failure> {
    let config = RingConfig::new(slot.mac_address);
    harness.measure_pull(DefectiveNic {
        nic: RingNic::new(&slot.clock, slot.port, config),
        defect,
        received: 0,
    })
}

#[test]
fn run_defective_nic_fails_with_reason() {
    let nic = |attach| Nic::new("defective", Speed::MBPS_100, "pull", "defective", attach);
    let no_receive = run(&nic(|slot, harness| defective(Defect::NoReceive, slot, harness)), 1);
    assert!(
        no_receive.failure.as_ref().is_some_and(|f| f.starts_with("ping")),
        "{no_receive:?}"
    );
    let loss = run(&nic(|slot, harness| defective(Defect::UncountedLoss, slot, harness)), 1);
    assert!(
        loss.failure.as_ref().is_some_and(|f| f.starts_with("frame accounting")),
        "{loss:?}"
    );
    assert!(loss.figures.page_bytes.is_some(), "TCP did not recover: {loss:?}");
    let fails = run(&nic(|slot, harness| defective(Defect::Fails, slot, harness)), 1);
    assert!(
        fails.failure.as_ref().is_some_and(|f| f.contains("reset required")),
        "{fails:?}"
    );
    // TCP detects corrupt segments by their checksum.
    let corrupts = run(&nic(|slot, harness| defective(Defect::Corrupts, slot, harness)), 1);
    assert_eq!(corrupts.figures.echo_sha256, run(&NICS[0], 1).figures.echo_sha256);
}

/// A NIC behind a bus that transfers a byte in 400 ns (20 Mbit/s), with three command bytes per
/// transfer.
struct BehindBus {
    nic: RingNic,
    clock: Clock,
    bytes: Rc<Cell<u64>>,
}

impl BehindBus {
    fn transfer(&self, len: usize) {
        let len = len as u64 + 3;
        self.bytes.set(self.bytes.get() + len);
        self.clock.advance(Duration::from_nanos(400 * len));
    }
}

impl ErrorType for BehindBus {
    type Error = RingError;
}

impl EthernetDevice for BehindBus {
    fn mac_address(&self) -> MacAddress {
        self.nic.mac_address()
    }

    fn capabilities(&self) -> Capabilities {
        self.nic.capabilities()
    }

    fn link(&self) -> Link {
        self.nic.link()
    }

    fn stats(&self) -> Stats {
        self.nic.stats()
    }

    fn recv_frame(&mut self, buf: &mut [u8]) -> Result<Option<RxMeta>, RingError> {
        let received = self.nic.recv_frame(buf)?;
        // The check for a frame transfers one byte.
        self.transfer(received.map_or(1, |meta| meta.len));
        Ok(received)
    }

    fn discard_frame(&mut self) -> Result<bool, RingError> {
        self.nic.discard_frame()
    }

    fn tx_ready(&mut self) -> Result<bool, RingError> {
        self.transfer(1);
        self.nic.tx_ready()
    }

    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), RingError> {
        self.transfer(parts.iter().map(|part| part.len()).sum());
        self.nic.send_vectored(parts)
    }

    fn service(&mut self) -> Result<Events, RingError> {
        self.transfer(1);
        self.nic.service()
    }
}

#[test]
fn run_slow_bus_limits_goodput_and_counts_bytes() {
    let attach = |slot: Slot, harness: Harness<'_>| {
        let bytes = Rc::default();
        let config = RingConfig::new(slot.mac_address);
        let device = BehindBus {
            nic: RingNic::new(&slot.clock, slot.port, config),
            clock: slot.clock,
            bytes: Rc::clone(&bytes),
        };
        harness.with_bus(&bytes).measure_pull(device)
    };
    let row = run(&Nic::new("bus", Speed::MBPS_100, "pull", "behind a bus", attach), 1);
    assert_eq!(row.failure, None, "{row:?}");
    let (bus_bytes, goodput) = (
        row.figures.bus_bytes_per_frame.unwrap(),
        row.figures.goodput_mbps.unwrap(),
    );
    // Each payload byte crosses the bus twice.
    assert!(goodput > 5.0 && goodput < 10.0, "{row:?}");
    // Two thirds of the frames are full, the rest acknowledgements.
    assert!(bus_bytes > 500.0 && bus_bytes < 1600.0, "{row:?}");
    assert!(row.figures.ping_us > run(&NICS[0], 1).figures.ping_us);
}

/// An ARP request and a ping for [`ADDRESS`], built with smoltcp.
fn requests() -> [Vec<u8>; 2] {
    let arp = ArpRepr::EthernetIpv4 {
        operation: ArpOperation::Request,
        source_hardware_addr: PEER,
        source_protocol_addr: PEER_ADDRESS,
        target_hardware_addr: EthernetAddress([0; 6]),
        target_protocol_addr: ADDRESS,
    };
    let mut arp_request = ethernet(EthernetAddress::BROADCAST, EthernetProtocol::Arp, arp.buffer_len());
    arp.emit(&mut ArpPacket::new_unchecked(&mut arp_request[14..]));
    let icmp = Icmpv4Repr::EchoRequest {
        ident: 1,
        seq_no: 2,
        data: b"ping data",
    };
    let ip = Ipv4Repr {
        src_addr: PEER_ADDRESS,
        dst_addr: ADDRESS,
        next_header: IpProtocol::Icmp,
        payload_len: icmp.buffer_len(),
        hop_limit: 64,
    };
    let len = ip.buffer_len() + icmp.buffer_len();
    let mut ping = ethernet(EthernetAddress(OWN.octets()), EthernetProtocol::Ipv4, len);
    let checksums = ChecksumCapabilities::default();
    ip.emit(&mut Ipv4Packet::new_unchecked(&mut ping[14..]), &checksums);
    icmp.emit(&mut Icmpv4Packet::new_unchecked(&mut ping[34..]), &checksums);
    [arp_request, ping]
}

fn ethernet(destination: EthernetAddress, kind: EthernetProtocol, payload_len: usize) -> Vec<u8> {
    let mut frame = vec![0; 14 + payload_len];
    let mut header = EthernetFrame::new_unchecked(&mut frame);
    header.set_dst_addr(destination);
    header.set_src_addr(PEER);
    header.set_ethertype(kind);
    frame
}

/// Reads the replies: the MAC address of [`ADDRESS`], and the data of the ping.
fn replies(clock: &Clock, peer: &Peer) -> (EthernetAddress, Vec<u8>) {
    while clock.step() {}
    let arp = peer.recv().expect("an ARP reply");
    let arp = ArpRepr::parse(&ArpPacket::new_checked(&arp[14..]).unwrap()).unwrap();
    let ArpRepr::EthernetIpv4 {
        operation: ArpOperation::Reply,
        source_hardware_addr,
        ..
    } = arp
    else {
        panic!("{arp:?}")
    };
    let ping = peer.recv().expect("a ping reply");
    let packet = Ipv4Packet::new_checked(&ping[14..]).unwrap();
    assert!(packet.verify_checksum());
    let message = Icmpv4Packet::new_checked(packet.payload()).unwrap();
    let Icmpv4Repr::EchoReply { data, .. } = Icmpv4Repr::parse(&message, &ChecksumCapabilities::default()).unwrap()
    else {
        panic!("{message:?}")
    };
    (source_hardware_addr, data.to_vec())
}

fn ring() -> (Clock, RingNic, Peer) {
    let clock = Clock::new();
    let (_, nic, peer) = RingNic::with_peer(&clock, WireConfig::default(), RingConfig::new(OWN));
    (clock, nic, peer)
}

/// Runs the responder behind the callback API of a lending device.
fn respond<D: LendingDevice>(device: D, clock: &Clock, peer: &Peer) {
    for request in requests() {
        peer.send(&request);
    }
    while clock.step() {}
    let mut responder = Responder::new(ADDRESS);
    let mut device = Callback::new(device);
    device.set_handler(&mut responder);
    let polled = device.poll(16).expect("the device works");
    assert_eq!((polled.frames, polled.more), (2, false));
    // The device must exist until the frames are on the wire.
    while clock.step() {}
    assert_eq!((responder.answered().arp, responder.answered().echo), (1, 1));
    assert_eq!(
        replies(clock, peer),
        (EthernetAddress(OWN.octets()), b"ping data".to_vec())
    );
}

#[test]
fn responder_lending_device_replies() {
    let (clock, nic, peer) = ring();
    respond(nic, &clock, &peer);
}

#[test]
fn responder_buffered_device_replies() {
    let (clock, nic, peer) = ring();
    let (mut rx, mut tx) = ([0; 1514], [0; 1514]);
    respond(Buffered::new(nic, &mut rx, &mut tx), &clock, &peer);
}

#[test]
fn responder_nic_selected_at_run_time_replies() {
    for buffered in [false, true] {
        let (clock, nic, peer) = ring();
        let [mut rx, mut tx, mut inner_rx, mut inner_tx] = [[0; 1514]; 4];
        let (mut plain, mut layered);
        let nic: &mut dyn ErasedDevice = if buffered {
            layered = Erased::new(Buffered::new(nic, &mut inner_rx, &mut inner_tx));
            &mut layered
        } else {
            plain = Erased::new(nic);
            &mut plain
        };
        respond(Buffered::new(nic, &mut rx, &mut tx), &clock, &peer);
    }
}

/// Sends every pending frame back, on a device of unknown type.
fn reflect(nic: &mut dyn EthernetDevice<Error = ErrorKind>) -> Result<usize, ErrorKind> {
    let mut buf = [0; 1514];
    let mut reflected = 0;
    while let Some(meta) = nic.recv_frame(&mut buf)? {
        let (addresses, rest) = buf[..meta.len].split_at(12);
        nic.send_vectored(&[&addresses[6..], &nic.mac_address().octets(), rest])?;
        reflected += 1;
    }
    Ok(reflected)
}

#[test]
fn reflect_devices_of_different_types_in_one_list() {
    let (clock_a, a, peer_a) = ring();
    let (clock_b, b, peer_b) = ring();
    let (mut rx, mut tx) = ([0; 1514], [0; 1514]);
    let mut nics: Vec<Box<dyn ErasedDevice + '_>> = vec![
        Box::new(Erased::new(a)),
        Box::new(Erased::new(Buffered::new(b, &mut rx, &mut tx))),
    ];
    for (nic, (clock, peer)) in nics.iter_mut().zip([(&clock_a, &peer_a), (&clock_b, &peer_b)]) {
        let [_, ping] = requests();
        peer.send(&ping);
        while clock.step() {}
        assert_eq!(reflect(&mut **nic), Ok(1));
        while clock.step() {}
        let back = peer.recv().unwrap();
        assert_eq!((&back[..6], &back[6..12]), (&PEER.0[..], &OWN.octets()[..]));
        assert_eq!(back[12..ping.len()], ping[12..]);
    }
}

#[test]
fn erased_error_keeps_kind_and_cause() {
    let (_, nic, _) = ring();
    let mut erased = Erased::new(nic);
    let nic: &mut dyn ErasedDevice = &mut erased;
    assert_eq!(nic.send_frame(&[0; 1515]), Err(ErrorKind::FrameTooLong { max: 1514 }));
    assert_eq!(nic.set_mac_address(MacAddress::BROADCAST), Err(ErrorKind::InvalidInput));
    nic.stop().unwrap();
    assert_eq!(nic.send_frame(&[0; 60]), Err(ErrorKind::Stopped));
    nic.start().unwrap();
    assert_eq!(nic.send_frame(&[0; 60]), Ok(()));
    assert_eq!(erased.take_error(), Some(RingError::Kind(ErrorKind::Stopped)));
}

#[test]
fn closure_as_handler_any_nic_called_per_frame() {
    let (clock, nic, peer) = ring();
    let mut nic = Erased::new(nic);
    let nic: &mut dyn ErasedDevice = &mut nic;
    let mut lengths = Vec::new();
    let mut handler = |frame: RxFrame<'_>, tx: &mut dyn Transmit<Error = ErrorKind>| {
        lengths.push(frame.len());
        let _ = tx.send_frame(&frame);
    };
    let (mut rx, mut tx) = ([0; 1514], [0; 1514]);
    let mut device = Callback::new(Buffered::new(nic, &mut rx, &mut tx));
    device.set_handler(&mut handler);
    for request in requests() {
        peer.send(&request);
    }
    while clock.step() {}
    assert_eq!(device.poll(1).unwrap().frames, 1);
    assert!(device.poll(0).unwrap().more);
    assert_eq!(device.poll(1).unwrap().frames, 1);
    while clock.step() {}
    assert_eq!(lengths, [60, 60]);
    assert_eq!(peer.pending(), 2);
}
