//! The frames of the checks, and seeded randomness.

use ethdev::MacAddress;
use ethdev_sim::random::Rng;

/// Prefix of the peer's address. The last four octets are the sequence number, so that a bare
/// header has one too.
const PEER: [u8; 2] = [0x02, 0x5e];
/// `EtherType` for local experiments (IEEE 802 clause 9.2.4).
const ETHERTYPE: [u8; 2] = [0x88, 0xb5];
/// The frame with this sequence number.
pub(super) fn frame(to: MacAddress, seq: u32, len: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(len.max(14));
    bytes.extend(to.octets());
    bytes.extend(PEER);
    bytes.extend(seq.to_be_bytes());
    bytes.extend(ETHERTYPE);
    let mut random = Random::new(u64::from(seq));
    while bytes.len() < len {
        // No zeros, so that padding is recognized.
        bytes.push(random.between(1, 255) as u8);
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
