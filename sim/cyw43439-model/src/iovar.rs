//! Variables of the firmware, by name.

use core::time::Duration;
use std::collections::BTreeMap;

use super::ViolationKind;
use super::hardware::Model;
use super::ioctl::{Outcome, Request, error, u16_at, u32_at};

/// Bytes of the mask of events.
const EVENT_MASK: usize = 24;
/// Room in the list of multicast addresses.
const MULTICAST_ROOM: usize = 10;

/// Flags of a part of the regulatory database.
mod download {
    pub(super) const BEGIN: u16 = 0x0002;
    pub(super) const END: u16 = 0x0004;
    pub(super) const HANDLER_VERSION: u16 = 0x1000;
    pub(super) const TYPE_CLM: u16 = 2;
}

/// Variables of one number, without effect beyond being kept where nothing else is said.
const NUMBERS: [&str; 22] = [
    "2g_mrate",
    "allmulti",
    "ampdu_ba_wsize",
    "ampdu_mpdu",
    "ampdu_rx_factor",
    "apsta",
    "assoc_listen",
    "auth",
    "bcn_li_bcn",
    "bcn_li_dtim",
    "bcn_timeout",
    "bus:txglom",
    "infra",
    "maxassoc",
    "mfp",
    "mpc",
    "pm2_sleep_ret",
    "roam_off",
    "sae_max_pwe_loop",
    "wpa_auth",
    "wsec",
    "sup_wpa",
];

/// Variables of a number for each service set: its index comes first.
const INDEXED: [&str; 5] = [
    "bsscfg:sup_wpa",
    "bsscfg:sup_wpa2_eapver",
    "bsscfg:sup_wpa_tmo",
    "bsscfg:wpa_auth",
    "bsscfg:wsec",
];

/// A key that the host gave.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Key {
    /// The passphrase itself.
    Passphrase(Vec<u8>),
    /// What PBKDF2 makes of it.
    Hashed([u8; 32]),
}

impl core::fmt::Debug for Key {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Key(..)")
    }
}

/// What the host has set.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) mac: [u8; 6],
    pub(super) up: bool,
    events: [u8; EVENT_MASK],
    pub(super) multicast: Vec<[u8; 6]>,
    numbers: BTreeMap<String, u32>,
    pub(super) key: Option<Key>,
    pub(super) sae_password: Option<Vec<u8>>,
    /// When the kind of security was set last.
    security_set: Option<Duration>,
    gpio_out: u32,
    gpio_mask: u32,
    gpio_in: u32,
    clm: Clm,
}

/// The regulatory database, as far as it has come.
#[derive(Debug, Default)]
struct Clm {
    bytes: Vec<u8>,
    begun: bool,
    complete: bool,
    /// A part was none, or came at a wrong time.
    broken: bool,
    good: bool,
}

impl Settings {
    pub(super) fn new(mac: [u8; 6]) -> Self {
        Self {
            mac,
            up: false,
            events: [0; EVENT_MASK],
            multicast: Vec::new(),
            numbers: BTreeMap::new(),
            key: None,
            sae_password: None,
            security_set: None,
            gpio_out: 0,
            gpio_mask: 0,
            gpio_in: 0,
            clm: Clm::default(),
        }
    }

    /// Whether the host wants events of this type.
    pub(super) fn wants(&self, kind: u32) -> bool {
        let byte = self.events.get(kind as usize / 8);
        byte.is_some_and(|byte| byte >> (kind % 8) & 1 != 0)
    }

    pub(super) fn number(&self, name: &str) -> u32 {
        self.numbers.get(name).copied().unwrap_or(0)
    }

    /// A number of the first service set, if it was ever set.
    pub(super) fn indexed(&self, name: &str) -> Option<u32> {
        self.numbers.get(&format!("{name}/0")).copied()
    }

    /// Pins that the host has ever set are outputs.
    fn gpio_levels(&self) -> u32 {
        self.gpio_out & self.gpio_mask | self.gpio_in & !self.gpio_mask
    }

    /// Whether the radio may be used at all: without a regulatory database no channel is allowed.
    pub(super) fn has_channels(&self) -> bool {
        self.clm.good
    }
}

impl Model {
    fn settings(&mut self) -> Result<&mut Settings, i32> {
        match &mut self.firmware {
            Some(firmware) => Ok(&mut firmware.settings),
            None => Err(error::UNSUPPORTED),
        }
    }

    pub(super) fn number(&self, name: &str) -> u32 {
        let firmware = self.firmware.as_deref();
        firmware.map_or(0, |firmware| firmware.settings.number(name))
    }

    pub(super) fn set_number(&mut self, name: &str, value: u32) {
        if let Some(firmware) = &mut self.firmware {
            firmware.settings.numbers.insert(name.into(), value);
        }
    }

    /// The kind of security was set: the radio needs a while before it takes a key.
    pub(super) fn security_changed(&mut self) {
        let now = self.clock.now();
        if let Some(firmware) = &mut self.firmware {
            firmware.settings.security_set = Some(now);
        }
    }

    pub(super) fn gpio(&self, pin: u8) -> bool {
        let Some(firmware) = &self.firmware else { return false };
        firmware.settings.gpio_levels() >> (pin % 32) & 1 != 0
    }

    pub(super) fn drive_gpio(&mut self, pin: u8, high: bool) {
        if let Some(firmware) = &mut self.firmware {
            let bit = 1 << (pin % 32);
            let rest = firmware.settings.gpio_in & !bit;
            firmware.settings.gpio_in = if high { rest | bit } else { rest };
        }
    }

    pub(super) fn multicast_list(&self) -> Vec<[u8; 6]> {
        let firmware = self.firmware.as_deref();
        firmware.map_or_else(Vec::new, |firmware| firmware.settings.multicast.clone())
    }

    pub(super) fn uploaded_clm(&self) -> Option<Vec<u8>> {
        let clm = &self.firmware.as_deref()?.settings.clm;
        clm.complete.then(|| clm.bytes.clone())
    }

    pub(super) fn get_variable(&mut self, request: &Request) -> Outcome {
        let (name, _) = split(&request.payload)?;
        let value = self.variable(name)?;
        if value.len() > request.payload.len() {
            return Err(error::BUFFER_TOO_SHORT);
        }
        Ok(value)
    }

    fn variable(&mut self, name: &str) -> Outcome {
        let settings = self.settings()?;
        Ok(match name {
            "cur_etheraddr" => settings.mac.to_vec(),
            "clmload_status" => u32::from(!settings.clm.good).to_le_bytes().to_vec(),
            "clmver" => b"API: 12.2 Data: simulated\0".to_vec(),
            "ver" => b"wl0: simulated firmware FWID 01-00000000\0".to_vec(),
            "bsscfg:event_msgs" | "event_msgs" => settings.events.to_vec(),
            "mcast_list" => {
                let mut value = (settings.multicast.len() as u32).to_le_bytes().to_vec();
                value.extend(settings.multicast.iter().flatten());
                value.resize(4 + 6 * MULTICAST_ROOM, 0);
                value
            }
            "ccgpioin" => settings.gpio_levels().to_le_bytes().to_vec(),
            "isup" => u32::from(settings.up).to_le_bytes().to_vec(),
            name if NUMBERS.contains(&name) => settings.number(name).to_le_bytes().to_vec(),
            _ => return Err(error::UNSUPPORTED),
        })
    }

    pub(super) fn set_variable(&mut self, request: &Request) -> Outcome {
        let (name, value) = split(&request.payload)?;
        let done = Ok(Vec::new());
        match name {
            "clmload" => return self.load_clm(value),
            "country" => return self.set_country(value),
            "escan" => return self.escan(value),
            "join" => return self.join_bss(value),
            "bss" => return self.set_bss(value),
            "bsscfg:ssid" => return self.set_own_ssid(value),
            "cur_etheraddr" => return self.set_address(value),
            "mcast_list" => return self.set_multicast_list(value),
            "sae_password" => return self.set_sae_password(value),
            "bsscfg:event_msgs" if u32_at(value, 0).is_some_and(|index| index > 1) => return Err(error::BAD_ARGUMENT),
            "bsscfg:event_msgs" => return self.set_events(value.get(4..)),
            "event_msgs" => return self.set_events(Some(value)),
            "gpioout" => {
                let (mask, levels) = pair(value)?;
                let settings = self.settings()?;
                settings.gpio_mask |= mask;
                settings.gpio_out = settings.gpio_out & !mask | levels & mask;
                return done;
            }
            "mkeep_alive" | "pmkid_info" => return done,
            _ => {}
        }
        if INDEXED.contains(&name) {
            let (index, number) = pair(value)?;
            if index > 1 {
                return Err(error::BAD_ARGUMENT);
            }
            let key = format!("{name}/{index}");
            self.set_number(&key, number);
            if name == "bsscfg:sup_wpa" {
                self.security_changed();
            }
            return done;
        }
        if !NUMBERS.contains(&name) {
            return Err(error::UNSUPPORTED);
        }
        let number = if value.len() == 4 { u32_at(value, 0) } else { None };
        let number = number.ok_or(error::BAD_LENGTH)?;
        if name == "pm2_sleep_ret" && (number % 10 != 0 || !(10..=2000).contains(&number)) {
            return Err(error::RANGE);
        }
        self.set_number(name, number);
        done
    }

    fn load_clm(&mut self, part: &[u8]) -> Outcome {
        let (Some(flags), Some(kind), Some(len)) = (u16_at(part, 0), u16_at(part, 2), u32_at(part, 4)) else {
            return Err(error::BAD_LENGTH);
        };
        let Some(data) = part.get(12..).and_then(|data| data.get(..len as usize)) else {
            return Err(error::BAD_LENGTH);
        };
        let expected = self.config.images.clm.clone();
        let settings = self.settings()?;
        let clm = &mut settings.clm;
        let begins = flags & download::BEGIN != 0;
        let in_order = flags & download::HANDLER_VERSION != 0
            && kind == download::TYPE_CLM
            && begins != (clm.begun && !clm.complete);
        if begins {
            *clm = Clm {
                begun: true,
                ..Clm::default()
            };
        }
        clm.broken |= !in_order;
        clm.bytes.extend(data);
        if flags & download::END != 0 {
            clm.complete = true;
            clm.good = !clm.broken && expected.is_none_or(|expected| expected == clm.bytes);
        }
        let bad = !in_order || (clm.complete && !clm.good);
        if bad {
            let detail = format!("flags {flags:#06x}, type {kind}, {len} bytes");
            self.violation(ViolationKind::BadClm, detail);
        }
        Ok(Vec::new())
    }

    fn set_country(&mut self, value: &[u8]) -> Outcome {
        let [a, b, 0, 0, _, _, _, _, c, d, 0, 0] = *value else {
            return Err(error::BAD_LENGTH);
        };
        if [a, b] != [c, d] || !a.is_ascii_uppercase() || !b.is_ascii_uppercase() {
            return Err(error::BAD_ARGUMENT);
        }
        let until = self.clock.now() + self.config.country_time;
        if let Some(firmware) = &mut self.firmware {
            firmware.ioctls.busy_until = until;
        }
        Ok(Vec::new())
    }

    fn set_address(&mut self, value: &[u8]) -> Outcome {
        let mac: [u8; 6] = value.try_into().map_err(|_| error::BAD_LENGTH)?;
        let settings = self.settings()?;
        if settings.up {
            return Err(error::NOT_DOWN);
        }
        if mac[0] & 1 != 0 || mac == [0; 6] {
            return Err(error::BAD_ARGUMENT);
        }
        settings.mac = mac;
        Ok(Vec::new())
    }

    fn set_multicast_list(&mut self, value: &[u8]) -> Outcome {
        let count = u32_at(value, 0).ok_or(error::BAD_LENGTH)? as usize;
        if count > MULTICAST_ROOM {
            return Err(error::RANGE);
        }
        let list = value.get(4..4 + 6 * count).ok_or(error::BAD_LENGTH)?;
        let list: Vec<[u8; 6]> = list.chunks_exact(6).filter_map(|mac| mac.try_into().ok()).collect();
        if list.iter().any(|mac| mac[0] & 1 == 0) {
            return Err(error::BAD_ARGUMENT);
        }
        self.settings()?.multicast = list;
        Ok(Vec::new())
    }

    fn set_events(&mut self, mask: Option<&[u8]>) -> Outcome {
        let mask = mask.filter(|mask| (1..=EVENT_MASK).contains(&mask.len()));
        let mask = mask.ok_or(error::BAD_LENGTH)?;
        let events = &mut self.settings()?.events;
        *events = [0; EVENT_MASK];
        events[..mask.len()].copy_from_slice(mask);
        Ok(Vec::new())
    }

    fn set_sae_password(&mut self, value: &[u8]) -> Outcome {
        let len = usize::from(u16_at(value, 0).ok_or(error::BAD_LENGTH)?);
        if value.len() != 130 || len > 128 {
            return Err(error::BAD_LENGTH);
        }
        if len == 0 {
            return Err(error::BAD_ARGUMENT);
        }
        let password = value[2..2 + len].to_vec();
        if self.key_comes_early() {
            return Ok(Vec::new());
        }
        self.settings()?.sae_password = Some(password);
        Ok(Vec::new())
    }

    pub(super) fn set_key(&mut self, value: &[u8]) -> Outcome {
        let (Some(len), Some(flags), 68) = (u16_at(value, 0), u16_at(value, 2), value.len()) else {
            return Err(error::BAD_LENGTH);
        };
        let data = &value[4..];
        let data = data.get(..usize::from(len)).ok_or(error::BAD_ARGUMENT)?;
        let key = match (flags & 1, data.len()) {
            (1, 8..=63) => Key::Passphrase(data.to_vec()),
            (0, 32) => Key::Hashed(data.try_into().map_err(|_| error::BAD_ARGUMENT)?),
            (_, 64) => Key::Hashed(from_hex(data).ok_or(error::BAD_ARGUMENT)?),
            _ => return Err(error::BAD_ARGUMENT),
        };
        if self.key_comes_early() {
            return Ok(Vec::new());
        }
        self.settings()?.key = Some(key);
        Ok(Vec::new())
    }

    /// Whether the radio is not ready for a key yet: it confirms it then, and forgets it.
    fn key_comes_early(&mut self) -> bool {
        let now = self.clock.now();
        let lead = self.config.key_lead_time;
        let set = self
            .firmware
            .as_ref()
            .and_then(|firmware| firmware.settings.security_set);
        let early = set.is_some_and(|set| now < set + lead);
        if early {
            self.violation(
                ViolationKind::KeyTooEarly,
                format!("within {lead:?} of the kind of security"),
            );
        }
        early
    }
}

/// Name and value of a variable.
fn split(payload: &[u8]) -> Result<(&str, &[u8]), i32> {
    let end = payload.iter().position(|byte| *byte == 0).ok_or(error::BAD_ARGUMENT)?;
    let name = core::str::from_utf8(&payload[..end]).map_err(|_| error::BAD_ARGUMENT)?;
    Ok((name, &payload[end + 1..]))
}

/// Two numbers.
pub(super) fn pair(value: &[u8]) -> Result<(u32, u32), i32> {
    match (u32_at(value, 0), u32_at(value, 4), value.len()) {
        (Some(first), Some(second), 8) => Ok((first, second)),
        _ => Err(error::BAD_LENGTH),
    }
}

fn from_hex(digits: &[u8]) -> Option<[u8; 32]> {
    let mut key = [0; 32];
    for (byte, digits) in key.iter_mut().zip(digits.chunks(2)) {
        let digits = core::str::from_utf8(digits).ok()?;
        *byte = u8::from_str_radix(digits, 16).ok()?;
    }
    Some(key)
}
