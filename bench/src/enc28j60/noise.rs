//! An SPI bus on which bits flip.

use std::cell::Cell;
use std::rc::Rc;

use embedded_hal::spi::{ErrorType, Operation, SpiDevice};
use ethdev_sim::chip::enc28j60::{SimSpi, SpiFault};

/// The chip's SPI device with one bit flipped in some of its transactions: opcode, data in and data out are equally exposed, byte for byte.
#[derive(Debug)]
pub struct NoisySpi {
    spi: SimSpi,
    random: fastrand::Rng,
    per_transaction: f64,
    hits: Rc<Cell<u64>>,
}

impl NoisySpi {
    /// The device with this probability per transaction; and how many were hit.
    #[must_use]
    pub fn new(spi: SimSpi, per_transaction: f64, seed: u64) -> (Self, Rc<Cell<u64>>) {
        let hits = Rc::default();
        let counted = Rc::clone(&hits);
        let random = fastrand::Rng::with_seed(seed);
        let noisy = Self {
            spi,
            random,
            per_transaction,
            hits,
        };
        (noisy, counted)
    }
}

impl ErrorType for NoisySpi {
    type Error = SpiFault;
}

fn len(operation: &Operation<'_, u8>) -> usize {
    match operation {
        Operation::Read(bytes) | Operation::TransferInPlace(bytes) => bytes.len(),
        Operation::Write(bytes) => bytes.len(),
        Operation::Transfer(read, write) => read.len().max(write.len()),
        Operation::DelayNs(_) => 0,
    }
}

impl SpiDevice for NoisySpi {
    fn transaction(&mut self, operations: &mut [Operation<'_, u8>]) -> Result<(), SpiFault> {
        if self.per_transaction <= 0.0 || self.random.f64() >= self.per_transaction {
            return self.spi.transaction(operations);
        }
        self.hits.set(self.hits.get() + 1);
        let total: usize = operations.iter().map(len).sum();
        if total == 0 {
            return self.spi.transaction(operations);
        }
        let mut at = self.random.usize(..total);
        let bit = 1_u8 << self.random.u32(..8);
        let Some(hit) = operations.iter().position(|operation| {
            let len = len(operation);
            let here = at < len;
            if !here {
                at -= len;
            }
            here
        }) else {
            return self.spi.transaction(operations);
        };
        let mut damaged = match &operations[hit] {
            Operation::Write(bytes) => bytes.to_vec(),
            _ => Vec::new(),
        };
        if let Some(byte) = damaged.get_mut(at) {
            *byte ^= bit;
        }
        let mut performed: Vec<Operation<'_, u8>> = operations
            .iter_mut()
            .enumerate()
            .map(|(n, operation)| match operation {
                Operation::Write(_) if n == hit => Operation::Write(&damaged),
                Operation::Write(bytes) => Operation::Write(bytes),
                Operation::Read(bytes) => Operation::Read(bytes),
                Operation::TransferInPlace(bytes) => Operation::TransferInPlace(bytes),
                Operation::Transfer(read, write) => Operation::Transfer(read, write),
                Operation::DelayNs(ns) => Operation::DelayNs(*ns),
            })
            .collect();
        let result = self.spi.transaction(&mut performed);
        drop(performed);
        match &mut operations[hit] {
            Operation::Read(bytes) | Operation::TransferInPlace(bytes) => bytes[at] ^= bit,
            Operation::Transfer(read, _) => {
                if let Some(byte) = read.get_mut(at) {
                    *byte ^= bit;
                }
            }
            Operation::Write(_) | Operation::DelayNs(_) => {}
        }
        result
    }
}
