//! Requests and replies on the control channel.

use core::time::Duration;

use super::fifo::Parcel;
use super::hardware::Model;
use super::{Fault, ViolationKind};

/// Bytes of a request's header.
const HEADER: usize = 16;
const FLAG_ERROR: u16 = 1;
const FLAG_SET: u16 = 2;
/// A reply that is late by accident is so by up to this much.
const LATEST: Duration = Duration::from_secs(3);

/// What the firmware answers where it refuses.
pub(super) mod error {
    pub(crate) const BAD_ARGUMENT: i32 = -2;
    pub(crate) const NOT_UP: i32 = -4;
    pub(crate) const NOT_DOWN: i32 = -5;
    pub(crate) const BUFFER_TOO_SHORT: i32 = -14;
    pub(crate) const BUSY: i32 = -16;
    pub(crate) const NOT_ASSOCIATED: i32 = -17;
    pub(crate) const BAD_SSID_LENGTH: i32 = -18;
    pub(crate) const BAD_CHANNEL: i32 = -20;
    pub(crate) const NO_RESOURCE: i32 = -22;
    pub(crate) const UNSUPPORTED: i32 = -23;
    pub(crate) const BAD_LENGTH: i32 = -24;
    pub(crate) const RANGE: i32 = -29;
}

/// Numbers of ioctls.
mod number {
    pub(super) const UP: u32 = 2;
    pub(super) const DOWN: u32 = 3;
    pub(super) const SET_INFRA: u32 = 20;
    pub(super) const SET_AUTH: u32 = 22;
    pub(super) const GET_BSSID: u32 = 23;
    pub(super) const GET_SSID: u32 = 25;
    pub(super) const SET_SSID: u32 = 26;
    pub(super) const GET_CHANNEL: u32 = 29;
    pub(super) const SET_CHANNEL: u32 = 30;
    pub(super) const DISASSOC: u32 = 52;
    pub(super) const GET_ANTDIV: u32 = 63;
    pub(super) const SET_ANTDIV: u32 = 64;
    pub(super) const SET_DTIMPRD: u32 = 78;
    pub(super) const GET_PM: u32 = 85;
    pub(super) const SET_PM: u32 = 86;
    pub(super) const SET_MONITOR: u32 = 108;
    pub(super) const SET_GMODE: u32 = 110;
    pub(super) const SET_AP: u32 = 118;
    pub(super) const GET_RSSI: u32 = 127;
    pub(super) const SET_WSEC: u32 = 134;
    pub(super) const SET_BAND: u32 = 142;
    pub(super) const GET_ASSOCLIST: u32 = 159;
    pub(super) const SET_WPA_AUTH: u32 = 165;
    pub(super) const SET_SCAN_CHANNEL_TIME: u32 = 185;
    pub(super) const GET_VAR: u32 = 262;
    pub(super) const SET_VAR: u32 = 263;
    pub(super) const SET_WSEC_PMK: u32 = 268;
}

/// What the firmware knows of its control channel.
#[derive(Debug, Default)]
pub(super) struct Ioctls {
    /// The host waits for a reply that it can still get.
    outstanding: bool,
    last_id: Option<u16>,
    junk_sent: bool,
    /// Until then everything is refused.
    pub(super) busy_until: Duration,
}

/// A request.
#[derive(Debug)]
pub(super) struct Request {
    number: u32,
    set: bool,
    interface: u8,
    pub(super) payload: Vec<u8>,
}

/// What becomes of a request: what the reply's payload begins with, or an error.
pub(super) type Outcome = Result<Vec<u8>, i32>;

impl Request {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let (header, payload) = bytes.split_at_checked(HEADER)?;
        let flags = u16::from_le_bytes([header[8], header[9]]);
        Some(Self {
            number: u32_at(header, 0)?,
            set: flags & FLAG_SET != 0,
            interface: (flags >> 12) as u8,
            payload: payload.to_vec(),
        })
    }

    /// The payload as one number.
    pub(super) fn value(&self) -> Result<u32, i32> {
        match self.payload.len() {
            4 => u32_at(&self.payload, 0).ok_or(error::BAD_LENGTH),
            _ => Err(error::BAD_LENGTH),
        }
    }
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..)?.first_chunk()?;
    Some(u32::from_le_bytes(*bytes))
}

pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let bytes = bytes.get(at..)?.first_chunk()?;
    Some(u16::from_le_bytes(*bytes))
}

impl Model {
    /// Looks at a request as it arrives.
    pub(super) fn check_ioctl(&mut self, request: &[u8]) {
        let Some(id) = u16_at(request, 10).filter(|_| request.len() >= HEADER) else {
            self.violation(ViolationKind::BadIoctl, format!("{} bytes", request.len()));
            return;
        };
        let claimed = u32_at(request, 4).unwrap_or(0) as usize;
        if claimed != request.len() - HEADER {
            self.violation(
                ViolationKind::BadIoctl,
                format!("{claimed} bytes claimed, {} sent", request.len() - HEADER),
            );
        }
        let Some(firmware) = &mut self.firmware else { return };
        let overlap = firmware.ioctls.outstanding;
        let repeated = firmware.ioctls.last_id == Some(id);
        firmware.ioctls.outstanding = true;
        firmware.ioctls.last_id = Some(id);
        if overlap {
            self.violation(
                ViolationKind::IoctlOverlap,
                format!("ioctl {id} before the reply to the last one"),
            );
        }
        if repeated {
            self.violation(ViolationKind::IoctlIdRepeated, format!("id {id}"));
        }
    }

    /// Whether the host waits for a reply that it can still get.
    pub(super) fn reply_outstanding(&self) -> bool {
        self.firmware
            .as_deref()
            .is_some_and(|firmware| firmware.ioctls.outstanding)
    }

    /// The host has got its reply, or never will.
    pub(super) fn reply_over(&mut self) {
        if let Some(firmware) = &mut self.firmware {
            firmware.ioctls.outstanding = false;
        }
    }

    /// The firmware takes a request on, and carries it out after a while.
    pub(super) fn ioctl_later(&mut self, request: Vec<u8>) {
        let Some(firmware) = &mut self.firmware else { return };
        if self.config.junk_frames && !core::mem::replace(&mut firmware.ioctls.junk_sent, true) {
            self.push(Parcel::Junk);
            self.push(Parcel::Junk);
        }
        self.later(self.config.ioctl_time, move |chip| chip.carry_out(&request));
    }

    fn carry_out(&mut self, bytes: &[u8]) {
        if self.firmware_halted() {
            return;
        }
        let Some(request) = Request::parse(bytes) else {
            self.reply_over();
            return;
        };
        let outcome = match self.refusal() {
            Some(status) => Err(status),
            None => self.ioctl(&request),
        };
        let mut reply = bytes.to_vec();
        let status = match outcome {
            Ok(value) => {
                let room = reply.len() - HEADER;
                let len = value.len().min(room);
                reply[HEADER..HEADER + len].copy_from_slice(&value[..len]);
                0
            }
            Err(status) => status,
        };
        reply[12..HEADER].copy_from_slice(&status.to_le_bytes());
        if status != 0 {
            reply[8] |= FLAG_ERROR as u8;
        }
        self.reply(reply);
    }

    /// The status of a fault that refuses this ioctl.
    fn refusal(&mut self) -> Option<i32> {
        let asked = self.take_fault(|fault| match fault {
            Fault::RefuseIoctl(status) => Some(*status),
            _ => None,
        });
        let odds = self.config.faults.refused_ioctl;
        if asked.is_some() {
            asked
        } else if odds > 0.0 && self.rng.refuse.chance(odds) {
            Some(error::NO_RESOURCE)
        } else {
            None
        }
    }

    fn reply(&mut self, reply: Vec<u8>) {
        let faults = self.config.faults;
        let mut hits = |odds: f64| odds > 0.0 && self.rng.reply.chance(odds);
        let (lost, duplicate, late) = (
            hits(faults.lost_reply),
            hits(faults.duplicate_reply),
            hits(faults.late_reply),
        );
        let by_chance = late.then(|| {
            let micros = self.rng.reply.below(LATEST.as_micros() as usize);
            Duration::from_micros(micros as u64)
        });
        let asked = self.take_fault(|fault| match fault {
            Fault::LateReply(by) => Some(*by),
            _ => None,
        });
        if lost {
            self.stats.control_lost += 1;
            self.reply_over();
            self.refresh_credit();
        } else if let Some(by) = asked.or(by_chance) {
            // The host may give up, and ask again.
            self.reply_over();
            self.refresh_credit();
            self.later(by, |chip| chip.push(Parcel::Reply(reply)));
        } else {
            if duplicate {
                self.push(Parcel::Reply(reply.clone()));
            }
            self.push(Parcel::Reply(reply));
        }
    }

    /// Carries an ioctl out.
    fn ioctl(&mut self, request: &Request) -> Outcome {
        let now = self.clock.now();
        let Some(firmware) = &self.firmware else {
            return Err(error::UNSUPPORTED);
        };
        if now < firmware.ioctls.busy_until {
            return Err(error::BUSY);
        }
        let get = matches!(
            request.number,
            number::GET_BSSID
                | number::GET_SSID
                | number::GET_CHANNEL
                | number::GET_ANTDIV
                | number::GET_PM
                | number::GET_RSSI
                | number::GET_ASSOCLIST
                | number::GET_VAR
        );
        if get == request.set {
            self.violation(
                ViolationKind::BadIoctl,
                format!("ioctl {} with the flag of the other direction", request.number),
            );
            return Err(error::BAD_ARGUMENT);
        }
        if request.interface > 1 {
            self.violation(ViolationKind::BadIoctl, format!("interface {}", request.interface));
            return Err(error::BAD_ARGUMENT);
        }
        let outcome = self.dispatch(request);
        self.blame(request, &outcome);
        outcome
    }

    fn blame(&mut self, request: &Request, outcome: &Outcome) {
        let Err(status) = outcome else { return };
        let kind = match *status {
            error::UNSUPPORTED => ViolationKind::UnknownIoctl,
            error::NOT_UP | error::NOT_DOWN => ViolationKind::BadState,
            // States that a host need not know of.
            error::NOT_ASSOCIATED | error::BUSY => return,
            _ => ViolationKind::BadValue,
        };
        let name = if matches!(request.number, number::GET_VAR | number::SET_VAR) {
            let name = request.payload.split(|byte| *byte == 0).next().unwrap_or_default();
            String::from_utf8_lossy(name).into_owned()
        } else {
            format!("ioctl {}", request.number)
        };
        self.violation(
            kind,
            format!("{name} of {} bytes fails with {status}", request.payload.len()),
        );
    }

    fn dispatch(&mut self, request: &Request) -> Outcome {
        let done = Ok(Vec::new());
        match request.number {
            number::UP => {
                self.set_up(true);
                done
            }
            number::DOWN => {
                self.set_up(false);
                done
            }
            number::SET_SSID => self.set_ssid(&request.payload),
            number::GET_SSID => self.current_ssid(),
            number::GET_BSSID => self.current_bssid(),
            number::GET_RSSI => self.current_rssi(),
            number::GET_CHANNEL => self.current_channel(),
            number::DISASSOC => self.leave(),
            number::GET_ASSOCLIST => self.association_list(request.payload.len()),
            number::SET_WSEC_PMK => self.set_key(&request.payload),
            number::GET_VAR => self.get_variable(request),
            number::SET_VAR => self.set_variable(request),
            number::GET_PM => Ok(self.number(ioctl_name(number::SET_PM)).to_le_bytes().to_vec()),
            number::GET_ANTDIV => Ok(self.number(ioctl_name(number::SET_ANTDIV)).to_le_bytes().to_vec()),
            number::SET_PM if request.value()? > 2 => Err(error::RANGE),
            number::SET_CHANNEL if !(1..=14).contains(&request.value()?) => Err(error::BAD_CHANNEL),
            number::SET_WSEC => {
                let value = request.value()?;
                self.set_number(ioctl_name(request.number), value);
                self.security_changed();
                done
            }
            number::SET_INFRA
            | number::SET_AUTH
            | number::SET_WPA_AUTH
            | number::SET_CHANNEL
            | number::SET_ANTDIV
            | number::SET_DTIMPRD
            | number::SET_PM
            | number::SET_MONITOR
            | number::SET_GMODE
            | number::SET_AP
            | number::SET_BAND
            | number::SET_SCAN_CHANNEL_TIME => {
                let value = request.value()?;
                self.set_number(ioctl_name(request.number), value);
                done
            }
            _ => Err(error::UNSUPPORTED),
        }
    }
}

/// Under which name a number that is set by an ioctl is kept.
const fn ioctl_name(ioctl: u32) -> &'static str {
    match ioctl {
        number::SET_INFRA => "infra",
        number::SET_AUTH => "auth",
        number::SET_CHANNEL => "channel",
        number::SET_ANTDIV => "antdiv",
        number::SET_DTIMPRD => "dtimprd",
        number::SET_PM => "PM",
        number::SET_MONITOR => "monitor",
        number::SET_GMODE => "gmode",
        number::SET_AP => "ap",
        number::SET_BAND => "band",
        number::SET_WSEC => "wsec",
        number::SET_WPA_AUTH => "wpa_auth",
        _ => "other",
    }
}
