//! The 8 KiB of buffer memory, and the arithmetic of pointers into it.

use ethdev_sim::random::Rng;

/// Bytes of buffer memory.
pub(crate) const SIZE: u16 = 0x2000;

/// The address after this one, as transmission, DMA destination and host writes increment it.
pub(crate) const fn next(address: u16) -> u16 {
    (address + 1) % SIZE
}

/// The address `by` bytes after this one.
pub(crate) const fn offset(address: u16, by: u16) -> u16 {
    (address.wrapping_add(by)) % SIZE
}

/// The receive FIFO: from `start` to `end`, both included. It may wrap at the end of the memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fifo {
    pub(crate) start: u16,
    pub(crate) end: u16,
}

impl Fifo {
    pub(crate) const fn len(self) -> u16 {
        (self.end.wrapping_sub(self.start) % SIZE) + 1
    }

    pub(crate) const fn contains(self, address: u16) -> bool {
        address.wrapping_sub(self.start) % SIZE < self.len()
    }

    /// The address after this one, as the receiver and host reads increment it.
    pub(crate) const fn next(self, address: u16) -> u16 {
        if address == self.end { self.start } else { next(address) }
    }

    /// The address `by` bytes after one in the FIFO.
    pub(crate) fn offset(self, address: u16, by: u16) -> u16 {
        let from_start = u32::from(address.wrapping_sub(self.start) % SIZE);
        offset(
            self.start,
            ((from_start + u32::from(by)) % u32::from(self.len())) as u16,
        )
    }

    /// The distance from one address in the FIFO to another, forwards.
    pub(crate) fn distance(self, from: u16, to: u16) -> u16 {
        let place = |address: u16| u32::from(address.wrapping_sub(self.start) % SIZE);
        let len = u32::from(self.len());
        ((place(to) % len + len - place(from) % len) % len) as u16
    }

    /// How many bytes the receiver may write from `write` on, where `read` is the first byte that
    /// it must not overwrite. One byte is never used, so that full and empty differ (DS39662E
    /// section 7.2.4).
    pub(crate) fn free(self, write: u16, read: u16) -> u16 {
        if write == read || !self.contains(read) {
            self.len() - 1
        } else {
            self.distance(write, read) - 1
        }
    }
}

/// The memory.
pub(crate) struct Ram(Box<[u8; SIZE as usize]>);

impl Ram {
    /// The memory after power-on: random.
    pub(crate) fn random(rng: &mut Rng) -> Self {
        let mut ram = Self(Box::new([0; SIZE as usize]));
        ram.scramble(rng);
        ram
    }

    pub(crate) fn scramble(&mut self, rng: &mut Rng) {
        for byte in self.0.iter_mut() {
            *byte = rng.below(0x100) as u8;
        }
    }

    pub(crate) fn peek(&self, address: u16) -> u8 {
        self.0[usize::from(address % SIZE)]
    }

    pub(crate) fn poke(&mut self, address: u16, value: u8) {
        self.0[usize::from(address % SIZE)] = value;
    }

    /// Writes into the FIFO from `address` on. Returns the address after the last byte.
    pub(crate) fn put(&mut self, fifo: Fifo, mut address: u16, bytes: &[u8]) -> u16 {
        for byte in bytes {
            self.poke(address, *byte);
            address = fifo.next(address);
        }
        address
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fifos() -> impl Strategy<Value = Fifo> {
        (0..SIZE, 0..SIZE).prop_map(|(start, end)| Fifo { start, end })
    }

    proptest! {
        #[test]
        fn fifo_offset_equals_steps(fifo in fifos(), at in 0..SIZE, by in 0_u16..300) {
            let from = fifo.offset(fifo.start, at);
            prop_assert!(fifo.contains(from));
            let mut walked = from;
            for _ in 0..by {
                walked = fifo.next(walked);
                prop_assert!(fifo.contains(walked));
            }
            prop_assert_eq!(walked, fifo.offset(from, by));
            prop_assert_eq!(fifo.distance(from, walked), by % fifo.len());
        }

        /// Example 7-1 of the data sheet, for every FIFO that does not wrap at the end of the
        /// memory.
        #[test]
        fn fifo_free_matches_data_sheet(a in 0..SIZE, b in 0..SIZE, w in 0..SIZE, r in 0..SIZE) {
            let fifo = Fifo { start: a.min(b), end: a.max(b) };
            let (w, r) = (fifo.offset(fifo.start, w), fifo.offset(fifo.start, r));
            let size = fifo.end - fifo.start;
            let expected = match w.cmp(&r) {
                core::cmp::Ordering::Greater => size - (w - r),
                core::cmp::Ordering::Equal => size,
                core::cmp::Ordering::Less => r - w - 1,
            };
            prop_assert_eq!(fifo.free(w, r), expected);
        }

        /// A full FIFO never overwrites the byte at ERXRDPT, and differs from an empty one.
        #[test]
        fn fifo_filled_completely_keeps_one_byte_free(fifo in fifos(), w in 0..SIZE, r in 0..SIZE) {
            let (w, r) = (fifo.offset(fifo.start, w), fifo.offset(fifo.start, r));
            let after = fifo.offset(w, fifo.free(w, r));
            if w != r {
                prop_assert_ne!(after, r);
                prop_assert_eq!(fifo.next(after), r);
            }
        }
    }
}
