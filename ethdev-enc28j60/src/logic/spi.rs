//! The seven SPI instructions (data sheet section 4.2): the only file that touches the bus. One
//! instruction is one transaction.

use super::{Bus, bisync};
use embedded_hal::spi::Operation;

use crate::error::Error;
use crate::regs::{self, Common, Eth, Mac, Pair};

/// Read control register; the address is added.
const RCR: u8 = 0x00;
/// Read buffer memory.
const RBM: u8 = 0x3a;
/// Write control register; the address is added.
const WCR: u8 = 0x40;
/// Write buffer memory.
const WBM: u8 = 0x7a;
/// Bit field set; the address is added.
const BFS: u8 = 0x80;
/// Bit field clear; the address is added.
const BFC: u8 = 0xa0;
/// System reset.
const SRC: u8 = 0xff;

/// How long CS stays low after the last clock of an access to a MAC or MII register (table 16-6).
/// Within the same transaction, so that no other device on the bus gets in between.
const MAC_CS_HOLD_NS: u32 = 210;

/// How many parts of a frame go into one transaction. A frame in more parts takes more
/// transactions.
pub(crate) const GATHER: usize = 8;

/// The bank of which it is not known that it is selected.
const UNKNOWN_BANK: u8 = 0xff;

/// The chip as its instructions.
#[derive(Debug)]
pub(crate) struct Spi<B> {
    pub(crate) bus: B,
    bank: u8,
    /// See [`elapsed`](Self::elapsed).
    elapsed: u32,
}

type Result<T, B> = core::result::Result<T, Error<<B as Bus>::SpiError>>;

#[bisync]
impl<B: Bus> Spi<B> {
    pub(crate) const fn new(bus: B) -> Self {
        Self {
            bus,
            bank: UNKNOWN_BANK,
            elapsed: 0,
        }
    }

    /// A clock that is slow at worst, in units of 0.1 µs since [`start_clock`](Self::start_clock),
    /// up to seven minutes: every byte takes at least 0.4 µs, because SCK is 20 MHz at most
    /// (table 16-6), and every wait as long as it was asked to.
    pub(crate) const fn elapsed(&self) -> u32 {
        self.elapsed
    }

    pub(crate) const fn start_clock(&mut self) {
        self.elapsed = 0;
    }

    /// Which bank is selected, if that is known.
    pub(crate) const fn bank(&self) -> Option<u8> {
        if self.bank == UNKNOWN_BANK {
            None
        } else {
            Some(self.bank)
        }
    }

    /// A reset selects bank 0.
    pub(crate) const fn bank_was_reset(&mut self) {
        self.bank = 0;
    }

    /// Nothing is known any more.
    pub(crate) const fn forget_bank(&mut self) {
        self.bank = UNKNOWN_BANK;
    }

    pub(crate) async fn wait_us(&mut self, us: u32) {
        self.bus.wait_us(us).await;
        self.elapsed = self.elapsed.saturating_add(us.saturating_mul(10));
    }

    async fn instruction(&mut self, operations: &mut [Operation<'_, u8>], bytes: usize) -> Result<(), B> {
        self.elapsed = self.elapsed.saturating_add(4 * bytes as u32);
        self.bus.transaction(operations).await.map_err(Error::Spi)
    }

    /// Selects a bank by its bits, so that nothing else in ECON1 is touched. Nothing is sent where
    /// it is selected already.
    pub(crate) async fn select(&mut self, bank: u8) -> Result<(), B> {
        let old = self.bank;
        if old == bank {
            return Ok(());
        }
        let (clear, set) = if old == UNKNOWN_BANK {
            (regs::econ1::BSEL, bank)
        } else {
            (old & !bank, bank & !old)
        };
        // Not known until it is done: the transaction can fail, or be dropped.
        self.bank = UNKNOWN_BANK;
        if clear != 0 {
            self.clear(regs::ECON1, clear).await?;
        }
        if set != 0 {
            self.set(regs::ECON1, set).await?;
        }
        self.bank = bank;
        Ok(())
    }

    async fn rcr(&mut self, address: u8) -> Result<u8, B> {
        let mut bytes = [RCR | address, 0];
        self.instruction(&mut [Operation::TransferInPlace(&mut bytes)], 2)
            .await?;
        let [_, value] = bytes;
        Ok(value)
    }

    pub(crate) async fn look(&mut self, reg: Common) -> Result<u8, B> {
        self.rcr(reg.0).await
    }

    pub(crate) async fn set(&mut self, reg: Common, bits: u8) -> Result<(), B> {
        self.instruction(&mut [Operation::Write(&[BFS | reg.0, bits])], 2).await
    }

    pub(crate) async fn clear(&mut self, reg: Common, bits: u8) -> Result<(), B> {
        self.instruction(&mut [Operation::Write(&[BFC | reg.0, bits])], 2).await
    }

    pub(crate) async fn read(&mut self, reg: Eth) -> Result<u8, B> {
        self.select(reg.bank).await?;
        self.rcr(reg.address).await
    }

    pub(crate) async fn write(&mut self, reg: Eth, value: u8) -> Result<(), B> {
        self.select(reg.bank).await?;
        self.instruction(&mut [Operation::Write(&[WCR | reg.address, value])], 2)
            .await
    }

    pub(crate) async fn read_pair(&mut self, pair: Pair) -> Result<u16, B> {
        let low = self.read(pair.low).await?;
        let high = self.read(pair.high).await?;
        Ok(u16::from_le_bytes([low, high]))
    }

    /// Low byte first: ERXRDPT takes effect as a whole when its high byte is written (section 6.1).
    pub(crate) async fn write_pair(&mut self, pair: Pair, value: u16) -> Result<(), B> {
        let [low, high] = value.to_le_bytes();
        self.write(pair.low, low).await?;
        self.write(pair.high, high).await
    }

    pub(crate) async fn read_mac(&mut self, reg: Mac) -> Result<u8, B> {
        self.select(reg.bank).await?;
        // Opcode, dummy, value.
        let mut bytes = [RCR | reg.address, 0, 0];
        let mut operations = [
            Operation::TransferInPlace(&mut bytes),
            Operation::DelayNs(MAC_CS_HOLD_NS),
        ];
        self.instruction(&mut operations, 3).await?;
        let [_, _, value] = bytes;
        Ok(value)
    }

    pub(crate) async fn write_mac(&mut self, reg: Mac, value: u8) -> Result<(), B> {
        self.select(reg.bank).await?;
        let bytes = [WCR | reg.address, value];
        let mut operations = [Operation::Write(&bytes), Operation::DelayNs(MAC_CS_HOLD_NS)];
        self.instruction(&mut operations, 2).await
    }

    /// Reads from where ERDPT points: first `head`, then `tail`. Either may be empty.
    pub(crate) async fn read_buffer(&mut self, head: &mut [u8], tail: &mut [u8]) -> Result<(), B> {
        let bytes = 1 + head.len() + tail.len();
        match (head.is_empty(), tail.is_empty()) {
            (false, false) => {
                let mut operations = [Operation::Write(&[RBM]), Operation::Read(head), Operation::Read(tail)];
                self.instruction(&mut operations, bytes).await
            }
            (head_is_empty, _) => {
                let one = if head_is_empty { tail } else { head };
                let mut operations = [Operation::Write(&[RBM]), Operation::Read(one)];
                self.instruction(&mut operations, bytes).await
            }
        }
    }

    /// Writes `parts`, one after another, to where EWRPT points. EWRPT goes along, so that parts
    /// beyond [`GATHER`] take another transaction.
    pub(crate) async fn write_buffer<'p>(&mut self, parts: impl Iterator<Item = &'p [u8]>) -> Result<(), B> {
        let mut parts = parts.filter(|part| !part.is_empty());
        loop {
            let mut operations = [const { Operation::Write(&[]) }; GATHER + 1];
            let (mut count, mut bytes) = (0, 1);
            for (operation, part) in operations
                .iter_mut()
                .zip(core::iter::once(&[WBM][..]).chain(&mut parts))
            {
                *operation = Operation::Write(part);
                count += 1;
                bytes += part.len();
            }
            if count < 2 {
                return Ok(());
            }
            let full = count > GATHER;
            let used = operations.get_mut(..count).unwrap_or_default();
            self.instruction(used, bytes).await?;
            if !full {
                return Ok(());
            }
        }
    }

    /// System reset. Ignored by a chip that sleeps (erratum 19), and followed by a wait (erratum
    /// 2): use [`crate::errata`].
    pub(crate) async fn system_reset(&mut self) -> Result<(), B> {
        self.forget_bank();
        self.instruction(&mut [Operation::Write(&[SRC])], 1).await
    }
}
