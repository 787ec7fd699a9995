//! The same code over whatever NIC there is: chosen by type, or at run time.

use core::cell::Cell;
use core::time::Duration;
use std::rc::Rc;

use ethdev::{
    CallbackDevice, Capabilities, ControlError, ErrorKind, ErrorType, EthernetDevice, Events, LendingDevice, Link,
    MacAddress, RxFrame, RxMeta, Speed, Stats, Transmit,
};
use ethdev_examples::apps::responder::Responder;
use ethdev_examples::lab::{self, Bench, Failure, NICS, Nic, Row, Settings, Slot};
use ethdev_sim::{Clock, Peer, RingConfig, RingError, RingNic, WireConfig};
use ethdev_util::{Buffered, Callback, Erased, ErasedDevice};
use smoltcp::phy::ChecksumCapabilities;
use smoltcp::wire::{
    ArpOperation, ArpPacket, ArpRepr, EthernetAddress, EthernetFrame, EthernetProtocol, Icmpv4Packet, Icmpv4Repr,
    IpProtocol, Ipv4Address, Ipv4Packet, Ipv4Repr,
};

const OWN: MacAddress = MacAddress::new([2, 0, 0, 0, 0, 1]);
const ADDRESS: Ipv4Address = Ipv4Address::new(192, 168, 69, 1);
const ASKER: EthernetAddress = EthernetAddress([2, 0, 0, 0, 0, 2]);
const ASKER_ADDRESS: Ipv4Address = Ipv4Address::new(192, 168, 69, 2);

fn run(nic: &Nic, seed: u64) -> Row {
    let settings = Settings {
        seed,
        ..Settings::default()
    };
    lab::run(nic, &settings, &mut |_| ()).unwrap()
}

#[test]
fn the_application_runs_over_every_nic_and_twice_the_same() {
    for nic in NICS {
        let row = run(nic, 1);
        assert_eq!(row.failure, None, "{row:?}");
        assert_eq!(row, run(nic, 1), "the same seed, the same row");
    }
}

#[test]
fn what_the_application_sees_does_not_depend_on_the_nic() {
    let hashes: Vec<_> = NICS.iter().map(|nic| run(nic, 5).figures.echo_sha256).collect();
    assert!(
        hashes[0].is_some() && hashes.iter().all(|hash| *hash == hashes[0]),
        "{hashes:?}"
    );
    assert_ne!(
        hashes[0],
        run(&NICS[0], 6).figures.echo_sha256,
        "another seed, another payload"
    );
}

#[test]
fn copies_are_what_the_surfaces_promise() {
    for (name, copies) in [("ring", 0.0), ("ring-pull", 1.0), ("ring-dyn", 1.0), ("ring-pump", 1.0)] {
        let nic = NICS.iter().find(|nic| nic.name == name).unwrap();
        let measured = run(nic, 1).figures.copies_per_frame.unwrap();
        assert!((measured - copies).abs() < 0.01, "{name}: {measured}");
    }
}

#[test]
fn no_goodput_is_beyond_the_wire() {
    // 1460 bytes of payload in 1538 byte times.
    let at_best = 1460.0 / 1538.0;
    for (name, wire) in [("ring", 100.0), ("ring-10", 10.0)] {
        let nic = NICS.iter().find(|nic| nic.name == name).unwrap();
        let goodput = run(nic, 1).figures.goodput_mbps.unwrap();
        assert!(goodput > 0.9 * wire && goodput < at_best * wire, "{name}: {goodput}");
    }
}

/// A ring NIC with something wrong about it.
struct Flawed {
    nic: RingNic,
    frame_error: FrameError,
    received: u32,
}

#[derive(Clone, Copy, PartialEq)]
enum FrameError {
    /// Nothing is received.
    Deaf,
    /// Every hundredth frame is lost, and not counted.
    Leaks,
    /// Every hundredth frame has a bit flipped where no checksum looks for it: in the last byte of its padding or payload.
    Garbles,
    /// Fails after a hundred frames.
    Dies,
}

impl ErrorType for Flawed {
    type Error = RingError;
}

impl EthernetDevice for Flawed {
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
        if self.frame_error == FrameError::Leaks {
            // It does not know what it has lost.
            stats.rx_frames -= self.received / 100;
        }
        stats
    }

    fn recv_frame(&mut self, buf: &mut [u8]) -> Result<Option<RxMeta>, RingError> {
        if self.frame_error == FrameError::Deaf {
            return Ok(None);
        }
        let Some(meta) = self.nic.recv_frame(buf)? else {
            return Ok(None);
        };
        self.received += 1;
        if self.received.is_multiple_of(100) {
            match self.frame_error {
                FrameError::Leaks => return Ok(None),
                FrameError::Garbles => buf[meta.len - 1] ^= 1,
                FrameError::Dies => return Err(RingError::Fault),
                FrameError::Deaf => {}
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

fn flawed(frame_error: FrameError, slot: Slot, bench: Bench<'_>) -> Result<(), Failure> {
    let config = RingConfig::new(slot.mac_address);
    bench.pulled(Flawed {
        nic: RingNic::new(&slot.clock, slot.port, config),
        frame_error,
        received: 0,
    })
}

#[test]
fn a_nic_that_is_not_right_fails_its_row_and_says_why() {
    let nic = |plug| Nic::new("flawed", Speed::MBPS_100, "pull", "not right", plug);
    let deaf = run(&nic(|slot, bench| flawed(FrameError::Deaf, slot, bench)), 1);
    assert!(deaf.failure.as_ref().is_some_and(|f| f.starts_with("ping")), "{deaf:?}");
    let leaks = run(&nic(|slot, bench| flawed(FrameError::Leaks, slot, bench)), 1);
    assert!(leaks.failure.as_ref().is_some_and(|f| f.contains("books")), "{leaks:?}");
    assert!(
        leaks.figures.page_bytes.is_some(),
        "TCP got over it, the books did not: {leaks:?}"
    );
    let dies = run(&nic(|slot, bench| flawed(FrameError::Dies, slot, bench)), 1);
    assert!(dies.failure.as_ref().is_some_and(|f| f.contains("Fault")), "{dies:?}");
    // TCP's checksum finds what it can; what reaches the application is what was sent.
    let garbles = run(&nic(|slot, bench| flawed(FrameError::Garbles, slot, bench)), 1);
    assert_eq!(garbles.figures.echo_sha256, run(&NICS[0], 1).figures.echo_sha256);
}

/// A NIC behind a bus that carries a byte in 400 ns (20 Mbit/s), with three bytes of command per transfer.
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
        // Asking whether there is a frame takes a byte.
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
fn a_bus_takes_its_time_and_its_bytes_are_counted() {
    let plug = |slot: Slot, bench: Bench<'_>| {
        let bytes = Rc::default();
        let config = RingConfig::new(slot.mac_address);
        let device = BehindBus {
            nic: RingNic::new(&slot.clock, slot.port, config),
            clock: slot.clock,
            bytes: Rc::clone(&bytes),
        };
        bench.with_bus(&bytes).pulled(device)
    };
    let row = run(&Nic::new("bus", Speed::MBPS_100, "pull", "behind a bus", plug), 1);
    assert_eq!(row.failure, None, "{row:?}");
    let (bus_bytes, goodput) = (
        row.figures.bus_bytes_per_frame.unwrap(),
        row.figures.goodput_mbps.unwrap(),
    );
    // Each byte of payload crosses the bus twice, on its way in and on its way out.
    assert!(goodput > 5.0 && goodput < 10.0, "{row:?}");
    // Two thirds of the frames are full, the rest acknowledgements.
    assert!(bus_bytes > 500.0 && bus_bytes < 1600.0, "{row:?}");
    assert!(row.figures.ping_us > run(&NICS[0], 1).figures.ping_us);
}

/// An ARP request and a ping for [`ADDRESS`], as smoltcp puts them.
fn questions() -> [Vec<u8>; 2] {
    let arp = ArpRepr::EthernetIpv4 {
        operation: ArpOperation::Request,
        source_hardware_addr: ASKER,
        source_protocol_addr: ASKER_ADDRESS,
        target_hardware_addr: EthernetAddress([0; 6]),
        target_protocol_addr: ADDRESS,
    };
    let mut who_has = ethernet(EthernetAddress::BROADCAST, EthernetProtocol::Arp, arp.buffer_len());
    arp.emit(&mut ArpPacket::new_unchecked(&mut who_has[14..]));
    let icmp = Icmpv4Repr::EchoRequest {
        ident: 1,
        seq_no: 2,
        data: b"are you there?",
    };
    let ip = Ipv4Repr {
        src_addr: ASKER_ADDRESS,
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
    [who_has, ping]
}

fn ethernet(destination: EthernetAddress, kind: EthernetProtocol, payload_len: usize) -> Vec<u8> {
    let mut frame = vec![0; 14 + payload_len];
    let mut header = EthernetFrame::new_unchecked(&mut frame);
    header.set_dst_addr(destination);
    header.set_src_addr(ASKER);
    header.set_ethertype(kind);
    frame
}

/// What the answers say: the MAC address that has [`ADDRESS`], and the data of the ping.
fn answers(clock: &Clock, station: &Peer) -> (EthernetAddress, Vec<u8>) {
    while clock.step() {}
    let arp = station.recv().expect("an answer to ARP");
    let arp = ArpRepr::parse(&ArpPacket::new_checked(&arp[14..]).unwrap()).unwrap();
    let ArpRepr::EthernetIpv4 {
        operation: ArpOperation::Reply,
        source_hardware_addr,
        ..
    } = arp
    else {
        panic!("{arp:?}")
    };
    let ping = station.recv().expect("an answer to the ping");
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
    let (_, nic, station) = RingNic::with_station(&clock, WireConfig::default(), RingConfig::new(OWN));
    (clock, nic, station)
}

/// One responder behind the callback surface of any lending device.
fn respond<D: LendingDevice>(device: D, clock: &Clock, station: &Peer) {
    for question in questions() {
        station.send(&question);
    }
    while clock.step() {}
    let mut responder = Responder::new(ADDRESS);
    let mut device = Callback::new(device);
    device.set_handler(&mut responder);
    let polled = device.poll(16).expect("a device that works");
    assert_eq!((polled.frames, polled.more), (2, false));
    assert!(device.take_tx_error().is_none());
    // A device that is gone sends no more.
    while clock.step() {}
    assert_eq!((responder.answered().arp, responder.answered().echo), (1, 1));
    assert_eq!(
        answers(clock, station),
        (EthernetAddress(OWN.octets()), b"are you there?".to_vec())
    );
}

#[test]
fn a_handler_answers_arp_and_pings_over_lent_memory() {
    let (clock, nic, station) = ring();
    respond(nic, &clock, &station);
}

#[test]
fn a_handler_answers_arp_and_pings_over_buffers() {
    let (clock, nic, station) = ring();
    respond(Buffered::<_, 1514>::new(nic), &clock, &station);
}

#[test]
fn a_handler_answers_arp_and_pings_over_a_nic_chosen_at_run_time() {
    // The one function, the two NICs; which one is a value.
    for buffered in [false, true] {
        let (clock, nic, station) = ring();
        let (mut plain, mut layered);
        let nic: &mut dyn ErasedDevice = if buffered {
            layered = Erased::new(Buffered::<_, 1514>::new(nic));
            &mut layered
        } else {
            plain = Erased::new(nic);
            &mut plain
        };
        respond(Buffered::<_, 1514>::new(nic), &clock, &station);
    }
}

/// Reads what is pending and sends it back: written for `dyn`, knows no type.
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
fn devices_of_different_types_in_one_list() {
    let (clock_a, a, station_a) = ring();
    let (clock_b, b, station_b) = ring();
    let mut nics: Vec<Box<dyn ErasedDevice>> = vec![
        Box::new(Erased::new(a)),
        Box::new(Erased::new(Buffered::<_, 1514>::new(b))),
    ];
    for (nic, (clock, station)) in nics.iter_mut().zip([(&clock_a, &station_a), (&clock_b, &station_b)]) {
        let [_, ping] = questions();
        station.send(&ping);
        while clock.step() {}
        assert_eq!(reflect(&mut **nic), Ok(1));
        while clock.step() {}
        let back = station.recv().unwrap();
        assert_eq!((&back[..6], &back[6..12]), (&ASKER.0[..], &OWN.octets()[..]));
        assert_eq!(back[12..ping.len()], ping[12..]);
    }
}

#[test]
fn errors_keep_their_kind_through_dyn_and_their_cause_in_the_wrapper() {
    let (_, nic, _) = ring();
    let mut erased = Erased::new(nic);
    let nic: &mut dyn ErasedDevice = &mut erased;
    assert_eq!(nic.send_frame(&[0; 1515]), Err(ErrorKind::FrameTooLong { max: 1514 }));
    assert_eq!(
        nic.set_mac_address(MacAddress::BROADCAST),
        Err(ControlError::InvalidInput)
    );
    nic.stop().unwrap();
    assert_eq!(nic.send_frame(&[0; 60]), Err(ErrorKind::Stopped));
    nic.start().unwrap();
    assert_eq!(nic.send_frame(&[0; 60]), Ok(()));
    assert_eq!(erased.take_error(), Some(RingError::Stopped));
}

#[test]
fn a_closure_is_a_handler_over_any_nic() {
    let (clock, nic, station) = ring();
    let mut nic = Erased::new(nic);
    let nic: &mut dyn ErasedDevice = &mut nic;
    let mut lengths = Vec::new();
    let mut handler = |frame: RxFrame<'_>, tx: &mut dyn Transmit| {
        lengths.push(frame.len());
        let _ = tx.send_frame(&frame);
    };
    let mut device = Callback::new(Buffered::<_, 1514>::new(nic));
    device.set_handler(&mut handler);
    for question in questions() {
        station.send(&question);
    }
    while clock.step() {}
    assert_eq!(device.poll(1).unwrap().frames, 1);
    assert!(device.poll(0).unwrap().more);
    assert_eq!(device.poll(1).unwrap().frames, 1);
    while clock.step() {}
    assert_eq!(lengths, [60, 60]);
    assert_eq!(station.pending(), 2);
}
