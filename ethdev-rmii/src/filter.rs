//! The receive filter.

use ethdev::{FilterOutcome, MacAddress, Multicast, RxFilter};

/// Number of group addresses that are compared one by one. With more, all group addresses pass.
const GROUPS: usize = 8;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Filter {
    broadcast: bool,
    promiscuous: bool,
    /// All groups pass: requested, or more than `GROUPS` were listed.
    all_groups: bool,
    groups: [MacAddress; GROUPS],
    count: usize,
}

impl Filter {
    pub(crate) fn new(filter: RxFilter<'_>) -> (Self, FilterOutcome) {
        let mut new = Self {
            broadcast: filter.broadcast,
            promiscuous: filter.promiscuous,
            all_groups: false,
            groups: [MacAddress::BROADCAST; GROUPS],
            count: 0,
        };
        let mut outcome = FilterOutcome::Exact;
        match filter.multicast {
            Multicast::None => {}
            Multicast::All => new.all_groups = true,
            Multicast::List(groups) => match new.groups.get_mut(..groups.len()) {
                Some(kept) => {
                    kept.copy_from_slice(groups);
                    new.count = groups.len();
                }
                None => {
                    new.all_groups = true;
                    outcome = FilterOutcome::Superset;
                }
            },
        }
        (new, outcome)
    }

    pub(crate) fn passes(&self, destination: MacAddress, own: MacAddress) -> bool {
        let multicast = if self.all_groups {
            Multicast::All
        } else {
            Multicast::List(self.groups.get(..self.count).unwrap_or_default())
        };
        let mut filter = RxFilter::DEFAULT
            .with_broadcast(self.broadcast)
            .with_multicast(multicast);
        filter.promiscuous = self.promiscuous;
        filter.passes(destination, own)
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn passes_any_frame_matches_outcome(
            broadcast: bool,
            promiscuous: bool,
            which in 0_u8..3,
            groups in proptest::collection::vec(any::<u8>(), 0..12),
            destination in prop_oneof![any::<[u8; 6]>(), any::<u8>().prop_map(|n| [1, 0, 0x5e, 0, 0, n]), Just([0xff; 6])],
        ) {
            let own = MacAddress::new([2, 0, 0, 0, 0, 1]);
            let groups: Vec<_> = groups.into_iter().map(|n| MacAddress::new([1, 0, 0x5e, 0, 0, n])).collect();
            let multicast = match which {
                0 => Multicast::None,
                1 => Multicast::List(&groups),
                _ => Multicast::All,
            };
            let mut requested = RxFilter::DEFAULT.with_broadcast(broadcast).with_multicast(multicast);
            requested.promiscuous = promiscuous;
            let (filter, outcome) = Filter::new(requested);
            let destination = MacAddress::new(destination);
            let (want, got) = (requested.passes(destination, own), filter.passes(destination, own));
            match outcome {
                FilterOutcome::Exact => prop_assert_eq!(want, got),
                FilterOutcome::Superset => {
                    prop_assert!(groups.len() > GROUPS && which == 1);
                    prop_assert!(got || !want);
                }
            }
        }
    }
}
