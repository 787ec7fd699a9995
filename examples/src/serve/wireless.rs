//! A modelled Wi-Fi chip, joined to a modelled access point, between the kernel and the stack.

use core::time::Duration;
use std::fmt;
use std::time::Instant;

use ethdev::{
    Capabilities, Control, ControlError, ErrorType, EthernetDevice, Events, Interest, Link, MacAddress, Rearm,
    RearmOutcome, RxFilter, RxMeta, Speed, Stats,
};
use ethdev_cyw43::{Config, Cyw43, Images, Network, PowerSave, Rejoin};
use ethdev_linux::{Tap, TapConfig};
use ethdev_sim::chip::cyw43::{AccessPoint, BusFault, ChipConfig, Cyw43Chip, PowerPin};
use ethdev_sim::{Clock, SimDelay, Wire, WireConfig};

use super::modelled::FarEnd;
use super::{ModelledError, Nic};
use crate::lab::{GspiHost, images};

/// Memory of the driver, where frames wait.
const MEMORY: usize = 8192;
const SSID: &str = "ethdev";
const PASSPHRASE: &str = "correct horse battery";

/// What can go wrong.
pub type WirelessError = ModelledError<ethdev_cyw43::Error<BusFault>>;

type Driver = Cyw43<'static, GspiHost, PowerPin, SimDelay, Images<'static>>;

/// The driver of the CYW43439 on a model of the chip that has joined an access point, which bridges to a TAP interface: kernel, TAP, wire, access point, air,
/// chip, bus, driver.
///
/// Simulated time follows the real clock, as with the wired [`Modelled`](super::Modelled).
pub struct Wireless {
    nic: Driver,
    chip: Cyw43Chip,
    far: FarEnd,
}

impl fmt::Debug for Wireless {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wireless")
            .field("far", &self.far)
            .finish_non_exhaustive()
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
            .map_err(ModelledError::Filter)?;
        let clock = Clock::new();
        let wire = WireConfig::default().with_speed(Speed::MBPS_100).with_name(tap.name());
        let (wire, near, far) = Wire::new(&clock, wire);
        let chip = Cyw43Chip::new(&clock, near, ChipConfig::default());
        chip.add_ap(AccessPoint::wpa2(SSID, PASSPHRASE));
        let config = Config::new()
            .with_mac_address(tap.mac_address())
            .with_power_save(PowerSave::Off)
            .with_rejoin(Rejoin::PERSISTENT);
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
        Ok(Self {
            nic,
            chip,
            far: FarEnd::new(clock, wire, far, tap),
        })
    }
}

impl Nic for Wireless {
    /// As firmware with an interrupt line does it: arms the chip's interrupt, then sleeps until the line is high.
    fn sleep(&mut self, interest: Interest, at_most: Duration) -> Result<(), WirelessError> {
        let began = Instant::now();
        self.far.follow().map_err(ModelledError::Tap)?;
        if at_most.is_zero() {
            return Ok(());
        }
        let armed = self.nic.rearm(interest.or(Interest::LINK));
        if armed.map_err(ModelledError::Chip)? == RearmOutcome::WorkPending {
            return Ok(());
        }
        let line = self.chip.word_bus();
        while !line.event_pending() {
            match at_most.checked_sub(began.elapsed()) {
                None | Some(Duration::ZERO) => break,
                Some(left) => self.far.rest(left).map_err(ModelledError::Tap)?,
            }
        }
        Ok(())
    }

    fn about(&self) -> &'static str {
        "a modelled CYW43439 (WPA2, gSPI at 33 MHz)"
    }

    fn counters(&self) -> Vec<(&'static str, u64)> {
        let bus = self.chip.bus();
        vec![
            ("gspi_transactions", bus.transactions),
            ("gspi_bytes", bus.bytes),
            ("chip_misuse", self.chip.violations().len() as u64),
            ("kernel_refused", self.far.refused),
        ]
    }
}

impl ErrorType for Wireless {
    type Error = WirelessError;
}

impl EthernetDevice for Wireless {
    fn mac_address(&self) -> MacAddress {
        self.nic.mac_address()
    }

    fn capabilities(&self) -> Capabilities {
        self.nic.capabilities()
    }

    fn link(&self) -> Link {
        self.nic.link()
    }

    fn stats(&self) -> Stats {
        self.nic.stats()
    }

    fn recv_frame(&mut self, buf: &mut [u8]) -> Result<Option<RxMeta>, WirelessError> {
        self.nic.recv_frame(buf).map_err(ModelledError::Chip)
    }

    fn discard_frame(&mut self) -> Result<bool, WirelessError> {
        self.nic.discard_frame().map_err(ModelledError::Chip)
    }

    fn tx_ready(&mut self) -> Result<bool, WirelessError> {
        self.nic.tx_ready().map_err(ModelledError::Chip)
    }

    fn send_gather(&mut self, parts: &[&[u8]]) -> Result<(), WirelessError> {
        self.nic.send_gather(parts).map_err(ModelledError::Chip)
    }

    fn service(&mut self) -> Result<Events, WirelessError> {
        self.nic.service().map_err(ModelledError::Chip)
    }
}
