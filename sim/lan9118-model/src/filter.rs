//! The address filter (table 3.1).

use crate::registers::mac_cr::{BCAST, HO, HPFILT, INVFILT, MCPAS, PRMS};

/// Bit number of an address in the hash table, 0 to 63: the upper six bits of the CRC register
/// after the address was shifted in (section 3.4.2).
#[must_use]
pub fn hash_index(address: [u8; 6]) -> u32 {
    // The FCS is that register reflected and complemented.
    let fcs = u32::from_le_bytes(ethdev_sim::fcs::compute(&address));
    (!fcs).reverse_bits() >> 26
}

/// Whether a frame for `to` passes. `control` is `MAC_CR`, `hash` the table with HASHH in its upper
/// half.
pub(crate) fn passes(control: u32, hash: u64, own: [u8; 6], to: [u8; 6]) -> bool {
    let has = |bit| control & bit != 0;
    let hashed = || hash >> hash_index(to) & 1 != 0;
    if has(PRMS) {
        return true;
    }
    if to == [0xff; 6] {
        return !has(BCAST);
    }
    let group = to[0] & 1 != 0;
    if group && has(MCPAS) {
        true
    } else if has(HO) || (group && has(HPFILT)) {
        hashed()
    } else {
        (to == own) != has(INVFILT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: [u8; 6] = [2, 0, 0, 0, 0, 1];
    const OTHER: [u8; 6] = [2, 0, 0, 0, 0, 2];
    const GROUP: [u8; 6] = [1, 0, 0x5e, 0, 0, 0xfb];
    const ALL: [u8; 6] = [0xff; 6];

    #[test]
    fn passes_filter_modes_match_table_3_1() {
        for (control, hash, passed) in [
            (0, 0, [true, false, false, true]),
            (BCAST, 0, [true, false, false, false]),
            (PRMS | BCAST, 0, [true, true, true, true]),
            (MCPAS, 0, [true, false, true, true]),
            (INVFILT, 0, [false, true, true, true]),
            (HPFILT, 0, [true, false, false, true]),
            (HPFILT, 1 << hash_index(GROUP), [true, false, true, true]),
            (HO | HPFILT, 1 << hash_index(OTHER), [false, true, false, true]),
        ] {
            assert_eq!(
                [OWN, OTHER, GROUP, ALL].map(|to| passes(control, hash, OWN, to)),
                passed,
                "{control:#x}"
            );
        }
    }

    /// Computed with zlib.
    #[test]
    fn hash_index_known_groups_match_zlib() {
        assert_eq!(hash_index([1, 0, 0x5e, 0, 0, 1]), 0x1f);
        assert_eq!(hash_index([0x33, 0x33, 0, 0, 0, 1]), 0x3e);
    }
}
