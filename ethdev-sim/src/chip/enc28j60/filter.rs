//! The receive filters.

/// Which of the 64 bits of the hash table (EHT0 bit 0 is 0) a destination address selects.
#[must_use]
pub fn hash_index(address: [u8; 6]) -> u8 {
    let mut register = u32::MAX;
    for byte in address {
        for bit in 0..8 {
            let feedback = (register >> 31) ^ u32::from(byte >> bit & 1);
            register = (register << 1) ^ if feedback == 1 { 0x04c1_1db7 } else { 0 };
        }
    }
    (register >> 23 & 0x3f) as u8
}
