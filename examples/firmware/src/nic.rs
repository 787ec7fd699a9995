//! The NIC of the board.

use core::time::Duration;

use ethdev_lan8720::{Lan8720, Lan8720Phy, PhyConfig};
use ethdev_phy::mdio::PhyAddress;
use ethdev_phy::phy::PhyError;
use ethdev_phy::{Error as PortError, EthernetPort, Mac};
use ethdev_smoltcp::SmoltcpDevice;
use semihosting::println;
use static_cell::ConstStaticCell;

use crate::app::FRAME;
use crate::board::{self, Board, Delay, NicRegisters};
use crate::frames::Aligned;

pub use this::{Adapter, Error, Mode, Nic, adapter, new, next_service};

/// The clock of the board.
type Clock = fn() -> Duration;

/// The last address of a scan of the MDIO bus.
const LAST: PhyAddress = PhyAddress::from_low_bits(31);

/// Holds a reply that waits for the device.
static REPLY: ConstStaticCell<Aligned<[u8; FRAME]>> = ConstStaticCell::new(Aligned([0; FRAME]));

/// Connects a MAC to the PHY that is found on its bus.
fn join<M: Mac>(mut mac: M, config: PhyConfig) -> Result<Lan8720<M, Clock>, PortError<M::Error>> {
    let found = Lan8720Phy::find(&mut mac.mdio(), config);
    let phy = found.map_err(|e| PortError::Phy(PhyError::Mdio(e)))?;
    let not_found = PortError::Phy(PhyError::NotResponding(LAST));
    let port = EthernetPort::new(mac, phy.ok_or(not_found)?, board::now as Clock)?;
    if let Some(model) = port.phy().model() {
        println!("PHY {model} at {}", port.phy().address());
    }
    Ok(port)
}

/// The LAN9118 of the MPS2 board. Frames are copied from and to its FIFOs. The interrupt of its PHY
/// is one of its own.
#[cfg(board = "mps2_an385")]
mod this {
    use super::{
        Aligned, Board, Clock, ConstStaticCell, Delay, Duration, FRAME, Lan8720, NicRegisters, PhyConfig, PortError,
        REPLY, SmoltcpDevice, join,
    };
    use ethdev_lan9118::{self as lan9118, Config, IrqOutput, Lan9118};
    use ethdev_smoltcp::Pull;

    /// The device.
    pub type Nic = Lan8720<Lan9118<NicRegisters, Delay>, Clock>;
    /// The mode of its adapter.
    pub type Mode = Pull<'static>;
    /// The device for smoltcp.
    pub type Adapter = SmoltcpDevice<'static, Nic, Mode>;
    /// The error of the device.
    pub type Error = PortError<lan9118::Error>;

    static RX: ConstStaticCell<Aligned<[u8; FRAME]>> = ConstStaticCell::new(Aligned([0; FRAME]));

    /// Creates the device.
    ///
    /// # Errors
    ///
    /// MAC or PHY do not start.
    pub fn new(board: Board) -> Result<Nic, Error> {
        let config = Config::new().with_irq(IrqOutput::ActiveHigh);
        let mac = Lan9118::new(board.nic, Delay, config).map_err(PortError::Mac)?;
        join(mac, PhyConfig::new().with_interrupt(true))
    }

    /// Creates the adapter; `None` on the second call, because its buffers are static.
    #[must_use]
    pub fn adapter(nic: Nic) -> Option<Adapter> {
        Some(SmoltcpDevice::new(nic, &mut RX.try_take()?.0, &mut REPLY.try_take()?.0))
    }

    /// Returns the longest time until the device must be serviced.
    pub fn next_service(nic: &mut Nic) -> Duration {
        nic.next_service()
    }
}

/// ENET1 of the i.MX6UL board, which lends its DMA buffers. The interrupt of its PHY is not
/// connected, so the link is polled.
#[cfg(board = "imx6ul_evk")]
mod this {
    use super::{
        Board, Clock, ConstStaticCell, Delay, Duration, Lan8720, NicRegisters, PhyConfig, PortError, REPLY,
        SmoltcpDevice, join,
    };
    use ethdev_enet::{self as enet, Config, Enet, Rings};
    use ethdev_smoltcp::Lending;

    /// The device.
    pub type Nic = Lan8720<Enet<NicRegisters, Delay>, Clock>;
    /// The mode of its adapter.
    pub type Mode = Lending;
    /// The device for smoltcp.
    pub type Adapter = SmoltcpDevice<'static, Nic, Mode>;
    /// The error of the device.
    pub type Error = PortError<enet::Error>;

    /// The clock of the module (`ipg_clk` after reset of the i.MX 6UltraLite).
    const MODULE_CLOCK_HZ: u32 = 66_000_000;

    static RINGS: ConstStaticCell<Rings<8, 4>> = ConstStaticCell::new(Rings::new());

    /// Creates the device.
    ///
    /// # Errors
    ///
    /// MAC or PHY do not start.
    pub fn new(board: Board) -> Result<Nic, Error> {
        let config = Config::new(board.address, MODULE_CLOCK_HZ);
        // There is one board, so the rings are taken once.
        let mac = Enet::new(board.nic, RINGS.take(), Delay, config).map_err(PortError::Mac)?;
        join(mac, PhyConfig::new())
    }

    /// Creates the adapter; `None` on the second call, because its buffer is static.
    #[must_use]
    pub fn adapter(nic: Nic) -> Option<Adapter> {
        Some(SmoltcpDevice::lending(nic, &mut REPLY.try_take()?.0))
    }

    /// Returns the longest time until the device must be serviced.
    pub fn next_service(nic: &mut Nic) -> Duration {
        nic.next_service().min(Nic::MAX_SERVICE_INTERVAL)
    }
}
