//! Ethernet frames: through the air, and over the access points' bridge.

use core::time::Duration;

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
use crate::timer::{Route, Timer};
use crate::violations::ViolationKind;

/// How long the chip stays awake after a beacon in power-save mode 1.
const AWAKE_AFTER_BEACON: Duration = Duration::from_millis(10);
/// The unit of beacon intervals: 1024 µs (IEEE 802.11).
const TIME_UNIT: Duration = Duration::from_micros(1024);

/// The frames in the air.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    /// When the latest frame for the chip arrives.
    air_free: Duration,
    /// Until when the chip receives, in power save.
    awake_until: Duration,
}

/// The frame without its FCS, where FCS and length are valid.
pub(crate) fn payload(frame_with_fcs: &[u8]) -> Option<&[u8]> {
    fcs::check(frame_with_fcs).filter(|frame| (HEADER_LEN..=MAX_FRAME_LEN).contains(&frame.len()))
}

/// The network that frames are transferred through.
pub(crate) fn route(chip: &Chip, station: &Station, soft_ap: &SoftAp) -> Option<Route> {
    if !chip.firmware.runs() || !chip.firmware.f2_ready {
        return None;
    }
    if soft_ap.has_clients() {
        return Some(Route::SoftAp);
    }
    station.route()
}

/// A frame arrives from the air, while `current` is the network.
pub(crate) fn receive(
    chip: &mut Chip,
    fifo: &mut Fifo,
    soft_ap: &SoftAp,
    current: Option<Route>,
    route: Route,
    frame: Vec<u8>,
) {
    if !chip.firmware.runs() {
        chip.cx.stats.lost_by_fault += 1;
    } else if current != Some(route) {
        chip.cx.stats.lost_in_reset += 1;
    } else if fifo.data_waiting() >= chip.cx.config.rx_queue {
        chip.cx.stats.overflowed += 1;
    } else {
        let interface = match route {
            Route::Network { .. } => 0,
            Route::SoftAp => soft_ap.interface(),
        };
        fifo.push(chip, Parcel::Data(interface, frame));
    }
}

impl Traffic {
    /// The firmware transmits a frame of the host's.
    pub(crate) fn transmit(
        &mut self,
        chip: &mut Chip,
        settings: &Settings,
        soft_ap: &SoftAp,
        route: Option<Route>,
        frame: &[u8],
    ) {
        if !(HEADER_LEN..=MAX_FRAME_LEN).contains(&frame.len()) {
            chip.violation(ViolationKind::BadFrameLength, format!("{} bytes", frame.len()));
            chip.cx.stats.tx_bad_length += 1;
            return;
        }
        let has_receiver = match route {
            None => false,
            Some(Route::Network { .. }) => true,
            Some(Route::SoftAp) => frame[0] & 1 != 0 || soft_ap.is_client(&frame[..6]),
        };
        if !has_receiver {
            chip.cx.stats.tx_not_joined += 1;
            return;
        }
        self.stay_awake(chip.cx.now() + awake_time(settings));
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
    pub(crate) fn bridge(&mut self, chip: &mut Chip, settings: &Settings, route: Option<Route>, frame: &[u8]) {
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
        if lost || !is_present(chip, Some(route)) {
            chip.cx.stats.lost_in_air += 1;
            return;
        }
        let delay = self.time_to_chip(chip, settings, frame, route);
        let frame = frame.to_vec();
        chip.timer_in(delay, Timer::FrameFromAir { frame, route });
    }

    /// How long a frame takes from the access point to the chip, which may be asleep.
    fn time_to_chip(&mut self, chip: &Chip, settings: &Settings, frame: &[u8], route: Route) -> Duration {
        let now = chip.cx.now();
        let mut at = now.max(self.air_free);
        if let Route::Network { ap, since, .. } = route {
            if settings.number("PM") != 0 && at > self.awake_until {
                at = next_beacon(chip, settings, ap, since, at, frame[0] & 1 != 0);
            }
        }
        at += frame_time(chip.cx.config.air_bps, frame.len());
        self.stay_awake(at + awake_time(settings));
        self.air_free = at;
        at - now
    }

    fn stay_awake(&mut self, until: Duration) {
        self.awake_until = self.awake_until.max(until);
    }
}

/// Whether the access point of a route transmits.
fn is_present(chip: &Chip, route: Option<Route>) -> bool {
    !matches!(route, Some(Route::Network { ap, .. }) if !chip.air.is_present(ap))
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
