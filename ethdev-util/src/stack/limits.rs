//! The limits of a device and of the adapter's buffers, in smoltcp's terms, which are embassy-net's
//! too.

use ethdev::{Capabilities, MaxFrameLen};

/// The shortest usable buffer and the shortest [`max_transmission_unit`] that a stack is given, in
/// bytes: an Ethernet header and the 576 bytes of an IP packet that every IPv4 host accepts (RFC
/// 1122, section 3.3.3).
///
/// Stacks subtract the lengths of headers from it without a check. IPv6 requires 1294 (RFC 8200,
/// section 5).
pub const MIN_BUFFER_LEN: usize = 14 + 576;

/// Returns the number of segments that a TCP peer may have in flight: the receive queue less one
/// frame. smoltcp computes with segments that are longer by the Ethernet header than they can be;
/// the remainder of the window fills one more frame.
#[must_use]
pub fn max_burst_size(device: &Capabilities) -> Option<usize> {
    device
        .rx_queue_frames
        .map(|frames| usize::from(frames).saturating_sub(1).max(1))
}

/// Returns the longest frame in bytes, for a device and buffers of `buffer_len` bytes.
///
/// smoltcp uses one length for both directions: the limit of what is sent, and the segment size
/// announced to TCP peers.
#[must_use]
pub fn max_transmission_unit(device: &Capabilities, buffer_len: usize) -> usize {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn mtu(rx: usize, tx: usize, buffer: usize) -> usize {
        let device = Capabilities::ETHERNET
            .with_rx_max_frame_len(MaxFrameLen::new(rx))
            .with_tx_max_frame_len(MaxFrameLen::new(tx));
        max_transmission_unit(&device, buffer)
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
        let burst = |rx, tx| max_burst_size(&Capabilities::ETHERNET.with_queue_frames(rx, tx));
        assert_eq!(burst(Some(4), Some(64)), Some(3));
        assert_eq!(burst(Some(1), Some(64)), Some(1));
        assert_eq!(burst(Some(0), Some(64)), Some(1));
        assert_eq!(burst(None, Some(1)), None);
    }
}
