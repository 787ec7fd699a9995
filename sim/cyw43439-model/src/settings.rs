//! What the host has set in the firmware.

use core::time::Duration;
use std::collections::BTreeMap;

use crate::chip::Chip;
use crate::request::{Outcome, error, u16_at, u32_at};
use crate::violations::ViolationKind;

/// Bytes of the mask of events.
const EVENT_MASK: usize = 24;
/// Number of clients of the access point that the firmware accepts at first.
const MAX_CLIENTS: u32 = 10;
/// Maximum length of the list of multicast addresses.
const MULTICAST_CAPACITY: usize = 10;

/// Flags of a part of the regulatory database.
mod download {
    pub(crate) const BEGIN: u16 = 0x0002;
    pub(crate) const END: u16 = 0x0004;
    pub(crate) const HANDLER_VERSION: u16 = 0x1000;
    pub(crate) const TYPE_CLM: u16 = 2;
}

/// A key that the host has set.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Key {
    /// A passphrase.
    Passphrase(Vec<u8>),
    /// PBKDF2 of a passphrase.
    Hashed([u8; 32]),
}

impl core::fmt::Debug for Key {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Key(..)")
    }
}

/// What the host has set.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) mac: [u8; 6],
    pub(crate) up: bool,
    events: [u8; EVENT_MASK],
    pub(crate) multicast: Vec<[u8; 6]>,
    numbers: BTreeMap<String, u32>,
    pub(crate) key: Option<Key>,
    pub(crate) sae_password: Option<Vec<u8>>,
    /// When the security was set last.
    security_set: Option<Duration>,
    gpio_out: u32,
    gpio_mask: u32,
    gpio_in: u32,
    clm: Clm,
}

/// The upload of the regulatory database.
#[derive(Debug, Default)]
struct Clm {
    bytes: Vec<u8>,
    begun: bool,
    complete: bool,
    /// A part was invalid or out of order.
    broken: bool,
    good: bool,
}

impl Settings {
    pub(crate) fn new(mac: [u8; 6]) -> Self {
        Self {
            mac,
            up: false,
            events: [0; EVENT_MASK],
            multicast: Vec::new(),
            numbers: BTreeMap::from([("maxassoc".into(), MAX_CLIENTS)]),
            key: None,
            sae_password: None,
            security_set: None,
            gpio_out: 0,
            gpio_mask: 0,
            gpio_in: 0,
            clm: Clm::default(),
        }
    }

    /// Whether the host has enabled events of this type.
    pub(crate) fn wants(&self, kind: u32) -> bool {
        let byte = self.events.get(kind as usize / 8);
        byte.is_some_and(|byte| byte >> (kind % 8) & 1 != 0)
    }

    pub(crate) fn number(&self, name: &str) -> u32 {
        self.numbers.get(name).copied().unwrap_or(0)
    }

    /// A number of the first service set, where it was set.
    pub(crate) fn indexed(&self, name: &str) -> Option<u32> {
        self.numbers.get(&format!("{name}/0")).copied()
    }

    /// Levels of the GPIO pins. Those that the host has set are outputs.
    fn gpio_levels(&self) -> u32 {
        self.gpio_out & self.gpio_mask | self.gpio_in & !self.gpio_mask
    }

    /// Whether there are channels: without a regulatory database none is allowed.
    pub(crate) fn has_channels(&self) -> bool {
        self.clm.good
    }

    pub(crate) fn set_number(&mut self, name: &str, value: u32) {
        self.numbers.insert(name.into(), value);
    }

    /// The security was set: the radio is not ready for a key for a while.
    pub(crate) const fn security_changed(&mut self, now: Duration) {
        self.security_set = Some(now);
    }

    pub(crate) fn gpio(&self, pin: u8) -> bool {
        self.gpio_levels() >> (pin % 32) & 1 != 0
    }

    /// Drives an input pin.
    pub(crate) fn drive_gpio(&mut self, pin: u8, high: bool) {
        let bit = 1 << (pin % 32);
        let rest = self.gpio_in & !bit;
        self.gpio_in = if high { rest | bit } else { rest };
    }

    /// Sets output pins.
    pub(crate) const fn set_gpio(&mut self, mask: u32, levels: u32) {
        self.gpio_mask |= mask;
        self.gpio_out = self.gpio_out & !mask | levels & mask;
    }

    pub(crate) fn wants_multicast(&self, mac: &[u8]) -> bool {
        self.number("allmulti") != 0 || self.multicast.iter().any(|listed| listed == mac)
    }

    /// The regulatory database, once it was uploaded completely.
    pub(crate) fn uploaded_clm(&self) -> Option<Vec<u8>> {
        self.clm.complete.then(|| self.clm.bytes.clone())
    }

    /// The value of a variable that is no plain number.
    pub(crate) fn variable(&self, name: &str) -> Option<Vec<u8>> {
        Some(match name {
            "cur_etheraddr" => self.mac.to_vec(),
            "clmload_status" => u32::from(!self.clm.good).to_le_bytes().to_vec(),
            "clmver" => b"API: 12.2 Data: simulated\0".to_vec(),
            "ver" => b"wl0: simulated firmware FWID 01-00000000\0".to_vec(),
            "bsscfg:event_msgs" | "event_msgs" => self.events.to_vec(),
            "mcast_list" => {
                let mut value = (self.multicast.len() as u32).to_le_bytes().to_vec();
                value.extend(self.multicast.iter().flatten());
                value.resize(4 + 6 * MULTICAST_CAPACITY, 0);
                value
            }
            "ccgpioin" => self.gpio_levels().to_le_bytes().to_vec(),
            "isup" => u32::from(self.up).to_le_bytes().to_vec(),
            _ => return None,
        })
    }

    /// A part of the regulatory database.
    pub(crate) fn load_clm(&mut self, chip: &mut Chip, part: &[u8]) -> Outcome {
        let (Some(flags), Some(kind), Some(len)) = (u16_at(part, 0), u16_at(part, 2), u32_at(part, 4)) else {
            return Err(error::BAD_LENGTH);
        };
        let Some(data) = part.get(12..).and_then(|data| data.get(..len as usize)) else {
            return Err(error::BAD_LENGTH);
        };
        let expected = &chip.cx.config.images.clm;
        let clm = &mut self.clm;
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
            clm.good = !clm.broken && expected.as_ref().is_none_or(|expected| *expected == clm.bytes);
        }
        let bad = !in_order || (clm.complete && !clm.good);
        if bad {
            let detail = format!("flags {flags:#06x}, type {kind}, {len} bytes");
            chip.violation(ViolationKind::BadClm, detail);
        }
        Ok(Vec::new())
    }

    /// The MAC address, which can be set while the radio is down.
    pub(crate) fn set_address(&mut self, value: &[u8]) -> Outcome {
        let mac: [u8; 6] = value.try_into().map_err(|_| error::BAD_LENGTH)?;
        if self.up {
            return Err(error::NOT_DOWN);
        }
        if mac[0] & 1 != 0 || mac == [0; 6] {
            return Err(error::BAD_ARGUMENT);
        }
        self.mac = mac;
        Ok(Vec::new())
    }

    pub(crate) fn set_multicast_list(&mut self, value: &[u8]) -> Outcome {
        let count = u32_at(value, 0).ok_or(error::BAD_LENGTH)? as usize;
        if count > MULTICAST_CAPACITY {
            return Err(error::RANGE);
        }
        let list = value.get(4..4 + 6 * count).ok_or(error::BAD_LENGTH)?;
        let list: Vec<[u8; 6]> = list.chunks_exact(6).filter_map(|mac| mac.try_into().ok()).collect();
        if list.iter().any(|mac| mac[0] & 1 == 0) {
            return Err(error::BAD_ARGUMENT);
        }
        self.multicast = list;
        Ok(Vec::new())
    }

    /// The mask of enabled events.
    pub(crate) fn set_events(&mut self, mask: Option<&[u8]>) -> Outcome {
        let mask = mask.filter(|mask| (1..=EVENT_MASK).contains(&mask.len()));
        let mask = mask.ok_or(error::BAD_LENGTH)?;
        let events = &mut self.events;
        *events = [0; EVENT_MASK];
        events[..mask.len()].copy_from_slice(mask);
        Ok(Vec::new())
    }

    pub(crate) fn set_sae_password(&mut self, chip: &mut Chip, value: &[u8]) -> Outcome {
        let len = usize::from(u16_at(value, 0).ok_or(error::BAD_LENGTH)?);
        if value.len() != 130 || len > 128 {
            return Err(error::BAD_LENGTH);
        }
        if len == 0 {
            return Err(error::BAD_ARGUMENT);
        }
        let password = value[2..2 + len].to_vec();
        if self.is_key_early(chip) {
            return Ok(Vec::new());
        }
        self.sae_password = Some(password);
        Ok(Vec::new())
    }

    pub(crate) fn set_key(&mut self, chip: &mut Chip, value: &[u8]) -> Outcome {
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
        if self.is_key_early(chip) {
            return Ok(Vec::new());
        }
        self.key = Some(key);
        Ok(Vec::new())
    }

    /// Whether the radio is not ready for a key yet. It confirms the key and discards it.
    fn is_key_early(&self, chip: &mut Chip) -> bool {
        let now = chip.cx.now();
        let lead = chip.cx.config.key_lead_time;
        let early = self.security_set.is_some_and(|set| now < set + lead);
        if early {
            chip.violation(
                ViolationKind::KeyTooEarly,
                format!("within {lead:?} of setting the security"),
            );
        }
        early
    }
}

pub(crate) fn from_hex(digits: &[u8]) -> Option<[u8; 32]> {
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let mut key = [0; 32];
    for (byte, digits) in key.iter_mut().zip(digits.chunks(2)) {
        let digits = core::str::from_utf8(digits).ok()?;
        *byte = u8::from_str_radix(digits, 16).ok()?;
    }
    Some(key)
}
