//! Arithmetic of descriptor rings. It accesses no memory and no hardware.
//!
//! A position is an index below the length of the ring. Other indexes are taken modulo the length,
//! and a length of zero counts as one, so that no input panics.

/// Returns the position after `at`.
#[inline]
#[must_use]
pub const fn after(at: u16, len: u16) -> u16 {
    let next = at.wrapping_add(1);
    if next >= len { 0 } else { next }
}

/// Returns the position `by` after `at`.
#[inline]
#[must_use]
pub const fn forward(at: u16, by: u16, len: u16) -> u16 {
    modulo(at as u32 + by as u32, len)
}

/// Returns the distance forward from `from` to `to`, less than the length.
#[inline]
#[must_use]
pub const fn distance(from: u16, to: u16, len: u16) -> u16 {
    let from = modulo(from as u32, len);
    modulo(to as u32 + (if len == 0 { 1 } else { len as u32 }) - from as u32, len)
}

/// Divides only if necessary: small cores have no division instruction.
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

/// Returns the position `by` before `to`.
#[inline]
#[must_use]
pub const fn back(to: u16, by: u16, len: u16) -> u16 {
    distance(by, to, len)
}

/// How a receive ring is rotated when the hardware restarts at descriptor 0 and received frames are
/// still pending.
///
/// The pending frames are moved to the end of the ring. The reader continues there and then reaches
/// descriptor 0, where the hardware stores the next frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rotation {
    /// The position at which the reader continues.
    pub at: u16,
    /// Descriptor 0 gets the content of the descriptor at this position, descriptor 1 that of the
    /// next, and so on.
    pub first: u16,
}

impl Rotation {
    /// Computes the rotation for `pending` frames from `at` on, in a ring of `len` descriptors.
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
        fn distance_of_forward_round_trips(len in 1_u16..300, at: u16, by: u16) {
            let at = at % len;
            let there = forward(at, by, len);
            prop_assert!(there < len);
            prop_assert_eq!(distance(at, there, len), by % len);
            prop_assert_eq!(forward(at, 1, len), after(at, len));
            prop_assert_eq!(back(there, by, len), at);
        }

        #[test]
        fn positions_any_input_in_range(len: u16, a: u16, b: u16) {
            let limit = len.max(1);
            for position in [after(a, len), forward(a, b, len), back(a, b, len), distance(a, b, len)] {
                prop_assert!(position < limit);
            }
        }

        /// The reader finds the same frames in the same order, then descriptor 0.
        #[test]
        fn rotation_any_keeps_pending(len in 1_u16..40, at: u16, pending: u16) {
            let (at, pending) = (at % len, pending % (len + 1));
            let before: Vec<u16> = (0..pending).map(|n| forward(at, n, len)).collect();
            let rotation = Rotation::new(at, pending, len);
            let moved: Vec<u16> = (0..len).map(|n| forward(rotation.first, n, len)).collect();
            let after: Vec<u16> = (0..pending).map(|n| moved[usize::from(forward(rotation.at, n, len))]).collect();
            prop_assert_eq!(before, after);
            prop_assert_eq!(forward(rotation.at, pending, len), 0);
        }
    }
}
