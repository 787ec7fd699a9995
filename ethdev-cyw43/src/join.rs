//! The state of the association, by the events of the firmware. A function of events, no I/O.
//!
//! ```text
//!            AUTH 0          LINK up, JOIN 0 or SET_SSID 0          PSK_SUP 6 (keyed networks only)
//! attempt ────────────> ... ──────────────────────────────> associated ──────────────────────> up
//!    │ AUTH, SET_SSID, PSK_SUP with another status, DEAUTH, time                                 │ LINK down, DEAUTH, DISASSOC
//!    └──────────> failed                                                                         └──────────> down
//! ```
//!
//! `PSK_SUP` may come before or after `JOIN` and `SET_SSID`. An `AUTH` or `ASSOC` without an answer
//! does not end an attempt: the firmware tries again, or another access point. Outside an attempt,
//! the failures of `AUTH`, `ASSOC` and `SET_SSID` may be those of an attempt to roam, after which
//! the association goes on: they are reasons to query it.

use core::fmt;
use core::time::Duration;

use crate::config::millis;
use crate::events::{Event, Kind, status};
use crate::network::Security;

/// Why a join failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum JoinError {
    /// No access point with this SSID was found.
    NoSuchNetwork,
    /// The access point uses another security than requested.
    SecurityMismatch,
    /// The key exchange failed where it fails with a wrong passphrase. A very weak signal can have
    /// the same effect.
    WrongPassphrase,
    /// The access point refused the association.
    Refused {
        /// Reason code (IEEE 802.11 clause 9.4.1.7) or status code (clause 9.4.1.9).
        reason: u16,
    },
    /// The access point stopped responding. Usually it is too far away.
    NoResponse,
    /// The firmware reported another failure.
    Failed {
        /// The status of the event.
        status: u16,
    },
    /// No outcome within [`join_timeout`](crate::Config::join_timeout).
    Timeout,
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchNetwork => f.write_str("no such network"),
            Self::SecurityMismatch => f.write_str("security mismatch"),
            Self::WrongPassphrase => f.write_str("wrong passphrase"),
            Self::Refused { reason } => write!(f, "access point refused (reason {reason})"),
            Self::NoResponse => f.write_str("no response from the access point"),
            Self::Failed { status } => write!(f, "firmware reported status {status}"),
            Self::Timeout => f.write_str("timed out"),
        }
    }
}

impl core::error::Error for JoinError {}

/// When to reconnect to a network that was lost.
///
/// The first attempt is made immediately. The delay doubles with each failed attempt. From the
/// second attempt in a row with [`WrongPassphrase`](JoinError::WrongPassphrase) on it is the
/// longest one: the passphrase was right before, and a weak signal has the same effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct ReconnectPolicy {
    first_delay_ms: u32,
    max_delay_ms: u32,
    max_attempts: Option<u16>,
}

impl ReconnectPolicy {
    /// Delays from 0.5 s to 30 s, any number of attempts.
    pub const PERSISTENT: Self = Self {
        first_delay_ms: 500,
        max_delay_ms: 30_000,
        max_attempts: None,
    };

    /// Sets the delay after the first failed attempt and the longest delay, in steps of 1 ms.
    #[must_use]
    pub const fn with_delays(mut self, first: Duration, max: Duration) -> Self {
        self.first_delay_ms = millis(first);
        self.max_delay_ms = millis(max);
        self
    }

    /// Sets the number of failed attempts after which it gives up.
    #[must_use]
    pub const fn with_max_attempts(mut self, attempts: u16) -> Self {
        self.max_attempts = Some(attempts);
        self
    }

    /// Returns the delay after `failed` failed attempts, in milliseconds; `None` to give up.
    pub(crate) fn pause_after(&self, failed: u16, why: JoinError) -> Option<u32> {
        if self.max_attempts.is_some_and(|max| failed >= max) {
            return None;
        }
        if failed >= 2 && why == JoinError::WrongPassphrase {
            return Some(self.max_delay_ms);
        }
        let doubled = 1_u32
            .checked_shl(u32::from(failed.saturating_sub(1)))
            .unwrap_or(u32::MAX);
        Some(self.first_delay_ms.saturating_mul(doubled).min(self.max_delay_ms))
    }
}

/// States of the firmware's supplicant, as `PSK_SUP` tells them, and its reasons.
mod supplicant {
    pub(super) const WAITING_FOR_M1: u32 = 4;
    pub(super) const KEYED: u32 = 6;
    pub(super) const WAITING_FOR_M3: u32 = 8;
    pub(super) const WAITING_FOR_GROUP_KEY: u32 = 10;
    /// Told on the way, not an end.
    pub(super) const REASON_DEAUTH: u32 = 14;
}

/// Reasons of deauthentication that mean a wrong key (IEEE 802.11 clause 9.4.1.7).
const HANDSHAKE_TIMEOUT: u32 = 15;
const IEEE_8021X_FAILED: u32 = 23;
/// The type of authentication of WPA3.
const AUTH_SAE: u32 = 3;

/// Reasons of `PRUNE` that mean another security. The others are no failure of the network: a
/// station that is denied, a channel that is not allowed, a signal that is too weak.
mod prune {
    /// Encryption does not match.
    pub(super) const CIPHER: u32 = 1;
    /// Key management (RSN) does not match.
    pub(super) const RSN: u32 = 8;
}

/// The station.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Peer {
    security: Security,
    associated: bool,
    keyed: bool,
    /// An attempt is under way, of which the outcome is not known.
    trying: bool,
    /// What went wrong on the way: the reason, if the attempt fails.
    noted: Option<JoinError>,
    outcome: Option<Result<(), JoinError>>,
}

impl Peer {
    pub(crate) const fn new() -> Self {
        Self {
            security: Security::Open,
            associated: false,
            keyed: false,
            trying: false,
            noted: None,
            outcome: None,
        }
    }

    /// An attempt begins.
    pub(crate) const fn begin(&mut self, security: Security) {
        *self = Self::new();
        self.security = security;
        self.trying = true;
    }

    /// Nothing is tried any more, and there is no association.
    pub(crate) const fn end(&mut self) {
        let security = self.security;
        *self = Self::new();
        self.security = security;
    }

    /// Whether frames cross.
    pub(crate) const fn is_up(&self) -> bool {
        self.associated && (self.keyed || !self.security.is_keyed())
    }

    /// How the attempt ended, once.
    pub(crate) const fn take_outcome(&mut self) -> Option<Result<(), JoinError>> {
        self.outcome.take()
    }

    /// The time of the attempt is over.
    pub(crate) fn time_out(&self) -> JoinError {
        self.noted.unwrap_or(JoinError::Timeout)
    }

    fn fail(&mut self, why: JoinError) {
        if self.trying {
            self.trying = false;
            self.outcome = Some(Err(why));
        }
        self.lose();
    }

    const fn lose(&mut self) {
        self.associated = false;
        self.keyed = false;
    }

    fn associate(&mut self) {
        self.associated = true;
        self.look();
    }

    fn look(&mut self) {
        if self.trying && self.is_up() {
            self.trying = false;
            self.outcome = Some(Ok(()));
        }
    }

    /// Takes an event. Returns whether the association is to be queried.
    pub(crate) fn on_event(&mut self, event: &Event<'_>) -> bool {
        match event.kind {
            Kind::Link if event.is_link_up() => self.associate(),
            Kind::Join if event.status == status::SUCCESS => self.associate(),
            Kind::SetSsid if event.status == status::SUCCESS => self.associate(),
            Kind::PskSup => self.on_psk_sup(event),
            Kind::DeauthInd | Kind::DisassocInd => self.fail(match event.reason {
                HANDSHAKE_TIMEOUT | IEEE_8021X_FAILED if self.security.is_keyed() => JoinError::WrongPassphrase,
                reason => JoinError::Refused { reason: short(reason) },
            }),
            // LINK: while trying, a reason follows. The others are the chip's own doing: the end of
            // what was before an attempt may be told within it.
            Kind::Link | Kind::Deauth | Kind::Disassoc => self.lose(),
            Kind::Prune if matches!(event.reason, prune::CIPHER | prune::RSN) => {
                self.noted = Some(JoinError::SecurityMismatch);
            }
            Kind::SetSsid | Kind::Auth | Kind::Assoc if self.trying => self.on_step(event),
            Kind::SetSsid | Kind::Auth | Kind::Assoc => {
                return !matches!(event.status, status::SUCCESS | status::UNSOLICITED);
            }
            Kind::Join | Kind::Prune | Kind::EscanResult => {}
        }
        false
    }

    /// A step of an attempt: `AUTH`, `ASSOC`, or `SET_SSID` that failed.
    fn on_step(&mut self, event: &Event<'_>) {
        match (event.kind, event.status) {
            (Kind::SetSsid, status) => self.fail(self.noted.unwrap_or(match status {
                status::NO_NETWORKS => JoinError::NoSuchNetwork,
                status::TIMEOUT => JoinError::NoResponse,
                other => JoinError::Failed { status: short(other) },
            })),
            (_, status::SUCCESS) => self.noted = None,
            (_, status::UNSOLICITED) => {}
            (_, status::TIMEOUT | status::NO_ACK) => self.noted = Some(JoinError::NoResponse),
            (Kind::Auth, _) if event.auth_type == AUTH_SAE => self.fail(JoinError::WrongPassphrase),
            _ => self.fail(JoinError::Refused {
                reason: short(event.reason),
            }),
        }
    }

    fn on_psk_sup(&mut self, event: &Event<'_>) {
        let why = match event.status {
            supplicant::KEYED => {
                self.keyed = true;
                return self.look();
            }
            // A state on the way.
            _ if matches!(event.reason, 0 | supplicant::REASON_DEAUTH) => return,
            // Nobody began the exchange, or it ended between the keys: the passphrase was not yet,
            // or already, good.
            supplicant::WAITING_FOR_M1 | supplicant::WAITING_FOR_GROUP_KEY => JoinError::NoResponse,
            // The access point did not answer to the proof that the passphrase is known.
            supplicant::WAITING_FOR_M3 => JoinError::WrongPassphrase,
            _ => JoinError::Refused {
                reason: short(event.reason),
            },
        };
        if self.trying {
            self.fail(why);
        } else {
            // The association may go on, with new keys.
            self.keyed = false;
        }
    }
}

fn short(number: u32) -> u16 {
    u16::try_from(number).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use proptest::prelude::*;

    fn event(kind: Kind, flags: u16, status: u32, reason: u32) -> Event<'static> {
        Event {
            kind,
            flags,
            status,
            reason,
            auth_type: 0,
            data: &[],
        }
    }

    fn after(security: Security, events: &[Event<'_>]) -> Peer {
        let mut station = Peer::new();
        station.begin(security);
        for event in events {
            station.on_event(event);
        }
        station
    }

    fn outcome(security: Security, events: &[Event<'_>]) -> Option<Result<(), JoinError>> {
        after(security, events).take_outcome()
    }

    #[test]
    fn on_event_psk_sup_before_or_after_set_ssid_is_up() {
        let auth = event(Kind::Auth, 0, 0, 0);
        let assoc = event(Kind::Assoc, 0, 0, 0);
        let link = event(Kind::Link, 1, 0, 0);
        let keyed = event(Kind::PskSup, 0, 6, 0);
        let join = event(Kind::Join, 0, 0, 0);
        let ssid = event(Kind::SetSsid, 0, 0, 0);
        for events in [
            [auth, assoc, link, keyed, join, ssid],
            [auth, assoc, link, join, ssid, keyed],
        ] {
            for n in 0..events.len() {
                let done = events[..=n].contains(&keyed) && events[..=n].contains(&link);
                let so_far = outcome(Security::Wpa2, &events[..=n]);
                assert_eq!(so_far, done.then_some(Ok(())), "after {} events", n + 1);
            }
        }
        assert_eq!(outcome(Security::Open, &[auth, assoc, link]), Some(Ok(())));
    }

    #[test]
    fn on_event_each_failure_has_its_join_error() {
        let cases = [
            (event(Kind::SetSsid, 0, 3, 0), JoinError::NoSuchNetwork),
            (event(Kind::SetSsid, 0, 1, 0), JoinError::Failed { status: 1 }),
            (event(Kind::PskSup, 0, 8, 15), JoinError::WrongPassphrase),
            (event(Kind::PskSup, 0, 4, 15), JoinError::NoResponse),
            (event(Kind::PskSup, 0, 10, 15), JoinError::NoResponse),
            (event(Kind::Auth, 0, 1, 16), JoinError::Refused { reason: 16 }),
            (
                Event {
                    auth_type: 3,
                    ..event(Kind::Auth, 0, 1, 16)
                },
                JoinError::WrongPassphrase,
            ),
            (event(Kind::Assoc, 0, 1, 17), JoinError::Refused { reason: 17 }),
            (event(Kind::DeauthInd, 0, 0, 15), JoinError::WrongPassphrase),
            (event(Kind::DeauthInd, 0, 0, 2), JoinError::Refused { reason: 2 }),
            (
                event(Kind::DisassocInd, 0, 0, 70_000),
                JoinError::Refused { reason: u16::MAX },
            ),
        ];
        for (event, why) in cases {
            assert_eq!(outcome(Security::Wpa2, &[event]), Some(Err(why)), "{event:?}");
        }
    }

    #[test]
    fn on_event_prune_only_for_security_is_security_mismatch() {
        for (reason, why) in [
            (1, JoinError::SecurityMismatch),
            (8, JoinError::SecurityMismatch),
            (3, JoinError::NoSuchNetwork),
            (0, JoinError::NoSuchNetwork),
        ] {
            let events = [event(Kind::Prune, 0, 0, reason), event(Kind::SetSsid, 0, 3, 0)];
            assert_eq!(outcome(Security::Wpa2, &events), Some(Err(why)), "reason {reason}");
        }
    }

    #[test]
    fn on_event_unanswered_step_is_noted() {
        for step in [Kind::Auth, Kind::Assoc] {
            for status in [status::TIMEOUT, status::NO_ACK] {
                let unanswered = event(step, 0, status, 0);
                let mut station = after(Security::Open, &[unanswered]);
                assert_eq!(station.take_outcome(), None, "the firmware may try again");
                assert_eq!(station.time_out(), JoinError::NoResponse);
                let failed = [unanswered, event(Kind::SetSsid, 0, 1, 0)];
                assert_eq!(outcome(Security::Open, &failed), Some(Err(JoinError::NoResponse)));
                let good = [unanswered, event(step, 0, 0, 0), event(Kind::Link, 1, 0, 0)];
                let mut station = after(Security::Open, &good);
                assert_eq!(station.take_outcome(), Some(Ok(())));
                let later = [unanswered, event(step, 0, 0, 0), event(Kind::SetSsid, 0, 1, 0)];
                let failed = Some(Err(JoinError::Failed { status: 1 }));
                assert_eq!(outcome(Security::Open, &later), failed, "a step that succeeded later");
            }
        }
        assert_eq!(after(Security::Open, &[]).time_out(), JoinError::Timeout);
    }

    #[test]
    fn on_event_failed_step_while_joined_is_queried() {
        let up = [event(Kind::Link, 1, 0, 0), event(Kind::PskSup, 0, 6, 0)];
        for step in [Kind::Auth, Kind::Assoc, Kind::SetSsid] {
            for status in [1, 2, 3, 5, 15] {
                let mut station = after(Security::Wpa2, &up);
                station.take_outcome();
                assert!(station.on_event(&event(step, 0, status, 0)), "{step:?} {status}");
                assert!(station.is_up());
                assert_eq!(station.take_outcome(), None);
            }
            let mut station = after(Security::Wpa2, &up);
            assert!(!station.on_event(&event(step, 0, 0, 0)));
        }
    }

    #[test]
    fn on_event_failed_rekey_while_joined_is_down_until_keyed() {
        let up = [event(Kind::Link, 1, 0, 0), event(Kind::PskSup, 0, 6, 0)];
        let mut station = after(Security::Wpa2, &up);
        station.take_outcome();
        station.on_event(&event(Kind::PskSup, 0, 10, 15));
        assert!(!station.is_up());
        station.on_event(&event(Kind::PskSup, 0, 6, 0));
        assert!(station.is_up());
    }

    #[test]
    fn on_event_link_down_and_up_requires_new_keys() {
        let up = [event(Kind::Link, 1, 0, 0), event(Kind::PskSup, 0, 6, 0)];
        let mut station = after(Security::Wpa3, &up);
        assert!(station.is_up());
        assert_eq!(station.take_outcome(), Some(Ok(())));
        station.on_event(&event(Kind::Link, 0, 0, 1));
        assert!(!station.is_up());
        station.on_event(&event(Kind::Link, 1, 0, 0));
        assert!(!station.is_up(), "the keys are gone with the link");
        station.on_event(&event(Kind::PskSup, 0, 6, 0));
        assert!(station.is_up());
        assert_eq!(station.take_outcome(), None, "nothing was tried");
        station.on_event(&event(Kind::PskSup, 0, 7, 14));
        assert!(station.is_up(), "told while roaming");
        station.on_event(&event(Kind::DeauthInd, 0, 0, 7));
        assert!(!station.is_up());
    }

    #[test]
    fn pause_after_failures_doubles_then_none() {
        let policy = ReconnectPolicy::PERSISTENT
            .with_delays(Duration::from_millis(500), Duration::from_secs(3))
            .with_max_attempts(9);
        let pauses: std::vec::Vec<_> = (1..=9).map(|n| policy.pause_after(n, JoinError::NoResponse)).collect();
        let mut expected = std::vec![Some(500), Some(1000), Some(2000)];
        expected.resize(8, Some(3000));
        expected.push(None);
        assert_eq!(pauses, expected);
        let wrong = |failed| ReconnectPolicy::PERSISTENT.pause_after(failed, JoinError::WrongPassphrase);
        assert_eq!([wrong(1), wrong(2), wrong(3)], [Some(500), Some(30_000), Some(30_000)]);
        let limited = ReconnectPolicy::PERSISTENT.with_max_attempts(2);
        assert_eq!(limited.pause_after(2, JoinError::WrongPassphrase), None);
        assert_eq!(
            ReconnectPolicy::PERSISTENT.pause_after(u16::MAX, JoinError::Timeout),
            Some(30_000)
        );
    }

    proptest! {
        #[test]
        fn take_outcome_any_events_at_most_one(
            keyed: bool,
            events in proptest::collection::vec((0_usize..11, any::<u16>(), 0_u32..12, 0_u32..20), 0..40),
        ) {
            let kinds = [
                Kind::SetSsid, Kind::Join, Kind::Auth, Kind::Deauth, Kind::DeauthInd, Kind::Assoc, Kind::Disassoc,
                Kind::DisassocInd, Kind::Link, Kind::Prune, Kind::PskSup,
            ];
            let mut station = Peer::new();
            station.begin(if keyed { Security::Wpa2 } else { Security::Open });
            let mut outcomes = 0;
            for (kind, flags, status, reason) in events {
                station.on_event(&event(kinds[kind], flags, status, reason));
                if let Some(outcome) = station.take_outcome() {
                    outcomes += 1;
                    prop_assert_eq!(outcome.is_ok(), station.is_up());
                }
                prop_assert!(outcomes > 0 || !station.is_up());
            }
            prop_assert!(outcomes <= 1);
        }
    }
}
