//! Ethernet frames: through the air, and over the access points' bridge.

use core::time::Duration;

use ethdev::frame::{HEADER_LEN, MAX_FRAME_LEN};

use super::fifo::Parcel;
use super::hardware::Model;
use super::{ApId, ViolationKind};
use ethdev_sim::fcs;

/// What a frame takes in the air beside its bytes: contention, preamble, acknowledgement.
const AIR_OVERHEAD: Duration = Duration::from_micros(50);
/// How long the chip stays awake after a beacon in the old power-save mode.
const AWAKE_AFTER_BEACON: Duration = Duration::from_millis(10);
/// The unit of beacon intervals: 1024 µs (IEEE 802.11).
const TIME_UNIT: Duration = Duration::from_micros(1024);

/// What is under way in the air.
#[derive(Debug, Default)]
pub(super) struct Traffic {
    /// When the latest frame for the chip has arrived there.
    air_free: Duration,
    /// Until when the chip listens, in power save.
    awake_until: Duration,
}

/// Through which network frames pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Route {
    Peer { ap: ApId, since: Duration, turn: u64 },
    OwnAp,
}

impl Model {
    /// How long a frame takes in the air.
    pub(super) fn air_time(&self, len: usize) -> Duration {
        let nanos = len as u128 * 8 * 1_000_000_000 / u128::from(self.config.air_bps.max(1));
        AIR_OVERHEAD + Duration::from_nanos(nanos as u64)
    }

    fn route(&self) -> Option<Route> {
        if self.firmware_halted() || !self.is_f2_ready() {
            return None;
        }
        if self.has_clients() {
            return Some(Route::OwnAp);
        }
        let (ap, since, turn) = self.access()?;
        Some(Route::Peer { ap, since, turn })
    }

    /// The firmware sends a frame of the host's.
    pub(super) fn data_from_host(&mut self, frame: Vec<u8>) {
        if !(HEADER_LEN..=MAX_FRAME_LEN).contains(&frame.len()) {
            self.violation(ViolationKind::BadFrameLength, format!("{} bytes", frame.len()));
            self.stats.tx_bad_length += 1;
            return;
        }
        let route = self.route();
        let reaches = match route {
            None => false,
            Some(Route::Peer { .. }) => true,
            Some(Route::OwnAp) => frame[0] & 1 != 0 || self.is_client(&frame[..6]),
        };
        if !reaches {
            self.stats.tx_not_joined += 1;
            return;
        }
        self.stay_awake();
        let odds = self.config.faults.air_loss_tx;
        let lost = odds > 0.0 && self.rng.air_tx.chance(odds);
        let silent = matches!(route, Some(Route::Peer { ap, .. }) if !self.air.is_present(ap));
        if lost || silent {
            self.stats.tx_lost_in_air += 1;
        } else {
            self.stats.transmitted += 1;
            self.port.transmit(fcs::pad_and_append(&frame));
        }
    }

    /// A frame comes to the access points from the wire behind them.
    pub(super) fn frame_from_wire(&mut self, frame: &[u8]) {
        self.stats.arrived += 1;
        let frame = fcs::check(frame).filter(|frame| (HEADER_LEN..=MAX_FRAME_LEN).contains(&frame.len()));
        let Some(frame) = frame else {
            self.stats.bad += 1;
            return;
        };
        let Some(route) = self.route() else {
            self.stats.not_joined += 1;
            return;
        };
        if frame[0] & 1 == 0 {
            if frame[..6] != self.own_address() {
                self.stats.filtered_unicast += 1;
                return;
            }
        } else if frame[..6] != [0xff; 6] && !self.wants_multicast(&frame[..6]) {
            self.stats.filtered_multicast += 1;
            return;
        }
        let odds = self.config.faults.air_loss;
        let lost = odds > 0.0 && self.rng.air.chance(odds);
        let silent = matches!(route, Route::Peer { ap, .. } if !self.air.is_present(ap));
        if lost || silent {
            self.stats.lost_in_air += 1;
            return;
        }
        let delay = self.time_to_chip(frame, route);
        let frame = frame.to_vec();
        self.later(delay, move |chip| chip.frame_from_air(frame, route));
    }

    fn wants_multicast(&self, mac: &[u8]) -> bool {
        let Some(firmware) = self.firmware.as_deref() else {
            return false;
        };
        firmware.settings.number("allmulti") != 0 || firmware.settings.multicast.iter().any(|listed| listed == mac)
    }

    /// How long a frame takes from the access point to the chip, which may be asleep.
    fn time_to_chip(&mut self, frame: &[u8], route: Route) -> Duration {
        let now = self.clock.now();
        let air_time = self.air_time(frame.len());
        let (air_free, awake_until) = match &self.firmware {
            Some(firmware) => (firmware.traffic.air_free, firmware.traffic.awake_until),
            None => return air_time,
        };
        let mut at = now.max(air_free);
        if let Route::Peer { ap, since, .. } = route {
            if self.number("PM") != 0 && at > awake_until {
                at = self.next_beacon(ap, since, at, frame[0] & 1 != 0);
            }
        }
        at += air_time;
        let awake_until = awake_until.max(at + self.awake_time());
        if let Some(firmware) = &mut self.firmware {
            firmware.traffic.air_free = at;
            firmware.traffic.awake_until = awake_until;
        }
        at - now
    }

    /// How long the chip stays awake after a frame.
    fn awake_time(&self) -> Duration {
        match self.number("PM") {
            2 => Duration::from_millis(self.number("pm2_sleep_ret").max(10).into()),
            _ => AWAKE_AFTER_BEACON,
        }
    }

    fn stay_awake(&mut self) {
        let until = self.clock.now() + self.awake_time();
        if let Some(firmware) = &mut self.firmware {
            firmware.traffic.awake_until = firmware.traffic.awake_until.max(until);
        }
    }

    /// The next beacon that a sleeping chip listens to, after this time: beacons are counted from the association on.
    fn next_beacon(&self, ap: ApId, since: Duration, after: Duration, group: bool) -> Duration {
        let Some(ap) = self.air.get(ap) else { return after };
        let dtim = u32::from(ap.dtim_period.max(1));
        let (by_dtim, by_beacon) = (self.number("bcn_li_dtim"), self.number("bcn_li_bcn"));
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

    fn frame_from_air(&mut self, frame: Vec<u8>, route: Route) {
        if self.firmware_halted() {
            self.stats.lost_by_fault += 1;
        } else if self.route() != Some(route) {
            self.stats.lost_in_reset += 1;
        } else if self.fifo.data_waiting() >= self.config.rx_queue {
            self.stats.overflowed += 1;
        } else {
            let interface = match route {
                Route::Peer { .. } => 0,
                Route::OwnAp => self.own_interface(),
            };
            self.push(Parcel::Data(interface, frame));
        }
    }
}
