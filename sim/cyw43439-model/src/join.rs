//! The station: how it gets into a network, and how it gets out.
//!
//! ```text
//! idle ── SET_SSID ──> searching ──> authenticating ──> associating ──> joined ──> keyed
//!   ^                      │               │                 │            │          │
//!   └──────────────────────┴───────────────┴─────────────────┴────────────┴──────────┘
//!                 refusal, DISASSOC, deauthentication, lost beacons
//! ```

use core::time::Duration;

use super::events::{Event, kind, status, supplicant};
use super::hardware::Model;
use super::ioctl::{Outcome, error, u32_at};
use super::iovar::Key;
use super::{AccessPoint, ApId, Association, EventOrder, Refusal, Security, ViolationKind};

/// Bits of the cipher and of the kind of authentication that the host asks for.
const WSEC_TKIP: u32 = 2;
const WSEC_AES: u32 = 4;
const WPA_PSK: u32 = 0x04;
const WPA2_PSK: u32 = 0x80;
const WPA3_SAE: u32 = 0x4_0000;
const AUTH_SAE: u32 = 3;

/// Reasons in events.
const REASON_PSK_TIMEOUT: u32 = 15;
const REASON_SAE: u32 = 16;
const REASON_DEAUTHENTICATED: u32 = 14;
const REASON_BEACON_LOSS: u32 = 1;
const REASON_DISASSOCIATED: u32 = 2;

/// How long the supplicant waits, where the host did not say.
const SUPPLICANT_TIMEOUT: u32 = 2500;

/// How the host gets into a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Open,
    Psk,
    Sae,
}

#[derive(Debug, Clone)]
struct Joined {
    ap: ApId,
    bssid: [u8; 6],
    ssid: Vec<u8>,
    keyed: bool,
    since: Duration,
}

/// The firmware as a station.
#[derive(Debug, Default)]
pub(super) struct Peer {
    /// Counts attempts and departures: what was begun before does not go on.
    turn: u64,
    pub(super) joining: bool,
    joined: Option<Joined>,
}

impl Model {
    fn station(&self) -> Option<&Peer> {
        self.firmware.as_deref().map(|firmware| &firmware.station)
    }

    fn station_mut(&mut self) -> Option<&mut Peer> {
        self.firmware.as_deref_mut().map(|firmware| &mut firmware.station)
    }

    fn joined(&self) -> Option<&Joined> {
        self.station()?.joined.as_ref()
    }

    pub(super) fn association(&self) -> Option<Association> {
        self.joined().map(|joined| Association {
            ap: joined.ap,
            bssid: joined.bssid,
            keyed: joined.keyed,
        })
    }

    /// The network that frames may pass to, since when, and a number that changes when that ends.
    pub(super) fn access(&self) -> Option<(ApId, Duration, u64)> {
        let station = self.station()?;
        let joined = station.joined.as_ref().filter(|joined| joined.keyed)?;
        Some((joined.ap, joined.since, station.turn))
    }

    /// Ends whatever goes on, and says whether there was an association.
    fn turn(&mut self) -> Option<Joined> {
        let station = self.station_mut()?;
        station.turn += 1;
        station.joining = false;
        station.joined.take()
    }

    /// Goes on later, unless the host or an access point decides otherwise until then.
    fn step(&mut self, delay: Duration, act: impl FnOnce(&mut Self) + 'static) {
        let Some(turn) = self.station().map(|station| station.turn) else {
            return;
        };
        self.later(delay, move |chip| {
            let same = chip.station().is_some_and(|station| station.turn == turn);
            if same && !chip.firmware_halted() {
                act(chip);
            }
        });
    }

    pub(super) fn set_ssid(&mut self, payload: &[u8]) -> Outcome {
        if payload.len() != 36 {
            return Err(error::BAD_LENGTH);
        }
        self.join(payload, None)
    }

    /// The iovar `join`: a name, how to search for it, and the access point's address.
    pub(super) fn join_bss(&mut self, value: &[u8]) -> Outcome {
        if value.len() < 70 {
            return Err(error::BAD_LENGTH);
        }
        let bssid: [u8; 6] = value[56..62].try_into().map_err(|_| error::BAD_LENGTH)?;
        self.join(&value[..36], (bssid != [0xff; 6]).then_some(bssid))
    }

    fn join(&mut self, name: &[u8], bssid: Option<[u8; 6]>) -> Outcome {
        let len = u32_at(name, 0).ok_or(error::BAD_LENGTH)? as usize;
        if len == 0 || len > 32 {
            return Err(error::BAD_SSID_LENGTH);
        }
        let ssid = name[4..4 + len].to_vec();
        if !self.is_up() {
            return Err(error::NOT_UP);
        }
        self.turn();
        if let Some(station) = self.station_mut() {
            station.joining = true;
        }
        self.step(self.config.scan_time, move |chip| chip.choose(&ssid, bssid));
        Ok(Vec::new())
    }

    pub(super) fn is_up(&self) -> bool {
        self.firmware.as_deref().is_some_and(|firmware| firmware.settings.up)
    }

    /// The strongest access point that fits.
    fn choose(&mut self, ssid: &[u8], bssid: Option<[u8; 6]>) {
        let hears = self
            .firmware
            .as_deref()
            .is_some_and(|firmware| firmware.settings.has_channels());
        let found = self
            .air
            .present()
            .filter(|(_, ap)| hears && ap.ssid == ssid && bssid.is_none_or(|bssid| bssid == ap.bssid))
            .filter_map(|(id, ap)| self.way_into(ap).map(|way| (ap.rssi, id, way)))
            .max_by_key(|(rssi, ..)| *rssi);
        match found {
            Some((_, id, way)) => self.authenticate(id, way),
            None => self.join_fails(status::NO_NETWORKS),
        }
    }

    /// How the host gets into this network, with the kind of security that it has set up.
    fn way_into(&self, ap: &AccessPoint) -> Option<Way> {
        let (wsec, wpa_auth) = (self.number("wsec"), self.number("wpa_auth"));
        let sae = wpa_auth & WPA3_SAE != 0
            && self.number("auth") == AUTH_SAE
            && wsec & WSEC_AES != 0
            && self.number("mfp") >= 1;
        let has_key = self
            .firmware
            .as_deref()
            .is_some_and(|firmware| firmware.settings.key.is_some());
        let wpa2 = wsec & WSEC_AES != 0
            && (wpa_auth & WPA2_PSK != 0 || wpa_auth & WPA3_SAE != 0 && self.config.sae_falls_back && has_key);
        let fits = |fits: bool, way: Way| fits.then_some(way);
        match &ap.security {
            Security::Open => fits(wsec == 0 && wpa_auth == 0, Way::Open),
            Security::Wpa(_) => fits(wsec & WSEC_TKIP != 0 && wpa_auth & WPA_PSK != 0, Way::Psk),
            Security::Wpa2(_) => fits(wpa2, Way::Psk),
            Security::Wpa3(_) => fits(sae, Way::Sae),
            Security::Wpa2Wpa3(_) => fits(sae, Way::Sae).or_else(|| fits(wpa2, Way::Psk)),
        }
    }

    fn join_fails(&mut self, status: u32) {
        self.turn();
        self.tell(Event::new(kind::SET_SSID, status));
    }

    fn authenticate(&mut self, id: ApId, way: Way) {
        self.step(self.config.auth_time, move |chip| {
            let Some(ap) = chip.air.get(id).cloned() else { return };
            let auth = Event {
                auth_type: if way == Way::Sae { AUTH_SAE } else { 0 },
                ..Event::new(kind::AUTH, status::SUCCESS).of(ap.bssid)
            };
            let refused = |status: u32, reason: u32| Event {
                status,
                reason,
                ..auth.clone()
            };
            let refusal = match ap.refusal {
                Refusal::Silence => return,
                Refusal::AuthRefused => Some(refused(status::FAIL, 0)),
                Refusal::AuthTimeout => Some(refused(status::TIMEOUT, 0)),
                _ if !chip.air.is_present(id) => Some(refused(status::TIMEOUT, 0)),
                _ if way == Way::Sae && !chip.knows_password(&ap) => Some(refused(status::FAIL, REASON_SAE)),
                _ => None,
            };
            if let Some(refusal) = refusal {
                chip.tell(refusal);
                chip.join_fails(status::FAIL);
                return;
            }
            chip.tell(Event::new(kind::ASSOC_REQ_IE, status::SUCCESS).with_data(vec![0, ap.ssid.len() as u8]));
            chip.tell(auth);
            chip.associate(id, way);
        });
    }

    fn knows_password(&self, ap: &AccessPoint) -> bool {
        let password = self
            .firmware
            .as_deref()
            .and_then(|firmware| firmware.settings.sae_password.as_deref());
        password.is_some() && password == ap.security.passphrase().map(str::as_bytes)
    }

    fn knows_key(&self, ap: &AccessPoint) -> bool {
        let Some(firmware) = self.firmware.as_deref() else {
            return false;
        };
        match &firmware.settings.key {
            None => false,
            Some(Key::Passphrase(phrase)) => ap.security.passphrase().map(str::as_bytes) == Some(phrase),
            Some(Key::Hashed(key)) => ap.hashed_key.as_ref() == Some(key),
        }
    }

    fn associate(&mut self, id: ApId, way: Way) {
        self.step(self.config.assoc_time, move |chip| {
            let Some(ap) = chip.air.get(id).cloned() else { return };
            let refused = match ap.refusal {
                Refusal::AssocRefused(reason) => Some((status::FAIL, reason)),
                _ if !chip.air.is_present(id) => Some((status::TIMEOUT, 0)),
                _ => None,
            };
            if let Some((status, reason)) = refused {
                chip.tell(Event::new(kind::ASSOC, status).of(ap.bssid).with_reason(reason.into()));
                chip.join_fails(status::FAIL);
                return;
            }
            let now = chip.clock.now();
            if let Some(station) = chip.station_mut() {
                station.joined = Some(Joined {
                    ap: id,
                    bssid: ap.bssid,
                    ssid: ap.ssid.clone(),
                    keyed: way == Way::Open,
                    since: now,
                });
            }
            // Capability, status, association id.
            let response = vec![0x11, 0x04, 0, 0, 0x01, 0xc0];
            chip.tell(Event::new(kind::ASSOC_RESP_IE, status::SUCCESS).with_data(response.clone()));
            chip.tell(
                Event::new(kind::ASSOC, status::SUCCESS)
                    .of(ap.bssid)
                    .with_data(response),
            );
            chip.tell_link(true, 0, ap.bssid);
            let keys_first = chip.config.event_order == EventOrder::KeyedFirst && way != Way::Open;
            if !keys_first {
                chip.join_succeeds(&ap);
            }
            if way != Way::Open {
                chip.exchange_keys(id, way, keys_first);
            }
        });
    }

    fn join_succeeds(&mut self, ap: &AccessPoint) {
        if let Some(station) = self.station_mut() {
            station.joining = false;
        }
        self.tell(Event::new(kind::JOIN, status::SUCCESS).of(ap.bssid));
        self.tell(
            Event::new(kind::SET_SSID, status::SUCCESS)
                .of(ap.bssid)
                .with_data(ap.ssid.clone()),
        );
    }

    pub(super) fn tell_link(&mut self, up: bool, reason: u32, bssid: [u8; 6]) {
        self.tell(Event {
            flags: up.into(),
            ..Event::new(kind::LINK, status::SUCCESS)
                .of(bssid)
                .with_reason(reason)
                .with_data(vec![0; 22])
        });
    }

    fn exchange_keys(&mut self, id: ApId, way: Way, join_follows: bool) {
        let settings = self.firmware.as_deref().map(|firmware| &firmware.settings);
        let supplicant_on = settings.and_then(|settings| settings.indexed("bsscfg:sup_wpa")) == Some(1);
        if !supplicant_on {
            self.violation(
                ViolationKind::BadValue,
                "a network with a key, and bsscfg:sup_wpa is off",
            );
            return;
        }
        let timeout = settings.and_then(|settings| settings.indexed("bsscfg:sup_wpa_tmo"));
        let timeout = Duration::from_millis(timeout.unwrap_or(SUPPLICANT_TIMEOUT).into());
        self.step(self.config.key_time, move |chip| {
            let Some(ap) = chip.air.get(id).cloned() else { return };
            let stuck = match ap.refusal {
                Refusal::FirstKeyMessageLost => Some(supplicant::WAIT_M1),
                Refusal::ThirdKeyMessageLost => Some(supplicant::WAIT_M3),
                Refusal::GroupKeyLost => Some(supplicant::WAIT_GROUP_KEY),
                _ if !chip.air.is_present(id) => Some(supplicant::WAIT_M1),
                _ if way == Way::Psk && !chip.knows_key(&ap) => Some(supplicant::WAIT_M3),
                _ => None,
            };
            if let Some(state) = stuck {
                let left = timeout.saturating_sub(chip.config.key_time);
                chip.keep_failing(left, timeout, state, ap.bssid);
                return;
            }
            let keyed = chip.station_mut().and_then(|station| station.joined.as_mut());
            if let Some(joined) = keyed {
                joined.keyed = true;
            }
            chip.tell(Event::new(kind::PSK_SUP, supplicant::KEYED).of(ap.bssid));
            if join_follows {
                chip.join_succeeds(&ap);
            }
        });
    }

    /// The supplicant gives up and begins anew, until the host has had enough.
    fn keep_failing(&mut self, delay: Duration, timeout: Duration, state: u32, bssid: [u8; 6]) {
        self.step(delay, move |chip| {
            chip.tell(
                Event::new(kind::PSK_SUP, state)
                    .of(bssid)
                    .with_reason(REASON_PSK_TIMEOUT),
            );
            chip.keep_failing(timeout.max(Duration::from_millis(100)), timeout, state, bssid);
        });
    }

    /// The host leaves.
    pub(super) fn leave(&mut self) -> Outcome {
        if !self.is_up() {
            return Err(error::NOT_UP);
        }
        if let Some(joined) = self.turn() {
            self.tell_link(false, REASON_DISASSOCIATED, joined.bssid);
            self.tell(Event::new(kind::DISASSOC, status::SUCCESS).of(joined.bssid));
        }
        Ok(Vec::new())
    }

    pub(super) fn set_up(&mut self, up: bool) {
        let was = self.is_up();
        if let Some(firmware) = &mut self.firmware {
            firmware.settings.up = up;
        }
        if was && !up {
            self.stop_own_ap();
            self.stop_scan();
            if let Some(joined) = self.turn() {
                self.tell_link(false, REASON_DISASSOCIATED, joined.bssid);
            }
        }
    }

    pub(super) fn current_ssid(&self) -> Outcome {
        let joined = self.joined().ok_or(error::NOT_ASSOCIATED)?;
        let mut value = (joined.ssid.len() as u32).to_le_bytes().to_vec();
        value.extend(&joined.ssid);
        value.resize(36, 0);
        Ok(value)
    }

    pub(super) fn current_bssid(&self) -> Outcome {
        let joined = self.joined().ok_or(error::NOT_ASSOCIATED)?;
        Ok(joined.bssid.to_vec())
    }

    fn current_ap(&self) -> Result<&AccessPoint, i32> {
        let joined = self.joined().ok_or(error::NOT_ASSOCIATED)?;
        self.air.get(joined.ap).ok_or(error::NOT_ASSOCIATED)
    }

    pub(super) fn current_rssi(&self) -> Outcome {
        Ok(i32::from(self.current_ap()?.rssi).to_le_bytes().to_vec())
    }

    /// The channel of the hardware, the one that was asked for, and the one of a scan.
    pub(super) fn current_channel(&self) -> Outcome {
        let channel = u32::from(self.current_ap()?.channel);
        Ok([channel, channel, 0]
            .iter()
            .flat_map(|word| word.to_le_bytes())
            .collect())
    }

    pub(super) fn thrown_out(&mut self, deauthenticated: bool, reason: u16) {
        if self.joined().is_none() {
            return;
        }
        let Some(joined) = self.turn() else { return };
        let kind = if deauthenticated {
            kind::DEAUTH_IND
        } else {
            kind::DISASSOC_IND
        };
        self.tell(
            Event::new(kind, status::SUCCESS)
                .of(joined.bssid)
                .with_reason(reason.into()),
        );
        self.tell_link(false, REASON_DISASSOCIATED, joined.bssid);
    }

    pub(super) fn ap_vanishes(&mut self, ap: ApId) {
        self.air.set_present(ap, false);
        if self.joined().is_none_or(|joined| joined.ap != ap) {
            return;
        }
        self.step(self.config.beacon_loss_time, move |chip| {
            if chip.joined().is_some_and(|joined| joined.ap == ap) {
                chip.beacons_are_missing();
            }
        });
    }

    /// An access point that was silent for too long forgets its stations. One that comes back before goes on as if nothing had been.
    pub(super) fn ap_returns(&mut self, ap: ApId) {
        self.air.set_present(ap, true);
    }

    fn beacons_are_missing(&mut self) {
        let Some(joined) = self.joined().cloned() else { return };
        if self.air.is_present(joined.ap) {
            return;
        }
        let other = self
            .air
            .present()
            .filter(|(_, ap)| ap.ssid == joined.ssid && self.way_into(ap).is_some())
            .max_by_key(|(_, ap)| ap.rssi)
            .map(|(id, _)| id);
        if let Some(other) = other {
            self.roam(other);
        } else {
            self.turn();
            self.tell_link(false, REASON_BEACON_LOSS, joined.bssid);
        }
    }

    /// The station moves to another access point of its network.
    pub(super) fn roam(&mut self, id: ApId) {
        let Some(joined) = self.joined().cloned() else { return };
        let Some(ap) = self.air.get(id).cloned().filter(|ap| ap.ssid == joined.ssid) else {
            return;
        };
        let Some(way) = self.way_into(&ap).filter(|_| self.air.is_present(id)) else {
            return;
        };
        let now = self.clock.now();
        if let Some(station) = self.station_mut() {
            station.turn += 1;
            station.joined = Some(Joined {
                ap: id,
                bssid: ap.bssid,
                keyed: way == Way::Open,
                since: now,
                ..joined
            });
        }
        if way != Way::Open {
            let left = Event::new(kind::PSK_SUP, supplicant::WAIT_M1).of(ap.bssid);
            self.tell(left.with_reason(REASON_DEAUTHENTICATED));
        }
        self.tell(Event {
            auth_type: if way == Way::Sae { AUTH_SAE } else { 0 },
            ..Event::new(kind::AUTH, status::SUCCESS).of(ap.bssid)
        });
        self.tell(Event::new(kind::REASSOC, status::SUCCESS).of(ap.bssid));
        self.tell(Event::new(kind::ROAM, status::SUCCESS).of(ap.bssid));
        if way != Way::Open {
            self.exchange_keys(id, way, false);
        }
    }
}
