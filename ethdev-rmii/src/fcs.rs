//! The FCS in software (IEEE 802.3 clause 3.2.9).

use crc::{CRC_32_ISO_HDLC, Crc};
use ethdev::frame::FCS_LEN;

/// The table of 1 KiB. A `static`, because a constant would be built on the stack of each caller.
static FCS: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// The CRC of a frame with its FCS.
const RESIDUE: u32 = 0x2144_df1c;

/// Returns the FCS of a frame, in the order in which it is sent.
pub(crate) fn of(frame: &[u8]) -> [u8; FCS_LEN] {
    FCS.checksum(frame).to_le_bytes()
}

/// Returns the length, without FCS, of the frame at the start of `bytes` if its FCS is correct. Up
/// to `dribble` excess bytes may follow it: a receiver without a hardware end of frame samples for
/// longer than the frame lasts.
pub(crate) fn check(bytes: &[u8], dribble: usize) -> Option<usize> {
    let (least, tail) = bytes.split_at_checked(bytes.len().saturating_sub(dribble))?;
    let mut digest = FCS.digest();
    digest.update(least);
    let mut found = None;
    let mut len = least.len();
    if digest.clone().finalize() == RESIDUE {
        found = Some(len);
    }
    for byte in tail {
        digest.update(&[*byte]);
        len += 1;
        if digest.clone().finalize() == RESIDUE {
            found = Some(len);
        }
    }
    found?.checked_sub(FCS_LEN)
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;
    use proptest::prelude::*;

    fn with_fcs(frame: &[u8]) -> Vec<u8> {
        let mut bytes = frame.to_vec();
        bytes.extend(of(frame));
        bytes
    }

    #[test]
    fn of_check_string_is_crc32_check_value() {
        assert_eq!(of(b"123456789"), 0xcbf4_3926_u32.to_le_bytes());
        assert_eq!(
            FCS.algorithm.residue, 0xdebb_20e3,
            "the residue before the final inversion"
        );
        assert_eq!(!FCS.algorithm.residue, RESIDUE);
    }

    #[test]
    fn check_shorter_than_fcs_none() {
        for len in 0..4 {
            assert_eq!(check(&[0; 4][..len], 1), None);
        }
    }

    proptest! {
        #[test]
        fn check_good_frame_with_dribble_returns_length(frame: Vec<u8>, tail in proptest::collection::vec(any::<u8>(), 0..=2)) {
            let mut bytes = with_fcs(&frame);
            bytes.extend(&tail);
            prop_assert_eq!(check(&bytes, 2), Some(frame.len()));
            prop_assert_eq!(check(&bytes, 0), (tail.is_empty()).then_some(frame.len()));
        }

        #[test]
        fn check_one_bit_error_none(frame in proptest::collection::vec(any::<u8>(), 1..100), bit: usize) {
            let mut bytes = with_fcs(&frame);
            let bit = bit % (bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(check(&bytes, 1), None);
        }
    }
}
