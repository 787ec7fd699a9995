//! An SPI device on which one transaction of a call goes wrong.

use core::cell::Cell;
use std::rc::Rc;

use embedded_hal::spi::{ErrorType, Operation};
use enc28j60_model::{Enc28j60Chip, SimSpi, SpiFault};

/// What happens at one transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The bus fails, and the chip sees nothing of it.
    FailBefore,
    /// The chip executes the transaction, and the bus reports an error.
    FailAfter,
    /// The chip sees nothing of the transaction, and the bus reports no error.
    Swallow,
    /// The chip resets itself before the transaction.
    Reset,
    /// The supply fails before the transaction.
    Brownout,
    /// The future is dropped before the transaction reaches the chip. Async only.
    DropBefore,
    /// The future is dropped after the chip executed the transaction. Async only.
    DropAfter,
}

/// What the host reads, whatever the chip answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lie {
    Constant(u8),
    /// Random bytes.
    Noise,
    /// The answer to the transaction before.
    Stale,
}

/// The faults of a [`FaultySpi`], shared with the test.
#[derive(Debug, Clone, Default)]
pub(crate) struct Faults {
    at: Rc<Cell<Option<(u32, Fault)>>>,
    lie: Rc<Cell<Option<Lie>>>,
    noise: Rc<Cell<u32>>,
    stale: Rc<Cell<[u8; 2]>>,
    transactions: Rc<Cell<u64>>,
}

impl Faults {
    /// Sets a fault at the `n`-th transaction from now, counted from 0.
    pub(crate) fn set(&self, n: u32, fault: Fault) {
        self.at.set(Some((n, fault)));
    }

    /// Ends all faults. Returns whether the one that was set has happened.
    pub(crate) fn end(&self) -> bool {
        self.lie.set(None);
        self.at.take().is_none()
    }

    pub(crate) fn lie(&self, lie: Lie, seed: u32) {
        self.lie.set(Some(lie));
        self.noise.set(seed.wrapping_mul(0x9e37_79b9) | 1);
    }

    pub(crate) fn transactions(&self) -> u64 {
        self.transactions.get()
    }

    fn next(&self) -> Option<Fault> {
        self.transactions.set(self.transactions.get() + 1);
        let (n, fault) = self.at.get()?;
        if n > 0 {
            self.at.set(Some((n - 1, fault)));
            return None;
        }
        self.at.set(None);
        Some(fault)
    }

    fn answer(&self, byte: &mut u8, stale: u8) {
        match self.lie.get() {
            None => {}
            Some(Lie::Constant(value)) => *byte = value,
            Some(Lie::Noise) => {
                // xorshift32
                let mut x = self.noise.get();
                x ^= x << 13;
                x ^= x >> 17;
                x ^= x << 5;
                self.noise.set(x);
                *byte = (x >> 11) as u8;
            }
            Some(Lie::Stale) => *byte = stale,
        }
    }

    /// Replaces what was read.
    fn falsify(&self, operations: &mut [Operation<'_, u8>]) {
        let stale = self.stale.get();
        let mut last = [0; 2];
        for operation in operations {
            let (Operation::Read(bytes) | Operation::TransferInPlace(bytes)) = operation else {
                continue;
            };
            for byte in bytes.iter_mut() {
                last = [last[1], *byte];
                self.answer(byte, stale[1]);
            }
        }
        self.stale.set(last);
    }
}

/// The bus of the chip, with [`Faults`].
pub(crate) struct FaultySpi {
    pub(crate) spi: SimSpi,
    pub(crate) chip: Enc28j60Chip,
    pub(crate) faults: Faults,
}

impl FaultySpi {
    fn strike(&self, fault: Option<Fault>) -> Result<(), SpiFault> {
        match fault {
            Some(Fault::FailBefore) => return Err(SpiFault::AtByte(0)),
            Some(Fault::Reset) => self.chip.inject_reset(),
            Some(Fault::Brownout) => self.chip.inject_brownout(),
            _ => {}
        }
        Ok(())
    }
}

impl ErrorType for FaultySpi {
    type Error = SpiFault;
}

impl embedded_hal::spi::SpiDevice for FaultySpi {
    fn transaction(&mut self, operations: &mut [Operation<'_, u8>]) -> Result<(), SpiFault> {
        let fault = self.faults.next();
        self.strike(fault)?;
        if fault == Some(Fault::Swallow) {
            return Ok(());
        }
        embedded_hal::spi::SpiDevice::transaction(&mut self.spi, operations)?;
        self.faults.falsify(operations);
        if fault == Some(Fault::FailAfter) {
            return Err(SpiFault::AtByte(0));
        }
        Ok(())
    }
}

impl embedded_hal_async::spi::SpiDevice for FaultySpi {
    async fn transaction(&mut self, operations: &mut [Operation<'_, u8>]) -> Result<(), SpiFault> {
        let fault = self.faults.next();
        self.strike(fault)?;
        if fault == Some(Fault::Swallow) {
            return Ok(());
        }
        if fault == Some(Fault::DropBefore) {
            core::future::pending::<()>().await;
        }
        embedded_hal_async::spi::SpiDevice::transaction(&mut self.spi, operations).await?;
        self.faults.falsify(operations);
        match fault {
            Some(Fault::DropAfter) => core::future::pending().await,
            Some(Fault::FailAfter) => Err(SpiFault::AtByte(0)),
            _ => Ok(()),
        }
    }
}
