//! The command word of a transaction, and the bit order of words.

use core::fmt;

/// One of the four functions behind the bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Function {
    /// The registers of the bus itself.
    Bus,
    /// The backplane, through a window.
    Backplane,
    /// Frames.
    Wlan,
    /// Bluetooth.
    Bluetooth,
}

impl Function {
    pub(crate) const fn index(self) -> usize {
        match self {
            Self::Bus => 0,
            Self::Backplane => 1,
            Self::Wlan => 2,
            Self::Bluetooth => 3,
        }
    }
}

/// A decoded command word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Command {
    pub(crate) write: bool,
    pub(crate) increment: bool,
    pub(crate) function: Function,
    /// 17 bits.
    pub(crate) address: u32,
    /// In bytes, 1 to 2048.
    pub(crate) len: usize,
}

impl Command {
    pub(crate) const fn decode(word: u32) -> Self {
        let len = (word & 0x7ff) as usize;
        Self {
            write: word >> 31 != 0,
            increment: word >> 30 & 1 != 0,
            function: match word >> 28 & 3 {
                0 => Function::Bus,
                1 => Function::Backplane,
                2 => Function::Wlan,
                _ => Function::Bluetooth,
            },
            address: word >> 11 & 0x1_ffff,
            // The field has no other encoding of 2048.
            len: if len == 0 { 2048 } else { len },
        }
    }

    /// Words of data: the byte count rounded up.
    pub(crate) const fn words(self) -> usize {
        self.len.div_ceil(4)
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = if self.write { "write" } else { "read" };
        let fixed = if self.increment { "" } else { ", fixed address" };
        write!(
            f,
            "{verb} F{} {:#07x}, {} bytes{fixed}",
            self.function.index(),
            self.address,
            self.len
        )
    }
}

/// The order of a 32-bit value on the bus, whose words are sent most significant bit first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// As after power-up: words of 16 bits, the less significant one first.
    Halves,
    /// Words of 32 bits: the value itself. The byte at the lowest address goes last.
    Value,
    /// Words of 32 bits, "big endian": the byte at the lowest address goes first.
    Memory,
}

impl Order {
    /// From a value to the word on the bus, and back: each order is its own inverse.
    pub(crate) const fn swap(self, word: u32) -> u32 {
        match self {
            Self::Halves => word.rotate_left(16),
            Self::Value => word,
            Self::Memory => word.swap_bytes(),
        }
    }
}

/// Bytes in the order of addresses as values of 32 bits, the last one filled up with zeros.
pub(crate) fn to_words(bytes: &[u8]) -> Vec<u32> {
    bytes
        .chunks(4)
        .map(|chunk| {
            let mut word = [0; 4];
            word[..chunk.len()].copy_from_slice(chunk);
            u32::from_le_bytes(word)
        })
        .collect()
}

/// The first `len` bytes of these values, in the order of addresses.
pub(crate) fn to_bytes(words: &[u32], len: usize) -> Vec<u8> {
    let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    bytes.truncate(len);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_decode_of_reference_words_matches() {
        let cases = [
            (0x4000_a004, false, Function::Bus, 0x14, 4),
            (0xc000_c004, true, Function::Bus, 0x18, 4),
            (0x4000_0004, false, Function::Bus, 0x00, 4),
            (0xc000_e801, true, Function::Bus, 0x1d, 1),
            (0xc000_2001, true, Function::Bus, 0x04, 1),
            (0x4000_2002, false, Function::Bus, 0x04, 2),
            (0xc000_3002, true, Function::Bus, 0x06, 2),
            (0x4000_4004, false, Function::Bus, 0x08, 4),
            (0xd800_7001, true, Function::Backplane, 0x1_000e, 1),
            (0xd800_6801, true, Function::Backplane, 0x1_000d, 1),
            (0xd000_0040, true, Function::Backplane, 0, 64),
            (0xd7ff_e004, true, Function::Backplane, 0xfffc, 4),
            (0x6000_0102, false, Function::Wlan, 0, 258),
            (0xe000_0050, true, Function::Wlan, 0, 80),
            (0x6000_0000, false, Function::Wlan, 0, 2048),
        ];
        for (word, write, function, address, len) in cases {
            let increment = true;
            let expected = Command {
                write,
                increment,
                function,
                address,
                len,
            };
            assert_eq!(Command::decode(word), expected, "{word:08x}");
        }
    }

    #[test]
    fn order_swap_of_test_pattern_matches() {
        assert_eq!(Order::Halves.swap(0xfeed_bead), 0xbead_feed);
        assert_eq!(Order::Halves.swap(0x1234_5678), 0x5678_1234);
        assert_eq!(Order::Halves.swap(0x0003_04b1), 0x04b1_0003);
        assert_eq!(Order::Memory.swap(0x1234_5678), 0x7856_3412);
        for order in [Order::Halves, Order::Value, Order::Memory] {
            assert_eq!(order.swap(order.swap(0x1234_5678)), 0x1234_5678);
        }
    }

    #[test]
    fn bytes_and_words_convert() {
        assert_eq!(to_words(&[1, 2, 3, 4, 5]), [0x0403_0201, 5]);
        assert_eq!(to_bytes(&[0x0403_0201, 0xaabb_cc05], 5), [1, 2, 3, 4, 5]);
    }
}
