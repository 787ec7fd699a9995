//! Multicast groups that a stack has joined.

use ethdev::{MacAddress, Multicast};

/// The group addresses to receive on, with the number of times that each was added.
///
/// Stacks join and leave IP groups; several groups share one group address (RFC 1112, section 6.4),
/// so an address is received until it was removed as often as it was added. It holds up to `N`
/// addresses. While more are joined, it asks for all multicast frames, so that none is missed; also
/// while an address was removed that had not been added.
///
/// ```
/// use ethdev::{MacAddress, Multicast, RxFilter};
/// use ethdev_util::GroupSet;
///
/// let mut groups = GroupSet::<4>::new();
/// let mdns = [0x01, 0x00, 0x5e, 0, 0, 251]; // as stacks hold it
/// if groups.add(mdns) {
///     // The filter changed: device.set_rx_filter(RxFilter::DEFAULT.with_multicast(groups.multicast()))
/// }
/// assert!(!groups.add(mdns)); // joined once more: no change
/// assert_eq!(groups.multicast(), Multicast::List(&[MacAddress::new(mdns)]));
/// assert!(!groups.remove(mdns));
/// assert!(groups.remove(mdns)); // left by all: the filter changed
/// assert_eq!(groups.multicast(), Multicast::None);
/// ```
#[derive(Debug, Clone)]
pub struct GroupSet<const N: usize> {
    groups: [MacAddress; N],
    counts: [u16; N],
    len: usize,
    /// Additions that found no place and were not removed yet.
    overflow: u32,
    /// The sum of their addresses. It differs from zero without additions if another address was
    /// removed instead: then it is unknown which one is still joined.
    overflow_sum: u64,
}

impl<const N: usize> GroupSet<N> {
    /// Creates an empty set.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            groups: [MacAddress::UNSPECIFIED; N],
            counts: [0; N],
            len: 0,
            overflow: 0,
            overflow_sum: 0,
        }
    }

    /// Adds a group address once. Returns whether [`multicast`](Self::multicast) changed.
    pub fn add(&mut self, group: impl Into<MacAddress>) -> bool {
        let group = group.into();
        if let Some(count) = self.position(group).and_then(|at| self.counts.get_mut(at)) {
            *count = count.saturating_add(1);
            return false;
        }
        if let (Some(place), Some(count)) = (self.groups.get_mut(self.len), self.counts.get_mut(self.len)) {
            (*place, *count) = (group, 1);
            self.len = self.len.saturating_add(1);
            return !self.is_overflown();
        }
        let was_overflown = self.is_overflown();
        self.overflow = self.overflow.saturating_add(1);
        self.overflow_sum = self.overflow_sum.wrapping_add(number(group));
        self.is_overflown() != was_overflown
    }

    /// Removes a group address once. Returns whether [`multicast`](Self::multicast) changed. Does
    /// nothing if it was not added and all additions have a place. An address that was added 65,535
    /// times stays.
    pub fn remove(&mut self, group: impl Into<MacAddress>) -> bool {
        let group = group.into();
        let Some(at) = self.position(group) else {
            let was_overflown = self.is_overflown();
            if was_overflown {
                self.overflow = self.overflow.saturating_sub(1);
                self.overflow_sum = self.overflow_sum.wrapping_sub(number(group));
            }
            return self.is_overflown() != was_overflown;
        };
        if let Some(count) = self.counts.get_mut(at) {
            if *count == u16::MAX {
                // The number of additions is unknown.
                return false;
            }
            *count = count.saturating_sub(1);
            if *count != 0 {
                return false;
            }
        }
        let last = self.len.saturating_sub(1);
        if at < self.len && last < N {
            self.groups.swap(at, last);
            self.counts.swap(at, last);
        }
        self.len = last;
        !self.is_overflown()
    }

    const fn is_overflown(&self) -> bool {
        self.overflow != 0 || self.overflow_sum != 0
    }

    /// Returns the filter for the groups in the set.
    #[must_use]
    pub fn multicast(&self) -> Multicast<'_> {
        match self.groups.get(..self.len) {
            _ if self.is_overflown() => Multicast::All,
            Some([]) | None => Multicast::None,
            Some(groups) => Multicast::List(groups),
        }
    }

    fn position(&self, group: MacAddress) -> Option<usize> {
        self.groups.iter().take(self.len).position(|held| *held == group)
    }
}

fn number(group: MacAddress) -> u64 {
    group
        .octets()
        .iter()
        .fold(0, |number, octet| number << 8 | u64::from(*octet))
}

impl<const N: usize> Default for GroupSet<N> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;
    use std::vec::Vec;

    const fn group(n: u8) -> [u8; 6] {
        [0x01, 0, 0x5e, 0, 0, n]
    }

    proptest! {
        #[test]
        fn group_set_any_sequence_matches_reference(steps: Vec<(bool, u8)>) {
            let mut set = GroupSet::<255>::new();
            let mut counts = BTreeMap::<u8, u32>::new();
            for (add, n) in steps {
                let before = counts.clone();
                let changed = if add {
                    *counts.entry(n).or_default() += 1;
                    set.add(group(n))
                } else {
                    if let Some(count) = counts.get_mut(&n) {
                        *count -= 1;
                    }
                    counts.retain(|_, count| *count != 0);
                    set.remove(group(n))
                };
                prop_assert_eq!(changed, before.keys().ne(counts.keys()));
                let mut held = match set.multicast() {
                    Multicast::None => Vec::new(),
                    Multicast::List(groups) => groups.to_vec(),
                    Multicast::All => panic!("255 places for 255 groups"),
                };
                held.sort();
                prop_assert!(held.into_iter().eq(counts.keys().map(|n| MacAddress::new(group(*n)))));
            }
        }
    }

    #[test]
    fn group_set_full_asks_for_all_until_removed() {
        let mut set = GroupSet::<1>::new();
        assert!(set.add(group(1)));
        assert!(set.add(group(2)));
        assert_eq!(set.multicast(), Multicast::All);
        assert!(!set.add(group(3)));
        assert!(!set.remove(group(2)));
        assert!(set.remove(group(3)));
        assert_eq!(set.multicast(), Multicast::List(&[MacAddress::new(group(1))]));
    }

    /// Two owners of one set, one of which removes what it did not add.
    #[test]
    fn remove_never_added_while_full_misses_no_group() {
        let mut set = GroupSet::<1>::new();
        set.add(group(1));
        set.add(group(2));
        set.remove(group(3));
        assert_eq!(set.multicast(), Multicast::All, "group 2 is still joined");
        // Balanced again.
        set.add(group(3));
        assert!(set.remove(group(2)));
        assert_eq!(set.multicast(), Multicast::List(&[MacAddress::new(group(1))]));
        assert!(!set.remove(group(3)));
        assert_eq!(set.multicast(), Multicast::List(&[MacAddress::new(group(1))]));
    }

    #[test]
    fn remove_after_most_additions_keeps_group() {
        let mut set = GroupSet::<1>::new();
        for _ in 0..=u16::MAX {
            set.add(group(1));
        }
        for _ in 0..u16::MAX {
            set.remove(group(1));
        }
        assert_eq!(set.multicast(), Multicast::List(&[MacAddress::new(group(1))]));
    }

    #[test]
    fn group_set_without_places_asks_for_all() {
        let mut set = GroupSet::<0>::new();
        assert!(set.add(group(1)));
        assert_eq!(set.multicast(), Multicast::All);
        assert!(set.remove(group(1)));
        assert_eq!(set.multicast(), Multicast::None);
    }
}
