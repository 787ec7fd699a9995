//! The frames of the checks, and seeded randomness.

use ethdev::MacAddress;
use ethdev::frame::HEADER_LEN;
use ethdev_sim::random::Rng;

/// Prefix of the peer's address. The last four octets are the sequence number, so that a bare
/// header has one too.
const PEER: [u8; 2] = [0x02, 0x5e];
/// `EtherType` for local experiments (IEEE 802 clause 9.2.4).
const ETHERTYPE: [u8; 2] = [0x88, 0xb5];
/// Types of ARP, IPv4 and IPv6 (IEEE 802 numbers).
const ARP: [u8; 2] = [0x08, 0x06];
const IPV4: [u8; 2] = [0x08, 0x00];
const IPV6: [u8; 2] = [0x86, 0xdd];
/// A VLAN tag (IEEE 802.1Q): its `EtherType`, then priority 5 and VLAN 0x123.
const VLAN_TAG: [u8; 4] = [0x81, 0x00, 0xa1, 0x23];
/// The greatest value of the length field (IEEE 802.3 clause 3.2.6).
const MAX_LENGTH_FIELD: usize = 1500;

/// What follows the addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FrameShape {
    /// An experimental `EtherType`, any bytes.
    Experimental,
    /// The length of the payload instead of an `EtherType`.
    Length,
    /// A VLAN tag before the `EtherType`.
    Tagged,
    /// A protocol that a device or a host may interpret; the payload ends with zeros.
    TrailingZeros([u8; 2]),
    /// A payload of zeros.
    Zeros([u8; 2]),
    /// A payload of ones.
    Ones,
}

impl FrameShape {
    /// The shapes in turn.
    pub(super) const fn any(seq: u32) -> Self {
        match seq % 9 {
            0 | 4 => Self::Experimental,
            1 => Self::Length,
            2 => Self::Tagged,
            3 => Self::TrailingZeros(IPV4),
            5 => Self::Zeros(IPV6),
            6 => Self::TrailingZeros(ARP),
            7 => Self::Zeros(ETHERTYPE),
            _ => Self::Ones,
        }
    }
}

/// The frame with this sequence number.
pub(super) fn frame(to: MacAddress, seq: u32, len: usize, shape: FrameShape) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(len.max(14));
    bytes.extend(to.octets());
    bytes.extend(PEER);
    bytes.extend(seq.to_be_bytes());
    match shape {
        FrameShape::Experimental | FrameShape::Ones => bytes.extend(ETHERTYPE),
        FrameShape::Length => {
            let payload = len.saturating_sub(HEADER_LEN).min(MAX_LENGTH_FIELD);
            bytes.extend((payload as u16).to_be_bytes());
        }
        FrameShape::Tagged => {
            bytes.extend(VLAN_TAG);
            bytes.extend(ETHERTYPE);
        }
        FrameShape::TrailingZeros(ethertype) | FrameShape::Zeros(ethertype) => bytes.extend(ethertype),
    }
    let mut random = Random::new(u64::from(seq));
    let zeros_from = len - random.between(0, len / 2);
    while bytes.len() < len {
        bytes.push(match shape {
            FrameShape::Zeros(_) => 0,
            FrameShape::Ones => 0xff,
            FrameShape::TrailingZeros(_) if bytes.len() >= zeros_from => 0,
            _ => random.between(0, 255) as u8,
        });
    }
    bytes.truncate(len);
    bytes
}

/// Describes how two frames differ.
pub(super) fn difference(got: &[u8], expected: &[u8]) -> String {
    if got.len() == expected.len() + 4 && got.starts_with(expected) {
        return format!("a frame of {} bytes came with 4 more: its FCS?", expected.len());
    }
    let at = got.iter().zip(expected).take_while(|(a, b)| a == b).count();
    format!(
        "a frame of {} bytes came as {} bytes, equal up to byte {at}",
        expected.len(),
        got.len()
    )
}

/// Seeded, so that every run is the same.
#[derive(Debug)]
pub(super) struct Random(Rng);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(Rng::new(seed, 0))
    }

    /// From `min` to `max`, both included.
    pub(super) fn between(&mut self, min: usize, max: usize) -> usize {
        min + self.0.below(max - min + 1)
    }
}
