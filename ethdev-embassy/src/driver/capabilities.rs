//! The capabilities of a device, in the terms of embassy-net.

use embassy_net_driver::{Capabilities, Checksum};
use ethdev::Offload;
use ethdev_util::stack::{max_burst_size, max_transmission_unit};

/// Returns the capabilities for a device and a reply buffer of `buffer_len` bytes.
///
/// Only TCP checksums are left to a device that computes them. A device does not compute the others
/// for fragments; embassy-net decides once per interface, and a driver does not know whether it was
/// compiled with fragmentation. TCP keeps to the segment size: its packets are never fragmented.
pub(super) fn of(device: &ethdev::Capabilities, buffer_len: usize) -> Capabilities {
    let mut caps = Capabilities::default();
    caps.max_transmission_unit = max_transmission_unit(device, buffer_len);
    caps.max_burst_size = max_burst_size(device);
    caps.checksum.tcp = left_to_stack(device.checksum.tcp);
    caps
}

const fn left_to_stack(offload: Offload) -> Checksum {
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
    fn of_ethernet_is_frame_length_not_ip_mtu() {
        let caps = of(
            &ethdev::Capabilities::ETHERNET.with_queue_frames(Some(4), Some(2)),
            1514,
        );
        assert_eq!((caps.max_transmission_unit, caps.max_burst_size), (1514, Some(3)));
        assert_eq!(of(&ethdev::Capabilities::ETHERNET, 1000).max_transmission_unit, 1000);
    }

    #[test]
    fn of_offload_leaves_only_tcp_to_device() {
        let mut offload = ChecksumOffload::NONE;
        (offload.udp, offload.tcp) = (Offload::BOTH, Offload { rx: false, tx: true });
        let caps = of(&ethdev::Capabilities::ETHERNET.with_checksum(offload), 1514);
        assert!(matches!(caps.checksum.tcp, Checksum::Rx));
        assert!(matches!(caps.checksum.udp, Checksum::Both));
        assert!(matches!(left_to_stack(Offload::BOTH), Checksum::None));
        assert!(matches!(left_to_stack(Offload { rx: true, tx: false }), Checksum::Tx));
    }
}
