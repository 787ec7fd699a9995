//! The device of the board.

use core::time::Duration;

use embedded_hal::delay::DelayNs;
use ethdev::{Error, ErrorKind};
use ethdev_lan8720::{Lan8720, Lan8720Phy, PhyConfig};
use ethdev_lan9118::{Config, IrqOutput, Lan9118};
use ethdev_phy::mmio::Mmio;
use ethdev_phy::{EthernetPort, Mac};

use crate::sys;

/// The registers of the chip.
pub(crate) type Registers = Mmio<0x100>;
/// A LAN9118 with its PHY.
pub(crate) type Nic = Lan8720<Lan9118<Registers, Delay>, fn() -> Duration>;

/// The firmware's `board_delay_us`.
pub(crate) struct Delay;

impl DelayNs for Delay {
    fn delay_ns(&mut self, ns: u32) {
        sys::delay_us(ns.div_ceil(1000));
    }

    fn delay_us(&mut self, us: u32) {
        sys::delay_us(us);
    }
}

/// Detects chip and PHY.
pub(crate) fn nic(registers: Registers) -> Result<Nic, ErrorKind> {
    let config = Config::new().with_irq(IrqOutput::ActiveHigh);
    let mut mac = Lan9118::new(registers, Delay, config).map_err(|e| e.kind())?;
    let phy = Lan8720Phy::find(&mut mac.mdio(), PhyConfig::default()).map_err(|e| e.kind())?;
    let phy = phy.ok_or(ErrorKind::NotPresent)?;
    EthernetPort::new(mac, phy, sys::now as fn() -> Duration).map_err(|e| e.kind())
}
