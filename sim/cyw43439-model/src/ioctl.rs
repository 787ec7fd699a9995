//! Ioctls: requests and replies on the control channel.

use core::time::Duration;

use crate::chip::Chip;
use crate::faults::Fault;
use crate::fifo::Fifo;
use crate::firmware::Firmware;
use crate::framing::Parcel;
use crate::request::{HEADER, Outcome, Request, error};
use crate::timer::Timer;
use crate::violations::ViolationKind;

const FLAG_ERROR: u16 = 1;
/// Maximum delay of a reply that is late at random.
const MAX_DELAY: Duration = Duration::from_secs(3);

/// Numbers of ioctls.
mod number {
    pub(crate) const UP: u32 = 2;
    pub(crate) const DOWN: u32 = 3;
    pub(crate) const SET_INFRA: u32 = 20;
    pub(crate) const SET_AUTH: u32 = 22;
    pub(crate) const GET_BSSID: u32 = 23;
    pub(crate) const GET_SSID: u32 = 25;
    pub(crate) const SET_SSID: u32 = 26;
    pub(crate) const GET_CHANNEL: u32 = 29;
    pub(crate) const SET_CHANNEL: u32 = 30;
    pub(crate) const DISASSOC: u32 = 52;
    pub(crate) const GET_ANTDIV: u32 = 63;
    pub(crate) const SET_ANTDIV: u32 = 64;
    pub(crate) const SET_DTIMPRD: u32 = 78;
    pub(crate) const GET_PM: u32 = 85;
    pub(crate) const SET_PM: u32 = 86;
    pub(crate) const SET_MONITOR: u32 = 108;
    pub(crate) const SET_GMODE: u32 = 110;
    pub(crate) const SET_AP: u32 = 118;
    pub(crate) const GET_RSSI: u32 = 127;
    pub(crate) const SET_WSEC: u32 = 134;
    pub(crate) const SET_BAND: u32 = 142;
    pub(crate) const GET_ASSOCLIST: u32 = 159;
    pub(crate) const SET_WPA_AUTH: u32 = 165;
    pub(crate) const SET_SCAN_CHANNEL_TIME: u32 = 185;
    pub(crate) const GET_VAR: u32 = 262;
    pub(crate) const SET_VAR: u32 = 263;
    pub(crate) const SET_WSEC_PMK: u32 = 268;
}

impl Firmware {
    /// Accepts a request, and executes it after a while.
    pub(crate) fn queue_ioctl(&mut self, chip: &mut Chip, fifo: &mut Fifo, request: Vec<u8>) {
        if chip.cx.config.junk_frames && !core::mem::replace(&mut self.parts.ioctls.junk_sent, true) {
            fifo.push(chip, Parcel::Junk);
            fifo.push(chip, Parcel::Junk);
        }
        chip.timer_in(chip.cx.config.ioctl_time, Timer::Ioctl(request));
    }

    /// Executes a request and replies.
    pub(crate) fn ioctl(&mut self, chip: &mut Chip, fifo: &mut Fifo, mut bytes: Vec<u8>) {
        if !chip.firmware.runs() {
            return;
        }
        let Some(request) = Request::parse(&bytes) else {
            fifo.reply_over();
            return;
        };
        let outcome = match draw_failure(chip) {
            Some(status) => Err(status),
            None => self.execute(chip, fifo, &request),
        };
        let status = match outcome {
            Ok(value) => {
                let capacity = bytes.len() - HEADER;
                let len = value.len().min(capacity);
                bytes[HEADER..HEADER + len].copy_from_slice(&value[..len]);
                0
            }
            Err(status) => status,
        };
        bytes[12..HEADER].copy_from_slice(&status.to_le_bytes());
        if status != 0 {
            bytes[8] |= FLAG_ERROR as u8;
        }
        reply(chip, fifo, bytes);
    }

    fn execute(&mut self, chip: &mut Chip, fifo: &mut Fifo, request: &Request) -> Outcome {
        if chip.cx.now() < self.parts.ioctls.busy_until {
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
            chip.violation(
                ViolationKind::BadIoctl,
                format!("ioctl {} with the flag of the other direction", request.number),
            );
            return Err(error::BAD_ARGUMENT);
        }
        if request.interface > 1 {
            chip.violation(ViolationKind::BadIoctl, format!("interface {}", request.interface));
            return Err(error::BAD_ARGUMENT);
        }
        let outcome = self.dispatch(chip, fifo, request);
        check_outcome(chip, request, &outcome);
        outcome
    }

    fn dispatch(&mut self, chip: &mut Chip, fifo: &mut Fifo, request: &Request) -> Outcome {
        let done = Ok(Vec::new());
        match request.number {
            number::UP => {
                self.set_up(chip, fifo, true);
                done
            }
            number::DOWN => {
                self.set_up(chip, fifo, false);
                done
            }
            number::SET_SSID => {
                let (rt, parts) = self.split(chip, fifo);
                parts.station.set_ssid(rt, &request.payload)
            }
            number::GET_SSID => self.parts.station.current_ssid(),
            number::GET_BSSID => self.parts.station.current_bssid(),
            number::GET_RSSI => self.parts.station.current_rssi(chip),
            number::GET_CHANNEL => self.parts.station.current_channel(chip),
            number::DISASSOC => {
                let (rt, parts) = self.split(chip, fifo);
                parts.station.leave(rt)
            }
            number::GET_ASSOCLIST => self.parts.soft_ap.association_list(&request.payload),
            number::SET_WSEC_PMK => self.settings.set_key(chip, &request.payload),
            number::GET_VAR => self.get_variable(request),
            number::SET_VAR => self.set_variable(chip, fifo, request),
            number::GET_PM => Ok(self.settings.number(ioctl_name(number::SET_PM)).to_le_bytes().to_vec()),
            number::GET_ANTDIV => Ok(self
                .settings
                .number(ioctl_name(number::SET_ANTDIV))
                .to_le_bytes()
                .to_vec()),
            number::SET_PM if request.value()? > 2 => Err(error::RANGE),
            number::SET_CHANNEL if !(1..=14).contains(&request.value()?) => Err(error::BAD_CHANNEL),
            number::SET_WSEC => {
                let value = request.value()?;
                self.settings.set_number(ioctl_name(request.number), value);
                self.settings.security_changed(chip.cx.now());
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
                self.settings.set_number(ioctl_name(request.number), value);
                done
            }
            _ => Err(error::UNSUPPORTED),
        }
    }
}

/// Draws the status of an ioctl that fails by a fault.
fn draw_failure(chip: &mut Chip) -> Option<i32> {
    let injected = chip.take_fault(|fault| match fault {
        Fault::RefuseIoctl(status) => Some(*status),
        _ => None,
    });
    let probability = chip.cx.config.faults.refused_ioctl;
    if injected.is_some() {
        injected
    } else if probability > 0.0 && chip.rng.ioctl.chance(probability) {
        Some(error::NO_RESOURCE)
    } else {
        None
    }
}

fn reply(chip: &mut Chip, fifo: &mut Fifo, reply: Vec<u8>) {
    let faults = chip.cx.config.faults;
    let mut happens = |probability: f64| probability > 0.0 && chip.rng.reply.chance(probability);
    let (lost, duplicate, late) = (
        happens(faults.lost_reply),
        happens(faults.duplicate_reply),
        happens(faults.late_reply),
    );
    let random = late.then(|| {
        let micros = chip.rng.reply.below(MAX_DELAY.as_micros() as usize);
        Duration::from_micros(micros as u64)
    });
    let injected = chip.take_fault(|fault| match fault {
        Fault::LateReply(by) => Some(*by),
        _ => None,
    });
    if lost {
        chip.cx.stats.control_lost += 1;
        fifo.reply_over();
        fifo.refresh_credit(chip);
    } else if let Some(by) = injected.or(random) {
        // The host may time out and send another request.
        fifo.reply_over();
        fifo.refresh_credit(chip);
        chip.timer_in(by, Timer::LateReply(reply));
    } else {
        if duplicate {
            fifo.push(chip, Parcel::Reply(reply.clone()));
        }
        fifo.push(chip, Parcel::Reply(reply));
    }
}

/// Records the violation of a request that failed.
fn check_outcome(chip: &mut Chip, request: &Request, outcome: &Outcome) {
    let Err(status) = outcome else { return };
    let kind = match *status {
        error::UNSUPPORTED => ViolationKind::UnknownIoctl,
        error::NOT_UP | error::NOT_DOWN => ViolationKind::BadState,
        // States that the host cannot know.
        error::NOT_ASSOCIATED | error::NOT_FOUND | error::BUSY => return,
        _ => ViolationKind::BadValue,
    };
    let name = if matches!(request.number, number::GET_VAR | number::SET_VAR) {
        let name = request.payload.split(|byte| *byte == 0).next().unwrap_or_default();
        String::from_utf8_lossy(name).into_owned()
    } else {
        format!("ioctl {}", request.number)
    };
    chip.violation(
        kind,
        format!("{name} of {} bytes fails with {status}", request.payload.len()),
    );
}

/// The name under which a number that an ioctl sets is stored.
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
