//! The capabilities of the device in smoltcp's terms.

use ethdev::{Capabilities, MaxFrameLen, Offload};
use smoltcp::phy::{Checksum, ChecksumCapabilities, DeviceCapabilities, Medium};

/// The shortest usable buffer and the shortest `max_transmission_unit` that smoltcp is given, in
/// bytes: an Ethernet header and the 576 bytes of an IP packet that every IPv4 host accepts (RFC
/// 1122, section 3.3.3).
///
/// smoltcp subtracts the lengths of headers from it without a check. IPv6 requires 1294 (RFC 8200,
/// section 5).
pub const MIN_BUFFER_LEN: usize = 14 + 576;

/// The value of [`IPV4_FRAGMENT_PAYLOAD_ALIGNMENT`] if smoltcp has no constant of that name.
const IPV4_FRAGMENT_PAYLOAD_ALIGNMENT: usize = 0;

/// Whether smoltcp was compiled with IPv4 fragmentation, by any crate of the build. Only then it
/// has that constant, which shadows the one above.
pub(crate) const SMOLTCP_FRAGMENTS: bool = {
    #[allow(unused_imports)]
    use smoltcp::phy::*;
    IPV4_FRAGMENT_PAYLOAD_ALIGNMENT != 0
};

/// Returns the capabilities for a device and buffers of `buffer_len` bytes.
pub(crate) fn of(device: &Capabilities, buffer_len: usize) -> DeviceCapabilities {
    let mut caps = DeviceCapabilities::default();
    caps.medium = Medium::Ethernet;
    caps.max_transmission_unit = max_transmission_unit(device, buffer_len);
    caps.max_burst_size = max_burst_size(device.rx_queue_frames);
    caps.checksum = checksums(device, SMOLTCP_FRAGMENTS);
    caps
}

/// Number of segments that a TCP peer may have in flight: the receive queue less one frame. smoltcp
/// computes with segments that are longer by the Ethernet header than they can be; the remainder of
/// the window fills one more frame.
fn max_burst_size(rx_queue_frames: Option<u16>) -> Option<usize> {
    rx_queue_frames.map(|frames| usize::from(frames).saturating_sub(1).max(1))
}

/// smoltcp uses one length for both directions: the limit of what is sent, and the segment size
/// announced to TCP peers.
fn max_transmission_unit(device: &Capabilities, buffer_len: usize) -> usize {
    [device.rx_max_frame_len, device.tx_max_frame_len]
        .into_iter()
        .map(untagged)
        .fold(buffer_len, usize::min)
        .max(MIN_BUFFER_LEN)
}

/// The four bytes of a VLAN tag are not available for payload: an untagged frame of 1518 bytes is
/// longer than Ethernet allows.
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
    // TCP keeps to the segment size: its packets are never fragmented.
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

/// smoltcp decides once per interface, not per packet, whether it computes a checksum. If it
/// fragments, the checksums that a device does not compute for fragments are left to smoltcp.
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

    fn mtu(rx: usize, tx: usize, buffer: usize) -> usize {
        let device = Capabilities::ETHERNET
            .with_rx_max_frame_len(MaxFrameLen::new(rx))
            .with_tx_max_frame_len(MaxFrameLen::new(tx));
        of(&device, buffer).max_transmission_unit
    }

    #[test]
    fn max_transmission_unit_ethernet_is_frame_length() {
        let caps = of(&Capabilities::ETHERNET, 1514);
        assert_eq!((caps.max_transmission_unit, caps.ip_mtu()), (1514, 1500));
    }

    #[test]
    fn max_transmission_unit_is_shortest_of_rx_tx_and_buffer() {
        assert_eq!(mtu(1514, 1000, 1514), 1000);
        assert_eq!(mtu(1000, 1514, 1514), 1000);
        assert_eq!(mtu(9014, 9014, 1514), 1514);
        assert_eq!(mtu(9014, 9014, 10000), 9014);
    }

    #[test]
    fn max_transmission_unit_vlan_excludes_tag() {
        assert_eq!(mtu(1518, 1518, 2048), 1514);
        assert_eq!(mtu(1518, 9014, 2048), 1514);
    }

    #[test]
    fn max_transmission_unit_short_is_raised_to_minimum() {
        assert_eq!(mtu(14, 14, 1514), MIN_BUFFER_LEN);
        assert_eq!(mtu(1514, 1514, 0), MIN_BUFFER_LEN);
    }

    #[test]
    fn max_burst_size_is_rx_queue_less_one() {
        let burst = |rx, tx| of(&Capabilities::ETHERNET.with_queue_frames(rx, tx), 1514).max_burst_size;
        assert_eq!(burst(Some(4), Some(64)), Some(3));
        assert_eq!(burst(Some(1), Some(64)), Some(1));
        assert_eq!(burst(Some(0), Some(64)), Some(1));
        assert_eq!(burst(None, Some(1)), None);
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
    fn checksums_not_offloaded_are_left_to_smoltcp() {
        let receives = checksums(&offloading(all(Offload { rx: true, tx: false })), false);
        assert!(!receives.udp.rx() && receives.udp.tx());
        let sends = checksums(&offloading(all(Offload { rx: false, tx: true })), false);
        assert!(sends.tcp.rx() && !sends.tcp.tx());
        let none = checksums(&Capabilities::ETHERNET, false);
        assert!(none.ipv4.rx() && none.ipv4.tx());
    }

    #[test]
    fn checksums_with_fragmentation_leave_only_tcp_to_device() {
        let caps = checksums(&offloading(all(Offload::BOTH)), true);
        assert!(caps.ipv4.tx() && caps.udp.tx() && caps.udp.rx());
        assert!(!caps.tcp.tx());
        // Whether smoltcp fragments here depends on what else is built: `--features
        // smoltcp/proto-ipv4-fragmentation`.
        let caps = of(&offloading(all(Offload::BOTH)), 1514);
        assert_eq!(caps.checksum.udp.tx(), SMOLTCP_FRAGMENTS);
    }
}
