//! The firmware: its parts, and how frames, steps and settings reach them.

use core::time::Duration;

use crate::access_point::Association;
use crate::chip::Chip;
use crate::config::ChipConfig;
use crate::data::{Networks, Traffic};
use crate::events::Event;
use crate::fifo::Fifo;
use crate::request::{Outcome, error};
use crate::runtime::Runtime;
use crate::scan::Scanner;
use crate::settings::Settings;
use crate::soft_ap::SoftAp;
use crate::station::Station;
use crate::timer::{DataFrame, ScanStep, StationStep};

/// The control channel.
#[derive(Debug, Default)]
pub(crate) struct Ioctls {
    /// The junk frames before the first reply were sent.
    pub(crate) junk_sent: bool,
    /// Until then ioctls fail with "busy".
    pub(crate) busy_until: Duration,
    /// The country, as the host has set it.
    pub(crate) country: Vec<u8>,
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
        self.country = value.to_vec();
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

impl Parts {
    /// The frames in the air, and the networks that they pass through.
    const fn traffic(&mut self) -> (&mut Traffic, Networks<'_>) {
        let Self {
            traffic,
            station,
            soft_ap,
            ..
        } = self;
        (traffic, Networks { station, soft_ap })
    }
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

    /// Transmits a frame of the host's.
    pub(crate) fn transmit(&mut self, chip: &mut Chip, frame: &DataFrame) {
        let (traffic, networks) = self.parts.traffic();
        traffic.transmit(chip, &self.settings, networks, frame);
    }

    /// A frame arrives at the access points from the wire.
    pub(crate) fn bridge(&mut self, chip: &mut Chip, frame: &[u8]) {
        let (traffic, networks) = self.parts.traffic();
        traffic.bridge(chip, &self.settings, networks, frame);
    }

    /// Frames arrive from the air.
    pub(crate) fn receive(&mut self, chip: &mut Chip, fifo: &mut Fifo) {
        let (traffic, networks) = self.parts.traffic();
        traffic.receive(chip, fifo, networks);
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

    /// Name and channel of the chip's own access point, while it transmits: the channel of the
    /// station where that has joined a network, because there is one radio.
    pub(crate) fn soft_ap(&self, chip: &Chip) -> Option<(Vec<u8>, u8)> {
        let ssid = self.parts.soft_ap.ssid_on_air()?;
        let of_station = self.parts.station.current_ap(chip).map(|ap| ap.channel);
        let channel = of_station.unwrap_or(self.settings.number("channel") as u8);
        Some((ssid.to_vec(), channel))
    }
}
