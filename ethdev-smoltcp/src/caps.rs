//! What the device can do, in the terms in which smoltcp uses it.

use ethdev::{Capabilities, MaxFrameLen, Offload};
use smoltcp::phy::{Checksum, ChecksumCapabilities, DeviceCapabilities, Medium};

/// The shortest spare, and the shortest `max_transmission_unit` that smoltcp is told, in bytes: a header and the 576 bytes of an IP packet that every IPv4
/// host takes (RFC 1122, section 3.3.3).
///
/// smoltcp subtracts the lengths of headers from it without a check. IPv6 needs 1294 (RFC 8200, section 5).
pub const MIN_SPARE_LEN: usize = 14 + 576;

/// What [`IPV4_FRAGMENT_PAYLOAD_ALIGNMENT`] is where smoltcp has no constant of that name.
const IPV4_FRAGMENT_PAYLOAD_ALIGNMENT: usize = 0;

/// Whether smoltcp was compiled with IPv4 fragmentation, by whichever crate of the build. Only then it has that constant, and it hides ours.
const SMOLTCP_FRAGMENTS: bool = {
    #[allow(unused_imports)]
    use smoltcp::phy::*;
    IPV4_FRAGMENT_PAYLOAD_ALIGNMENT != 0
};

/// The capabilities for a device and a spare of `spare_len` bytes.
pub(crate) fn of(device: &Capabilities, spare_len: usize) -> DeviceCapabilities {
    let mut caps = DeviceCapabilities::default();
    caps.medium = Medium::Ethernet;
    caps.max_transmission_unit = max_transmission_unit(device, spare_len);
    caps.max_burst_size = max_burst_size(device.rx_queue_frames);
    caps.checksum = checksums(device, SMOLTCP_FRAGMENTS);
    caps
}

/// How many segments a TCP peer may have under way. smoltcp reckons with segments that are longer by the Ethernet header than they can be: what is left
/// over of the window goes into a frame more.
fn max_burst_size(rx_queue_frames: u16) -> Option<usize> {
    match rx_queue_frames {
        0 => None,
        1 => Some(1),
        frames => Some(usize::from(frames) - 1),
    }
}

/// smoltcp takes one length for both directions: it is the limit of what is sent, and the segment size that TCP peers are asked to keep to.
fn max_transmission_unit(device: &Capabilities, spare_len: usize) -> usize {
    [device.rx_max_frame_len, device.tx_max_frame_len]
        .into_iter()
        .map(untagged)
        .fold(spare_len, usize::min)
        .max(MIN_SPARE_LEN)
}

/// Room for a VLAN tag is no room for payload: an untagged frame of 1518 bytes is a giant to whoever expects Ethernet.
fn untagged(len: MaxFrameLen) -> usize {
    if len == MaxFrameLen::VLAN {
        MaxFrameLen::ETHERNET.bytes()
    } else {
        len.bytes()
    }
}

fn checksums(device: &Capabilities, fragments: bool) -> ChecksumCapabilities {
    let offload = &device.checksum;
    let mut caps = ChecksumCapabilities::default();
    caps.ipv4 = left_to_smoltcp(whole_packets(offload.ipv4, fragments));
    caps.udp = left_to_smoltcp(whole_packets(offload.udp, fragments));
    // TCP keeps to the segment size: its packets are never fragments.
    caps.tcp = left_to_smoltcp(offload.tcp);
    #[cfg(feature = "proto-ipv4")]
    {
        caps.icmpv4 = left_to_smoltcp(whole_packets(offload.icmpv4, fragments));
    }
    #[cfg(feature = "proto-ipv6")]
    {
        caps.icmpv6 = left_to_smoltcp(offload.icmpv6);
    }
    caps
}

/// smoltcp decides once per interface and not per packet whether it computes a checksum: one that the device does not do in fragments is smoltcp's always.
const fn whole_packets(offload: Offload, fragments: bool) -> Offload {
    if fragments { Offload::NONE } else { offload }
}

const fn left_to_smoltcp(offload: Offload) -> Checksum {
    match (offload.rx, offload.tx) {
        (false, false) => Checksum::Both,
        (false, true) => Checksum::Rx,
        (true, false) => Checksum::Tx,
        (true, true) => Checksum::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ethdev::ChecksumOffload;

    fn mtu(rx: usize, tx: usize, spare: usize) -> usize {
        let device = Capabilities::ETHERNET
            .with_rx_max_frame_len(MaxFrameLen::new(rx))
            .with_tx_max_frame_len(MaxFrameLen::new(tx));
        of(&device, spare).max_transmission_unit
    }

    #[test]
    fn frame_length_and_not_ip_mtu() {
        let caps = of(&Capabilities::ETHERNET, 1514);
        assert_eq!((caps.max_transmission_unit, caps.ip_mtu()), (1514, 1500));
    }

    #[test]
    fn the_shortest_of_receive_transmit_and_spare() {
        assert_eq!(mtu(1514, 1000, 1514), 1000);
        assert_eq!(mtu(1000, 1514, 1514), 1000);
        assert_eq!(mtu(9014, 9014, 1514), 1514);
        assert_eq!(mtu(9014, 9014, 10000), 9014);
    }

    #[test]
    fn the_tag_is_no_payload() {
        assert_eq!(mtu(1518, 1518, 2048), 1514);
        assert_eq!(mtu(1518, 9014, 2048), 1514);
    }

    #[test]
    fn never_so_short_that_smoltcp_subtracts_below_zero() {
        assert_eq!(mtu(14, 14, 1514), MIN_SPARE_LEN);
    }

    #[test]
    fn bursts_are_what_the_receive_queue_holds() {
        let burst = |rx, tx| of(&Capabilities::ETHERNET.with_queue_frames(rx, tx), 1514).max_burst_size;
        // One frame of four is for what smoltcp's arithmetic leaves over.
        assert_eq!(burst(4, 64), Some(3));
        assert_eq!(burst(1, 64), Some(1));
        assert_eq!(burst(0, 1), None);
    }

    fn offloading(offload: ChecksumOffload) -> Capabilities {
        Capabilities::ETHERNET.with_checksum(offload)
    }

    fn all(offload: Offload) -> ChecksumOffload {
        let mut all = ChecksumOffload::NONE;
        all.ipv4 = offload;
        all.udp = offload;
        all.tcp = offload;
        all.icmpv4 = offload;
        all.icmpv6 = offload;
        all
    }

    #[test]
    fn smoltcp_does_what_the_device_does_not() {
        let receives = checksums(&offloading(all(Offload { rx: true, tx: false })), false);
        assert!(!receives.udp.rx() && receives.udp.tx());
        let sends = checksums(&offloading(all(Offload { rx: false, tx: true })), false);
        assert!(sends.tcp.rx() && !sends.tcp.tx());
        let none = checksums(&Capabilities::ETHERNET, false);
        assert!(none.ipv4.rx() && none.ipv4.tx());
    }

    #[test]
    fn fragments_are_never_left_to_the_device() {
        let caps = checksums(&offloading(all(Offload::BOTH)), true);
        assert!(caps.ipv4.tx() && caps.udp.tx() && caps.udp.rx());
        assert!(!caps.tcp.tx());
        // Whether smoltcp fragments here depends on what else is built: `--features smoltcp/proto-ipv4-fragmentation`.
        let caps = of(&offloading(all(Offload::BOTH)), 1514);
        assert_eq!(caps.checksum.udp.tx(), SMOLTCP_FRAGMENTS);
    }
}
