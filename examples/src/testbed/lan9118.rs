//! Connects the LAN9118 model to its driver.

use ethdev_phy::mmio::Registers;
use lan9118_model::SimBus;

/// The bus of the chip, for the driver.
#[derive(Debug, Clone)]
pub(super) struct Bus(pub(super) SimBus);

impl Registers for Bus {
    fn read(&self, offset: usize) -> u32 {
        self.0.read(offset)
    }

    fn write(&self, offset: usize, value: u32) {
        self.0.write(offset, value);
    }
}
