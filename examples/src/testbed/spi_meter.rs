//! Counts the bytes on an SPI bus.

use std::cell::Cell;
use std::rc::Rc;

use embedded_hal::spi::{ErrorType, Operation, SpiDevice};

/// An SPI device whose clocked bytes are counted.
#[derive(Debug)]
pub(super) struct SpiMeter<S> {
    spi: S,
    bytes: Rc<Cell<u64>>,
}

impl<S> SpiMeter<S> {
    /// Wraps `spi`. Returns the device and its byte counter.
    pub(super) fn new(spi: S) -> (Self, Rc<Cell<u64>>) {
        let bytes = Rc::default();
        let counted = Rc::clone(&bytes);
        (Self { spi, bytes }, counted)
    }
}

impl<S: ErrorType> ErrorType for SpiMeter<S> {
    type Error = S::Error;
}

impl<S: SpiDevice> SpiDevice for SpiMeter<S> {
    fn transaction(&mut self, operations: &mut [Operation<'_, u8>]) -> Result<(), S::Error> {
        let bytes: usize = operations
            .iter()
            .map(|operation| match operation {
                Operation::Read(bytes) | Operation::TransferInPlace(bytes) => bytes.len(),
                Operation::Write(bytes) => bytes.len(),
                Operation::Transfer(read, write) => read.len().max(write.len()),
                Operation::DelayNs(_) => 0,
            })
            .sum();
        self.bytes.set(self.bytes.get() + bytes as u64);
        self.spi.transaction(operations)
    }
}
