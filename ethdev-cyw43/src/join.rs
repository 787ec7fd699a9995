//! Where the station stands, by what the firmware tells: associated, keyed, refused. A function of events, no I/O.
//!
//! ```text
//!            AUTH 0          LINK up, JOIN 0 or SET_SSID 0          PSK_SUP 6 (keyed networks only)
//! attempt ────────────> ... ──────────────────────────────> associated ──────────────────────> up
//!    │ AUTH, SET_SSID, PSK_SUP with another status, DEAUTH, time                                 │ LINK down, DEAUTH, DISASSOC
//!    └──────────> failed                                                                         └──────────> down
//! ```
//!
//! `PSK_SUP` may come before or after `JOIN` and `SET_SSID`.

use core::fmt;

use crate::events::{Event, Kind, status};
use crate::network::Security;

/// Why a network was not joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum JoinError {
    /// No access point of this name was heard.
    NoSuchNetwork,
    /// There is one, and it is secured in another way than was said.
    SecurityMismatch,
    /// The access point does not know the passphrase, by all that can be told: the exchange of keys failed where it fails with a wrong one.
    WrongPassphrase,
    /// The access point refused.
    Refused {
        /// The number that came with it: a reason (IEEE 802.11 clause 9.4.1.7) or a status (clause 9.4.1.9).
        reason: u16,
    },
    /// The access point stopped answering on the way. Most often it is too far away.
    NoAnswer,
    /// The firmware gave up, for a reason that has no name here.
    Failed {
        /// The firmware's status.
        status: u16,
    },
    /// Nothing came of it in [`join_timeout_ms`](crate::Config::join_timeout_ms).
    Timeout,
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchNetwork => f.write_str("no such network"),
            Self::SecurityMismatch => f.write_str("the network is secured in another way"),
            Self::WrongPassphrase => f.write_str("wrong passphrase"),
            Self::Refused { reason } => write!(f, "the access point refused (reason {reason})"),
            Self::NoAnswer => f.write_str("the access point stopped answering"),
            Self::Failed { status } => write!(f, "the firmware gave up (status {status})"),
            Self::Timeout => f.write_str("nothing came of it in time"),
        }
    }
}

impl core::error::Error for JoinError {}

/// What to do when a network is lost, or cannot be joined again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct ReconnectPolicy {
    /// How long to wait after the first attempt that failed, in milliseconds. The first attempt is made at once.
    pub pause_ms: u32,
    /// The pause doubles with each attempt that fails, up to this, in milliseconds.
    pub longest_pause_ms: u32,
    /// How many attempts may fail before nothing more is tried; `None` = any number.
    pub attempts: Option<u16>,
}

impl ReconnectPolicy {
    /// At once, then after half a second, and so on up to half a minute, for ever.
    pub const PERSISTENT: Self = Self {
        pause_ms: 500,
        longest_pause_ms: 30_000,
        attempts: None,
    };

    /// The same with these pauses, in milliseconds.
    #[must_use]
    pub const fn with_pauses_ms(mut self, first: u32, longest: u32) -> Self {
        self.pause_ms = first;
        self.longest_pause_ms = longest;
        self
    }

    /// The same with so many attempts.
    #[must_use]
    pub const fn with_attempts(mut self, attempts: u16) -> Self {
        self.attempts = Some(attempts);
        self
    }

    /// How long to pause after so many attempts failed, in milliseconds; `None` = give up.
    pub(crate) fn pause_after(&self, failed: u16, why: JoinError) -> Option<u32> {
        if self.attempts.is_some_and(|most| failed >= most) {
            return None;
        }
        // It was right before: once may be a weak signal, twice is a new passphrase.
        if failed >= 2 && why == JoinError::WrongPassphrase {
            return None;
        }
        let doubled = 1_u32
            .checked_shl(u32::from(failed.saturating_sub(1)))
            .unwrap_or(u32::MAX);
        Some(self.pause_ms.saturating_mul(doubled).min(self.longest_pause_ms))
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

/// The station.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Peer {
    security: Security,
    associated: bool,
    keyed: bool,
    /// An attempt is under way, of which the outcome is not known.
    trying: bool,
    pruned: bool,
    outcome: Option<Result<(), JoinError>>,
}

impl Peer {
    pub(crate) const fn new() -> Self {
        Self {
            security: Security::Open,
            associated: false,
            keyed: false,
            trying: false,
            pruned: false,
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

    fn fail(&mut self, why: JoinError) {
        if self.trying {
            self.trying = false;
            self.outcome = Some(Err(why));
        }
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

    fn lose(&mut self, event: &Event<'_>) {
        let why = match event.reason {
            HANDSHAKE_TIMEOUT | IEEE_8021X_FAILED if self.security.is_keyed() => JoinError::WrongPassphrase,
            reason => JoinError::Refused { reason: short(reason) },
        };
        self.fail(why);
    }

    pub(crate) fn on_event(&mut self, event: &Event<'_>) {
        match event.kind {
            Kind::Link if event.is_link_up() => self.associate(),
            Kind::Link => {
                // While trying, a reason follows.
                self.associated = false;
                self.keyed = false;
            }
            Kind::Join if event.status == status::SUCCESS => self.associate(),
            Kind::Assoc => self.on_assoc(event),
            Kind::Join => {}
            Kind::SetSsid => self.on_set_ssid(event.status),
            Kind::Auth => self.on_auth(event),
            Kind::PskSup => self.on_psk_sup(event),
            Kind::DeauthInd | Kind::DisassocInd => self.lose(event),
            // The chip's own doing: the end of what was before an attempt may be told within it.
            Kind::Deauth | Kind::Disassoc => {
                self.associated = false;
                self.keyed = false;
            }
            Kind::Prune => self.pruned = true,
            Kind::EscanResult => {}
        }
    }

    fn on_set_ssid(&mut self, status: u32) {
        match status {
            status::SUCCESS => self.associate(),
            _ if self.pruned => self.fail(JoinError::SecurityMismatch),
            status::NO_NETWORKS => self.fail(JoinError::NoSuchNetwork),
            status::TIMEOUT => self.fail(JoinError::NoAnswer),
            other => self.fail(JoinError::Failed { status: short(other) }),
        }
    }

    fn on_assoc(&mut self, event: &Event<'_>) {
        match event.status {
            status::SUCCESS | status::UNSOLICITED => {}
            status::TIMEOUT | status::NO_ACK => self.fail(JoinError::NoAnswer),
            _ => self.fail(JoinError::Refused {
                reason: short(event.reason),
            }),
        }
    }

    fn on_auth(&mut self, event: &Event<'_>) {
        match event.status {
            status::SUCCESS | status::UNSOLICITED => {}
            status::TIMEOUT | status::NO_ACK => self.fail(JoinError::NoAnswer),
            _ if event.auth_type == AUTH_SAE => self.fail(JoinError::WrongPassphrase),
            _ => self.fail(JoinError::Refused {
                reason: short(event.reason),
            }),
        }
    }

    fn on_psk_sup(&mut self, event: &Event<'_>) {
        match event.status {
            supplicant::KEYED => {
                self.keyed = true;
                self.look();
            }
            _ if event.reason == supplicant::REASON_DEAUTH => {}
            // Nobody began the exchange, or it ended between the keys: the passphrase was not yet, or already, good.
            supplicant::WAITING_FOR_M1 | supplicant::WAITING_FOR_GROUP_KEY if event.reason != 0 => {
                self.fail(JoinError::NoAnswer);
            }
            // The access point did not answer to the proof that the passphrase is known.
            supplicant::WAITING_FOR_M3 if event.reason != 0 => self.fail(JoinError::WrongPassphrase),
            // A state on the way.
            _ if event.reason == 0 => {}
            _ => self.fail(JoinError::Refused {
                reason: short(event.reason),
            }),
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
    fn a_join_in_either_order() {
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
    fn each_failure_has_its_reason() {
        let cases = [
            (event(Kind::SetSsid, 0, 3, 0), JoinError::NoSuchNetwork),
            (event(Kind::SetSsid, 0, 1, 0), JoinError::Failed { status: 1 }),
            (event(Kind::PskSup, 0, 8, 15), JoinError::WrongPassphrase),
            (event(Kind::PskSup, 0, 4, 15), JoinError::NoAnswer),
            (event(Kind::PskSup, 0, 10, 15), JoinError::NoAnswer),
            (event(Kind::Auth, 0, 2, 0), JoinError::NoAnswer),
            (event(Kind::Auth, 0, 1, 16), JoinError::Refused { reason: 16 }),
            (
                Event {
                    auth_type: 3,
                    ..event(Kind::Auth, 0, 1, 16)
                },
                JoinError::WrongPassphrase,
            ),
            (event(Kind::Assoc, 0, 1, 17), JoinError::Refused { reason: 17 }),
            (event(Kind::Assoc, 0, 5, 0), JoinError::NoAnswer),
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
        let pruned = [event(Kind::Prune, 0, 0, 8), event(Kind::SetSsid, 0, 3, 0)];
        assert_eq!(outcome(Security::Wpa2, &pruned), Some(Err(JoinError::SecurityMismatch)));
    }

    #[test]
    fn a_link_goes_and_comes() {
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
    fn pauses_double_and_end() {
        let policy = ReconnectPolicy::PERSISTENT.with_pauses_ms(500, 3000).with_attempts(9);
        let pauses: std::vec::Vec<_> = (1..=9).map(|n| policy.pause_after(n, JoinError::NoAnswer)).collect();
        let mut expected = std::vec![Some(500), Some(1000), Some(2000)];
        expected.resize(8, Some(3000));
        expected.push(None);
        assert_eq!(pauses, expected);
        assert_eq!(
            ReconnectPolicy::PERSISTENT.pause_after(2, JoinError::WrongPassphrase),
            None
        );
        assert_eq!(
            ReconnectPolicy::PERSISTENT.pause_after(u16::MAX, JoinError::Timeout),
            Some(30_000)
        );
    }

    proptest! {
        #[test]
        fn one_outcome_whatever_is_told(
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
