//! The receive filter: own address, broadcast, a hash table of groups.

use ethdev::{FilterOutcome, MacAddress, Multicast, RxFilter};

use crate::regs::rcr;

/// Register contents of a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Filter {
    /// Bits of `RCR`.
    pub(crate) control: u32,
    /// Hash table: one bit for each hash of a group address.
    pub(crate) groups: u64,
}

impl Filter {
    /// Returns the register contents for `filter`, and how closely they follow it.
    pub(crate) fn new(filter: RxFilter<'_>) -> (Self, FilterOutcome) {
        let mut control = 0;
        if filter.promiscuous {
            control |= rcr::PROM;
        } else if !filter.broadcast {
            control |= rcr::BC_REJ;
        }
        let groups = match filter.multicast {
            Multicast::None => 0,
            Multicast::List(groups) => groups.iter().fold(0, |table, group| table | 1 << hash(*group)),
            Multicast::All => u64::MAX,
        };
        // Several groups have the same hash.
        let superset = !filter.promiscuous && groups != 0 && groups != u64::MAX;
        let outcome = if superset {
            FilterOutcome::Superset
        } else {
            FilterOutcome::Exact
        };
        (Self { control, groups }, outcome)
    }
}

/// Returns the upper six bits of the CRC-32 shift register after the address (MCF5282 User's
/// Manual, section 17.4.9: "Hash Algorithm").
fn hash(address: MacAddress) -> u32 {
    let mut crc = u32::MAX;
    for octet in address.octets() {
        crc ^= u32::from(octet);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & 0_u32.wrapping_sub(crc & 1));
        }
    }
    crc >> 26
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Table 17-7, "Destination Address to 6-Bit Hash", of the MCF5282 User's Manual. The ENET has
    /// the hash of the FEC.
    #[test]
    fn hash_addresses_of_manual_equal_table() {
        for (first, expected) in [
            (0x65, 0x00),
            (0x55, 0x01),
            (0xb5, 0x04),
            (0xdb, 0x08),
            (0x5b, 0x0f),
            (0x27, 0x10),
            (0xa7, 0x17),
        ] {
            let address = MacAddress::new([first, 0xff, 0xff, 0xff, 0xff, 0xff]);
            assert_eq!(hash(address), expected, "{address}");
        }
    }

    #[test]
    fn new_list_of_groups_superset() {
        let group = MacAddress::from_ipv4_multicast([224, 0, 0, 251].into());
        for (filter, expected) in [
            (RxFilter::DEFAULT, FilterOutcome::Exact),
            (
                RxFilter::DEFAULT.with_multicast(Multicast::List(&[])),
                FilterOutcome::Exact,
            ),
            (
                RxFilter::DEFAULT.with_multicast(Multicast::List(&[group])),
                FilterOutcome::Superset,
            ),
            (RxFilter::DEFAULT.with_multicast(Multicast::All), FilterOutcome::Exact),
            (RxFilter::PROMISCUOUS, FilterOutcome::Exact),
        ] {
            assert_eq!(Filter::new(filter).1, expected, "{filter:?}");
        }
    }
}
