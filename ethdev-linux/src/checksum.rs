//! Checksums that a sender on the same host has left to the hardware.

/// A checksum of which the sender has filled in the sum of the pseudo header (`CHECKSUM_PARTIAL` of
/// the kernel): what is left is the sum of the data (RFC 1071).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PartialChecksum {
    /// First summed byte; the sum goes to the end of the frame.
    pub(crate) start: usize,
    /// Where the checksum is stored, relative to `start`.
    pub(crate) offset: usize,
}

/// Where UDP stores its checksum: there 0 means none, and the sum 0 is sent as ffff (RFC 768).
/// That is also a valid checksum of every other protocol.
const UDP_OFFSET: usize = 6;

impl PartialChecksum {
    /// Completes the checksum. The positions are those of the frame before `inserted` bytes were
    /// inserted into its header. Does nothing if they are outside the frame.
    pub(crate) fn complete(self, frame: &mut [u8], inserted: usize) {
        let Some(data) = frame.get_mut(self.start.saturating_add(inserted)..) else {
            return;
        };
        // The sum does not depend on the byte order, nor on the length of the words.
        let words = data.chunks_exact(4);
        let mut last = [0; 4];
        last.iter_mut()
            .zip(words.remainder())
            .for_each(|(to, from)| *to = *from);
        let word = |bytes: &[u8]| {
            bytes
                .first_chunk()
                .map_or(0, |bytes| u64::from(u32::from_ne_bytes(*bytes)))
        };
        let sum = words.map(word).sum::<u64>() + word(&last);
        let Some(place) = data.get_mut(self.offset..).and_then(<[u8]>::first_chunk_mut) else {
            return;
        };
        *place = match !folded(sum) {
            0 if self.offset == UDP_OFFSET => [0xff; 2],
            checksum => checksum.to_ne_bytes(),
        };
    }
}

/// Folds a sum of 16-bit words into one, in one's complement arithmetic.
const fn folded(mut sum: u64) -> u16 {
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The checksum of a receiver: the sum of data and pseudo header, which is ffff if it is valid.
    fn verified(data: &[u8], pseudo: u16) -> u16 {
        let words = data.chunks(2).map(|pair| [pair[0], *pair.get(1).unwrap_or(&0)]);
        let sum = words.fold(u32::from(pseudo), |sum, word| {
            let sum = sum + u32::from(u16::from_be_bytes(word));
            (sum & 0xffff) + (sum >> 16)
        });
        sum as u16
    }

    #[test]
    fn complete_udp_example_has_known_checksum() {
        // 10.0.0.1 to 10.0.0.2, ports 1 and 2, data "a". Pseudo header: 0a00 + 0001 + 0a00 + 0002 +
        // 0011 + 0009.
        let mut frame = [0x00, 0x01, 0x00, 0x02, 0x00, 0x09, 0x14, 0x1d, b'a'];
        PartialChecksum { start: 0, offset: 6 }.complete(&mut frame, 0);
        // 141d + 0001 + 0002 + 0009 + 6100 = 7529, complemented.
        assert_eq!(frame[6..8], [0x8a, 0xd6]);
    }

    #[test]
    fn complete_sum_of_zero_is_all_ones_in_udp_only() {
        let mut udp = [0, 0, 0, 0, 0, 0, 0xff, 0xff];
        PartialChecksum { start: 0, offset: 6 }.complete(&mut udp, 0);
        assert_eq!(udp[6..], [0xff, 0xff]);
        let mut other = [0xff, 0xff, 0, 0];
        PartialChecksum { start: 0, offset: 0 }.complete(&mut other, 0);
        assert_eq!(other, [0; 4]);
    }

    proptest! {
        #[test]
        fn complete_any_data_verifies(mut data in prop::collection::vec(any::<u8>(), 8..1500), pseudo: u16, header in 0_usize..60) {
            data[6..8].copy_from_slice(&pseudo.to_be_bytes());
            let mut frame = vec![0xa5; header];
            frame.extend(&data);
            PartialChecksum { start: header, offset: 6 }.complete(&mut frame, 0);
            prop_assert_eq!(verified(&frame[header..], pseudo), 0xffff);
            prop_assert!(frame[..header].iter().all(|byte| *byte == 0xa5), "only the checksum changes");
        }

        #[test]
        fn complete_any_position_is_in_bounds(mut frame: Vec<u8>, start: usize, offset: usize, inserted in 0_usize..5) {
            let len = frame.len();
            PartialChecksum { start: start % 2000, offset: offset % 2000 }.complete(&mut frame, inserted);
            PartialChecksum { start, offset }.complete(&mut frame, inserted);
            prop_assert_eq!(frame.len(), len);
        }
    }
}
