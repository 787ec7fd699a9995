//! Frames with a number, and contents that follow from it: what arrives can be told to be intact without a copy of what was sent.

use ethdev::MacAddress;

/// The chip's address.
pub const CHIP: MacAddress = MacAddress::new([0x02, 0, 0, 0, 0, 0x28]);
/// The address at the other end of the wire.
const STATION: MacAddress = MacAddress::new([0x02, 0, 0, 0, 0, 0x60]);
/// A type of Ethernet frame for experiments (IEEE 802).
const ETHERTYPE: [u8; 2] = [0x88, 0xb5];
/// Addresses, type, number, length.
const HEADER: usize = 12 + 2 + 8 + 2;
/// With as many bytes after it as tell one number from another.
const LEAST: usize = HEADER + 8;
/// What the MAC pads to.
const SHORTEST: usize = 60;

/// The frame of this number and length, 32 bytes at least, to the chip or from it.
#[must_use]
pub fn build(number: u64, to_chip: bool, len: usize) -> Vec<u8> {
    let (to, from) = if to_chip { (CHIP, STATION) } else { (STATION, CHIP) };
    let len = len.max(LEAST);
    let mut frame = Vec::with_capacity(len);
    frame.extend(to.octets());
    frame.extend(from.octets());
    frame.extend(ETHERTYPE);
    frame.extend(number.to_be_bytes());
    frame.extend((len as u16).to_be_bytes());
    // SplitMix64: neighbours differ in every byte.
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

/// The number of a frame that arrived, with the padding that it got on its way; `None` where anything in it is not as it was sent.
#[must_use]
pub fn number(frame: &[u8], to_chip: bool) -> Option<u64> {
    let number = u64::from_be_bytes(frame.get(14..22)?.try_into().ok()?);
    let len = usize::from(u16::from_be_bytes(frame.get(22..HEADER)?.try_into().ok()?));
    if frame.len() != len.max(SHORTEST) || !frame[len..].iter().all(|byte| *byte == 0) {
        return None;
    }
    (frame[..len] == build(number, to_chip, len)).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_change_is_noticed() {
        for len in [32, 59, 60, 61, 1514] {
            let mut frame = build(7, true, len);
            frame.resize(len.max(SHORTEST), 0);
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
