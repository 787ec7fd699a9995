//! The frame check sequence: CRC-32 of IEEE 802.3 clause 3.2.9, last four bytes of a frame on the
//! wire, least significant byte first.

use ethdev::frame::{FCS_LEN, MIN_FRAME_LEN};

/// The FCS of `frame`, as sent.
#[must_use]
pub fn compute(frame: &[u8]) -> [u8; FCS_LEN] {
    crc32fast::hash(frame).to_le_bytes()
}

/// `frame` followed by its FCS.
#[must_use]
pub fn append(frame: &[u8]) -> Vec<u8> {
    with_fcs(frame, frame.len())
}

/// `frame`, padded with zeros to the 60 bytes that 802.3 asks for, followed by its FCS: what a MAC
/// puts on the wire.
#[must_use]
pub fn pad_and_append(frame: &[u8]) -> Vec<u8> {
    with_fcs(frame, MIN_FRAME_LEN)
}

/// Returns the frame without its FCS; `None` if the FCS is wrong or missing.
#[must_use]
pub fn check(frame_with_fcs: &[u8]) -> Option<&[u8]> {
    let (frame, fcs) = frame_with_fcs.split_last_chunk()?;
    (*fcs == compute(frame)).then_some(frame)
}

fn with_fcs(frame: &[u8], min_len: usize) -> Vec<u8> {
    let mut on_wire = Vec::with_capacity(frame.len().max(min_len) + FCS_LEN);
    on_wire.extend_from_slice(frame);
    if on_wire.len() < min_len {
        on_wire.resize(min_len, 0);
    }
    let fcs = compute(&on_wire);
    on_wire.extend_from_slice(&fcs);
    on_wire
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn compute_check_string_matches_catalogue() {
        // The check value that every catalogue of CRCs gives for "123456789".
        assert_eq!(compute(b"123456789"), 0xcbf4_3926_u32.to_le_bytes());
    }

    #[test]
    fn check_too_short_returns_none() {
        assert_eq!(check(&[]), None);
        assert_eq!(check(&[0; 3]), None);
        // The FCS of nothing is zero.
        assert_eq!(check(&[0; 4]), Some(&[][..]));
    }

    proptest! {
        #[test]
        fn check_one_flipped_bit_returns_none(frame in proptest::collection::vec(any::<u8>(), 0..200), bit: proptest::sample::Index) {
            let mut on_wire = append(&frame);
            prop_assert_eq!(check(&on_wire), Some(&frame[..]));
            let bit = bit.index(on_wire.len() * 8);
            on_wire[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(check(&on_wire), None);
        }

        #[test]
        fn pad_and_append_short_frame_padded_with_zeros(frame in proptest::collection::vec(any::<u8>(), 0..100)) {
            let on_wire = pad_and_append(&frame);
            let padded = check(&on_wire).unwrap();
            prop_assert_eq!(padded.len(), frame.len().max(60));
            prop_assert_eq!(&padded[..frame.len()], &frame[..]);
            prop_assert!(padded[frame.len()..].iter().all(|b| *b == 0));
        }
    }
}
