//! The chip as an access point.

use core::time::Duration;

use crate::events::{Event, kind, status};
use crate::request::{Outcome, error, pair, u32_at};
use crate::runtime::Runtime;
use crate::settings::{Key, Settings};
use crate::timer::Timer;

/// From the start of the access point until it transmits.
const START_TIME: Duration = Duration::from_millis(50);
/// Reason of a station that leaves (IEEE 802.11, table of reason codes).
const REASON_LEAVING: u32 = 8;

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
        let key_missing = self.security(settings) != 0 && settings.key.is_none();
        if !is_ap || !settings.has_channels() || self.ssid.is_empty() || self.index != index || key_missing {
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
    pub(crate) fn connect(&mut self, rt: &mut Runtime<'_>, mac: [u8; 6], passphrase: Option<&str>) -> bool {
        let accepted = match (&rt.settings.key, self.security(rt.settings)) {
            (_, 0) => passphrase.is_none(),
            (Some(Key::Passphrase(phrase)), _) => passphrase.map(str::as_bytes) == Some(phrase),
            (Some(Key::Hashed(_)) | None, _) => false,
        };
        if !self.on_air || !accepted || !rt.chip.firmware.runs() {
            return false;
        }
        if !self.clients.contains(&mac) {
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

    /// The number of clients, and their addresses, for a buffer of `capacity` bytes.
    pub(crate) fn association_list(&self, capacity: usize) -> Outcome {
        let mut list = (self.clients.len() as u32).to_le_bytes().to_vec();
        list.extend(self.clients.iter().flatten());
        if list.len() > capacity {
            return Err(error::BUFFER_TOO_SHORT);
        }
        Ok(list)
    }
}
