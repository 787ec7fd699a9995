//! An SPI bus on which bits flip, and what may be expected of that.

use std::cell::Cell;
use std::rc::Rc;

use embedded_hal::spi::{ErrorType, Operation, SpiDevice};
use enc28j60_model::{SimSpi, SpiFault};

/// The chip's SPI device with one bit flipped in some of its transactions: opcode, data in and data out are equally exposed, byte for byte.
#[derive(Debug)]
pub struct NoisySpi {
    spi: SimSpi,
    random: fastrand::Rng,
    per_transaction: f64,
    tally: Rc<Cell<Tally>>,
}

/// How many transactions were hit, and how often that may be expected to do harm.
///
/// What is expected is summed up over all transactions, hit or not, from the rate of damage and from the bits that matter in each (data sheet sections 4.2, 3.1).
#[derive(Debug, Clone, Copy, Default)]
pub struct Tally {
    /// Transactions in which a bit was flipped.
    pub hits: u64,
    /// Transmissions that nobody asked for: the bit makes TXRTS be set (BFS or WCR to ECON1), whatever the driver does about it.
    pub starts: f64,
    /// Writes to what may be MAC registers: one bit makes another bank be selected than is meant, another hides that in the one read that would show it.
    pub strays: f64,
    /// Frames that look new: a PKTDEC is hit, and so is the one read that would show it.
    pub stale: f64,
}

/// Bits of a transaction with one byte of data.
const BITS: f64 = 16.0;
/// Byte 0 of a bit field set or clear in ECON1, of a write to it, and of a bit field set in ECON2.
const BFS_ECON1: u8 = 0x9f;
const BFC_ECON1: u8 = 0xbf;
const WCR_ECON1: u8 = 0x5f;
const BFS_ECON2: u8 = 0x9e;
/// Bits of ECON1, and of ECON2.
const TXRTS: u8 = 0x08;
const BSEL: u8 = 0x03;
const PKTDEC: u8 = 0x40;

impl NoisySpi {
    /// The device with this probability per transaction; and its tally.
    #[must_use]
    pub fn new(spi: SimSpi, per_transaction: f64, seed: u64) -> (Self, Rc<Cell<Tally>>) {
        let tally = Rc::default();
        let noisy = Self {
            spi,
            random: fastrand::Rng::with_seed(seed),
            per_transaction,
            tally: Rc::clone(&tally),
        };
        (noisy, tally)
    }

    /// Takes note of what a transaction exposes, and decides whether, and where, it is hit.
    fn strike(&mut self, operations: &[Operation<'_, u8>]) -> Option<Hit> {
        if self.per_transaction <= 0.0 {
            return None;
        }
        let mut tally = self.tally.get();
        tally.expose(operations, self.per_transaction);
        let total: usize = operations.iter().map(len).sum();
        let hit = self.random.f64() < self.per_transaction && total > 0;
        tally.hits += u64::from(hit);
        self.tally.set(tally);
        if !hit {
            return None;
        }
        let mut at = self.random.usize(..total);
        let bit = 1_u8 << self.random.u32(..8);
        let outwards = self.random.bool();
        let operation = operations.iter().position(|operation| {
            let len = len(operation);
            let here = at < len;
            if !here {
                at -= len;
            }
            here
        })?;
        Some(Hit {
            operation,
            at,
            bit,
            outwards,
        })
    }
}

impl Tally {
    fn expose(&mut self, operations: &[Operation<'_, u8>], rate: f64) {
        let [Operation::Write([opcode, data])] = operations else {
            return;
        };
        let flipped = (0..16).map(|n| {
            let bit = 1_u16 << n;
            let [high, low] = (u16::from_be_bytes([*opcode, *data]) ^ bit).to_be_bytes();
            (high, low)
        });
        let starts = |(opcode, data): (u8, u8)| matches!(opcode, BFS_ECON1 | WCR_ECON1) && data & TXRTS != 0;
        if !starts((*opcode, *data)) {
            self.starts += rate * flipped.clone().filter(|instruction| starts(*instruction)).count() as f64 / BITS;
        }
        if matches!(*opcode, BFS_ECON1 | BFC_ECON1) {
            // Another instruction, or other bits of it: the bank may be another one than is meant. One bit of the answer shows it.
            let wrong = flipped
                .filter(|(other, bits)| other != opcode || bits & BSEL != data & BSEL)
                .count() as f64;
            self.strays += rate * wrong / BITS * rate / BITS;
        }
        if (*opcode, *data) == (BFS_ECON2, PKTDEC) {
            self.stale += rate * rate;
        }
    }

    /// What another bus has exposed besides.
    pub(super) fn add(&mut self, other: Self) {
        self.hits += other.hits;
        self.starts += other.starts;
        self.strays += other.strays;
        self.stale += other.stale;
    }
}

/// One bit that flips.
#[derive(Debug, Clone, Copy)]
struct Hit {
    operation: usize,
    at: usize,
    bit: u8,
    /// On its way to the chip, where bytes go both ways.
    outwards: bool,
}

impl Hit {
    /// What is written instead, where that is what the bit is in.
    fn written(self, operations: &[Operation<'_, u8>]) -> Vec<u8> {
        let mut bytes = match operations.get(self.operation) {
            Some(Operation::Write(bytes)) => bytes.to_vec(),
            _ => Vec::new(),
        };
        if let Some(byte) = bytes.get_mut(self.at) {
            *byte ^= self.bit;
        }
        bytes
    }

    /// Flips the bit in what is written in place.
    fn write(self, operations: &mut [Operation<'_, u8>]) {
        if let (true, Some(Operation::TransferInPlace(bytes))) = (self.outwards, operations.get_mut(self.operation)) {
            bytes[self.at] ^= self.bit;
        }
    }

    /// The same operations with that instead.
    fn performed<'o>(self, operations: &'o mut [Operation<'_, u8>], written: &'o [u8]) -> Vec<Operation<'o, u8>> {
        operations
            .iter_mut()
            .enumerate()
            .map(|(n, operation)| match operation {
                Operation::Write(_) if n == self.operation => Operation::Write(written),
                Operation::Write(bytes) => Operation::Write(bytes),
                Operation::Read(bytes) => Operation::Read(bytes),
                Operation::TransferInPlace(bytes) => Operation::TransferInPlace(bytes),
                Operation::Transfer(read, write) => Operation::Transfer(read, write),
                Operation::DelayNs(ns) => Operation::DelayNs(*ns),
            })
            .collect()
    }

    /// Flips the bit in what was read, where it is in that.
    fn read(self, operations: &mut [Operation<'_, u8>]) {
        match operations.get_mut(self.operation) {
            Some(Operation::Read(bytes)) => bytes[self.at] ^= self.bit,
            Some(Operation::TransferInPlace(bytes)) if !self.outwards => bytes[self.at] ^= self.bit,
            Some(Operation::Transfer(read, _)) => {
                if let Some(byte) = read.get_mut(self.at) {
                    *byte ^= self.bit;
                }
            }
            Some(_) | None => {}
        }
    }
}

fn len(operation: &Operation<'_, u8>) -> usize {
    match operation {
        Operation::Read(bytes) | Operation::TransferInPlace(bytes) => bytes.len(),
        Operation::Write(bytes) => bytes.len(),
        Operation::Transfer(read, write) => read.len().max(write.len()),
        Operation::DelayNs(_) => 0,
    }
}

impl ErrorType for NoisySpi {
    type Error = SpiFault;
}

impl SpiDevice for NoisySpi {
    fn transaction(&mut self, operations: &mut [Operation<'_, u8>]) -> Result<(), SpiFault> {
        let Some(hit) = self.strike(operations) else {
            return SpiDevice::transaction(&mut self.spi, operations);
        };
        let written = hit.written(operations);
        hit.write(operations);
        let result = SpiDevice::transaction(&mut self.spi, &mut hit.performed(operations, &written));
        hit.read(operations);
        result
    }
}

impl embedded_hal_async::spi::SpiDevice for NoisySpi {
    async fn transaction(&mut self, operations: &mut [Operation<'_, u8>]) -> Result<(), SpiFault> {
        let Some(hit) = self.strike(operations) else {
            return embedded_hal_async::spi::SpiDevice::transaction(&mut self.spi, operations).await;
        };
        let written = hit.written(operations);
        hit.write(operations);
        let mut performed = hit.performed(operations, &written);
        let result = embedded_hal_async::spi::SpiDevice::transaction(&mut self.spi, &mut performed).await;
        drop(performed);
        hit.read(operations);
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exposed(bytes: &[u8]) -> Tally {
        let mut tally = Tally::default();
        tally.expose(&[Operation::Write(bytes)], 0.01);
        tally
    }

    #[test]
    fn bits_that_start_a_transmission_are_found() {
        let sixteenth = 0.01 / 16.0;
        // A bank is selected: one bit of the mask. The opcode's neighbours set nothing.
        assert_eq!(exposed(&[0x9f, 0x01]).starts, sixteenth);
        // TXIE in EIE, whose address is one bit away from ECON1's; TXRTS that is cleared; TXRTS that is meant.
        assert_eq!(exposed(&[0x9b, 0x08]).starts, sixteenth);
        assert_eq!(exposed(&[0xbf, 0x08]).starts, sixteenth);
        assert_eq!(exposed(&[0x9f, 0x08]).starts, 0.0);
        assert_eq!(exposed(&[0x9e, 0x40]).starts, 0.0);
    }
}
