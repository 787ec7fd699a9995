//! The station: joining and leaving networks.
//!
//! ```text
//! idle ── SET_SSID ──> searching ──> authenticating ──> associating ──> joined ──> keyed
//!   ^                      │               │                 │            │          │
//!   └──────────────────────┴───────────────┴─────────────────┴────────────┴──────────┘
//!                 rejection, DISASSOC, deauthentication, lost beacons
//! ```

use core::time::Duration;

use crate::access_point::{AccessPoint, ApId, Association, JoinFault, Security};
use crate::chip::Chip;
use crate::config::EventOrder;
use crate::events::{Event, kind, status, supplicant};
use crate::request::{Outcome, error, u32_at};
use crate::runtime::Runtime;
use crate::settings::{Key, Settings};
use crate::timer::{AuthMethod, Route, StationStep, Target, Timer};
use crate::violations::ViolationKind;

/// Bits of the ciphers (`wsec`) and of the authentication (`wpa_auth`) that the host requests.
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

/// Default timeout of the supplicant in milliseconds.
const SUPPLICANT_TIMEOUT: u32 = 2500;

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
pub(crate) struct Station {
    /// Counts attempts to join and departures, so that an attempt that has ended does not go on.
    attempt: u64,
    joining: bool,
    joined: Option<Joined>,
}

impl Station {
    pub(crate) fn association(&self) -> Option<Association> {
        self.joined.as_ref().map(|joined| Association {
            ap: joined.ap,
            bssid: joined.bssid,
            keyed: joined.keyed,
        })
    }

    /// Whether the station is joining a network.
    pub(crate) const fn is_joining(&self) -> bool {
        self.joining
    }

    /// The network that frames are transferred through, once the keys are installed.
    pub(crate) fn route(&self) -> Option<Route> {
        let joined = self.joined.as_ref().filter(|joined| joined.keyed)?;
        Some(Route::Network {
            ap: joined.ap,
            since: joined.since,
            attempt: self.attempt,
        })
    }

    /// Ends the attempt or the association that runs. Returns the latter.
    fn end(&mut self) -> Option<Joined> {
        self.attempt += 1;
        self.joining = false;
        self.joined.take()
    }

    fn step_in(&self, rt: &mut Runtime<'_>, delay: Duration, step: StationStep) {
        let attempt = self.attempt;
        rt.chip.timer_in(delay, Timer::Station { attempt, step });
    }

    /// The next step, unless the attempt has ended.
    pub(crate) fn step(&mut self, rt: &mut Runtime<'_>, attempt: u64, step: StationStep) {
        if self.attempt != attempt || !rt.chip.firmware.runs() {
            return;
        }
        match step {
            StationStep::Choose(target) => self.choose(rt, &target),
            StationStep::Authenticate { ap, method } => self.authenticate(rt, ap, method),
            StationStep::Associate { ap, method } => self.associate(rt, ap, method),
            StationStep::ExchangeKeys {
                ap,
                method,
                join_follows,
                timeout,
            } => self.exchange_keys(rt, ap, method, join_follows, timeout),
            StationStep::SupplicantTimeout { timeout, state, bssid } => {
                let failed = Event::new(kind::PSK_SUP, state).of(bssid);
                rt.report(&failed.with_reason(REASON_PSK_TIMEOUT));
                // The supplicant starts again until the host leaves.
                let delay = timeout.max(Duration::from_millis(100));
                self.step_in(rt, delay, StationStep::SupplicantTimeout { timeout, state, bssid });
            }
            StationStep::BeaconsLost { ap } => {
                if self.joined.as_ref().is_some_and(|joined| joined.ap == ap) {
                    self.beacons_lost(rt);
                }
            }
        }
    }

    /// The ioctl `SET_SSID`: a name.
    pub(crate) fn set_ssid(&mut self, rt: Runtime<'_>, payload: &[u8]) -> Outcome {
        if payload.len() != 36 {
            return Err(error::BAD_LENGTH);
        }
        self.join(rt, payload, None, Vec::new())
    }

    /// The iovar `join`: a name, how to search for it, the address of the access point, and a list
    /// of channels. Public drivers differ in the bits of a channel beside its number, so that these
    /// are not compared.
    pub(crate) fn join_bss(&mut self, rt: Runtime<'_>, value: &[u8]) -> Outcome {
        const CHANNELS: usize = 68;
        let bssid: Option<[u8; 6]> = value.get(56..62).and_then(|bssid| bssid.try_into().ok());
        let (Some(bssid), Some(count)) = (bssid, u32_at(value, CHANNELS - 4)) else {
            return Err(error::BAD_LENGTH);
        };
        let listed = value[CHANNELS..].chunks_exact(2);
        if value.len() < CHANNELS + 2 || listed.len() < count as usize {
            return Err(error::BAD_LENGTH);
        }
        let mut channels = Vec::new();
        for channel in listed.take(count as usize) {
            let five_ghz = channel[1] & 0xc0 == 0xc0;
            if five_ghz || !(1..=14).contains(&channel[0]) {
                return Err(error::BAD_CHANNEL);
            }
            channels.push(channel[0]);
        }
        self.join(rt, &value[..36], (bssid != [0xff; 6]).then_some(bssid), channels)
    }

    fn join(&mut self, mut rt: Runtime<'_>, name: &[u8], bssid: Option<[u8; 6]>, channels: Vec<u8>) -> Outcome {
        let len = u32_at(name, 0).ok_or(error::BAD_LENGTH)? as usize;
        if len == 0 || len > 32 {
            return Err(error::BAD_SSID_LENGTH);
        }
        let ssid = name[4..4 + len].to_vec();
        if !rt.settings.up {
            return Err(error::NOT_UP);
        }
        self.end();
        self.joining = true;
        let delay = rt.chip.cx.config.scan_time;
        let target = Target { ssid, bssid, channels };
        self.step_in(&mut rt, delay, StationStep::Choose(target));
        Ok(Vec::new())
    }

    /// Chooses the strongest access point that matches.
    fn choose(&mut self, rt: &mut Runtime<'_>, target: &Target) {
        let receives = rt.settings.has_channels();
        let falls_back = rt.chip.cx.config.sae_falls_back;
        let in_range = rt.chip.air.present();
        let found = in_range
            .filter(|(_, ap)| receives && target.matches(ap))
            .filter_map(|(id, ap)| auth_method(rt.settings, falls_back, ap).map(|method| (ap.rssi, id, method)))
            .max_by_key(|(rssi, ..)| *rssi);
        match found {
            Some((_, ap, method)) => {
                let delay = rt.chip.cx.config.auth_time;
                self.step_in(rt, delay, StationStep::Authenticate { ap, method });
            }
            None => self.join_failed(rt, status::NO_NETWORKS),
        }
    }

    fn join_failed(&mut self, rt: &mut Runtime<'_>, status: u32) {
        self.end();
        rt.report(&Event::new(kind::SET_SSID, status));
    }

    fn authenticate(&mut self, rt: &mut Runtime<'_>, id: ApId, method: AuthMethod) {
        let Some(ap) = rt.chip.air.get(id).cloned() else { return };
        let auth = Event {
            auth_type: auth_type(method),
            ..Event::new(kind::AUTH, status::SUCCESS).of(ap.bssid)
        };
        let failed = |status: u32, reason: u32| Event {
            status,
            reason,
            ..auth.clone()
        };
        let failure = match ap.join_fault {
            JoinFault::Silence => return,
            JoinFault::AuthRefused => Some(failed(status::FAIL, 0)),
            JoinFault::AuthTimeout => Some(failed(status::TIMEOUT, 0)),
            _ if !rt.chip.air.is_present(id) => Some(failed(status::TIMEOUT, 0)),
            _ if method == AuthMethod::Sae && !has_password(rt.settings, &ap) => Some(failed(status::FAIL, REASON_SAE)),
            _ => None,
        };
        if let Some(failure) = failure {
            rt.report(&failure);
            self.join_failed(rt, status::FAIL);
            return;
        }
        rt.report(&Event::new(kind::ASSOC_REQ_IE, status::SUCCESS).with_data(vec![0, ap.ssid.len() as u8]));
        rt.report(&auth);
        let delay = rt.chip.cx.config.assoc_time;
        self.step_in(rt, delay, StationStep::Associate { ap: id, method });
    }

    fn associate(&mut self, rt: &mut Runtime<'_>, id: ApId, method: AuthMethod) {
        let Some(ap) = rt.chip.air.get(id).cloned() else { return };
        let failure = match ap.join_fault {
            JoinFault::AssocRefused(reason) => Some((status::FAIL, reason)),
            _ if !rt.chip.air.is_present(id) => Some((status::TIMEOUT, 0)),
            _ => None,
        };
        if let Some((status, reason)) = failure {
            rt.report(&Event::new(kind::ASSOC, status).of(ap.bssid).with_reason(reason.into()));
            self.join_failed(rt, status::FAIL);
            return;
        }
        self.joined = Some(Joined {
            ap: id,
            bssid: ap.bssid,
            ssid: ap.ssid.clone(),
            keyed: method == AuthMethod::Open,
            since: rt.chip.cx.now(),
        });
        // Capability, status, association id.
        let response = vec![0x11, 0x04, 0, 0, 0x01, 0xc0];
        rt.report(&Event::new(kind::ASSOC_RESP_IE, status::SUCCESS).with_data(response.clone()));
        rt.report(
            &Event::new(kind::ASSOC, status::SUCCESS)
                .of(ap.bssid)
                .with_data(response),
        );
        report_link(rt, true, 0, ap.bssid);
        let keys_first = rt.chip.cx.config.event_order == EventOrder::KeyedFirst && method != AuthMethod::Open;
        if !keys_first {
            self.join_succeeded(rt, &ap);
        }
        if method != AuthMethod::Open {
            self.start_key_exchange(rt, id, method, keys_first);
        }
    }

    fn join_succeeded(&mut self, rt: &mut Runtime<'_>, ap: &AccessPoint) {
        self.joining = false;
        rt.report(&Event::new(kind::JOIN, status::SUCCESS).of(ap.bssid));
        rt.report(
            &Event::new(kind::SET_SSID, status::SUCCESS)
                .of(ap.bssid)
                .with_data(ap.ssid.clone()),
        );
    }

    fn start_key_exchange(&self, rt: &mut Runtime<'_>, ap: ApId, method: AuthMethod, join_follows: bool) {
        if rt.settings.indexed("bsscfg:sup_wpa") != Some(1) {
            rt.chip.violation(
                ViolationKind::BadValue,
                "a network with a key, and bsscfg:sup_wpa is off",
            );
            return;
        }
        let timeout = rt.settings.indexed("bsscfg:sup_wpa_tmo");
        let timeout = Duration::from_millis(timeout.unwrap_or(SUPPLICANT_TIMEOUT).into());
        let delay = rt.chip.cx.config.key_time;
        self.step_in(
            rt,
            delay,
            StationStep::ExchangeKeys {
                ap,
                method,
                join_follows,
                timeout,
            },
        );
    }

    fn exchange_keys(
        &mut self,
        rt: &mut Runtime<'_>,
        id: ApId,
        method: AuthMethod,
        join_follows: bool,
        timeout: Duration,
    ) {
        let Some(ap) = rt.chip.air.get(id).cloned() else { return };
        let stuck = match ap.join_fault {
            JoinFault::FirstKeyMessageLost => Some(supplicant::WAIT_M1),
            JoinFault::ThirdKeyMessageLost => Some(supplicant::WAIT_M3),
            JoinFault::GroupKeyLost => Some(supplicant::WAIT_GROUP_KEY),
            _ if !rt.chip.air.is_present(id) => Some(supplicant::WAIT_M1),
            _ if method == AuthMethod::Psk && !has_key(rt.settings, &ap) => Some(supplicant::WAIT_M3),
            _ => None,
        };
        if let Some(state) = stuck {
            let left = timeout.saturating_sub(rt.chip.cx.config.key_time);
            let bssid = ap.bssid;
            self.step_in(rt, left, StationStep::SupplicantTimeout { timeout, state, bssid });
            return;
        }
        if let Some(joined) = &mut self.joined {
            joined.keyed = true;
        }
        rt.report(&Event::new(kind::PSK_SUP, supplicant::KEYED).of(ap.bssid));
        if join_follows {
            self.join_succeeded(rt, &ap);
        }
    }

    /// The ioctl `DISASSOC`: the host leaves.
    pub(crate) fn leave(&mut self, mut rt: Runtime<'_>) -> Outcome {
        if !rt.settings.up {
            return Err(error::NOT_UP);
        }
        if let Some(joined) = self.end() {
            report_link(&mut rt, false, REASON_DISASSOCIATED, joined.bssid);
            rt.report(&Event::new(kind::DISASSOC, status::SUCCESS).of(joined.bssid));
        }
        Ok(Vec::new())
    }

    /// The radio was switched off.
    pub(crate) fn radio_off(&mut self, rt: &mut Runtime<'_>) {
        if let Some(joined) = self.end() {
            report_link(rt, false, REASON_DISASSOCIATED, joined.bssid);
        }
    }

    fn joined(&self) -> Result<&Joined, i32> {
        self.joined.as_ref().ok_or(error::NOT_ASSOCIATED)
    }

    pub(crate) fn current_ssid(&self) -> Outcome {
        let joined = self.joined()?;
        let mut value = (joined.ssid.len() as u32).to_le_bytes().to_vec();
        value.extend(&joined.ssid);
        value.resize(36, 0);
        Ok(value)
    }

    pub(crate) fn current_bssid(&self) -> Outcome {
        Ok(self.joined()?.bssid.to_vec())
    }

    pub(crate) fn current_ap<'a>(&self, chip: &'a Chip) -> Result<&'a AccessPoint, i32> {
        chip.air.get(self.joined()?.ap).ok_or(error::NOT_ASSOCIATED)
    }

    pub(crate) fn current_rssi(&self, chip: &Chip) -> Outcome {
        Ok(i32::from(self.current_ap(chip)?.rssi).to_le_bytes().to_vec())
    }

    /// The channel of the hardware, the requested one, and the one of a scan.
    pub(crate) fn current_channel(&self, chip: &Chip) -> Outcome {
        let channel = u32::from(self.current_ap(chip)?.channel);
        Ok([channel, channel, 0]
            .iter()
            .flat_map(|word| word.to_le_bytes())
            .collect())
    }

    /// The access point ends the authentication, or the association only.
    pub(crate) fn deauthenticated(&mut self, rt: &mut Runtime<'_>, deauthenticated: bool, reason: u16) {
        if self.joined.is_none() {
            return;
        }
        let Some(joined) = self.end() else { return };
        let kind = if deauthenticated {
            kind::DEAUTH_IND
        } else {
            kind::DISASSOC_IND
        };
        rt.report(
            &Event::new(kind, status::SUCCESS)
                .of(joined.bssid)
                .with_reason(reason.into()),
        );
        report_link(rt, false, REASON_DISASSOCIATED, joined.bssid);
    }

    /// An access point stops transmitting.
    pub(crate) fn ap_removed(&self, rt: &mut Runtime<'_>, ap: ApId) {
        if self.joined.as_ref().is_some_and(|joined| joined.ap == ap) {
            let delay = rt.chip.cx.config.beacon_loss_time;
            self.step_in(rt, delay, StationStep::BeaconsLost { ap });
        }
    }

    fn beacons_lost(&mut self, rt: &mut Runtime<'_>) {
        let Some(joined) = self.joined.clone() else { return };
        if rt.chip.air.is_present(joined.ap) {
            return;
        }
        let falls_back = rt.chip.cx.config.sae_falls_back;
        let in_range = rt.chip.air.present();
        let other = in_range
            .filter(|(_, ap)| ap.ssid == joined.ssid && auth_method(rt.settings, falls_back, ap).is_some())
            .max_by_key(|(_, ap)| ap.rssi)
            .map(|(id, _)| id);
        if let Some(other) = other {
            self.roam(rt, other);
        } else {
            self.end();
            report_link(rt, false, REASON_BEACON_LOSS, joined.bssid);
        }
    }

    /// The station moves to another access point of its network.
    pub(crate) fn roam(&mut self, rt: &mut Runtime<'_>, id: ApId) {
        let Some(joined) = self.joined.clone() else { return };
        let Some(ap) = rt.chip.air.get(id).cloned().filter(|ap| ap.ssid == joined.ssid) else {
            return;
        };
        let method = auth_method(rt.settings, rt.chip.cx.config.sae_falls_back, &ap);
        let Some(method) = method.filter(|_| rt.chip.air.is_present(id)) else {
            return;
        };
        self.attempt += 1;
        self.joined = Some(Joined {
            ap: id,
            bssid: ap.bssid,
            keyed: method == AuthMethod::Open,
            since: rt.chip.cx.now(),
            ..joined
        });
        if method != AuthMethod::Open {
            let left = Event::new(kind::PSK_SUP, supplicant::WAIT_M1).of(ap.bssid);
            rt.report(&left.with_reason(REASON_DEAUTHENTICATED));
        }
        rt.report(&Event {
            auth_type: auth_type(method),
            ..Event::new(kind::AUTH, status::SUCCESS).of(ap.bssid)
        });
        rt.report(&Event::new(kind::REASSOC, status::SUCCESS).of(ap.bssid));
        rt.report(&Event::new(kind::ROAM, status::SUCCESS).of(ap.bssid));
        if method != AuthMethod::Open {
            self.start_key_exchange(rt, id, method, false);
        }
    }
}

impl Target {
    fn matches(&self, ap: &AccessPoint) -> bool {
        ap.ssid == self.ssid
            && self.bssid.is_none_or(|bssid| bssid == ap.bssid)
            && (self.channels.is_empty() || self.channels.contains(&ap.channel))
    }
}

const fn auth_type(method: AuthMethod) -> u32 {
    match method {
        AuthMethod::Sae => AUTH_SAE,
        AuthMethod::Open | AuthMethod::Psk => 0,
    }
}

/// How the station authenticates to an access point, where the security that the host has set
/// matches. `falls_back`: whether a host that requests WPA3 falls back to WPA2.
fn auth_method(settings: &Settings, falls_back: bool, ap: &AccessPoint) -> Option<AuthMethod> {
    let (wsec, wpa_auth) = (settings.number("wsec"), settings.number("wpa_auth"));
    let sae = wpa_auth & WPA3_SAE != 0
        && settings.number("auth") == AUTH_SAE
        && wsec & WSEC_AES != 0
        && settings.number("mfp") >= 1;
    let has_key = settings.key.is_some();
    let wpa2 = wsec & WSEC_AES != 0 && (wpa_auth & WPA2_PSK != 0 || wpa_auth & WPA3_SAE != 0 && falls_back && has_key);
    let matches = |matches: bool, method: AuthMethod| matches.then_some(method);
    match &ap.security {
        Security::Open => matches(wsec == 0 && wpa_auth == 0, AuthMethod::Open),
        Security::Wpa(_) => matches(wsec & WSEC_TKIP != 0 && wpa_auth & WPA_PSK != 0, AuthMethod::Psk),
        Security::Wpa2(_) => matches(wpa2, AuthMethod::Psk),
        Security::Wpa3(_) => matches(sae, AuthMethod::Sae),
        Security::Wpa2Wpa3(_) => matches(sae, AuthMethod::Sae).or_else(|| matches(wpa2, AuthMethod::Psk)),
    }
}

fn has_password(settings: &Settings, ap: &AccessPoint) -> bool {
    let password = settings.sae_password.as_deref();
    password.is_some() && password == ap.security.passphrase().map(str::as_bytes)
}

fn has_key(settings: &Settings, ap: &AccessPoint) -> bool {
    match &settings.key {
        None => false,
        Some(Key::Passphrase(phrase)) => ap.security.passphrase().map(str::as_bytes) == Some(phrase),
        Some(Key::Hashed(key)) => ap.hashed_key.as_ref() == Some(key),
    }
}

fn report_link(rt: &mut Runtime<'_>, up: bool, reason: u32, bssid: [u8; 6]) {
    rt.report(&Event {
        flags: up.into(),
        ..Event::new(kind::LINK, status::SUCCESS)
            .of(bssid)
            .with_reason(reason)
            .with_data(vec![0; 22])
    });
}
