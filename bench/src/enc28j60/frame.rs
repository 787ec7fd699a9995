//! Numbered frames whose contents follow from the number, so that a received frame is checked
//! without a copy of the sent one.

use ethdev::MacAddress;

/// The MAC address of the chip.
pub const CHIP: MacAddress = MacAddress::new([0x02, 0, 0, 0, 0, 0x28]);
/// The MAC address of the peer.
const PEER: MacAddress = MacAddress::new([0x02, 0, 0, 0, 0, 0x60]);
/// The `EtherType` for local experiments (IEEE 802).
const ETHERTYPE: [u8; 2] = [0x88, 0xb5];
/// Addresses, `EtherType`, number, length.
const HEADER: usize = 12 + 2 + 8 + 2;
/// The header and enough bytes to distinguish any two numbers.
const MIN_LEN: usize = HEADER + 8;
/// The length to which a MAC pads, without FCS.
const MIN_PADDED_LEN: usize = 60;

/// Builds the frame with this number and length, at least 32 bytes, to the chip or from it.
#[must_use]
pub fn build(number: u64, to_chip: bool, len: usize) -> Vec<u8> {
    let (to, from) = if to_chip { (CHIP, PEER) } else { (PEER, CHIP) };
    let len = len.max(MIN_LEN);
    let mut frame = Vec::with_capacity(len);
    frame.extend(to.octets());
    frame.extend(from.octets());
    frame.extend(ETHERTYPE);
    frame.extend(number.to_be_bytes());
    frame.extend((len as u16).to_be_bytes());
    // SplitMix64: consecutive numbers differ in every byte.
    let mut state = number.wrapping_mul(2).wrapping_add(to_chip.into());
    while frame.len() < len {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = state;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let bytes = word.to_le_bytes();
        let wanted = (len - frame.len()).min(bytes.len());
        frame.extend(&bytes[..wanted]);
    }
    frame
}

/// The number of a received, padded frame; `None` if any byte differs from what was sent.
#[must_use]
pub fn number(frame: &[u8], to_chip: bool) -> Option<u64> {
    let number = u64::from_be_bytes(frame.get(14..22)?.try_into().ok()?);
    let len = usize::from(u16::from_be_bytes(frame.get(22..HEADER)?.try_into().ok()?));
    if frame.len() != len.max(MIN_PADDED_LEN) || !frame[len..].iter().all(|byte| *byte == 0) {
        return None;
    }
    (frame[..len] == build(number, to_chip, len)).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn number_any_byte_changed_returns_none() {
        for len in [32, 59, 60, 61, 1514] {
            let mut frame = build(7, true, len);
            frame.resize(len.max(MIN_PADDED_LEN), 0);
            assert_eq!(number(&frame, true), Some(7));
            assert_eq!(number(&frame, false), None);
            for at in 0..frame.len() {
                frame[at] ^= 4;
                assert_eq!(number(&frame, true), None, "{at} of {len}");
                frame[at] ^= 4;
            }
            assert_eq!(number(&frame[..frame.len() - 1], true), None);
        }
    }
}
