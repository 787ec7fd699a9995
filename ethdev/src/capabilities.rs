//! What a device can do: fixed facts that a stack sizes its buffers by.

use core::fmt;
use core::time::Duration;

use crate::frame::{HEADER_LEN, MAX_FRAME_LEN, MAX_VLAN_FRAME_LEN};

/// The longest frame that a device sends or receives, in bytes: destination MAC to end of payload, without FCS.
///
/// 1514 without a VLAN tag, 1518 with one. It is *not* the IP MTU; [`ip_mtu`](Self::ip_mtu) is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct MaxFrameLen(usize);

impl MaxFrameLen {
    /// Standard Ethernet without a VLAN tag: 1514 bytes.
    pub const ETHERNET: Self = Self(MAX_FRAME_LEN);
    /// Standard Ethernet with one VLAN tag: 1518 bytes.
    pub const VLAN: Self = Self(MAX_VLAN_FRAME_LEN);

    /// From a frame length in bytes, without FCS. Less than a header (14) counts as a header.
    #[must_use]
    pub const fn new(bytes: usize) -> Self {
        Self(if bytes < HEADER_LEN { HEADER_LEN } else { bytes })
    }

    /// The frame length that carries an IP packet of `mtu` bytes in an untagged frame.
    #[must_use]
    pub const fn from_ip_mtu(mtu: IpMtu) -> Self {
        Self(mtu.0.saturating_add(HEADER_LEN))
    }

    /// In bytes.
    #[must_use]
    pub const fn bytes(self) -> usize {
        self.0
    }

    /// The longest IP packet that an untagged frame of this length carries.
    #[must_use]
    pub const fn ip_mtu(self) -> IpMtu {
        // `new` and `from_ip_mtu` keep the length at or above a header's.
        IpMtu(self.0.saturating_sub(HEADER_LEN))
    }
}

/// The longest IP packet that a frame carries, in bytes: 1500 on standard Ethernet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct IpMtu(usize);

impl IpMtu {
    /// Standard Ethernet: 1500 bytes.
    pub const ETHERNET: Self = MaxFrameLen::ETHERNET.ip_mtu();

    /// From a packet length in bytes.
    #[must_use]
    pub const fn new(bytes: usize) -> Self {
        Self(bytes)
    }

    /// In bytes.
    #[must_use]
    pub const fn bytes(self) -> usize {
        self.0
    }
}

impl fmt::Display for MaxFrameLen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0)
    }
}

impl fmt::Display for IpMtu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0)
    }
}

/// Which checksums of one protocol the device does, so that the stack need not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Offload {
    /// The device verifies it and never delivers a frame in which it is wrong.
    pub rx: bool,
    /// The device computes and inserts it. Whole packets only: fragments are the stack's.
    pub tx: bool,
}

impl Offload {
    /// The stack does it all.
    pub const NONE: Self = Self { rx: false, tx: false };
    /// The device does it all.
    pub const BOTH: Self = Self { rx: true, tx: true };
}

/// Checksum offload by protocol. The FCS is always the device's and is not listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct ChecksumOffload {
    /// IPv4 header checksum.
    pub ipv4: Offload,
    /// UDP over either IP version.
    pub udp: Offload,
    /// TCP over either IP version.
    pub tcp: Offload,
    /// ICMP over IPv4.
    pub icmpv4: Offload,
    /// ICMP over IPv6.
    pub icmpv6: Offload,
}

impl ChecksumOffload {
    /// The stack does it all.
    pub const NONE: Self = Self {
        ipv4: Offload::NONE,
        udp: Offload::NONE,
        tcp: Offload::NONE,
        icmpv4: Offload::NONE,
        icmpv6: Offload::NONE,
    };
}

/// What a device can do. Constant from construction until [`Control`](crate::Control) changes the device's mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Capabilities {
    /// Longest frame that is received. A buffer of this length takes every frame.
    pub rx_max_frame_len: MaxFrameLen,
    /// Longest frame that is sent.
    pub tx_max_frame_len: MaxFrameLen,
    /// Shortest frame on the medium in bytes, without FCS: what is shorter goes out padded to it with zeros. 60 on 802.3, 0 where the medium has no
    /// minimum.
    pub tx_min_frame_len: usize,
    /// How many frames of the longest length the device holds for the host before it overruns; 0 = unknown.
    pub rx_queue_frames: u16,
    /// How many frames of the longest length the device takes before it is `Busy`; 0 = unknown.
    pub tx_queue_frames: u16,
    /// Whether [`Stats::rx_overrun`](crate::Stats::rx_overrun) counts frame by frame. Where it is false the chip only says "at least one".
    pub rx_overrun_exact: bool,
    /// Checksums that the device does.
    pub checksum: ChecksumOffload,
    /// How often [`service`](crate::EthernetDevice::service) has to be called at least, whether interrupts are used or not; `None` = when there is an
    /// interrupt, and as often as the caller likes where there is none. A PHY without an interrupt line, for instance, has to be looked at from time to time.
    pub max_service_interval: Option<Duration>,
}

impl Capabilities {
    /// Standard Ethernet: 1514-byte frames both ways, padded to 60, no offload, queue lengths unknown, exact overrun counts.
    pub const ETHERNET: Self = Self {
        rx_max_frame_len: MaxFrameLen::ETHERNET,
        tx_max_frame_len: MaxFrameLen::ETHERNET,
        tx_min_frame_len: crate::frame::MIN_FRAME_LEN,
        rx_queue_frames: 0,
        tx_queue_frames: 0,
        rx_overrun_exact: true,
        checksum: ChecksumOffload::NONE,
        max_service_interval: None,
    };

    /// The same with this longest frame in both directions.
    #[must_use]
    pub const fn with_max_frame_len(mut self, len: MaxFrameLen) -> Self {
        self.rx_max_frame_len = len;
        self.tx_max_frame_len = len;
        self
    }

    /// The same with this longest received frame.
    #[must_use]
    pub const fn with_rx_max_frame_len(mut self, len: MaxFrameLen) -> Self {
        self.rx_max_frame_len = len;
        self
    }

    /// The same with this longest sent frame.
    #[must_use]
    pub const fn with_tx_max_frame_len(mut self, len: MaxFrameLen) -> Self {
        self.tx_max_frame_len = len;
        self
    }

    /// The same with this shortest frame on the medium (bytes, without FCS).
    #[must_use]
    pub const fn with_tx_min_frame_len(mut self, len: usize) -> Self {
        self.tx_min_frame_len = len;
        self
    }

    /// The same with these queue lengths (frames of the longest length).
    #[must_use]
    pub const fn with_queue_frames(mut self, rx: u16, tx: u16) -> Self {
        self.rx_queue_frames = rx;
        self.tx_queue_frames = tx;
        self
    }

    /// The same with overruns counted one by one, or only noticed.
    #[must_use]
    pub const fn with_rx_overrun_exact(mut self, exact: bool) -> Self {
        self.rx_overrun_exact = exact;
        self
    }

    /// The same with these checksums done by the device.
    #[must_use]
    pub const fn with_checksum(mut self, checksum: ChecksumOffload) -> Self {
        self.checksum = checksum;
        self
    }

    /// The same with [`service`](crate::EthernetDevice::service) to be called at least this often.
    #[must_use]
    pub const fn with_max_service_interval(mut self, interval: Duration) -> Self {
        self.max_service_interval = Some(interval);
        self
    }

    /// The longest IP packet that can be sent in an untagged frame.
    #[must_use]
    pub const fn ip_mtu(&self) -> IpMtu {
        self.tx_max_frame_len.ip_mtu()
    }
}

impl Default for Capabilities {
    fn default() -> Self {
        Self::ETHERNET
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ip_mtu_is_never_the_frame_length() {
        assert_eq!(MaxFrameLen::ETHERNET.bytes(), 1514);
        assert_eq!(Capabilities::ETHERNET.ip_mtu().bytes(), 1500);
        assert_eq!(IpMtu::ETHERNET.bytes(), 1500);
    }

    proptest! {
        #[test]
        fn frame_length_and_ip_mtu_are_a_header_apart(bytes in 0_usize..=usize::MAX - HEADER_LEN) {
            prop_assert_eq!(MaxFrameLen::from_ip_mtu(IpMtu::new(bytes)).ip_mtu().bytes(), bytes);
        }

        #[test]
        fn no_frame_length_is_below_a_header(bytes: usize) {
            prop_assert!(MaxFrameLen::new(bytes).bytes() >= HEADER_LEN);
        }
    }
}
