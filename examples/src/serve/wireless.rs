//! A modelled CYW43439, joined to a modelled access point, between the kernel and the stack.

use core::fmt;
use core::time::Duration;

use cyw43439_model::{AccessPoint, BusFault, ChipConfig, Cyw43Chip, PowerPin};
use ethdev::{Control as _, EthernetDevice as _, RxFilter, Speed};
use ethdev_cyw43::{Config, Cyw43, FirmwareImages, Network, PowerSave, ReconnectPolicy};
use ethdev_linux::{Tap, TapConfig};
use ethdev_sim::{Clock, SimDelay, Wire, WireConfig};

use super::link_peer::LinkPeer;
use super::modelled::{Board, BoardFault, Modelled, ModelledError};
use crate::testbed::{GspiHost, images};

/// Length of the receive queue of the driver, in bytes.
const MEMORY: usize = 8192;
const SSID: &str = "ethdev";
const PASSPHRASE: &str = "correct horse battery";
/// An injected bus error occurs this many transactions later, in the middle of an operation.
const FAILING_TRANSACTION: u64 = 10;

/// The error.
pub type WirelessError = ModelledError<ethdev_cyw43::Error<BusFault>>;

/// The CYW43439 driver on a model of the chip, joined to an access point that bridges to the
/// interface.
pub type Wireless = Modelled<Cyw43<'static, GspiHost, PowerPin, SimDelay, FirmwareImages<'static>>, WirelessBoard>;

/// The hardware around the driver.
pub struct WirelessBoard {
    chip: Cyw43Chip,
}

impl fmt::Debug for WirelessBoard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WirelessBoard").finish_non_exhaustive()
    }
}

impl Wireless {
    /// Opens the interface, powers up the chip, loads the firmware and joins the network, with the
    /// MAC address that the `Tap` would have.
    ///
    /// # Errors
    ///
    /// The interface or the driver failed.
    pub fn open(config: TapConfig) -> Result<Self, WirelessError> {
        let mut tap = Tap::with_config(config).map_err(ModelledError::Tap)?;
        // The access point and the chip filter.
        tap.set_rx_filter(RxFilter::PROMISCUOUS).map_err(ModelledError::Tap)?;
        let clock = Clock::new();
        let wire = WireConfig::default().with_speed(Speed::MBPS_100).with_name(tap.name());
        let (wire, chip_port, peer_port) = Wire::new(&clock, wire);
        let chip = Cyw43Chip::new(&clock, chip_port, ChipConfig::default());
        chip.add_ap(AccessPoint::wpa2(SSID, PASSPHRASE));
        let config = Config::new()
            .with_mac_address(tap.mac_address())
            .with_power_save(PowerSave::Off)
            .with_reconnect(ReconnectPolicy::PERSISTENT);
        let (bus, _) = GspiHost::new(chip.word_bus());
        // Lives as long as the program.
        let memory = Box::leak(Box::new([0; MEMORY]));
        let mut nic =
            Cyw43::new(bus, chip.power_pin(), chip.delay(), images(), memory, config).map_err(ModelledError::Chip)?;
        nic.start().map_err(ModelledError::Chip)?;
        let network =
            Network::wpa2(SSID, PASSPHRASE).map_err(|e| ModelledError::Chip(ethdev_cyw43::Error::Param(e)))?;
        nic.join(&network).map_err(ModelledError::Chip)?;
        let link_peer = LinkPeer::new((wire, peer_port), tap, Duration::ZERO);
        let board = WirelessBoard { chip };
        Ok(Self::new(nic, board, link_peer))
    }
}

impl Board for WirelessBoard {
    const ABOUT: &'static str = "a modelled CYW43439 (WPA2, gSPI at 33 MHz)";

    fn irq_active(&mut self) -> bool {
        self.chip.word_bus().event_pending()
    }

    fn counters(&self) -> Vec<(&'static str, u64)> {
        let bus = self.chip.bus();
        vec![
            ("gspi_transactions", bus.transactions),
            ("gspi_bytes", bus.bytes),
            ("protocol_violations", self.chip.violations().len() as u64),
        ]
    }

    fn inject(&mut self, fault: BoardFault) {
        match fault {
            BoardFault::Supply => self.chip.inject_brownout(),
            BoardFault::Bus => self.chip.fail_bus_at(FAILING_TRANSACTION),
        }
    }
}
