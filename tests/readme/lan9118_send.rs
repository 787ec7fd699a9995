use embedded_hal::delay::DelayNs;
use ethdev::{Duplex, EthernetDevice, Link, LinkMode, Speed};
use ethdev_lan9118::{Config, Error, IrqOutput, Lan9118};
use ethdev_phy::{Mac, mmio::Registers};

/// Sends a frame. `registers` is an `Mmio::<0x100>` at the address of the chip, or another
/// implementation of `Registers`.
fn send(registers: impl Registers, delay: impl DelayNs) -> Result<(), Error> {
    let mut mac = Lan9118::new(registers, delay, Config::new().with_irq(IrqOutput::ActiveHigh))?;
    // A link with a known mode needs no PHY driver. Otherwise `EthernetPort` sets the link.
    mac.set_link(Link::Up(LinkMode::new(Speed::MBPS_100, Duplex::Full)))?;
    mac.send_frame(&[0xff; 60])
}
