//! Access to the backplane of the chip through a window of 32 KiB, over function 1.

use crate::bus::{Bus, TxWords};
use crate::gspi::{Function, Port, Result};
use crate::gspi_words::{Bytes, OneWord};
use crate::regs::{RESPONSE_DELAY_BYTES, f1};

/// Longest access of function 1, in bytes. Longer ones, and ones across the end of a window, do not
/// work.
pub(crate) const BLOCK: usize = 64;
/// Addresses below are in the window.
const WINDOW: u32 = 0x8000;
/// Marks an access to a 32-bit register.
const IS_WORD: u32 = 0x8000;
/// Words between command and data of a read.
const PADDING: usize = RESPONSE_DELAY_BYTES as usize / 4;

impl<B: Bus> Port<B> {
    /// Reads an 8-bit register of function 1 itself.
    pub(crate) async fn f1_read(&mut self, address: u32) -> Result<u8, B> {
        let mut word = OneWord::default();
        self.read(Function::Backplane, address, 1, PADDING, &mut word).await?;
        let [value, ..] = word.0.to_le_bytes();
        Ok(value)
    }

    /// Writes one.
    pub(crate) async fn f1_write(&mut self, address: u32, value: u8) -> Result<(), B> {
        self.write(Function::Backplane, address, 1, TxWords::new(&[value], &[]))
            .await
    }

    /// Moves the window to `address`, of which only the bytes that change are written; the address
    /// within it.
    async fn window(&mut self, address: u32) -> Result<u32, B> {
        let base = address & !(WINDOW - 1);
        // Not known until all of it is written.
        let old = self.window.take();
        if old != Some(base) {
            let [_, low, mid, high] = base.to_le_bytes();
            let [_, old_low, old_mid, old_high] = old.unwrap_or(!base).to_le_bytes();
            let [low_reg, mid_reg, high_reg] = f1::WINDOW;
            for (reg, new, old) in [
                (high_reg, high, old_high),
                (mid_reg, mid, old_mid),
                (low_reg, low, old_low),
            ] {
                if new != old {
                    self.f1_write(reg, new).await?;
                }
            }
        }
        self.window = Some(base);
        Ok(address & (WINDOW - 1))
    }

    pub(crate) async fn read_u8(&mut self, address: u32) -> Result<u8, B> {
        let offset = self.window(address).await?;
        self.f1_read(offset).await
    }

    pub(crate) async fn write_u8(&mut self, address: u32, value: u8) -> Result<(), B> {
        let offset = self.window(address).await?;
        self.f1_write(offset, value).await
    }

    pub(crate) async fn read_u16(&mut self, address: u32) -> Result<u16, B> {
        let offset = self.window(address).await?;
        let mut word = OneWord::default();
        self.read(Function::Backplane, offset, 2, PADDING, &mut word).await?;
        let [a, b, ..] = word.0.to_le_bytes();
        Ok(u16::from_le_bytes([a, b]))
    }

    pub(crate) async fn read_u32(&mut self, address: u32) -> Result<u32, B> {
        let offset = self.window(address).await?;
        let mut word = OneWord::default();
        self.read(Function::Backplane, offset | IS_WORD, 4, PADDING, &mut word)
            .await?;
        Ok(word.0)
    }

    pub(crate) async fn write_u32(&mut self, address: u32, value: u32) -> Result<(), B> {
        let offset = self.window(address).await?;
        let data = value.to_le_bytes();
        self.write(Function::Backplane, offset | IS_WORD, 4, TxWords::new(&data, &[]))
            .await
    }

    /// Writes at most [`BLOCK`] bytes that do not cross a window.
    pub(crate) async fn write_block(&mut self, address: u32, bytes: &[u8]) -> Result<(), B> {
        let offset = self.window(address).await?;
        self.write(Function::Backplane, offset, bytes.len(), TxWords::new(bytes, &[]))
            .await
    }

    /// Reads at most [`BLOCK`] bytes that do not cross a window.
    pub(crate) async fn read_block(&mut self, address: u32, bytes: &mut [u8]) -> Result<(), B> {
        let offset = self.window(address).await?;
        let len = bytes.len();
        self.read(Function::Backplane, offset, len, PADDING, &mut Bytes(bytes))
            .await
    }
}

/// How many of `left` bytes the next block at `address` takes.
pub(crate) const fn block_len(address: u32, left: u32) -> usize {
    let to_window_end = WINDOW - address % WINDOW;
    let mut len = BLOCK as u32;
    if left < len {
        len = left;
    }
    if to_window_end < len {
        len = to_window_end;
    }
    len as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn block_len_any_range_covers_without_crossing(start in 0_u32..0x8_0000, len in 0_u32..300_000) {
            let (mut address, mut left) = (start & !3, len);
            while left > 0 {
                let block = block_len(address, left) as u32;
                prop_assert!(block > 0 && block <= BLOCK as u32 && block <= left);
                prop_assert_eq!(address / WINDOW, (address + block - 1) / WINDOW);
                address += block;
                left -= block;
            }
        }
    }
}
