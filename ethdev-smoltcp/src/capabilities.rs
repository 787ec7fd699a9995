//! The capabilities of the device in smoltcp's terms.

use ethdev::{Capabilities, Offload};
use ethdev_util::stack::{max_burst_size, max_transmission_unit};
use smoltcp::phy::{Checksum, ChecksumCapabilities, DeviceCapabilities, Medium};

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
    caps.max_burst_size = max_burst_size(device);
    caps.checksum = checksums(device, SMOLTCP_FRAGMENTS);
    caps
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

    #[test]
    fn max_transmission_unit_ethernet_is_frame_length() {
        let caps = of(&Capabilities::ETHERNET, 1514);
        assert_eq!((caps.max_transmission_unit, caps.ip_mtu()), (1514, 1500));
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
