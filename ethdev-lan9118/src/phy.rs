//! MDIO frames, sent by the MAC.

use embedded_hal::delay::DelayNs;
use ethdev_phy::mmio::Registers;

use crate::bus::{Bus, Limit};
use crate::error::{Error, WaitFor};
use crate::regs;

/// An MDIO frame takes 64 bits at 2.5 MHz: 26 microseconds.
const MDIO_FRAME: Limit = Limit::new(1_000, 5);

impl<BUS: Registers, D: DelayNs> Bus<BUS, D> {
    pub(crate) fn phy_read(&mut self, phy: u8, register: u8) -> Result<u16, Error> {
        self.mdio_ready()?;
        self.mdio(phy, register, 0)?;
        Ok(self.mac_read(regs::mac::MII_DATA)? as u16)
    }

    pub(crate) fn phy_write(&mut self, phy: u8, register: u8, value: u16) -> Result<(), Error> {
        self.mdio_ready()?;
        self.mac_write(regs::mac::MII_DATA, u32::from(value))?;
        self.mdio(phy, register, regs::mii_acc::WRITE)
    }

    fn mdio(&mut self, phy: u8, register: u8, bits: u32) -> Result<(), Error> {
        let command = regs::mii_acc::address(phy, register) | bits | regs::mii_acc::BUSY;
        self.mac_write(regs::mac::MII_ACC, command)?;
        self.mdio_ready()
    }

    /// Waits for the end of an MDIO frame; also of one that an earlier call timed out on.
    fn mdio_ready(&mut self) -> Result<(), Error> {
        self.wait(WaitFor::PhyRegister, MDIO_FRAME, |bus| {
            Ok(bus.mac_read(regs::mac::MII_ACC)? & regs::mii_acc::BUSY == 0)
        })
    }
}
