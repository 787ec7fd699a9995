//! The bus of the CYW43439's model, as a bus of its driver.

use std::cell::Cell;
use std::rc::Rc;

use cyw43439_model::{BusFault, WordBus};
use ethdev_cyw43::{Gspi, Images, Incoming, Outgoing};

/// A host that moves whole words and sees the interrupt, as a PIO state machine does. Counts every byte that is clocked.
#[derive(Debug)]
pub struct GspiHost {
    bus: WordBus,
    words: Vec<u32>,
    bytes: Rc<Cell<u64>>,
}

impl GspiHost {
    /// On this bus; and where its bytes are counted.
    pub(crate) fn new(bus: WordBus) -> (Self, Rc<Cell<u64>>) {
        let bytes = Rc::default();
        let counted = Rc::clone(&bytes);
        let words = Vec::new();
        (Self { bus, words, bytes }, counted)
    }

    /// The command, `words`, and the status.
    fn count(&self, words: usize) {
        self.bytes.set(self.bytes.get() + 4 * (words as u64 + 2));
    }
}

impl Gspi for GspiHost {
    type Error = BusFault;

    fn write(&mut self, command: u32, data: &mut Outgoing<'_>) -> Result<u32, BusFault> {
        self.words.clear();
        self.words.push(command);
        self.words.extend(data);
        self.count(self.words.len() - 1);
        self.bus.cmd_write_blocking(&self.words)
    }

    fn read(&mut self, command: u32, data: &mut Incoming<'_>) -> Result<u32, BusFault> {
        self.words.clear();
        self.words.resize(data.words_left(), 0);
        self.count(self.words.len());
        let status = self.bus.cmd_read_blocking(command, &mut self.words)?;
        data.extend(&self.words);
        Ok(status)
    }

    fn set_strap(&mut self, _: bool) -> Result<(), BusFault> {
        // The model of a bus of whole words comes up with gSPI in any case.
        Ok(())
    }

    fn interrupt(&mut self) -> Result<Option<bool>, BusFault> {
        Ok(Some(self.bus.event_pending()))
    }
}

/// What the model takes for firmware, NVRAM and CLM: it does not look into them.
pub(crate) const fn images() -> Images<'static> {
    Images::new(&[0x5a; 4096], b"boardtype=0x0887\0\0\0", b"BLOB")
}
