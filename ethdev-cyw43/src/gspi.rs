//! Transactions by function: commands, the two word orders, the status word. The only file that
//! touches the bus trait.

use crate::bus::{Bus, RxWords, TxWords};
use crate::error::Error;
use crate::gspi_words::{OneWord, WordSink};
use crate::regs::{BusReg, status};

/// With the bus' error, of whichever kind of bus.
pub(crate) type Result<T, B> = core::result::Result<T, Error<<B as Bus>::BusError>>;

/// The three functions of the chip that the driver uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Function {
    /// The bus itself.
    Bus = 0,
    /// Backplane.
    Backplane = 1,
    /// Frames.
    Wlan = 2,
}

/// The command word: direction, always with incrementing addresses, function, 17 bits of address,
/// 11 of length in bytes (0 means 2048).
pub(crate) const fn command(write: bool, function: Function, address: u32, bytes: usize) -> u32 {
    const INCREMENT: u32 = 1 << 30;
    ((write as u32) << 31)
        | INCREMENT
        | ((function as u32) << 28)
        | ((address & 0x1_ffff) << 11)
        | (bytes as u32 & 0x7ff)
}

/// The chip as transactions.
#[derive(Debug)]
pub(crate) struct Port<B> {
    pub(crate) bus: B,
    /// Whether the chip is in the word order that it has after power-up.
    pub(crate) swapped: bool,
    /// What the last transaction said of the chip's state; `None` where it said nothing, failed, or
    /// was dropped.
    status: Option<u32>,
    /// The backplane window as it is set; `None` where that is not known.
    pub(crate) window: Option<u32>,
    elapsed_us: u32,
}

impl<B: Bus> Port<B> {
    pub(crate) const fn new(bus: B) -> Self {
        Self {
            bus,
            swapped: true,
            status: None,
            window: None,
            elapsed_us: 0,
        }
    }

    /// A chip that was just powered up.
    pub(crate) const fn was_reset(&mut self) {
        self.swapped = true;
        self.status = None;
        self.window = None;
    }

    /// A clock that counts what was waited, and what the bus takes at least (50 MHz is its
    /// fastest). Wraps after 71 minutes.
    pub(crate) const fn elapsed_us(&self) -> u32 {
        self.elapsed_us
    }

    /// The last word of the last transaction, if it was one.
    pub(crate) const fn status(&self) -> Option<u32> {
        self.status
    }

    /// What the last transaction said is not so any more.
    pub(crate) const fn forget_status(&mut self) {
        self.status = None;
    }

    pub(crate) async fn wait_us(&mut self, us: u32) {
        self.bus.wait_us(us).await;
        self.elapsed_us = self.elapsed_us.wrapping_add(us);
    }

    const fn order(&self, word: u32) -> u32 {
        if self.swapped { word.rotate_left(16) } else { word }
    }

    fn after(&mut self, words: usize, status: u32) {
        // 0.64 µs a word.
        self.elapsed_us = self.elapsed_us.wrapping_add(words as u32 * 16 / 25);
        self.status = Some(self.order(status)).filter(|&status| status::is_valid(status));
    }

    pub(crate) async fn write(
        &mut self,
        function: Function,
        address: u32,
        bytes: usize,
        data: TxWords<'_>,
    ) -> Result<(), B> {
        let command = self.order(command(true, function, address, bytes));
        let mut data = data.swapped(self.swapped);
        let words = data.words_left() + 2;
        self.status = None;
        let status = self.bus.write(command, &mut data).await.map_err(Error::Bus)?;
        self.after(words, status);
        Ok(())
    }

    pub(crate) async fn read(
        &mut self,
        function: Function,
        address: u32,
        bytes: usize,
        padding: usize,
        sink: &mut (dyn WordSink + Send),
    ) -> Result<(), B> {
        let command = self.order(command(false, function, address, bytes));
        let mut data = RxWords::new(padding, bytes, self.swapped, sink);
        let words = data.words_left() + 2;
        self.status = None;
        let status = self.bus.read(command, &mut data).await.map_err(Error::Bus)?;
        self.after(words, status);
        Ok(())
    }

    pub(crate) async fn read_reg(&mut self, reg: BusReg) -> Result<u32, B> {
        let mut word = OneWord::default();
        self.read(Function::Bus, reg.address, reg.size as usize, 0, &mut word)
            .await?;
        Ok(match reg.size {
            1 => word.0 & 0xff,
            2 => word.0 & 0xffff,
            _ => word.0,
        })
    }

    pub(crate) async fn write_reg(&mut self, reg: BusReg, value: u32) -> Result<(), B> {
        let data = value.to_le_bytes();
        // One word goes over, whatever the size.
        self.write(Function::Bus, reg.address, reg.size as usize, TxWords::new(&data, &[]))
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::regs::{self, f1};

    #[test]
    fn command_words_match_other_drivers() {
        let reg = |write, reg: BusReg| command(write, Function::Bus, reg.address, reg.size as usize);
        assert_eq!(reg(false, regs::TEST), 0x4000_a004);
        assert_eq!(reg(true, regs::SCRATCH), 0xc000_c004);
        assert_eq!(reg(false, regs::SCRATCH), 0x4000_c004);
        assert_eq!(reg(false, regs::CONTROL), 0x4000_0004);
        assert_eq!(reg(true, regs::RESPONSE_DELAY_F1), 0xc000_e801);
        assert_eq!(reg(false, regs::INTERRUPT), 0x4000_2002);
        assert_eq!(reg(true, regs::INTERRUPT_ENABLE), 0xc000_3002);
        let f1_byte = |write, address| command(write, Function::Backplane, address, 1);
        assert_eq!(f1_byte(true, f1::CLOCK), 0xd800_7001);
        assert_eq!(f1_byte(false, f1::CLOCK), 0x5800_7001);
        let windows = f1::WINDOW.map(|address| f1_byte(true, address));
        assert_eq!(windows, [0xd800_5001, 0xd800_5801, 0xd800_6001]);
        assert_eq!(f1_byte(true, f1::FRAME_CONTROL), 0xd800_6801);
        assert_eq!(command(true, Function::Backplane, 0, 64), 0xd000_0040);
        assert_eq!(command(true, Function::Backplane, 0x7ffc | 0x8000, 4), 0xd7ff_e004);
        assert_eq!(command(false, Function::Wlan, 0, 258), 0x6000_0102);
        assert_eq!(command(true, Function::Wlan, 0, 80), 0xe000_0050);
    }
}
