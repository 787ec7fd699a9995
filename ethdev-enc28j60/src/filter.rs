//! The receive filter as the chip's registers.

use ethdev::{FilterOutcome, Multicast, RxFilter};

use crate::fcs;
use crate::regs::erxfcon;

/// ERXFCON and the hash table for this filter (section 8), and how closely they follow it.
pub(crate) fn settings(filter: RxFilter<'_>) -> (u8, u64, FilterOutcome) {
    if filter.promiscuous {
        // No filter but the FCS: everything passes.
        return (erxfcon::CRCEN, 0, FilterOutcome::Exact);
    }
    let mut bits = erxfcon::UCEN | erxfcon::CRCEN;
    if filter.broadcast {
        bits |= erxfcon::BCEN;
    }
    match filter.multicast {
        Multicast::List(groups) if !groups.is_empty() => {
            let hash = groups.iter().fold(0, |hash, group| hash | 1 << fcs::hash_index(*group));
            (bits | erxfcon::HTEN, hash, FilterOutcome::Superset)
        }
        Multicast::None | Multicast::List(_) => (bits, 0, FilterOutcome::Exact),
        // Broadcast is multicast to the chip (section 8.2.2).
        Multicast::All if filter.broadcast => (bits | erxfcon::MCEN, 0, FilterOutcome::Exact),
        Multicast::All => (bits | erxfcon::MCEN, 0, FilterOutcome::Superset),
    }
}

#[cfg(test)]
mod tests {
    use ethdev::MacAddress;

    use super::*;

    const GROUP: MacAddress = MacAddress::new([0x01, 0x00, 0x5e, 0x7f, 0xff, 0xfa]);

    #[test]
    fn filters() {
        let groups = [GROUP];
        let none = RxFilter::DEFAULT.with_broadcast(false);
        assert_eq!(settings(RxFilter::DEFAULT), (0xa1, 0, FilterOutcome::Exact));
        assert_eq!(settings(RxFilter::PROMISCUOUS), (0x20, 0, FilterOutcome::Exact));
        let listed = none.with_multicast(Multicast::List(&groups));
        assert_eq!(settings(listed), (0xa4, 1 << 28, FilterOutcome::Superset));
        let all = none.with_multicast(Multicast::All);
        assert_eq!(settings(all), (0xa2, 0, FilterOutcome::Superset));
        let empty = none.with_multicast(Multicast::List(&[]));
        assert_eq!(settings(empty), (0xa0, 0, FilterOutcome::Exact));
    }
}
