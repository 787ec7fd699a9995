//! Frames with ARP and UDP.

use smoltcp::phy::ChecksumCapabilities;
use smoltcp::wire::{
    ArpOperation, ArpPacket, ArpRepr, EthernetAddress, EthernetFrame, EthernetProtocol, EthernetRepr, IpProtocol,
    Ipv4Address, Ipv4Packet, Ipv4Repr, UdpPacket, UdpRepr,
};

pub(crate) const HOST_MAC: EthernetAddress = EthernetAddress([2, 0, 0, 0, 0, 1]);
pub(crate) const PEER_MAC: EthernetAddress = EthernetAddress([2, 0, 0, 0, 0, 2]);
const HOST: Ipv4Address = Ipv4Address::new(192, 168, 69, 1);
const PEER: Ipv4Address = Ipv4Address::new(192, 168, 69, 2);

fn ethernet(dst_addr: EthernetAddress, ethertype: EthernetProtocol, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; 14 + len];
    let header = EthernetRepr {
        src_addr: PEER_MAC,
        dst_addr,
        ethertype,
    };
    header.emit(&mut EthernetFrame::new_unchecked(&mut bytes[..]));
    bytes
}

/// An ARP request for the address of the host. smoltcp replies while it receives.
pub(crate) fn arp_request() -> Vec<u8> {
    let arp = ArpRepr::EthernetIpv4 {
        operation: ArpOperation::Request,
        source_hardware_addr: PEER_MAC,
        source_protocol_addr: PEER,
        target_hardware_addr: EthernetAddress([0; 6]),
        target_protocol_addr: HOST,
    };
    let mut bytes = ethernet(EthernetAddress::BROADCAST, EthernetProtocol::Arp, arp.buffer_len());
    arp.emit(&mut ArpPacket::new_unchecked(&mut bytes[14..]));
    bytes
}

/// A datagram from the peer to a port of the host.
pub(crate) fn datagram(port: u16, payload: &[u8]) -> Vec<u8> {
    let udp = UdpRepr {
        src_port: 9,
        dst_port: port,
    };
    let ip = Ipv4Repr {
        src_addr: PEER,
        dst_addr: HOST,
        next_header: IpProtocol::Udp,
        payload_len: 8 + payload.len(),
        hop_limit: 64,
    };
    let checksums = ChecksumCapabilities::default();
    let mut bytes = ethernet(HOST_MAC, EthernetProtocol::Ipv4, 20 + ip.payload_len);
    let mut packet = Ipv4Packet::new_unchecked(&mut bytes[14..]);
    ip.emit(&mut packet, &checksums);
    udp.emit(
        &mut UdpPacket::new_unchecked(packet.payload_mut()),
        &PEER.into(),
        &HOST.into(),
        payload.len(),
        |buffer| buffer.copy_from_slice(payload),
        &checksums,
    );
    bytes
}
