//! The bus to the PHY: one register begins a transaction, an event bit ends it.

use embedded_hal::delay::DelayNs;
use ethdev_phy::mdio::{Mdio, PhyAddress, RegisterAddress};

use super::Error;
use super::regs::{self, event, mmfr};
use ethdev_phy::mmio::Registers;

/// The MDIO bus of an [`Enet`](super::Enet).
#[derive(Debug)]
pub struct EnetMdio<'a, R, D> {
    pub(super) registers: &'a R,
    pub(super) delay: &'a mut D,
}

impl<R: Registers, D: DelayNs> EnetMdio<'_, R, D> {
    /// How long a transaction may take, in microseconds. 64 cycles of MDC of at least 1.25 MHz are 51 (IEEE 802.3 clause 22.2.4.5 and `Config::mscr`).
    const LONGEST_US: u32 = 110;
    /// How often it is looked at, in microseconds.
    const LOOK_US: u32 = 2;

    fn transaction(&mut self, frame: u32) -> Result<u32, Error> {
        self.registers.write(regs::EIR, event::MII);
        self.registers.write(regs::MMFR, frame);
        for _ in 0..=Self::LONGEST_US / Self::LOOK_US {
            if self.registers.read(regs::EIR) & event::MII != 0 {
                self.registers.write(regs::EIR, event::MII);
                return Ok(self.registers.read(regs::MMFR));
            }
            self.delay.delay_us(Self::LOOK_US);
        }
        Err(Error::MdioTimeout)
    }
}

const fn frame(operation: u32, phy: PhyAddress, register: RegisterAddress) -> u32 {
    mmfr::FRAME | operation | (phy.get() as u32) << mmfr::PA | (register.get() as u32) << mmfr::RA
}

impl<R: Registers, D: DelayNs> Mdio for EnetMdio<'_, R, D> {
    type Error = Error;

    fn read(&mut self, phy: PhyAddress, register: RegisterAddress) -> Result<u16, Error> {
        // The data is the lower half.
        self.transaction(frame(mmfr::READ, phy, register))
            .map(|answer| answer as u16)
    }

    fn write(&mut self, phy: PhyAddress, register: RegisterAddress, value: u16) -> Result<(), Error> {
        self.transaction(frame(mmfr::WRITE, phy, register) | u32::from(value))
            .map(|_| ())
    }
}
