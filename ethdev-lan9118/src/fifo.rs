//! The data FIFOs: frames in and out, word by word, without copies in between.

use embedded_hal::delay::DelayNs;

use super::chip::Chip;
use super::regs::{self, tx_command};
use ethdev_phy::mmio::Registers;

/// Segments cost two commands each, and a look for room; a frame in more pieces than this is packed.
pub(super) const MAX_SEGMENTS: usize = 4;
/// Segments other than the first and the last have at least so many bytes (section 3.12.3.1).
const MIN_SEGMENT: usize = 4;

impl<R: Registers, D: DelayNs> Chip<R, D> {
    /// Takes the next frame, status and data with the FCS, out of its FIFOs into `frame`.
    #[inline]
    pub(super) fn take_frame(&mut self, frame: &mut [u8]) {
        self.port(regs::RX_STATUS);
        // Four words a turn, written out: a turn costs as much as a word.
        let mut blocks = frame.chunks_exact_mut(16);
        for block in &mut blocks {
            let a = self.port(regs::RX_DATA);
            let b = self.port(regs::RX_DATA);
            let c = self.port(regs::RX_DATA);
            let d = self.port(regs::RX_DATA);
            block.copy_from_slice(&bytes([a, b, c, d]));
        }
        let rest = blocks.into_remainder();
        if !rest.is_empty() {
            self.take_rest(rest);
        }
        // The FCS has four bytes: whatever of it was in the last word, one more word has the rest.
        self.port(regs::RX_DATA);
        self.settle();
    }

    /// Takes the last one to fifteen bytes.
    fn take_rest(&mut self, rest: &mut [u8]) {
        for chunk in rest.chunks_mut(4) {
            let word = self.port(regs::RX_DATA).to_le_bytes();
            chunk.iter_mut().zip(word).for_each(|(to, from)| *to = from);
        }
    }

    /// Takes the next frame, with `len` bytes of data, out of its FIFOs and throws it away. (The chip's own way, fast forward, does not give the room back in
    /// QEMU's model of it.)
    pub(super) fn skip_frame(&mut self, len: u32) {
        self.port(regs::RX_STATUS);
        for _ in 0..len.div_ceil(4) {
            self.port(regs::RX_DATA);
        }
        self.settle();
    }

    /// Writes a frame that lies in one piece and is no shorter than the shortest.
    #[inline]
    pub(super) fn write_whole(&mut self, frame: &[u8]) {
        self.write_segment(tx_command::FIRST | tx_command::LAST, frame, frame.len());
        self.settle();
    }

    /// Writes a frame of `len` bytes that lies in parts, padded with zeros to `padded`. `room` bytes are free, enough for the longest frame in one piece.
    pub(super) fn write_parts(&mut self, parts: &[&[u8]], len: usize, padded: usize, room: u32) {
        if len == padded && in_segments(parts, len, room) {
            self.write_segments(parts, len);
        } else {
            self.write_packed(parts, len, padded);
        }
        self.settle();
    }

    /// Writes a segment of a frame of `len` bytes, which is also the tag that comes back.
    #[inline]
    fn write_segment(&mut self, position: u32, segment: &[u8], len: usize) {
        self.put(tx_command::a(position, segment.len()));
        self.put(tx_command::b(len, len));
        let mut blocks = segment.chunks_exact(16);
        for block in &mut blocks {
            let [a, b, c, d] = words(block);
            self.put(a);
            self.put(b);
            self.put(c);
            self.put(d);
        }
        let rest = blocks.remainder();
        if !rest.is_empty() {
            self.put_rest(rest);
        }
    }

    /// Writes the last one to fifteen bytes.
    fn put_rest(&mut self, rest: &[u8]) {
        for word in rest.chunks(4) {
            self.put(word_of(word));
        }
    }

    #[inline]
    fn put(&mut self, word: u32) {
        self.port_write(regs::TX_DATA, word);
    }

    /// Each part as a segment: the chip puts them together.
    fn write_segments(&mut self, parts: &[&[u8]], len: usize) {
        let mut left = len;
        let mut position = tx_command::FIRST;
        for part in parts.iter().filter(|part| !part.is_empty()) {
            left = left.saturating_sub(part.len());
            if left == 0 {
                position |= tx_command::LAST;
            }
            self.write_segment(position, part, len);
            position = 0;
        }
    }

    /// All parts in one segment, put together word by word.
    fn write_packed(&mut self, parts: &[&[u8]], len: usize, padded: usize) {
        self.put(tx_command::a(tx_command::FIRST | tx_command::LAST, padded));
        self.put(tx_command::b(len, padded));
        let mut bytes = parts.iter().flat_map(|part| part.iter().copied());
        for _ in 0..padded.div_ceil(4) {
            let word = [(); 4].map(|()| bytes.next().unwrap_or(0));
            self.put(u32::from_le_bytes(word));
        }
    }
}

/// Whether the parts may be segments as they are, and find room as such.
fn in_segments(parts: &[&[u8]], len: usize, room: u32) -> bool {
    let mut segments = 0;
    let mut left = len;
    for part in parts.iter().filter(|part| !part.is_empty()) {
        let first = segments == 0;
        left = left.saturating_sub(part.len());
        if !first && left != 0 && part.len() < MIN_SEGMENT {
            return false;
        }
        segments += 1;
    }
    // Each takes a command, and up to three bytes of its last word; the second command is stored once (section 3.12.5).
    segments <= MAX_SEGMENTS && len + segments * 7 + 4 <= room as usize
}

/// Four words as the bytes that they came as.
#[inline]
fn bytes([a, b, c, d]: [u32; 4]) -> [u8; 16] {
    (u128::from(a) | u128::from(b) << 32 | u128::from(c) << 64 | u128::from(d) << 96).to_le_bytes()
}

/// Sixteen bytes as four words.
#[inline]
fn words(block: &[u8]) -> [u32; 4] {
    let mut bytes = [0; 16];
    if block.len() == bytes.len() {
        bytes.copy_from_slice(block);
    }
    let all = u128::from_le_bytes(bytes);
    [all as u32, (all >> 32) as u32, (all >> 64) as u32, (all >> 96) as u32]
}

/// One to four bytes as a word, the rest zero.
#[inline]
fn word_of(bytes: &[u8]) -> u32 {
    match *bytes {
        [a, b, c, d] => u32::from_le_bytes([a, b, c, d]),
        [a, b, c] => u32::from_le_bytes([a, b, c, 0]),
        [a, b] => u32::from_le_bytes([a, b, 0, 0]),
        [a] => u32::from_le_bytes([a, 0, 0, 0]),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn words_and_bytes_are_each_others_inverse(block: [u8; 16]) {
            prop_assert_eq!(bytes(words(&block)), block);
            prop_assert_eq!(word_of(&block[..4]), words(&block)[0]);
        }
    }

    #[test]
    fn segments_obey_the_chip() {
        let zeros = [0; 100];
        let parts = |lens: &[usize]| lens.iter().map(|&len| &zeros[..len]).collect::<std::vec::Vec<_>>();
        let allowed = |lens: &[usize], room| in_segments(&parts(lens), lens.iter().sum(), room);
        // Short first and last ones are legal, short middle ones are not.
        assert!(allowed(&[1, 60, 1], 1600) && allowed(&[0, 14, 0, 0, 46, 3, 0], 1600));
        assert!(!allowed(&[30, 3, 30], 1600));
        assert!(allowed(&[30, 4, 30, 1], 1600));
        assert!(!allowed(&[20, 20, 20, 20, 20], 1600));
        // Two segments of 14 and 86 bytes take 4 + 4 + 16 and 4 + 88.
        assert!(allowed(&[14, 86], 118) && !allowed(&[14, 86], 117));
    }
}
