//! A modelled Wi-Fi chip, joined to a modelled access point, between the kernel and the stack.

use core::fmt;
use core::time::Duration;

use cyw43439_model::{AccessPoint, BusFault, ChipConfig, Cyw43Chip, PowerPin};
use ethdev::{Control as _, ControlError, EthernetDevice as _, RxFilter, Speed};
use ethdev_cyw43::{Config, Cyw43, Images, Network, PowerSave, ReconnectPolicy};
use ethdev_linux::{Tap, TapConfig};
use ethdev_sim::{Clock, SimDelay, Wire, WireConfig};

use super::far_end::LinkPeer;
use super::modelled::{Board, BoardFault, Modelled, ModelledError};
use crate::lab::{GspiHost, images};

/// Memory of the driver, where frames wait.
const MEMORY: usize = 8192;
const SSID: &str = "ethdev";
const PASSPHRASE: &str = "correct horse battery";
/// The bus fails at this transaction from now on: in the middle of something.
const FAILING_TRANSACTION: u64 = 10;

/// What can go wrong.
pub type WirelessError = ModelledError<ethdev_cyw43::Error<BusFault>>;

/// The driver of the CYW43439 on a model of the chip that has joined an access point, which bridges to the interface.
pub type Wireless = Modelled<Cyw43<'static, GspiHost, PowerPin, SimDelay, Images<'static>>, WirelessBoard>;

/// The chip.
pub struct WirelessBoard {
    chip: Cyw43Chip,
}

impl fmt::Debug for WirelessBoard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WirelessBoard").finish_non_exhaustive()
    }
}

impl Wireless {
    /// Opens the interface, powers the chip on, loads its firmware and joins, with the MAC address that the interface's own NIC would have.
    ///
    /// # Errors
    ///
    /// The interface or the driver failed.
    pub fn open(config: TapConfig) -> Result<Self, WirelessError> {
        let mut tap = Tap::with_config(config).map_err(ModelledError::Tap)?;
        // Filtering is the access point's and the chip's.
        tap.set_rx_filter(RxFilter::PROMISCUOUS)
            .map_err(ModelledError::filter)?;
        let clock = Clock::new();
        let wire = WireConfig::default().with_speed(Speed::MBPS_100).with_name(tap.name());
        let (wire, near, far) = Wire::new(&clock, wire);
        let chip = Cyw43Chip::new(&clock, near, ChipConfig::default());
        chip.add_ap(AccessPoint::wpa2(SSID, PASSPHRASE));
        let config = Config::new()
            .with_mac_address(tap.mac_address())
            .with_power_save(PowerSave::Off)
            .with_rejoin(ReconnectPolicy::PERSISTENT);
        let (bus, _) = GspiHost::new(chip.word_bus());
        // As long as the program runs.
        let memory = Box::leak(Box::new([0; MEMORY]));
        let mut nic =
            Cyw43::new(bus, chip.power_pin(), chip.delay(), images(), memory, config).map_err(ModelledError::Chip)?;
        let started = nic.start();
        started.map_err(|e| match e {
            ControlError::Device(e) => ModelledError::Chip(e),
            ControlError::Unsupported | ControlError::InvalidInput => {
                ModelledError::Chip(ethdev_cyw43::Error::Request(ethdev::ErrorKind::Unsupported))
            }
        })?;
        let network =
            Network::wpa2(SSID, PASSPHRASE).map_err(|e| ModelledError::Chip(ethdev_cyw43::Error::Invalid(e)))?;
        nic.join(&network).map_err(ModelledError::Chip)?;
        let far = LinkPeer::new((wire, far), tap, Duration::ZERO);
        let board = WirelessBoard { chip };
        Ok(Self::new(nic, board, far))
    }
}

impl Board for WirelessBoard {
    const ABOUT: &'static str = "a modelled CYW43439 (WPA2, gSPI at 33 MHz)";

    fn interrupts(&mut self) -> bool {
        self.chip.word_bus().event_pending()
    }

    fn counters(&self) -> Vec<(&'static str, u64)> {
        let bus = self.chip.bus();
        vec![
            ("gspi_transactions", bus.transactions),
            ("gspi_bytes", bus.bytes),
            ("chip_misuse", self.chip.violations().len() as u64),
        ]
    }

    fn inject(&mut self, fault: BoardFault) {
        match fault {
            BoardFault::Supply => self.chip.inject_brownout(),
            BoardFault::Bus => self.chip.fail_bus_at(FAILING_TRANSACTION),
        }
    }
}
