//! The receive filters (DS39662E section 8).

use crate::registers::{EHT0, EPMCS, EPMM0, EPMO, ERXFCON, Registers};

/// Bits of ERXFCON.
const UCEN: u8 = 0x80;
const ANDOR: u8 = 0x40;
pub(crate) const CRCEN: u8 = 0x20;
const PMEN: u8 = 0x10;
const MPEN: u8 = 0x08;
const HTEN: u8 = 0x04;
const MCEN: u8 = 0x02;
const BCEN: u8 = 0x01;

/// Bytes that the pattern filter covers.
const WINDOW: usize = 64;

/// Returns which of the 64 bits of the hash table (EHT0 bit 0 is 0) a destination address selects.
///
/// Bits 28 to 23 of the CRC-32 of the address, from a shift register that is fed from the right and
/// not inverted at the end (DS39662E section 8.5).
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

/// The Internet checksum (RFC 1071): ones' complement of the ones' complement sum of big-endian
/// words, an odd byte padded with zero.
pub(crate) fn checksum(bytes: impl IntoIterator<Item = u8>) -> u16 {
    let mut sum = 0_u32;
    for (at, byte) in bytes.into_iter().enumerate() {
        sum += u32::from(byte) << if at % 2 == 0 { 8 } else { 0 };
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

/// What the filters make of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Accept,
    Reject,
    /// Rejected, and the pattern filter was one of those that did.
    RejectByPattern,
}

/// Classifies a frame, from its destination to its FCS. The CRC is not checked here.
pub(crate) fn classify(registers: &Registers, frame: &[u8]) -> Outcome {
    let control = registers.get(ERXFCON);
    let Some(destination) = frame.first_chunk::<6>() else {
        return Outcome::Reject;
    };
    let station = registers.station();
    let to_station = *destination == station;
    let tests: [(u8, &dyn Fn() -> bool); 6] = [
        (UCEN, &|| to_station),
        (MCEN, &|| destination[0] & 1 == 1),
        (BCEN, &|| *destination == [0xff; 6]),
        (HTEN, &|| in_hash_table(registers, *destination)),
        (MPEN, &|| to_station && is_magic(frame, station)),
        (PMEN, &|| matches_pattern(registers, frame)),
    ];
    let mut enabled = tests.iter().filter(|(bit, _)| control & bit != 0).peekable();
    if enabled.peek().is_none() {
        return Outcome::Accept;
    }
    let accepted = if control & ANDOR != 0 {
        enabled.all(|(_, test)| test())
    } else {
        enabled.any(|(_, test)| test())
    };
    match accepted {
        true => Outcome::Accept,
        false if control & PMEN != 0 => Outcome::RejectByPattern,
        false => Outcome::Reject,
    }
}

fn in_hash_table(registers: &Registers, destination: [u8; 6]) -> bool {
    let index = hash_index(destination);
    registers.at(EHT0.bank, EHT0.addr + usize::from(index / 8)) >> (index % 8) & 1 == 1
}

/// Whether there are six FF followed by sixteen copies of the address anywhere after the header.
fn is_magic(frame: &[u8], station: [u8; 6]) -> bool {
    let mut magic = vec![0xff; 6];
    magic.extend(station.repeat(16));
    frame
        .get(14..)
        .is_some_and(|data| data.windows(magic.len()).any(|part| part == magic))
}

fn matches_pattern(registers: &Registers, frame: &[u8]) -> bool {
    let start = usize::from(registers.word(EPMO));
    let Some(window) = frame.get(start..start + WINDOW) else {
        return false;
    };
    let chosen = window
        .iter()
        .enumerate()
        .filter(|(at, _)| registers.at(EPMM0.bank, EPMM0.addr + at / 8) >> (at % 8) & 1 == 1)
        .map(|(_, byte)| *byte);
    checksum(chosen) == registers.word(EPMCS)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Vectors derived from the formula in Microchip's TCP/IP stack.
    #[test]
    fn hash_index_of_known_addresses_matches() {
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
            assert_eq!(hash_index(address), index, "{address:02x?}");
        }
    }

    /// The same from the common CRC-32: reversed, and not inverted.
    #[test]
    fn hash_index_of_any_address_matches_common_crc() {
        for n in 0..1000_u32 {
            let address = [2, 0, (n >> 16) as u8, (n >> 8) as u8, n as u8, 0x5a];
            let register = (!crc32fast::hash(&address)).reverse_bits();
            assert_eq!(hash_index(address), (register >> 23 & 0x3f) as u8);
        }
    }

    /// The examples of DS39662E section 8.2.
    #[test]
    fn checksum_of_data_sheet_examples_matches() {
        assert_eq!(checksum([0x00, 0x04, 0xa3, 0xff, 0xff, 0xff]), 0x5bfc);
        assert_eq!(checksum([0x88, 0xaa, 0x09, 0x0a, 0x0b, 0x0c, 0x0d]), 0x563f);
        assert_eq!(checksum([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x08, 0x06]), 0xf7f9);
    }

    fn with_filters(control: u8) -> Registers {
        let mut registers = Registers::reset();
        registers.set(ERXFCON, control);
        for (addr, octet) in [4, 5, 2, 3, 0, 1].into_iter().zip([2, 3, 4, 5, 6, 7]) {
            registers.put(3, addr, octet);
        }
        registers
    }

    fn frame(destination: [u8; 6], len: usize) -> Vec<u8> {
        let mut frame = destination.to_vec();
        frame.resize(len, 0x11);
        frame
    }

    const US: [u8; 6] = [2, 3, 4, 5, 6, 7];
    const GROUP: [u8; 6] = [0x01, 0x00, 0x5e, 0x00, 0x00, 0xfb];
    const OTHER: [u8; 6] = [2, 2, 2, 2, 2, 2];

    fn accepts(registers: &Registers, destination: [u8; 6]) -> bool {
        classify(registers, &frame(destination, 64)) == Outcome::Accept
    }

    #[test]
    fn classify_each_filter_accepts_matching_frames() {
        for (control, us, group, broadcast, other) in [
            (0x00, true, true, true, true),
            (CRCEN, true, true, true, true),
            (UCEN, true, false, false, false),
            (MCEN, false, true, true, false),
            (BCEN, false, false, true, false),
            (HTEN, false, false, false, false),
            (MPEN, false, false, false, false),
            (PMEN, false, false, false, false),
            (UCEN | BCEN, true, false, true, false),
            (MCEN | BCEN | ANDOR, false, false, true, false),
            (UCEN | BCEN | ANDOR, false, false, false, false),
        ] {
            let registers = with_filters(control);
            let found = [US, GROUP, [0xff; 6], OTHER].map(|destination| accepts(&registers, destination));
            assert_eq!(found, [us, group, broadcast, other], "ERXFCON {control:02x}");
        }
    }

    #[test]
    fn classify_with_hash_table_selects_by_destination() {
        let mut registers = with_filters(HTEN);
        let index = hash_index(GROUP);
        registers.put(1, usize::from(index / 8), 1 << (index % 8));
        assert!(accepts(&registers, GROUP));
        assert!(!accepts(&registers, US));
    }

    #[test]
    fn classify_magic_packet_for_other_station_rejects() {
        let registers = with_filters(MPEN);
        let mut magic = frame(US, 30);
        magic.extend([0xff; 6]);
        magic.extend(US.repeat(16));
        assert_eq!(classify(&registers, &magic), Outcome::Accept);
        magic[..6].copy_from_slice(&[0xff; 6]);
        assert_eq!(classify(&registers, &magic), Outcome::Reject, "the destination differs");
        let mut short = frame(US, 30);
        short.extend([0xff; 6]);
        short.extend(US.repeat(15));
        assert_eq!(classify(&registers, &short), Outcome::Reject);
    }

    /// The example of the data sheet: offset 6, mask 1F0A, seven bytes.
    #[test]
    fn classify_with_pattern_rejects_mismatch() {
        let mut registers = with_filters(PMEN);
        registers.set_word(EPMO, 6);
        registers.put(1, EPMM0.addr, 0x0a);
        registers.put(1, EPMM0.addr + 1, 0x1f);
        registers.set_word(EPMCS, 0x563f);
        let mut bytes = frame(OTHER, 70);
        for (at, byte) in [
            (1, 0x88),
            (3, 0xaa),
            (8, 0x09),
            (9, 0x0a),
            (10, 0x0b),
            (11, 0x0c),
            (12, 0x0d),
        ] {
            bytes[6 + at] = byte;
        }
        assert_eq!(classify(&registers, &bytes), Outcome::Accept);
        assert_eq!(
            classify(&registers, &bytes[..69]),
            Outcome::RejectByPattern,
            "the window exceeds the frame"
        );
        bytes[7] ^= 1;
        assert_eq!(classify(&registers, &bytes), Outcome::RejectByPattern);
    }
}
