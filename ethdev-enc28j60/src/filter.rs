//! The receive filter as register values.

use ethdev::{FilterOutcome, MacAddress, Multicast, RxFilter};

use crate::regs::erxfcon;

/// Returns ERXFCON and the hash table for a filter (section 8), and how closely they match it.
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
            let hash = groups.iter().fold(0, |hash, group| hash | 1 << hash_index(*group));
            (bits | erxfcon::HTEN, hash, FilterOutcome::Superset)
        }
        Multicast::None | Multicast::List(_) => (bits, 0, FilterOutcome::Exact),
        // Broadcast is multicast to the chip (section 8.2.2).
        Multicast::All if filter.broadcast => (bits | erxfcon::MCEN, 0, FilterOutcome::Exact),
        Multicast::All => (bits | erxfcon::MCEN, 0, FilterOutcome::Superset),
    }
}

/// Bit of the hash table for this address, 0 to 63: bits 28 to 23 of its CRC-32, most significant
/// bit first, without the final inversion (section 8.2.5).
fn hash_index(address: MacAddress) -> u8 {
    let mut crc = u32::MAX;
    for octet in address.octets() {
        // Least significant bit first, as on the wire.
        for bit in 0..8 {
            let feedback = (crc >> 31) ^ u32::from(octet >> bit & 1);
            crc = (crc << 1) ^ (feedback * 0x04c1_1db7);
        }
    }
    ((crc >> 23) & 0x3f) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    const GROUP: MacAddress = MacAddress::new([0x01, 0x00, 0x5e, 0x7f, 0xff, 0xfa]);

    #[test]
    fn settings_each_filter_matches_data_sheet() {
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

    #[test]
    fn hash_index_known_addresses_match_microchips_stack() {
        for (address, index) in [
            ([0x01, 0x00, 0x5e, 0x00, 0x00, 0x01], 63),
            ([0x01, 0x00, 0x5e, 0x00, 0x00, 0xfb], 62),
            ([0x01, 0x00, 0x5e, 0x7f, 0xff, 0xfa], 28),
            ([0x33, 0x33, 0x00, 0x00, 0x00, 0x01], 51),
            ([0x33, 0x33, 0x00, 0x00, 0x00, 0xfb], 50),
            ([0x01, 0x80, 0xc2, 0x00, 0x00, 0x0e], 14),
            ([0xff; 6], 62),
            ([0x02, 0x03, 0x04, 0x05, 0x06, 0x07], 48),
        ] {
            assert_eq!(hash_index(address.into()), index, "{address:x?}");
        }
    }
}
