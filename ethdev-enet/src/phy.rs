//! The MDIO bus to the PHY: a write to `MMFR` starts a frame, an event bit ends it.

use embedded_hal::delay::DelayNs;
use ethdev_phy::mdio::{Mdio, PhyAddress, RegisterAddress};
use ethdev_phy::mmio::Registers;

use crate::bus::wait;
use crate::error::Error;
use crate::regs::{self, event, mmfr};

/// Timeout of a frame in microseconds. 64 cycles of MDC take at most 51 at 1.25 MHz (IEEE 802.3
/// clause 22.2.4.5, and `Config::mscr`).
const TIMEOUT_US: u32 = 110;
/// Poll interval in microseconds.
const INTERVAL_US: u32 = 2;

/// The MDIO bus of an [`Enet`](crate::Enet).
#[derive(Debug)]
pub struct EnetMdio<'a, BUS, D> {
    registers: &'a BUS,
    delay: &'a mut D,
}

impl<'a, BUS: Registers, D: DelayNs> EnetMdio<'a, BUS, D> {
    pub(crate) const fn new(registers: &'a BUS, delay: &'a mut D) -> Self {
        Self { registers, delay }
    }

    fn transfer(&mut self, frame: u32) -> Result<u32, Error> {
        let registers = self.registers;
        registers.write(regs::EIR, event::MII);
        registers.write(regs::MMFR, frame);
        if !wait(self.delay, TIMEOUT_US, INTERVAL_US, || {
            registers.read(regs::EIR) & event::MII != 0
        }) {
            return Err(Error::MdioTimeout);
        }
        registers.write(regs::EIR, event::MII);
        Ok(registers.read(regs::MMFR))
    }
}

const fn frame(operation: u32, phy: PhyAddress, register: RegisterAddress) -> u32 {
    mmfr::FRAME | operation | (phy.get() as u32) << mmfr::PA | (register.get() as u32) << mmfr::RA
}

impl<BUS: Registers, D: DelayNs> Mdio for EnetMdio<'_, BUS, D> {
    type Error = Error;

    fn read(&mut self, phy: PhyAddress, register: RegisterAddress) -> Result<u16, Error> {
        // The data are in the lower half.
        Ok(self.transfer(frame(mmfr::READ, phy, register))? as u16)
    }

    fn write(&mut self, phy: PhyAddress, register: RegisterAddress, value: u16) -> Result<(), Error> {
        self.transfer(frame(mmfr::WRITE, phy, register) | u32::from(value))?;
        Ok(())
    }
}
