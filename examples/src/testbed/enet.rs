//! Connects the ENET model to its driver: registers, and shared memory.

use ethdev_phy::dma::HostMemory;
use ethdev_phy::mmio;
use nxp_enet_model::{BusMemory, EnetChip};

/// The registers of the chip, for the driver.
#[derive(Debug, Clone)]
pub struct Registers(pub EnetChip);

impl mmio::Registers for Registers {
    fn read(&self, offset: usize) -> u32 {
        self.0.read(offset)
    }

    fn write(&self, offset: usize, value: u32) {
        self.0.write(offset, value);
    }
}

/// The memory of the host, for the chip.
#[derive(Debug, Clone)]
pub struct Memory(pub HostMemory);

impl BusMemory for Memory {
    fn read(&self, address: u32, into: &mut [u8]) -> bool {
        self.0.read(address, into)
    }

    fn write(&self, address: u32, from: &[u8]) -> bool {
        self.0.write(address, from)
    }
}
