//! Capabilities: what a stack needs to know to size its buffers.

use core::fmt;
use core::time::Duration;

use crate::Coverage;
use crate::frame::{HEADER_LEN, MAX_FRAME_LEN, MAX_VLAN_FRAME_LEN};

/// The longest frame that a device sends or receives, in bytes: destination MAC to end of payload,
/// without FCS.
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

    /// Creates a length from bytes, without FCS. Values below a header (14) are raised to it.
    #[must_use]
    pub const fn new(bytes: usize) -> Self {
        Self(if bytes < HEADER_LEN { HEADER_LEN } else { bytes })
    }

    /// Returns the length of an untagged frame that carries an IP packet of `mtu` bytes.
    #[must_use]
    pub const fn from_ip_mtu(mtu: IpMtu) -> Self {
        Self(mtu.0.saturating_add(HEADER_LEN))
    }

    /// Returns the length in bytes.
    #[must_use]
    pub const fn bytes(self) -> usize {
        self.0
    }

    /// Returns the longest IP packet that an untagged frame of this length carries.
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

    /// Creates an MTU from a packet length in bytes.
    #[must_use]
    pub const fn new(bytes: usize) -> Self {
        Self(bytes)
    }

    /// Returns the length in bytes.
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

/// Checksum offload of one protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Offload {
    /// The device verifies the checksum and never delivers a frame in which it is wrong.
    pub rx: bool,
    /// The device computes and inserts the checksum of whole packets. Fragments are left to the
    /// stack.
    pub tx: bool,
}

impl Offload {
    /// No offload.
    pub const NONE: Self = Self { rx: false, tx: false };
    /// Both directions.
    pub const BOTH: Self = Self { rx: true, tx: true };
}

/// Checksum offload by protocol. The FCS is always handled by the device and is not listed.
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
    /// No offload.
    pub const NONE: Self = Self {
        ipv4: Offload::NONE,
        udp: Offload::NONE,
        tcp: Offload::NONE,
        icmpv4: Offload::NONE,
        icmpv6: Offload::NONE,
    };
}

/// What a device can do. Constant from construction until [`Control`](crate::Control) changes the
/// mode of the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Capabilities {
    /// Longest frame that is received. A buffer of this length takes every frame.
    pub rx_max_frame_len: MaxFrameLen,
    /// Longest frame that is sent.
    pub tx_max_frame_len: MaxFrameLen,
    /// Shortest frame on the medium in bytes, without FCS: shorter frames are padded to it with
    /// zeros. 60 on 802.3, 0 where the medium has no minimum.
    pub tx_min_frame_len: usize,
    /// Number of frames of the longest length that the device queues for the host before it
    /// overruns; `None` if unknown.
    pub rx_queue_frames: Option<u16>,
    /// Number of frames of the longest length that the device accepts before it is `Busy`; `None`
    /// if unknown.
    pub tx_queue_frames: Option<u16>,
    /// How exactly each reason of a loss is counted in [`Stats`](crate::Stats).
    pub coverage: Coverage,
    /// Checksum offload.
    pub checksum: ChecksumOffload,
    /// Longest time between two calls of [`service`](crate::EthernetDevice::service), with and
    /// without interrupts; `None` if an interrupt precedes every necessary call. A PHY without
    /// an interrupt line, for example, must be polled.
    pub max_service_interval: Option<Duration>,
}

impl Capabilities {
    /// Standard Ethernet: 1514-byte frames in both directions, padded to 60, no offload, unknown
    /// queue lengths, exact counters.
    pub const ETHERNET: Self = Self {
        rx_max_frame_len: MaxFrameLen::ETHERNET,
        tx_max_frame_len: MaxFrameLen::ETHERNET,
        tx_min_frame_len: crate::frame::MIN_FRAME_LEN,
        rx_queue_frames: None,
        tx_queue_frames: None,
        coverage: Coverage::EXACT,
        checksum: ChecksumOffload::NONE,
        max_service_interval: None,
    };

    /// Sets the longest frame of both directions.
    #[must_use]
    pub const fn with_max_frame_len(mut self, len: MaxFrameLen) -> Self {
        self.rx_max_frame_len = len;
        self.tx_max_frame_len = len;
        self
    }

    /// Sets the longest received frame.
    #[must_use]
    pub const fn with_rx_max_frame_len(mut self, len: MaxFrameLen) -> Self {
        self.rx_max_frame_len = len;
        self
    }

    /// Sets the longest sent frame.
    #[must_use]
    pub const fn with_tx_max_frame_len(mut self, len: MaxFrameLen) -> Self {
        self.tx_max_frame_len = len;
        self
    }

    /// Sets the shortest frame on the medium in bytes, without FCS.
    #[must_use]
    pub const fn with_tx_min_frame_len(mut self, len: usize) -> Self {
        self.tx_min_frame_len = len;
        self
    }

    /// Sets the queue lengths in frames of the longest length; `None` if unknown.
    #[must_use]
    pub const fn with_queue_frames(mut self, rx: Option<u16>, tx: Option<u16>) -> Self {
        self.rx_queue_frames = rx;
        self.tx_queue_frames = tx;
        self
    }

    /// Sets how exactly losses are counted.
    #[must_use]
    pub const fn with_coverage(mut self, coverage: Coverage) -> Self {
        self.coverage = coverage;
        self
    }

    /// Sets the checksum offload.
    #[must_use]
    pub const fn with_checksum(mut self, checksum: ChecksumOffload) -> Self {
        self.checksum = checksum;
        self
    }

    /// Sets the longest time between two calls of [`service`](crate::EthernetDevice::service).
    #[must_use]
    pub const fn with_max_service_interval(mut self, interval: Duration) -> Self {
        self.max_service_interval = Some(interval);
        self
    }

    /// Returns the longest IP packet that can be sent in an untagged frame.
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
    extern crate std;
    use super::*;
    use crate::{Counted, LossReason};
    use proptest::prelude::*;
    use std::string::ToString;

    #[test]
    fn builders_set_one_value_each() {
        let base = Capabilities::ETHERNET;
        assert_eq!(Capabilities::default(), base);
        let vlan = MaxFrameLen::VLAN;
        let rx = base.with_rx_max_frame_len(vlan);
        assert_eq!(
            (rx.rx_max_frame_len, rx.tx_max_frame_len),
            (vlan, MaxFrameLen::ETHERNET)
        );
        let tx = base.with_tx_max_frame_len(vlan);
        assert_eq!(
            (tx.rx_max_frame_len, tx.tx_max_frame_len),
            (MaxFrameLen::ETHERNET, vlan)
        );
        assert_eq!(tx.ip_mtu().bytes(), 1504);
        let both = base.with_max_frame_len(vlan);
        assert_eq!((both.rx_max_frame_len, both.tx_max_frame_len), (vlan, vlan));
        assert_eq!(
            (base.tx_min_frame_len, base.with_tx_min_frame_len(0).tx_min_frame_len),
            (60, 0)
        );
        let queues = base.with_queue_frames(Some(4), None);
        assert_eq!((queues.rx_queue_frames, queues.tx_queue_frames), (Some(4), None));
        let coverage = Coverage::EXACT.with(LossReason::RxOverrun, Counted::AtLeastOne);
        assert_eq!(base.with_coverage(coverage).coverage, coverage);
        let checksum = ChecksumOffload {
            tcp: Offload::BOTH,
            ..ChecksumOffload::NONE
        };
        assert_eq!(base.with_checksum(checksum).checksum, checksum);
        let interval = Duration::from_millis(500);
        assert_eq!(
            base.with_max_service_interval(interval).max_service_interval,
            Some(interval)
        );
        // Each builder keeps what the others set.
        let all = base
            .with_max_frame_len(vlan)
            .with_queue_frames(Some(4), Some(2))
            .with_checksum(checksum)
            .with_coverage(coverage)
            .with_tx_min_frame_len(0)
            .with_max_service_interval(interval)
            .with_rx_max_frame_len(vlan)
            .with_tx_max_frame_len(vlan);
        let expected = Capabilities {
            rx_max_frame_len: vlan,
            tx_max_frame_len: vlan,
            tx_min_frame_len: 0,
            rx_queue_frames: Some(4),
            tx_queue_frames: Some(2),
            coverage,
            checksum,
            max_service_interval: Some(interval),
        };
        assert_eq!(all, expected);
    }

    #[test]
    fn display_lengths_have_units() {
        assert_eq!(MaxFrameLen::ETHERNET.to_string(), "1514 bytes");
        assert_eq!(IpMtu::ETHERNET.to_string(), "1500 bytes");
    }

    #[test]
    fn ip_mtu_ethernet_is_1500() {
        assert_eq!(MaxFrameLen::ETHERNET.bytes(), 1514);
        assert_eq!(Capabilities::ETHERNET.ip_mtu().bytes(), 1500);
        assert_eq!(IpMtu::ETHERNET.bytes(), 1500);
    }

    proptest! {
        #[test]
        fn from_ip_mtu_any_round_trips(bytes in 0_usize..=usize::MAX - HEADER_LEN) {
            prop_assert_eq!(MaxFrameLen::from_ip_mtu(IpMtu::new(bytes)).ip_mtu().bytes(), bytes);
        }

        #[test]
        fn new_below_header_is_raised(bytes: usize) {
            prop_assert!(MaxFrameLen::new(bytes).bytes() >= HEADER_LEN);
        }
    }
}
