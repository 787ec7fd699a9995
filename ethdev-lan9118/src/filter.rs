//! The receive filter, as register contents (table 3.1 of the data sheet).

use ethdev::{FilterOutcome, MacAddress, Multicast, RxFilter};

use crate::regs::cr::{HASH_GROUPS, NO_BROADCAST, PASS_ALL_MULTICAST, PROMISCUOUS};

/// Register contents of a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Filter {
    /// Bits of the MAC's control register.
    pub(crate) bits: u32,
    /// The hash table: HASHH in the upper half, HASHL in the lower.
    pub(crate) hash: u64,
}

impl Filter {
    /// Own address and broadcast.
    pub(crate) const DEFAULT: Self = Self { bits: 0, hash: 0 };

    /// Returns the register contents for `filter`, and how closely they follow it.
    pub(crate) fn new(filter: RxFilter<'_>) -> (Self, FilterOutcome) {
        if filter.promiscuous {
            let all = Self {
                bits: PROMISCUOUS,
                hash: 0,
            };
            return (all, FilterOutcome::Exact);
        }
        let bits = if filter.broadcast { 0 } else { NO_BROADCAST };
        match filter.multicast {
            Multicast::None | Multicast::List([]) => (Self { bits, hash: 0 }, FilterOutcome::Exact),
            Multicast::List(groups) => {
                let hash = groups.iter().fold(0, |hash, group| hash | 1 << hash_index(*group));
                let bits = bits | HASH_GROUPS;
                (Self { bits, hash }, FilterOutcome::Superset)
            }
            Multicast::All => {
                let bits = bits | PASS_ALL_MULTICAST;
                (Self { bits, hash: 0 }, FilterOutcome::Exact)
            }
        }
    }
}

/// Returns the bit of a group in the hash table: the upper six bits of the CRC-32 register after
/// the address (section 3.4.2), before the complement and the bit reversal that make an FCS of it.
fn hash_index(group: MacAddress) -> u32 {
    let register = group.octets().iter().fold(u32::MAX, |register, &octet| {
        (0..8).fold(register, |register, bit| {
            let feedback = (register >> 31) ^ u32::from(octet >> bit & 1);
            (register << 1) ^ (0x04c1_1db7 * feedback)
        })
    });
    register >> 26
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed with zlib's CRC-32, complemented and bit-reversed.
    #[test]
    fn hash_index_known_groups_equals_zlib() {
        for (group, index) in [
            ([0x01, 0x00, 0x5e, 0x00, 0x00, 0x01], 0x1f),
            ([0x01, 0x00, 0x5e, 0x00, 0x00, 0xfb], 0x0f),
            ([0x33, 0x33, 0x00, 0x00, 0x00, 0x01], 0x3e),
            ([0x01, 0x80, 0xc2, 0x00, 0x00, 0x01], 0x03),
        ] {
            assert_eq!(hash_index(MacAddress::new(group)), index, "{group:x?}");
        }
    }

    #[test]
    fn new_any_filter_sets_registers() {
        const GROUP: MacAddress = MacAddress::new([0x01, 0x00, 0x5e, 0x00, 0x00, 0xfb]);
        let settings = |filter| {
            let (Filter { bits, hash }, outcome) = Filter::new(filter);
            (bits, hash, outcome)
        };
        let none = RxFilter::DEFAULT.with_broadcast(false);
        assert_eq!(settings(RxFilter::DEFAULT), (0, 0, FilterOutcome::Exact));
        assert_eq!(settings(RxFilter::PROMISCUOUS), (0x0004_0000, 0, FilterOutcome::Exact));
        assert_eq!(settings(none), (0x0800, 0, FilterOutcome::Exact));
        let all = none.with_multicast(Multicast::All);
        assert_eq!(settings(all), (0x0008_0800, 0, FilterOutcome::Exact));
        let listed = RxFilter::DEFAULT.with_multicast(Multicast::List(&[GROUP]));
        assert_eq!(settings(listed), (0x2000, 1 << 0x0f, FilterOutcome::Superset));
        let empty = RxFilter::DEFAULT.with_multicast(Multicast::List(&[]));
        assert_eq!(settings(empty), (0, 0, FilterOutcome::Exact));
    }
}
