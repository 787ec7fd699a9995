//! The chip as an access point.

use core::time::Duration;

use crate::events::{Event, kind, status};
use crate::request::{Outcome, error, pair, u32_at};
use crate::runtime::Runtime;
use crate::settings::{Key, Settings, from_hex};
use crate::timer::Timer;

/// From the start of the access point until it transmits.
const START_TIME: Duration = Duration::from_millis(50);
/// Reason of a station that leaves (IEEE 802.11, table of reason codes).
const REASON_LEAVING: u32 = 8;

/// Bits of the authentication (`wpa_auth`).
const AUTH_PSK: u32 = 0x84;
const AUTH_SAE: u32 = 0x4_0000;

/// The secret of a station that joins.
#[derive(Clone, Copy)]
pub(crate) enum ClientKey<'a> {
    None,
    /// The passphrase of WPA and WPA2, or the key in 64 hexadecimal digits.
    Psk(&'a str),
    /// The password of WPA3.
    Sae(&'a str),
}

/// The access point.
#[derive(Debug, Default)]
pub(crate) struct SoftAp {
    ssid: Vec<u8>,
    index: u32,
    on: bool,
    on_air: bool,
    /// Counts starts and stops, so that a start that was stopped has no effect.
    start: u64,
    clients: Vec<[u8; 6]>,
}

impl SoftAp {
    /// The iovar `bsscfg:ssid`: an index, and a name.
    pub(crate) fn set_ssid(&mut self, value: &[u8]) -> Outcome {
        let (Some(index), Some(len), 40) = (u32_at(value, 0), u32_at(value, 4), value.len()) else {
            return Err(error::BAD_LENGTH);
        };
        if len == 0 || len > 32 {
            return Err(error::BAD_SSID_LENGTH);
        }
        self.ssid = value[8..8 + len as usize].to_vec();
        self.index = index;
        Ok(Vec::new())
    }

    /// The iovar `bss`: an index, and whether its service set is up.
    pub(crate) fn set_bss(&mut self, mut rt: Runtime<'_>, value: &[u8]) -> Outcome {
        let (index, up) = pair(value)?;
        if up == 0 {
            self.stop(&mut rt);
            return Ok(Vec::new());
        }
        let settings = &*rt.settings;
        if !settings.up {
            return Err(error::NOT_UP);
        }
        let is_ap = settings.number("ap") == 1 || (index == 1 && settings.number("apsta") == 1);
        let auth = self.security(settings);
        let key_missing = auth & AUTH_PSK != 0 && settings.key.is_none();
        // WPA3 requires the protection of management frames.
        let sae_incomplete = auth & AUTH_SAE != 0 && (settings.sae_password.is_none() || settings.number("mfp") == 0);
        let secret_missing = key_missing || sae_incomplete;
        if !is_ap || !settings.has_channels() || self.ssid.is_empty() || self.index != index || secret_missing {
            return Err(error::BAD_ARGUMENT);
        }
        self.on = true;
        self.start += 1;
        rt.chip.timer_in(START_TIME, Timer::SoftApReady { start: self.start });
        Ok(Vec::new())
    }

    /// The access point transmits, unless it was stopped.
    pub(crate) fn ready(&mut self, rt: &mut Runtime<'_>, start: u64) {
        if self.start == start {
            self.on_air = true;
            self.report_link(rt, true);
        }
    }

    fn report_link(&self, rt: &mut Runtime<'_>, up: bool) {
        let mac = rt.settings.mac;
        rt.report(&Event {
            flags: up.into(),
            interface: self.interface(),
            ..Event::new(kind::LINK, status::SUCCESS).of(mac).with_data(vec![0; 22])
        });
    }

    pub(crate) fn stop(&mut self, rt: &mut Runtime<'_>) {
        if core::mem::take(&mut self.on) {
            self.start += 1;
            self.clients.clear();
            if core::mem::take(&mut self.on_air) {
                self.report_link(rt, false);
            }
        }
    }

    /// The authentication that clients need; 0 for none.
    fn security(&self, settings: &Settings) -> u32 {
        let number = |name: &str| settings.number(&format!("{name}/{}", self.index));
        if number("bsscfg:wsec") == 0 {
            return 0;
        }
        number("bsscfg:wpa_auth")
    }

    /// A station joins. Returns whether it was accepted.
    pub(crate) fn connect(&mut self, rt: &mut Runtime<'_>, mac: [u8; 6], secret: ClientKey<'_>) -> bool {
        let settings = &*rt.settings;
        let auth = self.security(settings);
        let accepted = match secret {
            ClientKey::None => auth == 0,
            ClientKey::Psk(phrase) => auth & AUTH_PSK != 0 && is_key(settings, phrase.as_bytes()),
            ClientKey::Sae(password) => {
                auth & AUTH_SAE != 0 && settings.sae_password.as_deref() == Some(password.as_bytes())
            }
        };
        let known = self.clients.contains(&mac);
        let full = !known && self.clients.len() >= settings.number("maxassoc") as usize;
        if !self.on_air || !accepted || full || !rt.chip.firmware.runs() {
            return false;
        }
        if !known {
            self.clients.push(mac);
        }
        rt.report(&Event {
            interface: self.interface(),
            ..Event::new(kind::ASSOC_IND, status::SUCCESS).of(mac)
        });
        true
    }

    /// A station leaves.
    pub(crate) fn disconnect(&mut self, rt: &mut Runtime<'_>, mac: [u8; 6]) {
        let before = self.clients.len();
        self.clients.retain(|client| *client != mac);
        if self.clients.len() != before {
            rt.report(&Event {
                interface: self.interface(),
                ..Event::new(kind::DISASSOC_IND, status::SUCCESS)
                    .of(mac)
                    .with_reason(REASON_LEAVING)
            });
        }
    }

    /// The name, while the access point transmits.
    pub(crate) fn ssid_on_air(&self) -> Option<&[u8]> {
        self.on_air.then_some(&self.ssid)
    }

    pub(crate) const fn is_on_air(&self) -> bool {
        self.on_air
    }

    pub(crate) fn has_clients(&self) -> bool {
        self.on_air && !self.clients.is_empty()
    }

    /// The interface of the access point.
    pub(crate) const fn interface(&self) -> u8 {
        self.index as u8
    }

    pub(crate) fn is_client(&self, mac: &[u8]) -> bool {
        self.clients.iter().any(|client| client == mac)
    }

    /// The ioctl `GET_ASSOCLIST`: the number of clients, and their addresses. The request starts
    /// with the number of addresses that it can hold, as all public drivers send it.
    pub(crate) fn association_list(&self, request: &[u8]) -> Outcome {
        let capacity = u32_at(request, 0).ok_or(error::BAD_LENGTH)? as usize;
        if capacity > (request.len() - 4) / 6 || self.clients.len() > capacity {
            return Err(error::BUFFER_TOO_SHORT);
        }
        let mut list = (self.clients.len() as u32).to_le_bytes().to_vec();
        list.extend(self.clients.iter().flatten());
        Ok(list)
    }

    /// The iovar `bss`: whether a service set is up. The first one always exists.
    pub(crate) fn bss(&self, index: u32) -> Outcome {
        let own = self.index == index && !self.ssid.is_empty();
        if !own && index != 0 {
            return Err(error::NOT_FOUND);
        }
        Ok(u32::from(own && self.on).to_le_bytes().to_vec())
    }
}

/// Whether this is the pre-shared key that the host has set.
fn is_key(settings: &Settings, phrase: &[u8]) -> bool {
    match &settings.key {
        None => false,
        Some(Key::Passphrase(own)) => own == phrase,
        Some(Key::Hashed(own)) => phrase.len() == 64 && from_hex(phrase).as_ref() == Some(own),
    }
}
