//! The FCS in software (IEEE 802.3 clause 3.2.9).

use crc::{CRC_32_ISO_HDLC, Crc};
use ethdev::frame::FCS_LEN;

/// A table of 1 KiB. A `static`: a constant would be built again on the stack of every caller.
static FCS: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// What the CRC over a frame and its FCS comes to.
const RESIDUE: u32 = 0x2144_df1c;

/// The FCS of a frame, as it goes out.
pub(super) fn of(frame: &[u8]) -> [u8; FCS_LEN] {
    FCS.checksum(frame).to_le_bytes()
}

/// The length of the frame at the start of `bytes`, without its FCS, if that is right; up to `dribble` stray bytes may follow it.
///
/// A receiver without a hardware end-of-frame samples a little longer than the frame lasts.
pub(super) fn check(bytes: &[u8], dribble: usize) -> Option<usize> {
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
    fn check_value_of_crc_32() {
        assert_eq!(of(b"123456789"), 0xcbf4_3926_u32.to_le_bytes());
        assert_eq!(
            FCS.algorithm.residue, 0xdebb_20e3,
            "the same residue before it is inverted"
        );
        assert_eq!(!FCS.algorithm.residue, RESIDUE);
    }

    #[test]
    fn nothing_is_no_frame() {
        for len in 0..4 {
            assert_eq!(check(&[0; 4][..len], 1), None);
        }
    }

    proptest! {
        #[test]
        fn a_good_frame_with_stray_bytes(frame: Vec<u8>, tail in proptest::collection::vec(any::<u8>(), 0..=2)) {
            let mut bytes = with_fcs(&frame);
            bytes.extend(&tail);
            prop_assert_eq!(check(&bytes, 2), Some(frame.len()));
            prop_assert_eq!(check(&bytes, 0), (tail.is_empty()).then_some(frame.len()));
        }

        #[test]
        fn one_wrong_bit_is_noticed(frame in proptest::collection::vec(any::<u8>(), 1..100), bit: usize) {
            let mut bytes = with_fcs(&frame);
            let bit = bit % (bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(check(&bytes, 1), None);
        }
    }
}
