//! The bus of the model as a `Gspi`.

use cyw43439_model::{BusFault, WordBus};
use ethdev_cyw43::{Gspi, RxWords, TxWords, asynch};

/// A bus that transfers whole transactions, as a PIO state machine or an SPI peripheral does.
#[derive(Debug)]
pub struct ModelBus {
    bus: WordBus,
    has_irq_line: bool,
    words: Vec<u32>,
}

impl ModelBus {
    /// Creates an adapter. `has_irq_line`: whether the host reads the interrupt level on the data
    /// line between transactions.
    #[must_use]
    pub const fn new(bus: WordBus, has_irq_line: bool) -> Self {
        Self {
            bus,
            has_irq_line,
            words: Vec::new(),
        }
    }

    fn collect(&mut self, command: u32, data: &mut TxWords<'_>) {
        self.words.clear();
        self.words.push(command);
        self.words.extend(data);
    }
}

impl Gspi for ModelBus {
    type Error = BusFault;

    fn write(&mut self, command: u32, data: &mut TxWords<'_>) -> Result<u32, BusFault> {
        self.collect(command, data);
        self.bus.cmd_write_blocking(&self.words)
    }

    fn read(&mut self, command: u32, data: &mut RxWords<'_>) -> Result<u32, BusFault> {
        self.words.clear();
        self.words.resize(data.words_left(), 0);
        let status = self.bus.cmd_read_blocking(command, &mut self.words)?;
        data.extend(&self.words);
        Ok(status)
    }

    fn set_strap(&mut self, _: bool) -> Result<(), BusFault> {
        Ok(())
    }

    fn interrupt(&mut self) -> Result<Option<bool>, BusFault> {
        Ok(self.has_irq_line.then(|| self.bus.event_pending()))
    }
}

impl asynch::Gspi for ModelBus {
    type Error = BusFault;
    const CAN_WAIT: bool = true;

    async fn write(&mut self, command: u32, data: &mut TxWords<'_>) -> Result<u32, BusFault> {
        self.collect(command, data);
        self.bus.cmd_write(&self.words).await
    }

    async fn read(&mut self, command: u32, data: &mut RxWords<'_>) -> Result<u32, BusFault> {
        self.words.clear();
        self.words.resize(data.words_left(), 0);
        let status = self.bus.cmd_read(command, &mut self.words).await?;
        data.extend(&self.words);
        Ok(status)
    }

    async fn set_strap(&mut self, _: bool) -> Result<(), BusFault> {
        Ok(())
    }

    fn interrupt(&mut self) -> Result<Option<bool>, BusFault> {
        Ok(self.has_irq_line.then(|| self.bus.event_pending()))
    }

    async fn wait_for_interrupt(&mut self) -> Result<(), BusFault> {
        self.bus.wait_for_event().await;
        Ok(())
    }
}
