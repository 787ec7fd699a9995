//! The firmware: its parts, and how frames, steps and settings reach them.

use core::time::Duration;

use crate::access_point::Association;
use crate::chip::Chip;
use crate::config::ChipConfig;
use crate::data::{self, Traffic};
use crate::events::Event;
use crate::fifo::Fifo;
use crate::request::{Outcome, error};
use crate::runtime::Runtime;
use crate::scan::Scanner;
use crate::settings::Settings;
use crate::soft_ap::SoftAp;
use crate::station::Station;
use crate::timer::{Route, ScanStep, StationStep};

/// The control channel.
#[derive(Debug, Default)]
pub(crate) struct Ioctls {
    /// The junk frames before the first reply were sent.
    pub(crate) junk_sent: bool,
    /// Until then ioctls fail with "busy".
    pub(crate) busy_until: Duration,
}

impl Ioctls {
    /// The iovar `country`.
    pub(crate) fn set_country(&mut self, chip: &Chip, value: &[u8]) -> Outcome {
        let [a, b, 0, 0, _, _, _, _, c, d, 0, 0] = *value else {
            return Err(error::BAD_LENGTH);
        };
        if [a, b] != [c, d] || !a.is_ascii_uppercase() || !b.is_ascii_uppercase() {
            return Err(error::BAD_ARGUMENT);
        }
        self.busy_until = chip.cx.now() + chip.cx.config.country_time;
        Ok(Vec::new())
    }
}

/// The parts of the firmware beside its settings.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    pub(crate) ioctls: Ioctls,
    pub(crate) station: Station,
    pub(crate) scanner: Scanner,
    pub(crate) soft_ap: SoftAp,
    traffic: Traffic,
}

/// The firmware, from its start on.
#[derive(Debug)]
pub(crate) struct Firmware {
    pub(crate) settings: Settings,
    pub(crate) parts: Parts,
}

impl Firmware {
    pub(crate) fn new(config: &ChipConfig) -> Self {
        Self {
            settings: Settings::new(config.mac),
            parts: Parts::default(),
        }
    }

    /// What the parts share, and the parts.
    pub(crate) const fn split<'a>(
        &'a mut self,
        chip: &'a mut Chip,
        fifo: &'a mut Fifo,
    ) -> (Runtime<'a>, &'a mut Parts) {
        let settings = &mut self.settings;
        (Runtime { chip, fifo, settings }, &mut self.parts)
    }

    /// Reports an event.
    pub(crate) fn report(&mut self, chip: &mut Chip, fifo: &mut Fifo, event: &Event) {
        self.split(chip, fifo).0.report(event);
    }

    /// The network that frames are transferred through.
    fn route(&self, chip: &Chip) -> Option<Route> {
        data::route(chip, &self.parts.station, &self.parts.soft_ap)
    }

    /// Transmits a frame of the host's.
    pub(crate) fn transmit(&mut self, chip: &mut Chip, frame: &[u8]) {
        let route = self.route(chip);
        let Parts { traffic, soft_ap, .. } = &mut self.parts;
        traffic.transmit(chip, &self.settings, soft_ap, route, frame);
    }

    /// A frame arrives at the access points from the wire.
    pub(crate) fn bridge(&mut self, chip: &mut Chip, frame: &[u8]) {
        let route = self.route(chip);
        self.parts.traffic.bridge(chip, &self.settings, route, frame);
    }

    /// A frame arrives from the air.
    pub(crate) fn receive(&self, chip: &mut Chip, fifo: &mut Fifo, route: Route, frame: Vec<u8>) {
        let current = self.route(chip);
        data::receive(chip, fifo, &self.parts.soft_ap, current, route, frame);
    }

    /// The next step of the station.
    pub(crate) fn station_step(&mut self, chip: &mut Chip, fifo: &mut Fifo, attempt: u64, step: StationStep) {
        let (mut rt, parts) = self.split(chip, fifo);
        parts.station.step(&mut rt, attempt, step);
    }

    /// The next step of a scan.
    pub(crate) fn scan_step(&mut self, chip: &mut Chip, fifo: &mut Fifo, scan: u64, step: ScanStep) {
        let (mut rt, parts) = self.split(chip, fifo);
        parts.scanner.step(&mut rt, scan, step);
    }

    /// Switches the radio on or off.
    pub(crate) fn set_up(&mut self, chip: &mut Chip, fifo: &mut Fifo, up: bool) {
        let (mut rt, parts) = self.split(chip, fifo);
        let was = core::mem::replace(&mut rt.settings.up, up);
        if was && !up {
            parts.soft_ap.stop(&mut rt);
            parts.scanner.stop(&mut rt);
            parts.station.radio_off(&mut rt);
        }
    }

    /// The association of the station.
    pub(crate) fn association(&self) -> Option<Association> {
        self.parts.station.association()
    }

    /// Name and channel of the chip's own access point, while it transmits.
    pub(crate) fn soft_ap(&self) -> Option<(Vec<u8>, u8)> {
        let ssid = self.parts.soft_ap.ssid_on_air()?;
        Some((ssid.to_vec(), self.settings.number("channel") as u8))
    }
}
