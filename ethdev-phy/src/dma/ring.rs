//! Arithmetic of descriptor rings, the same for every MAC that has one. No memory, no hardware.
//!
//! Positions are numbers below the ring's length; a ring has at least one descriptor. What is not below the length is taken modulo it, and a length of zero
//! counts as one, so that nothing here can go wrong: not with a length from hardware either.

/// The position after `at`.
#[inline]
#[must_use]
pub const fn after(at: u16, len: u16) -> u16 {
    let next = at.wrapping_add(1);
    if next >= len { 0 } else { next }
}

/// The position `by` further on.
#[inline]
#[must_use]
pub const fn forward(at: u16, by: u16, len: u16) -> u16 {
    modulo(at as u32 + by as u32, len)
}

/// How far it is forward from `from` to `to`: less than the length.
#[inline]
#[must_use]
pub const fn distance(from: u16, to: u16, len: u16) -> u16 {
    let from = modulo(from as u32, len);
    modulo(to as u32 + (if len == 0 { 1 } else { len as u32 }) - from as u32, len)
}

/// Divides only where it must: small cores have no instruction for that.
#[inline]
const fn modulo(sum: u32, len: u16) -> u16 {
    let len = if len == 0 { 1 } else { len as u32 };
    if sum < len {
        sum as u16
    } else if sum - len < len {
        (sum - len) as u16
    } else {
        (sum % len) as u16
    }
}

/// The position `by` before `to`.
#[inline]
#[must_use]
pub const fn back(to: u16, by: u16, len: u16) -> u16 {
    distance(by, to, len)
}

/// How a ring is turned when the hardware begins anew at descriptor 0 and frames that were received are still to be read.
///
/// The frames wait in descriptors from `at` on. They are moved to the end of the ring: the reader goes on there and comes to descriptor
/// 0 next, which is where the hardware fills in the frame after them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    /// Where the reader goes on.
    pub at: u16,
    /// Descriptor 0 takes the place of the one with this number, descriptor 1 that of the next, and so on round.
    pub first: u16,
}

impl Turn {
    /// With `pending` frames to be read from `at` on, in a ring of `len`.
    #[must_use]
    pub const fn new(at: u16, pending: u16, len: u16) -> Self {
        let first = forward(at, pending, len);
        Self {
            at: distance(first, at, len),
            first,
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
        fn going_forward_and_measuring_are_inverse(len in 1_u16..300, at: u16, by: u16) {
            let at = at % len;
            let there = forward(at, by, len);
            prop_assert!(there < len);
            prop_assert_eq!(distance(at, there, len), by % len);
            prop_assert_eq!(forward(at, 1, len), after(at, len));
            prop_assert_eq!(back(there, by, len), at);
        }

        #[test]
        fn nothing_is_out_of_range(len: u16, a: u16, b: u16) {
            let limit = len.max(1);
            for position in [after(a, len), forward(a, b, len), back(a, b, len), distance(a, b, len)] {
                prop_assert!(position < limit);
            }
        }

        /// The reader finds the same frames in the same order, then descriptor 0; the hardware finds every other one from 0 on.
        #[test]
        fn a_turn_keeps_what_is_pending(len in 1_u16..40, at: u16, pending: u16) {
            let (at, pending) = (at % len, pending % (len + 1));
            let before: Vec<u16> = (0..pending).map(|n| forward(at, n, len)).collect();
            let turn = Turn::new(at, pending, len);
            let moved: Vec<u16> = (0..len).map(|n| forward(turn.first, n, len)).collect();
            let after: Vec<u16> = (0..pending).map(|n| moved[usize::from(forward(turn.at, n, len))]).collect();
            prop_assert_eq!(before, after);
            prop_assert_eq!(forward(turn.at, pending, len), 0);
        }
    }
}
