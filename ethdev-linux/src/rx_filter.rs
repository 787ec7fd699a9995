//! The receive filter. The kernel delivers more frames than requested, so filtering happens here.

use ethdev::{MacAddress, Multicast, RxFilter};

/// An [`RxFilter`] that owns its list of groups.
#[derive(Debug)]
pub struct Filter {
    /// The setting, with [`Multicast::None`] in place of a list.
    pub(crate) setting: RxFilter<'static>,
    /// The list, without broadcast and unicast addresses.
    pub(crate) groups: Vec<MacAddress>,
}

impl Filter {
    pub(crate) fn new(filter: RxFilter<'_>) -> Self {
        let (multicast, groups) = match filter.multicast {
            Multicast::None => (Multicast::None, &[][..]),
            Multicast::All => (Multicast::All, &[][..]),
            Multicast::List(groups) => (Multicast::None, groups),
        };
        let mut setting = RxFilter::DEFAULT
            .with_broadcast(filter.broadcast)
            .with_multicast(multicast);
        setting.promiscuous = filter.promiscuous;
        let is_group = |address: &MacAddress| address.is_multicast() && !address.is_broadcast();
        Self {
            setting,
            groups: groups.iter().copied().filter(is_group).collect(),
        }
    }

    pub(crate) fn passes(&self, destination: MacAddress, own: MacAddress) -> bool {
        self.setting.passes(destination, own) || self.groups.contains(&destination)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn address() -> impl Strategy<Value = MacAddress> {
        // Few addresses, so that they collide, and of every kind.
        prop_oneof![
            Just(MacAddress::BROADCAST),
            (0_u8..4, 0_u8..3).prop_map(|(first, last)| MacAddress::new([first, 0, 0, 0, 0, last])),
        ]
    }

    proptest! {
        #[test]
        fn passes_any_filter_equals_rx_filter(
            own in address(),
            destination in address(),
            list in prop::collection::vec(address(), 0..4),
            (broadcast, promiscuous, kind) in (any::<bool>(), any::<bool>(), 0..3),
        ) {
            let multicast = match kind {
                0 => Multicast::None,
                1 => Multicast::List(&list),
                _ => Multicast::All,
            };
            let mut requested = RxFilter::DEFAULT.with_broadcast(broadcast).with_multicast(multicast);
            requested.promiscuous = promiscuous;
            prop_assert_eq!(Filter::new(requested).passes(destination, own), requested.passes(destination, own));
        }
    }
}
