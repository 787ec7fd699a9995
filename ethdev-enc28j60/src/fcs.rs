//! The FCS in software (IEEE 802.3 clause 3.2.9), and the hash of the receive filter, which is made of the same CRC.

use ethdev::MacAddress;

/// CRC-32, polynomial reflected: one table entry for each half of a byte, 64 bytes in all.
const TABLE: [u32; 16] = {
    let mut table = [0; 16];
    let mut nibble = 0;
    while nibble < 16 {
        let mut crc = nibble as u32;
        let mut bit = 0;
        while bit < 4 {
            crc = if crc & 1 != 0 {
                (crc >> 1) ^ 0xedb8_8320
            } else {
                crc >> 1
            };
            bit += 1;
        }
        #[allow(clippy::indexing_slicing, reason = "at compile time")]
        {
            table[nibble] = crc;
        }
        nibble += 1;
    }
    table
};

/// A running FCS.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fcs(u32);

impl Fcs {
    pub(crate) const fn new() -> Self {
        Self(u32::MAX)
    }

    pub(crate) fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.nibble(*byte);
            self.nibble(*byte >> 4);
        }
    }

    fn nibble(&mut self, nibble: u8) {
        let index = (self.0 ^ u32::from(nibble)) & 0xf;
        self.0 = (self.0 >> 4) ^ TABLE.get(index as usize).copied().unwrap_or_default();
    }

    /// The four bytes as they go on the wire.
    pub(crate) const fn bytes(self) -> [u8; 4] {
        (!self.0).to_le_bytes()
    }
}

/// Which of the 64 bits of the hash table stands for this address: bits 28 to 23 of the CRC over it, MSb-first, not inverted (section 8.2.5).
pub(crate) fn hash_index(address: MacAddress) -> u8 {
    let mut fcs = Fcs::new();
    fcs.add(&address.octets());
    ((fcs.0.reverse_bits() >> 23) & 0x3f) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_value_of_crc_32() {
        let mut fcs = Fcs::new();
        fcs.add(b"12345");
        fcs.add(b"6789");
        assert_eq!(fcs.bytes(), 0xcbf4_3926_u32.to_le_bytes());
    }

    #[test]
    fn hashes_as_microchips_stack_computes_them() {
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
