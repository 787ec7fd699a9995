//! The NIC of the board, as an ethdev device: the one place that names it.

use core::time::Duration;

use ethdev_lan8720::{Lan8720, Lan8720Phy, PhyConfig};
use ethdev_phy::mdio::PhyAddress;
use ethdev_phy::phy::PhyError;
use ethdev_phy::{Error as PortError, EthernetPort, Mac};
use semihosting::println;

use crate::board::{self, Board, Delay, NicRegisters};

pub use this::{Error, Nic, Port, new, next_service, port};

/// The board's clock.
type Clock = fn() -> Duration;

/// Where a scan of the MDIO bus ends.
const LAST: PhyAddress = PhyAddress::from_low_bits(31);

/// Puts a MAC and the PHY that is found on its bus together.
fn join<M: Mac>(mut mac: M, config: PhyConfig) -> Result<Lan8720<M, Clock>, PortError<M::Error>> {
    let found = Lan8720Phy::find(&mut mac.mdio(), config);
    let phy = found.map_err(|e| PortError::Phy(PhyError::Mdio(e)))?;
    let nobody = PortError::Phy(PhyError::NotResponding(LAST));
    let port = EthernetPort::new(mac, phy.ok_or(nobody)?, board::now as Clock)?;
    if let Some(model) = port.phy().model() {
        println!("PHY {model} at {}", port.phy().address());
    }
    Ok(port)
}

/// The LAN9118 of the MPS2 board. Its frames lie in FIFOs: buffers in front of it lend them. Its PHY's interrupt is one of its own.
#[cfg(board = "mps2_an385")]
mod this {
    use super::{Board, Clock, Delay, Duration, Lan8720, NicRegisters, PhyConfig, PortError, join};
    use crate::app::FRAME;
    use ethdev::LayerError;
    use ethdev_lan9118::{self as lan9118, Config, IrqPin, Lan9118};
    use ethdev_util::Buffered;

    /// The device.
    pub type Port = Lan8720<Lan9118<NicRegisters, Delay>, Clock>;
    /// The same, lending frames.
    pub type Nic = Buffered<Port, FRAME>;
    /// Its error.
    pub type Error = LayerError<PortError<lan9118::Error>>;

    /// Makes the device of the board's parts.
    ///
    /// # Errors
    ///
    /// MAC or PHY do not start.
    pub fn port(board: Board) -> Result<Port, PortError<lan9118::Error>> {
        let mac = Lan9118::new(board.nic, Delay, Config::new().with_irq(IrqPin::ActiveHigh)).map_err(PortError::Mac)?;
        join(mac, PhyConfig::new().with_interrupt(true))
    }

    /// Makes it, lending frames.
    ///
    /// # Errors
    ///
    /// MAC or PHY do not start.
    pub fn new(board: Board) -> Result<Nic, Error> {
        port(board).map(Buffered::new).map_err(LayerError::Device)
    }

    /// How long it needs no look if no interrupt comes.
    pub fn next_service(nic: &mut Nic) -> Duration {
        nic.inner_mut().next_service()
    }
}

/// ENET1 of the i.MX6UL board, which lends the DMA engine's buffers. Its PHY's interrupt ends nowhere: it is looked at from time to time.
#[cfg(board = "imx6ul_evk")]
mod this {
    use super::{Board, Clock, Delay, Duration, Lan8720, NicRegisters, PhyConfig, PortError, join};
    use ethdev_enet::{self as enet, Config, Enet, Rings};
    use static_cell::ConstStaticCell;

    /// The device.
    pub type Port = Lan8720<Enet<NicRegisters, Delay>, Clock>;
    /// The same: it lends frames.
    pub type Nic = Port;
    /// Its error.
    pub type Error = PortError<enet::Error>;

    /// The module's clock (`ipg_clk` as the i.MX 6UltraLite boots).
    const MODULE_CLOCK_HZ: u32 = 66_000_000;

    static RINGS: ConstStaticCell<Rings<8, 4>> = ConstStaticCell::new(Rings::new());

    /// Makes the device of the board's parts.
    ///
    /// # Errors
    ///
    /// MAC or PHY do not start.
    pub fn port(board: Board) -> Result<Port, Error> {
        let config = Config::new(board.address, MODULE_CLOCK_HZ);
        // There is one board, so that the rings are taken once.
        let mac = Enet::new(board.nic, RINGS.take(), Delay, config).map_err(PortError::Mac)?;
        join(mac, PhyConfig::new())
    }

    /// The same: it lends frames.
    ///
    /// # Errors
    ///
    /// MAC or PHY do not start.
    pub fn new(board: Board) -> Result<Nic, Error> {
        port(board)
    }

    /// How long it needs no look if no interrupt comes.
    pub fn next_service(nic: &mut Nic) -> Duration {
        nic.next_service().min(Port::MAX_SERVICE_INTERVAL)
    }
}
