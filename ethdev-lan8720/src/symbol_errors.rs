//! The symbol error counter.

/// Accumulates the 16-bit counter. Sources disagree whether it wraps or is cleared by reading.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct SymbolErrors {
    pub(crate) last: u16,
    pub(crate) total: u32,
}

impl SymbolErrors {
    /// Adds a reading and returns the total. A smaller value than before counts as a wrap if the
    /// increment is then below 32 768, otherwise as a counter that was cleared (by a reset or
    /// by reading).
    pub(crate) fn add(&mut self, now: u16) -> u32 {
        let increment = now.wrapping_sub(self.last);
        let cleared = now < self.last && increment > u16::MAX / 2;
        self.total = self
            .total
            .wrapping_add(u32::from(if cleared { now } else { increment }));
        self.last = now;
        self.total
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn add_smaller_value_cleared() {
        let mut errors = SymbolErrors::default();
        assert_eq!(errors.add(10), 10);
        assert_eq!(errors.add(10), 10);
        // Cleared, then three errors.
        assert_eq!(errors.add(3), 13);
    }

    proptest! {
        #[test]
        fn add_wrap_is_exact(steps in proptest::collection::vec(0_u16..=u16::MAX / 2, 0..100)) {
            let (mut errors, mut counter, mut total) = (SymbolErrors::default(), 0_u16, 0);
            for step in steps {
                counter = counter.wrapping_add(step);
                total += u32::from(step);
                prop_assert_eq!(errors.add(counter), total);
            }
        }
    }
}
