//! The receive filter of a port.

use ethdev::{FilterOutcome, MacAddress, Multicast, RxFilter};

/// Group addresses that a filter holds. With more, all groups pass.
const MAX_GROUPS: usize = 8;

/// A filter with its own copy of the group addresses.
#[derive(Debug)]
pub(crate) struct Filter {
    broadcast: bool,
    promiscuous: bool,
    all_groups: bool,
    groups: [MacAddress; MAX_GROUPS],
    len: usize,
}

impl Filter {
    pub(crate) const DEFAULT: Self = Self {
        broadcast: true,
        promiscuous: false,
        all_groups: false,
        groups: [MacAddress::UNSPECIFIED; MAX_GROUPS],
        len: 0,
    };

    pub(crate) fn set(&mut self, filter: RxFilter<'_>) -> FilterOutcome {
        (self.broadcast, self.promiscuous) = (filter.broadcast, filter.promiscuous);
        let groups = match filter.multicast {
            Multicast::List(groups) => groups,
            Multicast::None | Multicast::All => &[],
        };
        let copy = self.groups.get_mut(..groups.len());
        let fits = copy.is_some();
        if let Some(copy) = copy {
            copy.copy_from_slice(groups);
        }
        self.len = if fits { groups.len() } else { 0 };
        self.all_groups = filter.multicast == Multicast::All || !fits;
        if fits {
            FilterOutcome::Exact
        } else {
            FilterOutcome::Superset
        }
    }

    pub(crate) fn passes(&self, destination: MacAddress, own: MacAddress) -> bool {
        let multicast = match self.groups.get(..self.len) {
            Some(groups) if !self.all_groups => Multicast::List(groups),
            _ => Multicast::All,
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
    use super::*;

    const OWN: MacAddress = MacAddress::new([2, 0, 0, 0, 0, 1]);

    const fn group(n: u8) -> MacAddress {
        MacAddress::new([1, 0, 0x5e, 0, 0, n])
    }

    #[test]
    fn set_list_that_fits_is_exact() {
        let groups: [_; MAX_GROUPS] = core::array::from_fn(|n| group(n as u8));
        let mut filter = Filter::DEFAULT;
        let set = RxFilter::DEFAULT.with_multicast(Multicast::List(&groups));
        assert_eq!(filter.set(set), FilterOutcome::Exact);
        assert!(groups.iter().all(|&group| filter.passes(group, OWN)));
        assert!(!filter.passes(group(100), OWN));
    }

    #[test]
    fn set_longer_list_passes_all_groups_until_set_again() {
        let groups: [_; MAX_GROUPS + 1] = core::array::from_fn(|n| group(n as u8));
        let mut filter = Filter::DEFAULT;
        let set = RxFilter::DEFAULT.with_multicast(Multicast::List(&groups));
        assert_eq!(filter.set(set), FilterOutcome::Superset);
        assert!(filter.passes(group(8), OWN) && filter.passes(group(100), OWN));
        assert_eq!(filter.set(RxFilter::DEFAULT), FilterOutcome::Exact);
        assert!(!filter.passes(group(0), OWN) && filter.passes(MacAddress::BROADCAST, OWN));
    }
}
