//! ARP and ping on the callback API, without a stack.

use core::net::Ipv4Addr;

use ethdev::frame::Header;
use ethdev::{FrameHandler, MacAddress, RxFrame, Transmit};

const ETHERTYPE_IPV4: u16 = 0x0800;
const ETHERTYPE_ARP: u16 = 0x0806;
/// Start of an ARP packet for IPv4 on Ethernet (RFC 826): hardware 1, protocol IPv4, their address
/// lengths.
const ARP_ETHERNET_IPV4: [u8; 6] = [0, 1, 8, 0, 6, 4];
const ARP_REQUEST: [u8; 2] = [0, 1];
const ARP_REPLY: [u8; 2] = [0, 2];
/// IP version 4 and a header of five words, without options (RFC 791 section 3.1).
const IPV4_PLAIN: u8 = 0x45;
const PROTOCOL_ICMP: u8 = 1;
const TIME_TO_LIVE: u8 = 64;
const ICMP_ECHO_REPLY: u8 = 0;
const ICMP_ECHO_REQUEST: u8 = 8;

/// Replies to ARP requests for one IPv4 address, and to pings.
///
/// A reply consists of a header on the stack and the received bytes in place: nothing is copied
/// here. Other frames are counted and ignored.
///
/// ```
/// use ethdev_util::{Buffered, Callback};
/// use ethdev::{CallbackDevice, EthernetDevice};
/// use ethdev_examples::apps::responder::Responder;
///
/// fn run<D: EthernetDevice>(device: D) -> Result<(), D::Error> {
///     let mut responder = Responder::new([192, 168, 69, 1].into());
///     let (mut rx, mut tx) = ([0; 1514], [0; 1514]);
///     let mut device = Callback::new(Buffered::new(device, &mut rx, &mut tx));
///     device.set_handler(&mut responder);
///     while device.poll(16)?.more {}
///     Ok(())
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Responder {
    address: Ipv4Addr,
    answered: Answered,
}

/// Counters of a [`Responder`]. Each frame is in one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Answered {
    /// ARP requests answered.
    pub arp: u32,
    /// Pings answered.
    pub echo: u32,
    /// Requests whose reply was not sent (queue full, link down). The peer repeats them.
    pub unsent: u32,
    /// Frames for other hosts, other than requests, or malformed.
    pub ignored: u32,
}

impl Responder {
    /// Creates a responder for `address`.
    #[must_use]
    pub const fn new(address: Ipv4Addr) -> Self {
        Self {
            address,
            answered: Answered {
                arp: 0,
                echo: 0,
                unsent: 0,
                ignored: 0,
            },
        }
    }

    /// Returns the counters.
    #[must_use]
    pub const fn answered(&self) -> Answered {
        self.answered
    }

    fn arp<E>(&self, packet: &[u8], tx: &mut dyn Transmit<Error = E>) -> Option<Result<(), E>> {
        let request = ArpRequest::parse(packet)?;
        if request.target != self.address {
            return None;
        }
        let own = tx.mac_address();
        let header = header(request.sender_mac, own, ETHERTYPE_ARP);
        Some(tx.send_vectored(&[
            &header,
            &ARP_ETHERNET_IPV4,
            &ARP_REPLY,
            &own.octets(),
            &self.address.octets(),
            &request.sender_mac.octets(),
            &request.sender.octets(),
        ]))
    }

    fn ping<E>(
        &self,
        source_mac: MacAddress,
        packet: &[u8],
        tx: &mut dyn Transmit<Error = E>,
    ) -> Option<Result<(), E>> {
        let request = Ping::parse(packet)?;
        if request.destination != self.address {
            return None;
        }
        let header = header(source_mac, tx.mac_address(), ETHERTYPE_IPV4);
        let ip = ipv4_header(self.address, request.source, request.rest.len() + 4)?;
        let [c0, c1] = checksum(&[&[ICMP_ECHO_REPLY, 0, 0, 0], request.rest]);
        let icmp = [ICMP_ECHO_REPLY, 0, c0, c1];
        Some(tx.send_vectored(&[&header, &ip, &icmp, request.rest]))
    }
}

impl<E> FrameHandler<E> for Responder {
    fn on_frame(&mut self, frame: RxFrame<'_>, tx: &mut dyn Transmit<Error = E>) {
        let own = tx.mac_address();
        let request = frame
            .header()
            // The filter of the device may pass more than this.
            .filter(|h| (h.destination == own || h.destination.is_broadcast()) && h.source.is_unicast())
            .zip(frame.get(ethdev::frame::HEADER_LEN..));
        let (reply, counter) = match request {
            Some((h, packet)) if h.ethertype == ETHERTYPE_ARP => (self.arp(packet, tx), &mut self.answered.arp),
            Some((h, packet)) if h.ethertype == ETHERTYPE_IPV4 => {
                (self.ping(h.source, packet, tx), &mut self.answered.echo)
            }
            _ => (None, &mut self.answered.ignored),
        };
        let counter = match reply {
            Some(Ok(())) => counter,
            Some(Err(_)) => &mut self.answered.unsent,
            None => &mut self.answered.ignored,
        };
        *counter = counter.wrapping_add(1);
    }
}

fn header(destination: MacAddress, source: MacAddress, ethertype: u16) -> [u8; ethdev::frame::HEADER_LEN] {
    Header {
        destination,
        source,
        ethertype,
    }
    .to_bytes()
}

/// A request for the MAC address of `target`.
struct ArpRequest {
    sender_mac: MacAddress,
    sender: Ipv4Addr,
    target: Ipv4Addr,
}

impl ArpRequest {
    fn parse(packet: &[u8]) -> Option<Self> {
        let (kind, rest) = packet.split_first_chunk::<6>()?;
        let (operation, rest) = rest.split_first_chunk::<2>()?;
        let (sender_mac, rest) = rest.split_first_chunk::<6>()?;
        let (sender, rest) = rest.split_first_chunk::<4>()?;
        let (_, rest) = rest.split_first_chunk::<6>()?;
        let (target, _) = rest.split_first_chunk::<4>()?;
        let sender_mac = MacAddress::new(*sender_mac);
        (*kind == ARP_ETHERNET_IPV4 && *operation == ARP_REQUEST && sender_mac.is_unicast()).then_some(Self {
            sender_mac,
            sender: (*sender).into(),
            target: (*target).into(),
        })
    }
}

/// An ICMP echo request in an IPv4 packet of its own.
struct Ping<'a> {
    source: Ipv4Addr,
    destination: Ipv4Addr,
    /// Returned unchanged: identifier, sequence number, data.
    rest: &'a [u8],
}

impl<'a> Ping<'a> {
    fn parse(packet: &'a [u8]) -> Option<Self> {
        let [
            version_and_words,
            _,
            len0,
            len1,
            _,
            _,
            fragment0,
            fragment1,
            _,
            protocol,
            ..,
        ] = *packet.first_chunk::<20>()?;
        let header_len = usize::from(version_and_words & 0xf) * 4;
        // The frame may contain padding.
        let packet = packet.get(..usize::from(u16::from_be_bytes([len0, len1])))?;
        let (header, message) = packet.split_at_checked(header_len)?;
        let (addresses, _) = header.get(12..)?.split_first_chunk::<8>()?;
        let [s0, s1, s2, s3, d0, d1, d2, d3] = *addresses;
        let ([kind, code, ..], rest) = message.split_first_chunk::<4>()?;
        let source = Ipv4Addr::new(s0, s1, s2, s3);
        // Without the reserved bit and "don't fragment".
        let whole = u16::from_be_bytes([fragment0, fragment1]) & 0x3fff == 0;
        let well_formed = version_and_words >> 4 == 4
            && header_len >= 20
            && whole
            && protocol == PROTOCOL_ICMP
            && (*kind, *code) == (ICMP_ECHO_REQUEST, 0)
            && rest.len() >= 4
            && !(source.is_broadcast() || source.is_multicast() || source.is_unspecified() || source.is_loopback())
            && checksum(&[header]) == [0, 0]
            && checksum(&[message]) == [0, 0];
        well_formed.then_some(Self {
            source,
            destination: Ipv4Addr::new(d0, d1, d2, d3),
            rest,
        })
    }
}

/// Builds the header of an IPv4 packet with `len` bytes of ICMP; `None` if that is too long.
fn ipv4_header(source: Ipv4Addr, destination: Ipv4Addr, len: usize) -> Option<[u8; 20]> {
    let [l0, l1] = u16::try_from(len.checked_add(20)?).ok()?.to_be_bytes();
    let [s0, s1, s2, s3] = source.octets();
    let [d0, d1, d2, d3] = destination.octets();
    // With "don't fragment" set, an identification of zero is valid (RFC 6864 section 4.1).
    let first = [IPV4_PLAIN, 0, l0, l1, 0, 0, 0x40, 0, TIME_TO_LIVE, PROTOCOL_ICMP];
    let addresses = [s0, s1, s2, s3, d0, d1, d2, d3];
    let [c0, c1] = checksum(&[&first, &addresses]);
    let [v, t, _, _, i0, i1, f0, f1, ttl, protocol] = first;
    Some([
        v, t, l0, l1, i0, i1, f0, f1, ttl, protocol, c0, c1, s0, s1, s2, s3, d0, d1, d2, d3,
    ])
}

/// Computes the Internet checksum (RFC 1071) of the concatenated `parts`, all but the last of even
/// length. It is zero over data that contains its own checksum.
fn checksum(parts: &[&[u8]]) -> [u8; 2] {
    let mut sum: u32 = 0;
    for part in parts {
        let (words, last) = part.as_chunks::<2>();
        for word in words {
            // Cannot overflow: a packet has fewer than 2^16 words.
            sum = sum.wrapping_add(u32::from(u16::from_be_bytes(*word)));
        }
        if let [odd] = last {
            sum = sum.wrapping_add(u32::from(u16::from_be_bytes([*odd, 0])));
        }
    }
    while sum > 0xffff {
        sum = (sum >> 16) + (sum & 0xffff);
    }
    (!(sum as u16)).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ethdev::{ErrorKind, RxMeta};
    use proptest::prelude::*;
    use smoltcp::phy::ChecksumCapabilities;
    use smoltcp::wire::{
        ArpOperation, ArpPacket, ArpRepr, EthernetAddress, EthernetFrame, EthernetProtocol, EthernetRepr, Icmpv4Packet,
        Icmpv4Repr, IpProtocol, Ipv4Packet, Ipv4Repr,
    };

    const OWN: MacAddress = MacAddress::new([2, 0, 0, 0, 0, 1]);
    const PEER: EthernetAddress = EthernetAddress([2, 0, 0, 0, 0, 2]);
    const ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 168, 69, 1);
    const PEER_ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 168, 69, 2);

    /// Stores sent frames, or returns an error.
    #[derive(Default)]
    struct Sent {
        frames: Vec<Vec<u8>>,
        error: Option<ErrorKind>,
    }

    impl Transmit for Sent {
        type Error = ErrorKind;

        fn mac_address(&self) -> MacAddress {
            OWN
        }

        fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), ErrorKind> {
            match self.error {
                Some(kind) => Err(kind),
                None => {
                    self.frames.push(parts.concat());
                    Ok(())
                }
            }
        }
    }

    fn ethernet(destination: MacAddress, ethertype: EthernetProtocol, payload: &[u8]) -> Vec<u8> {
        let repr = EthernetRepr {
            src_addr: PEER,
            dst_addr: EthernetAddress(destination.octets()),
            ethertype,
        };
        let mut frame = vec![0; 14 + payload.len()];
        repr.emit(&mut EthernetFrame::new_unchecked(&mut frame));
        frame[14..].copy_from_slice(payload);
        frame
    }

    fn arp_request(target: Ipv4Addr) -> Vec<u8> {
        let repr = ArpRepr::EthernetIpv4 {
            operation: ArpOperation::Request,
            source_hardware_addr: PEER,
            source_protocol_addr: PEER_ADDRESS,
            target_hardware_addr: EthernetAddress([0; 6]),
            target_protocol_addr: target,
        };
        let mut packet = vec![0; repr.buffer_len()];
        repr.emit(&mut ArpPacket::new_unchecked(&mut packet));
        ethernet(MacAddress::BROADCAST, EthernetProtocol::Arp, &packet)
    }

    fn ping(destination: Ipv4Addr, data: &[u8]) -> Vec<u8> {
        let icmp = Icmpv4Repr::EchoRequest {
            ident: 0x1234,
            seq_no: 7,
            data,
        };
        let ip = Ipv4Repr {
            src_addr: PEER_ADDRESS,
            dst_addr: destination,
            next_header: IpProtocol::Icmp,
            payload_len: icmp.buffer_len(),
            hop_limit: 3,
        };
        let mut packet = vec![0; ip.buffer_len() + icmp.buffer_len()];
        let checksums = ChecksumCapabilities::default();
        ip.emit(&mut Ipv4Packet::new_unchecked(&mut packet[..]), &checksums);
        icmp.emit(&mut Icmpv4Packet::new_unchecked(&mut packet[20..]), &checksums);
        ethernet(OWN, EthernetProtocol::Ipv4, &packet)
    }

    fn handle(responder: &mut Responder, frame: &[u8]) -> Vec<Vec<u8>> {
        let mut sent = Sent::default();
        let mut memory = frame.to_vec();
        let frame = RxFrame::new(&mut memory, RxMeta::new(frame.len())).unwrap();
        responder.on_frame(frame, &mut sent);
        sent.frames
    }

    /// Parses a reply to a ping with smoltcp, and returns its data.
    fn pong(frame: &[u8]) -> Vec<u8> {
        let checksums = ChecksumCapabilities::default();
        let frame = EthernetFrame::new_checked(frame).unwrap();
        assert_eq!((frame.src_addr().0, frame.dst_addr()), (OWN.octets(), PEER));
        let packet = Ipv4Packet::new_checked(frame.payload()).unwrap();
        let ip = Ipv4Repr::parse(&packet, &checksums).unwrap();
        assert_eq!((ip.src_addr, ip.dst_addr), (ADDRESS, PEER_ADDRESS));
        let message = Icmpv4Packet::new_checked(packet.payload()).unwrap();
        match Icmpv4Repr::parse(&message, &checksums).unwrap() {
            Icmpv4Repr::EchoReply {
                ident: 0x1234,
                seq_no: 7,
                data,
            } => data.to_vec(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn on_frame_arp_request_is_answered() {
        let mut responder = Responder::new(ADDRESS);
        let sent = handle(&mut responder, &arp_request(ADDRESS));
        let frame = EthernetFrame::new_checked(&sent[0][..]).unwrap();
        assert_eq!(frame.dst_addr(), PEER);
        let reply = ArpRepr::parse(&ArpPacket::new_checked(frame.payload()).unwrap()).unwrap();
        assert_eq!(
            reply,
            ArpRepr::EthernetIpv4 {
                operation: ArpOperation::Reply,
                source_hardware_addr: EthernetAddress(OWN.octets()),
                source_protocol_addr: ADDRESS,
                target_hardware_addr: PEER,
                target_protocol_addr: PEER_ADDRESS,
            }
        );
        assert!(handle(&mut responder, &arp_request(PEER_ADDRESS)).is_empty());
        assert!(handle(&mut responder, &sent[0]).is_empty(), "a reply is not a request");
        let answered = Answered {
            arp: 1,
            ignored: 2,
            ..Answered::default()
        };
        assert_eq!(responder.answered(), answered);
    }

    #[test]
    fn on_frame_padding_is_not_returned() {
        let mut responder = Responder::new(ADDRESS);
        let mut frame = ping(ADDRESS, b"odd");
        frame.resize(60, 0x55);
        assert_eq!(pong(&handle(&mut responder, &frame)[0]), b"odd");
    }

    #[test]
    fn on_frame_fragment_ignored_options_accepted() {
        let mut responder = Responder::new(ADDRESS);
        for (flags, answers) in [(0x40, 1), (0x20, 0), (0x00, 1)] {
            let frame = ping(ADDRESS, b"data");
            // A header with one word of options (four "no operation"): version and length, total
            // length, flags, checksum.
            let (ethernet, packet) = frame.split_at(14);
            let (ip, icmp) = packet.split_at(20);
            let mut ip = [ip, &[1; 4]].concat();
            (ip[0], ip[3], ip[6], ip[10], ip[11]) = (0x46, ip[3] + 4, flags, 0, 0);
            let sum = checksum(&[&ip]);
            ip[10..12].copy_from_slice(&sum);
            let sent = handle(&mut responder, &[ethernet, &ip, icmp].concat());
            assert_eq!(sent.len(), answers, "flags {flags:#x}");
            if let Some(frame) = sent.first() {
                assert_eq!(pong(frame), b"data");
            }
        }
    }

    #[test]
    fn on_frame_for_other_host_is_ignored() {
        let mut responder = Responder::new(ADDRESS);
        let mut to_other = ping(ADDRESS, b"");
        to_other[5] = 9;
        let mut from_group = arp_request(ADDRESS);
        from_group[6] |= 1;
        for frame in [
            to_other,
            from_group,
            ping(PEER_ADDRESS, b""),
            ping(Ipv4Addr::BROADCAST, b""),
        ] {
            assert!(handle(&mut responder, &frame).is_empty());
        }
        assert_eq!(responder.answered().ignored, 4);
    }

    #[test]
    fn on_frame_queue_full_is_counted() {
        let mut responder = Responder::new(ADDRESS);
        let mut sent = Sent {
            error: Some(ErrorKind::Busy),
            ..Sent::default()
        };
        let mut memory = arp_request(ADDRESS);
        let meta = RxMeta::new(memory.len());
        responder.on_frame(RxFrame::new(&mut memory, meta).unwrap(), &mut sent);
        assert_eq!((responder.answered().unsent, responder.answered().arp), (1, 0));
    }

    proptest! {
        #[test]
        fn on_frame_any_ping_is_answered(data in proptest::collection::vec(any::<u8>(), 0..=1472)) {
            let sent = handle(&mut Responder::new(ADDRESS), &ping(ADDRESS, &data));
            prop_assert_eq!(sent.len(), 1);
            prop_assert_eq!(pong(&sent[0]), data);
        }

        #[test]
        fn on_frame_corrupt_ping_is_ignored(at in 14_usize..50, other in 14_usize..50, flip in 1_u8.., other_flip in 1_u8..) {
            let mut frame = ping(ADDRESS, b"01234567");
            frame[at] ^= flip;
            if (at ^ other) & 1 == 1 {
                // In bytes of different weight, so that the changes do not cancel in the sum.
                frame[other] ^= other_flip;
            }
            let sent = handle(&mut Responder::new(ADDRESS), &frame);
            // The checksum covers the whole header.
            prop_assert!(sent.is_empty() || checksum_collision(&frame), "{:?}", frame);
        }

        #[test]
        fn on_frame_arbitrary_bytes_are_counted(frame in proptest::collection::vec(any::<u8>(), 0..100), kind in 0..3_usize) {
            let mut responder = Responder::new(ADDRESS);
            // Arbitrary bytes; behind a valid header; at the end of a valid request.
            let frame = match kind {
                0 => frame,
                1 => ethernet(OWN, EthernetProtocol::Ipv4, &frame),
                _ => { let good = ping(ADDRESS, b"1234"); [&good[..good.len() - frame.len().min(good.len())], &frame].concat() }
            };
            let sent = handle(&mut responder, &frame).len() as u32;
            let Answered { arp, echo, unsent, ignored } = responder.answered();
            prop_assert_eq!((arp + echo, unsent, ignored + sent), (sent, 0, 1));
        }
    }

    /// Returns whether both checksums are valid: the Internet checksum does not distinguish 0x0000
    /// from 0xffff, nor the order of words.
    fn checksum_collision(frame: &[u8]) -> bool {
        let packet = Ipv4Packet::new_unchecked(&frame[14..]);
        packet.verify_checksum() && Icmpv4Packet::new_unchecked(&frame[34..]).verify_checksum()
    }
}
