//! The model's bus, as the driver wants one.

use cyw43439_model::{BusFault, WordBus};
use ethdev_cyw43::{Gspi, Incoming, Outgoing, asynch};

/// A host with a state machine in hardware: whole transactions, and a data line that can be looked at between them, or cannot.
#[derive(Debug)]
pub struct Host {
    bus: WordBus,
    sees_line: bool,
    words: Vec<u32>,
}

impl Host {
    /// On this bus. Whether it sees the interrupt on the data line.
    #[must_use]
    pub const fn new(bus: WordBus, sees_line: bool) -> Self {
        Self {
            bus,
            sees_line,
            words: Vec::new(),
        }
    }

    fn gather(&mut self, command: u32, data: &mut Outgoing<'_>) {
        self.words.clear();
        self.words.push(command);
        self.words.extend(data);
    }
}

impl Gspi for Host {
    type Error = BusFault;

    fn write(&mut self, command: u32, data: &mut Outgoing<'_>) -> Result<u32, BusFault> {
        self.gather(command, data);
        self.bus.cmd_write_blocking(&self.words)
    }

    fn read(&mut self, command: u32, data: &mut Incoming<'_>) -> Result<u32, BusFault> {
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
        Ok(self.sees_line.then(|| self.bus.event_pending()))
    }
}

impl asynch::Gspi for Host {
    type Error = BusFault;
    const CAN_WAIT: bool = true;

    async fn write(&mut self, command: u32, data: &mut Outgoing<'_>) -> Result<u32, BusFault> {
        self.gather(command, data);
        self.bus.cmd_write(&self.words).await
    }

    async fn read(&mut self, command: u32, data: &mut Incoming<'_>) -> Result<u32, BusFault> {
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
        Ok(self.sees_line.then(|| self.bus.event_pending()))
    }

    async fn wait_for_interrupt(&mut self) -> Result<(), BusFault> {
        self.bus.wait_for_event().await;
        Ok(())
    }
}
