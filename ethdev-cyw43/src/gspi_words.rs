//! The words of a transaction after the command word. They are composed and distributed word by
//! word, without a buffer.

/// The words of a write, in wire order: an iterator.
///
/// They are composed from the caller's memory while they are sent. A bus that sends from memory
/// (DMA) takes them in blocks with [`fill`](Self::fill).
#[derive(Debug)]
pub struct TxWords<'a> {
    head: &'a [u8],
    parts: core::slice::Iter<'a, &'a [u8]>,
    bytes_left: usize,
    swapped: bool,
}

impl<'a> TxWords<'a> {
    /// `head`, then `parts`, then zeros to the end of the last word.
    pub(crate) fn new(head: &'a [u8], parts: &'a [&'a [u8]]) -> Self {
        let bytes = parts
            .iter()
            .fold(head.len(), |sum, part| sum.saturating_add(part.len()));
        Self {
            head,
            parts: parts.iter(),
            bytes_left: bytes,
            swapped: false,
        }
    }

    /// Sets whether the halves of each word are swapped, as the chip requires after power-up.
    pub(crate) const fn swapped(mut self, swapped: bool) -> Self {
        self.swapped = swapped;
        self
    }

    /// Returns the number of words left to send.
    #[must_use]
    pub const fn words_left(&self) -> usize {
        self.bytes_left.div_ceil(4)
    }

    /// Copies the next words to `words`, as many as fit, and returns their number.
    pub fn fill(&mut self, words: &mut [u32]) -> usize {
        let mut count = 0;
        for (slot, word) in words.iter_mut().zip(self) {
            *slot = word;
            count += 1;
        }
        count
    }

    fn byte(&mut self) -> u8 {
        loop {
            if let Some((first, rest)) = self.head.split_first() {
                self.head = rest;
                return *first;
            }
            match self.parts.next() {
                Some(part) => self.head = part,
                None => return 0,
            }
        }
    }
}

impl Iterator for TxWords<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        if self.bytes_left == 0 {
            return None;
        }
        self.bytes_left = self.bytes_left.saturating_sub(4);
        let word = if let Some((bytes, rest)) = self.head.split_first_chunk::<4>() {
            self.head = rest;
            u32::from_le_bytes(*bytes)
        } else {
            let [a, b, c, d] = core::array::from_fn(|_| self.byte());
            u32::from_le_bytes([a, b, c, d])
        };
        Some(if self.swapped { word.rotate_left(16) } else { word })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.words_left(), Some(self.words_left()))
    }
}

impl ExactSizeIterator for TxWords<'_> {}

/// Takes received words.
pub(crate) trait WordSink {
    fn word(&mut self, word: u32);
}

/// Takes the words of a read, in wire order.
///
/// They are parsed and stored one by one. A bus that receives into memory (DMA) passes them on in
/// blocks with [`extend`](Self::extend).
pub struct RxWords<'a> {
    skip: usize,
    words_left: usize,
    swapped: bool,
    sink: &'a mut (dyn WordSink + Send),
}

impl core::fmt::Debug for RxWords<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("RxWords")
            .field("words_left", &self.words_left)
            .finish_non_exhaustive()
    }
}

impl<'a> RxWords<'a> {
    /// `skip` words of padding, then `bytes` bytes into `sink`.
    pub(crate) fn new(skip: usize, bytes: usize, swapped: bool, sink: &'a mut (dyn WordSink + Send)) -> Self {
        Self {
            skip,
            words_left: skip + bytes.div_ceil(4),
            swapped,
            sink,
        }
    }

    /// Returns the number of words left to read: padding and data, without the status word.
    #[must_use]
    pub const fn words_left(&self) -> usize {
        self.words_left
    }

    /// Takes the next word. Surplus words are ignored.
    pub fn push(&mut self, word: u32) {
        if self.words_left == 0 {
            return;
        }
        self.words_left -= 1;
        if self.skip > 0 {
            self.skip -= 1;
            return;
        }
        self.sink.word(if self.swapped { word.rotate_left(16) } else { word });
    }

    /// Takes the next words.
    pub fn extend(&mut self, words: &[u32]) {
        for &word in words {
            self.push(word);
        }
    }
}

/// One word.
#[derive(Debug, Default)]
pub(crate) struct OneWord(pub(crate) u32);

impl WordSink for OneWord {
    fn word(&mut self, word: u32) {
        self.0 = word;
    }
}

/// The start of a slice.
#[derive(Debug)]
pub(crate) struct Bytes<'a>(pub(crate) &'a mut [u8]);

impl WordSink for Bytes<'_> {
    fn word(&mut self, word: u32) {
        let slice = core::mem::take(&mut self.0);
        let now = slice.len().min(4);
        if let Some((head, rest)) = slice.split_at_mut_checked(now) {
            for (to, from) in head.iter_mut().zip(word.to_le_bytes()) {
                *to = from;
            }
            self.0 = rest;
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    proptest! {
        #[test]
        fn fill_any_parts_matches_concatenation(head: Vec<u8>, parts: Vec<Vec<u8>>, piece in 1_usize..9) {
            let slices: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
            let mut bytes = [head.clone(), parts.concat()].concat();
            bytes.resize(bytes.len().next_multiple_of(4), 0);
            let mut outgoing = TxWords::new(&head, &slices);
            prop_assert_eq!(outgoing.words_left() * 4, bytes.len());
            let mut got = Vec::new();
            let mut memory = std::vec![0; piece];
            loop {
                let count = outgoing.fill(&mut memory);
                got.extend(memory[..count].iter().flat_map(|word| word.to_le_bytes()));
                if count == 0 {
                    break;
                }
            }
            prop_assert_eq!(got, bytes);
        }

        #[test]
        fn extend_written_words_round_trips(bytes: Vec<u8>, skip in 0_usize..5, more: Vec<u32>, swapped: bool) {
            let outgoing: Vec<u32> = TxWords::new(&bytes, &[]).swapped(swapped).collect();
            let mut memory = std::vec![0; bytes.len()];
            let mut sink = Bytes(&mut memory);
            let mut incoming = RxWords::new(skip, bytes.len(), swapped, &mut sink);
            prop_assert_eq!(incoming.words_left(), skip + outgoing.len());
            incoming.extend(&std::vec![0x5a5a_5a5a; skip]);
            incoming.extend(&outgoing);
            incoming.extend(&more);
            prop_assert_eq!(memory, bytes);
        }
    }

    #[test]
    fn swapped_test_pattern_matches_power_up_order() {
        let word = |value: u32| TxWords::new(&value.to_le_bytes(), &[]).swapped(true).next();
        assert_eq!(word(0x1234_5678), Some(0x5678_1234));
        assert_eq!(word(0x0003_04b1), Some(0x04b1_0003));
    }
}
