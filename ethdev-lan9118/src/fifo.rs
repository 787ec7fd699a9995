//! The data FIFOs: copies frames from and to the caller's memory, word by word.

use embedded_hal::delay::DelayNs;
use ethdev_phy::mmio::Registers;

use crate::bus::Bus;
use crate::regs::{self, tx_command};

/// Each segment takes two command words. A frame in more parts than this is packed into one
/// segment.
const MAX_SEGMENTS: usize = 4;
/// Minimum length of segments other than the first and the last, in bytes (section 3.12.3.1).
const MIN_SEGMENT: usize = 4;

impl<BUS: Registers, D: DelayNs> Bus<BUS, D> {
    /// Reads the next frame into `frame`: removes status word, data and FCS from the FIFOs.
    #[inline]
    pub(crate) fn take_frame(&mut self, frame: &mut [u8]) {
        self.read_port(regs::RX_STATUS);
        // Unrolled: an iteration costs as much as a word.
        let mut blocks = frame.chunks_exact_mut(16);
        for block in &mut blocks {
            let a = self.read_port(regs::RX_DATA);
            let b = self.read_port(regs::RX_DATA);
            let c = self.read_port(regs::RX_DATA);
            let d = self.read_port(regs::RX_DATA);
            block.copy_from_slice(&bytes([a, b, c, d]));
        }
        let rest = blocks.into_remainder();
        if !rest.is_empty() {
            self.take_rest(rest);
        }
        // The FCS has four bytes: one more word has what is not in the last word of the frame.
        self.read_port(regs::RX_DATA);
        self.settle();
    }

    /// Reads the last one to fifteen bytes.
    fn take_rest(&mut self, rest: &mut [u8]) {
        for chunk in rest.chunks_mut(4) {
            let word = self.read_port(regs::RX_DATA).to_le_bytes();
            chunk.iter_mut().zip(word).for_each(|(to, from)| *to = from);
        }
    }

    /// Removes the next frame, of `len` bytes with FCS, from the FIFOs. (The chip's fast forward
    /// does not free the space in QEMU's model of it.)
    pub(crate) fn skip_frame(&mut self, len: u32) {
        self.read_port(regs::RX_STATUS);
        for _ in 0..len.div_ceil(4) {
            self.read_port(regs::RX_DATA);
        }
        self.settle();
    }

    /// Writes a frame in one piece, of at least the minimum length.
    #[inline]
    pub(crate) fn write_whole(&mut self, frame: &[u8]) {
        self.write_segment(tx_command::FIRST | tx_command::LAST, frame, frame.len());
        self.settle();
    }

    /// Writes a frame of `len` bytes in parts, padded with zeros to `padded`. `free` bytes of the
    /// FIFO are free, enough for the longest frame in one segment.
    pub(crate) fn write_parts(&mut self, parts: &[&[u8]], len: usize, padded: usize, free: u32) {
        if len == padded && fits_in_segments(parts, len, free) {
            self.write_segments(parts, len);
        } else {
            self.write_packed(parts, len, padded);
        }
        self.settle();
    }

    /// Writes a segment of a frame of `len` bytes. The length is also the tag in the status word.
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
        self.write_port(regs::TX_DATA, word);
    }

    /// Writes each part as a segment. The chip joins them.
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

    /// Writes all parts as one segment, joined word by word.
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

/// Returns whether the parts are legal as segments, and fit into `free` bytes of the FIFO.
fn fits_in_segments(parts: &[&[u8]], len: usize, free: u32) -> bool {
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
    // Each takes a command word, and up to three bytes to fill its last word; command B is stored once
    // (section 3.12.5).
    segments <= MAX_SEGMENTS && len + segments * 7 + 4 <= free as usize
}

/// Converts four words to bytes.
#[inline]
fn bytes([a, b, c, d]: [u32; 4]) -> [u8; 16] {
    (u128::from(a) | u128::from(b) << 32 | u128::from(c) << 64 | u128::from(d) << 96).to_le_bytes()
}

/// Converts sixteen bytes to four words.
#[inline]
fn words(block: &[u8]) -> [u32; 4] {
    let mut bytes = [0; 16];
    if block.len() == bytes.len() {
        bytes.copy_from_slice(block);
    }
    let all = u128::from_le_bytes(bytes);
    [all as u32, (all >> 32) as u32, (all >> 64) as u32, (all >> 96) as u32]
}

/// Converts one to four bytes to a word, filled with zeros.
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
        fn words_of_bytes_round_trips(block: [u8; 16]) {
            prop_assert_eq!(bytes(words(&block)), block);
            prop_assert_eq!(word_of(&block[..4]), words(&block)[0]);
        }
    }

    #[test]
    fn fits_in_segments_rules_of_chip() {
        let zeros = [0; 100];
        let parts = |lens: &[usize]| lens.iter().map(|&len| &zeros[..len]).collect::<std::vec::Vec<_>>();
        let allowed = |lens: &[usize], free| fits_in_segments(&parts(lens), lens.iter().sum(), free);
        // Short first and last segments are legal, short middle ones are not.
        assert!(allowed(&[1, 60, 1], 1600) && allowed(&[0, 14, 0, 0, 46, 3, 0], 1600));
        assert!(!allowed(&[30, 3, 30], 1600));
        assert!(allowed(&[30, 4, 30, 1], 1600));
        assert!(!allowed(&[20, 20, 20, 20, 20], 1600));
        // Two segments of 14 and 86 bytes take 4 + 4 + 16 and 4 + 88 bytes.
        assert!(allowed(&[14, 86], 118) && !allowed(&[14, 86], 117));
    }
}
