//! Connects the bus of the CYW43439 model to the driver.

use std::cell::Cell;
use std::rc::Rc;

use cyw43439_model::{BusFault, WordBus};
use ethdev_cyw43::{FirmwareImages, Gspi, RxWords, TxWords};

/// A host that transfers whole words and reads the interrupt line, as a PIO state machine does.
/// Counts the clocked bytes.
#[derive(Debug)]
pub struct GspiHost {
    bus: WordBus,
    words: Vec<u32>,
    bytes: Rc<Cell<u64>>,
}

impl GspiHost {
    /// Creates a host on `bus`. Returns it and its byte counter.
    pub(crate) fn new(bus: WordBus) -> (Self, Rc<Cell<u64>>) {
        let bytes = Rc::default();
        let counted = Rc::clone(&bytes);
        let words = Vec::new();
        (Self { bus, words, bytes }, counted)
    }

    /// Counts a transfer: command, `words`, status.
    fn count(&self, words: usize) {
        self.bytes.set(self.bytes.get() + 4 * (words as u64 + 2));
    }
}

impl Gspi for GspiHost {
    type Error = BusFault;

    fn write(&mut self, command: u32, data: &mut TxWords<'_>) -> Result<u32, BusFault> {
        self.words.clear();
        self.words.push(command);
        self.words.extend(data);
        self.count(self.words.len() - 1);
        self.bus.cmd_write_blocking(&self.words)
    }

    fn read(&mut self, command: u32, data: &mut RxWords<'_>) -> Result<u32, BusFault> {
        self.words.clear();
        self.words.resize(data.words_left(), 0);
        self.count(self.words.len());
        let status = self.bus.cmd_read_blocking(command, &mut self.words)?;
        data.extend(&self.words);
        Ok(status)
    }

    fn set_strap(&mut self, _: bool) -> Result<(), BusFault> {
        // The word-level model of the bus starts in gSPI mode in any case.
        Ok(())
    }

    fn interrupt(&mut self) -> Result<Option<bool>, BusFault> {
        Ok(Some(self.bus.event_pending()))
    }
}

/// Returns placeholder images of firmware, NVRAM and CLM: the model does not interpret them.
pub(crate) const fn images() -> FirmwareImages<'static> {
    FirmwareImages::new(&[0x5a; 4096], b"boardtype=0x0887\0\0\0", b"BLOB")
}
