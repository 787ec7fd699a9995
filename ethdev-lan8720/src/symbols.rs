//! The symbol error counter.

/// Adds up a counter of 16 bits of which the sources disagree whether it wraps, or is cleared when it is read.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Symbols {
    pub(crate) last: u16,
    pub(crate) total: u32,
}

impl Symbols {
    /// A new reading. Less than before is a wrap where that is the shorter way, and else the counter was cleared meanwhile (by a reset, by being read).
    pub(crate) fn read(&mut self, now: u16) -> u32 {
        let grown = now.wrapping_sub(self.last);
        let cleared = now < self.last && grown > u16::MAX / 2;
        self.total = self.total.wrapping_add(u32::from(if cleared { now } else { grown }));
        self.last = now;
        self.total
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_clear_is_not_a_wrap() {
        let mut symbols = Symbols::default();
        assert_eq!(symbols.read(10), 10);
        assert_eq!(symbols.read(10), 10);
        // Cleared, and three more.
        assert_eq!(symbols.read(3), 13);
    }

    proptest! {
        #[test]
        fn wraps_are_followed(steps in proptest::collection::vec(0_u16..=u16::MAX / 2, 0..100)) {
            let (mut symbols, mut counter, mut total) = (Symbols::default(), 0_u16, 0);
            for step in steps {
                counter = counter.wrapping_add(step);
                total += u32::from(step);
                prop_assert_eq!(symbols.read(counter), total);
            }
        }
    }
}
