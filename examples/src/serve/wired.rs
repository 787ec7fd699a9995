//! A modelled ENC28J60 between the kernel and the stack.

use embedded_hal::digital::InputPin;
use enc28j60_model::{ChipConfig, Enc28j60Chip, IntPin, Revision, SimSpi, SpiFault};
use ethdev::{Control as _, EthernetDevice as _, RxFilter, Speed};
use ethdev_enc28j60::{Config, Enc28j60};
use ethdev_linux::{Tap, TapConfig};
use ethdev_sim::{Clock, SimDelay, Wire, WireConfig};

use super::link_peer::LinkPeer;
use super::modelled::{Board, BoardFault, Modelled, ModelledError};

/// The ENC28J60 driver on a model of the chip, on a cable.
pub type Wired = Modelled<Enc28j60<SimSpi, SimDelay>, WiredBoard>;

/// The error.
pub type WiredError = ModelledError<ethdev_enc28j60::Error<SpiFault>>;

/// The hardware around the driver.
#[derive(Debug)]
pub struct WiredBoard {
    chip: Enc28j60Chip,
    int: IntPin,
}

/// An injected bus error occurs this many bytes later, in the middle of an operation.
const FAILING_BYTE: u64 = 100;

impl Wired {
    /// Opens the interface, powers up the chip and starts the driver, with the MAC address that the
    /// `Tap` would have.
    ///
    /// # Errors
    ///
    /// The interface or the driver failed.
    pub fn open(config: TapConfig) -> Result<Self, WiredError> {
        let mut tap = Tap::with_config(config).map_err(ModelledError::Tap)?;
        // The chip filters.
        tap.set_rx_filter(RxFilter::PROMISCUOUS).map_err(ModelledError::Tap)?;
        let clock = Clock::new();
        let wire = WireConfig::default()
            .with_speed(Speed::MBPS_10)
            .with_link_up(tap.link().is_up())
            .with_name(tap.name());
        let (wire, chip_port, peer_port) = Wire::new(&clock, wire);
        let hardware = ChipConfig::new(Revision::B7);
        let link_time = hardware.link_time;
        let chip = Enc28j60Chip::new(&clock, chip_port, hardware);
        let mut nic = Enc28j60::new(chip.spi_device(), chip.delay(), Config::new(tap.mac_address()))
            .map_err(ModelledError::Chip)?;
        clock.advance(link_time);
        nic.service().map_err(ModelledError::Chip)?;
        let link_peer = LinkPeer::new((wire, peer_port), tap, link_time);
        let board = WiredBoard {
            int: chip.int_pin(),
            chip,
        };
        Ok(Self::new(nic, board, link_peer))
    }
}

impl Board for WiredBoard {
    const ABOUT: &'static str = "a modelled ENC28J60 (B7, SPI at 20 MHz, 10 Mbit/s half duplex)";

    fn irq_active(&mut self) -> bool {
        self.int.is_low() == Ok(true)
    }

    fn counters(&self) -> Vec<(&'static str, u64)> {
        let bus = self.chip.bus();
        vec![
            ("spi_transactions", bus.transactions),
            ("spi_bytes", bus.bytes),
            ("protocol_violations", self.chip.violations().len() as u64),
        ]
    }

    fn inject(&mut self, fault: BoardFault) {
        match fault {
            BoardFault::Supply => self.chip.inject_brownout(),
            BoardFault::Bus => self.chip.fail_bus_at(FAILING_BYTE),
        }
    }
}
