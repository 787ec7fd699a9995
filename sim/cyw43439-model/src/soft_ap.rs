//! The chip as an access point of its own.

use core::time::Duration;

use super::events::{Event, kind, status};
use super::hardware::Model;
use super::ioctl::{Outcome, error, u32_at};
use super::iovar::{Key, pair};

/// From the start of the access point until it is on the air.
const START_TIME: Duration = Duration::from_millis(50);
/// Reason of a station that leaves (IEEE 802.11, table of reason codes).
const REASON_LEAVING: u32 = 8;

/// The access point.
#[derive(Debug, Default)]
pub(super) struct SoftAp {
    ssid: Vec<u8>,
    index: u32,
    on: bool,
    on_air: bool,
    /// Counts starts and stops.
    turn: u64,
    clients: Vec<[u8; 6]>,
}

impl Model {
    fn soft_ap(&mut self) -> Result<&mut SoftAp, i32> {
        match &mut self.firmware {
            Some(firmware) => Ok(&mut firmware.soft_ap),
            None => Err(error::UNSUPPORTED),
        }
    }

    /// `bsscfg:ssid`: an index, and a name.
    pub(super) fn set_own_ssid(&mut self, value: &[u8]) -> Outcome {
        let (Some(index), Some(len), 40) = (u32_at(value, 0), u32_at(value, 4), value.len()) else {
            return Err(error::BAD_LENGTH);
        };
        if len == 0 || len > 32 {
            return Err(error::BAD_SSID_LENGTH);
        }
        let ap = self.soft_ap()?;
        ap.ssid = value[8..8 + len as usize].to_vec();
        ap.index = index;
        Ok(Vec::new())
    }

    /// `bss`: an index, and whether its service set is up.
    pub(super) fn set_bss(&mut self, value: &[u8]) -> Outcome {
        let (index, up) = pair(value)?;
        if up == 0 {
            self.stop_own_ap();
            return Ok(Vec::new());
        }
        if !self.is_up() {
            return Err(error::NOT_UP);
        }
        let is_ap = self.number("ap") == 1 || (index == 1 && self.number("apsta") == 1);
        let has_channels = self
            .firmware
            .as_deref()
            .is_some_and(|firmware| firmware.settings.has_channels());
        let secured = self.own_security() != 0;
        let has_key = self
            .firmware
            .as_deref()
            .is_some_and(|firmware| firmware.settings.key.is_some());
        let ap = self.soft_ap()?;
        if !is_ap || !has_channels || ap.ssid.is_empty() || ap.index != index || (secured && !has_key) {
            return Err(error::BAD_ARGUMENT);
        }
        ap.on = true;
        ap.turn += 1;
        let turn = ap.turn;
        self.later(START_TIME, move |chip| {
            let Ok(ap) = chip.soft_ap() else { return };
            if ap.turn == turn {
                ap.on_air = true;
                chip.tell_own_link(true);
            }
        });
        Ok(Vec::new())
    }

    fn tell_own_link(&mut self, up: bool) {
        let Ok(ap) = self.soft_ap() else { return };
        let interface = ap.index as u8;
        let mac = self.own_address();
        self.tell(Event {
            flags: up.into(),
            interface,
            ..Event::new(kind::LINK, status::SUCCESS).of(mac).with_data(vec![0; 22])
        });
    }

    pub(super) fn stop_own_ap(&mut self) {
        let Ok(ap) = self.soft_ap() else { return };
        if core::mem::take(&mut ap.on) {
            ap.turn += 1;
            ap.clients.clear();
            if core::mem::take(&mut ap.on_air) {
                self.tell_own_link(false);
            }
        }
    }

    /// The kind of authentication that clients need; 0 for none.
    fn own_security(&self) -> u32 {
        let Some(firmware) = self.firmware.as_deref() else {
            return 0;
        };
        let name = format!("bsscfg:wpa_auth/{}", firmware.soft_ap.index);
        let wsec = format!("bsscfg:wsec/{}", firmware.soft_ap.index);
        if firmware.settings.number(&wsec) == 0 {
            return 0;
        }
        firmware.settings.number(&name)
    }

    pub(super) fn client_joins(&mut self, mac: [u8; 6], passphrase: Option<&str>) -> bool {
        let Some(firmware) = self.firmware.as_deref() else {
            return false;
        };
        let fits = match (&firmware.settings.key, self.own_security()) {
            (_, 0) => passphrase.is_none(),
            (Some(Key::Passphrase(phrase)), _) => passphrase.map(str::as_bytes) == Some(phrase),
            (Some(Key::Hashed(_)) | None, _) => false,
        };
        if !firmware.soft_ap.on_air || !fits || self.firmware_halted() {
            return false;
        }
        let Ok(ap) = self.soft_ap() else { return false };
        let interface = ap.index as u8;
        if !ap.clients.contains(&mac) {
            ap.clients.push(mac);
        }
        self.tell(Event {
            interface,
            ..Event::new(kind::ASSOC_IND, status::SUCCESS).of(mac)
        });
        true
    }

    pub(super) fn client_leaves(&mut self, mac: [u8; 6]) {
        let Ok(ap) = self.soft_ap() else { return };
        let interface = ap.index as u8;
        let before = ap.clients.len();
        ap.clients.retain(|client| *client != mac);
        if ap.clients.len() != before {
            self.tell(Event {
                interface,
                ..Event::new(kind::DISASSOC_IND, status::SUCCESS)
                    .of(mac)
                    .with_reason(REASON_LEAVING)
            });
        }
    }

    pub(super) fn own_ap(&self) -> Option<(Vec<u8>, u8)> {
        let firmware = self.firmware.as_deref().filter(|firmware| firmware.soft_ap.on_air)?;
        let channel = firmware.settings.number("channel") as u8;
        Some((firmware.soft_ap.ssid.clone(), channel))
    }

    pub(super) fn has_clients(&self) -> bool {
        let firmware = self.firmware.as_deref();
        firmware.is_some_and(|firmware| firmware.soft_ap.on_air && !firmware.soft_ap.clients.is_empty())
    }

    /// The interface that the access point is on.
    pub(super) fn own_interface(&self) -> u8 {
        self.firmware
            .as_deref()
            .map_or(0, |firmware| firmware.soft_ap.index as u8)
    }

    pub(super) fn is_client(&self, mac: &[u8]) -> bool {
        let firmware = self.firmware.as_deref();
        firmware.is_some_and(|firmware| firmware.soft_ap.clients.iter().any(|client| client == mac))
    }

    /// How many stations have joined, and their addresses.
    pub(super) fn association_list(&mut self, room: usize) -> Outcome {
        let ap = self.soft_ap()?;
        let mut list = (ap.clients.len() as u32).to_le_bytes().to_vec();
        list.extend(ap.clients.iter().flatten());
        if list.len() > room {
            return Err(error::BUFFER_TOO_SHORT);
        }
        Ok(list)
    }
}
