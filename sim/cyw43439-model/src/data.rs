//! Ethernet frames: through the air, and over the access points' bridge.

use core::time::Duration;
use std::collections::VecDeque;

use ethdev::frame::{HEADER_LEN, MAX_FRAME_LEN};
use ethdev_sim::fcs;

use crate::access_point::ApId;
use crate::air::frame_time;
use crate::chip::Chip;
use crate::fifo::Fifo;
use crate::framing::Parcel;
use crate::settings::Settings;
use crate::soft_ap::SoftAp;
use crate::station::Station;
use crate::timer::{DataFrame, Route, Timer};
use crate::violations::ViolationKind;

/// How long the chip stays awake after a beacon in power-save mode 1.
const AWAKE_AFTER_BEACON: Duration = Duration::from_millis(10);
/// The unit of beacon intervals: 1024 µs (IEEE 802.11).
const TIME_UNIT: Duration = Duration::from_micros(1024);

/// A frame on its way to the chip, or held at an access point.
#[derive(Debug)]
struct Incoming {
    at: Duration,
    route: Route,
    frame: Vec<u8>,
}

/// The frames in the air.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    /// The frames for the chip, in the order in which they arrive.
    incoming: VecDeque<Incoming>,
    /// When the latest frame for the chip arrives.
    air_free: Duration,
    /// Until when the chip receives, in power save.
    awake_until: Duration,
}

/// The frame without its FCS, where FCS and length are valid.
pub(crate) fn payload(frame_with_fcs: &[u8]) -> Option<&[u8]> {
    fcs::check(frame_with_fcs).filter(|frame| (HEADER_LEN..=MAX_FRAME_LEN).contains(&frame.len()))
}

/// The networks that frames are transferred through: that of the station, and the chip's own.
#[derive(Clone, Copy)]
pub(crate) struct Networks<'a> {
    pub(crate) station: &'a Station,
    pub(crate) soft_ap: &'a SoftAp,
}

impl Networks<'_> {
    /// The network of a frame that the host sends on this interface.
    fn of_interface(self, interface: u8) -> Option<Route> {
        if self.soft_ap.is_on_air() && self.soft_ap.interface() == interface {
            return self.soft_ap.has_clients().then_some(Route::SoftAp);
        }
        self.station.route().filter(|_| interface == 0)
    }

    /// The network that a frame from this source arrives through. Without a network of the station
    /// all frames arrive through the access point.
    fn of_source(self, source: &[u8]) -> Option<Route> {
        let station = self.station.route();
        if self.soft_ap.has_clients() && (station.is_none() || self.soft_ap.is_client(source)) {
            return Some(Route::SoftAp);
        }
        station
    }

    /// Whether a network is still there.
    fn has(self, route: Route) -> bool {
        match route {
            Route::Network { .. } => self.station.route() == Some(route),
            Route::SoftAp => self.soft_ap.has_clients(),
        }
    }
}

const fn transfers_frames(chip: &Chip) -> bool {
    chip.firmware.runs() && chip.firmware.f2_ready
}

impl Traffic {
    /// The firmware transmits a frame of the host's.
    pub(crate) fn transmit(&mut self, chip: &mut Chip, settings: &Settings, networks: Networks<'_>, frame: &DataFrame) {
        let DataFrame {
            interface,
            bytes: frame,
        } = frame;
        if !(HEADER_LEN..=MAX_FRAME_LEN).contains(&frame.len()) {
            chip.violation(ViolationKind::BadFrameLength, format!("{} bytes", frame.len()));
            chip.cx.stats.tx_bad_length += 1;
            return;
        }
        let route = networks.of_interface(*interface).filter(|_| transfers_frames(chip));
        let has_receiver = match route {
            None => false,
            Some(Route::Network { .. }) => true,
            Some(Route::SoftAp) => frame[0] & 1 != 0 || networks.soft_ap.is_client(&frame[..6]),
        };
        let Some(route) = route.filter(|_| has_receiver) else {
            chip.cx.stats.tx_not_joined += 1;
            return;
        };
        self.stay_awake(chip.cx.now() + awake_time(settings));
        if matches!(route, Route::Network { .. }) {
            self.fetch(chip);
        }
        let probability = chip.cx.config.faults.air_loss_tx;
        let lost = probability > 0.0 && chip.rng.air_tx.chance(probability);
        if lost || !is_present(chip, route) {
            chip.cx.stats.tx_lost_in_air += 1;
        } else {
            chip.cx.stats.transmitted += 1;
            chip.port.transmit(fcs::pad_and_append(frame));
        }
    }

    /// A frame arrives at the access points from the wire.
    pub(crate) fn bridge(&mut self, chip: &mut Chip, settings: &Settings, networks: Networks<'_>, frame: &[u8]) {
        let route = networks.of_source(&frame[6..12]).filter(|_| transfers_frames(chip));
        let Some(route) = route else {
            chip.cx.stats.not_joined += 1;
            return;
        };
        if frame[0] & 1 == 0 {
            if frame[..6] != settings.mac {
                chip.cx.stats.filtered_unicast += 1;
                return;
            }
        } else if frame[..6] != [0xff; 6] && !settings.wants_multicast(&frame[..6]) {
            chip.cx.stats.filtered_multicast += 1;
            return;
        }
        let probability = chip.cx.config.faults.air_loss;
        let lost = probability > 0.0 && chip.rng.air.chance(probability);
        if lost || !is_present(chip, route) {
            chip.cx.stats.lost_in_air += 1;
            return;
        }
        let at = self.arrival(chip, settings, frame, route);
        let frame = frame.to_vec();
        self.incoming.push_back(Incoming { at, route, frame });
        chip.timer_in(at - chip.cx.now(), Timer::FrameFromAir);
    }

    /// The frames that are due arrive from the air.
    pub(crate) fn receive(&mut self, chip: &mut Chip, fifo: &mut Fifo, networks: Networks<'_>) {
        let now = chip.cx.now();
        while self.incoming.front().is_some_and(|incoming| incoming.at <= now) {
            let Some(Incoming { route, frame, .. }) = self.incoming.pop_front() else {
                return;
            };
            if !chip.firmware.runs() {
                chip.cx.stats.lost_by_fault += 1;
            } else if !networks.has(route) {
                chip.cx.stats.lost_in_reset += 1;
            } else if fifo.data_waiting() >= chip.cx.config.rx_queue {
                chip.cx.stats.overflowed += 1;
            } else {
                let interface = match route {
                    Route::Network { .. } => 0,
                    Route::SoftAp => networks.soft_ap.interface(),
                };
                fifo.push(chip, Parcel::Data(interface, frame));
            }
        }
    }

    /// The chip, which is awake, reports that to its access point: the frames that are held there
    /// follow.
    fn fetch(&mut self, chip: &mut Chip) {
        let now = chip.cx.now();
        let mut at = now;
        for incoming in &mut self.incoming {
            at += frame_time(chip.cx.config.air_bps, incoming.frame.len());
            at = at.min(incoming.at);
            if at < incoming.at {
                incoming.at = at;
                chip.timer_in(at - now, Timer::FrameFromAir);
            }
        }
        self.air_free = self.incoming.back().map_or(now, |last| last.at);
    }

    /// When a frame arrives from the access point at the chip, which may be asleep.
    fn arrival(&mut self, chip: &Chip, settings: &Settings, frame: &[u8], route: Route) -> Duration {
        let mut at = chip.cx.now().max(self.air_free);
        if let Route::Network { ap, since, .. } = route {
            if settings.number("PM") != 0 && at > self.awake_until {
                at = next_beacon(chip, settings, ap, since, at, frame[0] & 1 != 0);
            }
        }
        at += frame_time(chip.cx.config.air_bps, frame.len());
        self.stay_awake(at + awake_time(settings));
        self.air_free = at;
        at
    }

    fn stay_awake(&mut self, until: Duration) {
        self.awake_until = self.awake_until.max(until);
    }
}

/// Whether the access point of a route transmits.
fn is_present(chip: &Chip, route: Route) -> bool {
    !matches!(route, Route::Network { ap, .. } if !chip.air.is_present(ap))
}

/// How long the chip stays awake after a frame.
fn awake_time(settings: &Settings) -> Duration {
    match settings.number("PM") {
        2 => Duration::from_millis(settings.number("pm2_sleep_ret").max(10).into()),
        _ => AWAKE_AFTER_BEACON,
    }
}

/// The next beacon after `after` that a sleeping chip receives. Beacons are counted from the
/// association on.
fn next_beacon(chip: &Chip, settings: &Settings, ap: ApId, since: Duration, after: Duration, group: bool) -> Duration {
    let Some(ap) = chip.air.get(ap) else { return after };
    let dtim = u32::from(ap.dtim_period.max(1));
    let (by_dtim, by_beacon) = (settings.number("bcn_li_dtim"), settings.number("bcn_li_bcn"));
    let every = if group {
        dtim
    } else if by_dtim > 0 {
        by_dtim * dtim
    } else {
        by_beacon.max(1)
    };
    let period = TIME_UNIT * u32::from(ap.beacon_interval.max(1)) * every;
    let passed = after.saturating_sub(since).as_nanos() / period.as_nanos();
    since + period * (passed as u32 + 1)
}
