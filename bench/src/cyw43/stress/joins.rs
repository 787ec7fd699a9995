//! Joins with one fault each, each followed by a join that must succeed.

use core::fmt;
use core::time::Duration;
use std::collections::BTreeMap;

use cyw43439_model::{
    AccessPoint, ApId, BusFault, ChipConfig, Corruption, EventOrder, Fault, JoinFault, Security, ViolationKind,
};
use ethdev::{Error as _, ErrorKind};
use ethdev_cyw43::{Error, JoinError, Network, PowerSave};

use super::super::{PASSPHRASE, SSID, Testbed};
use super::exchange::Exchange;
use super::faults::Family;
use super::host::{self, Host};
use super::stats::{RecoveryTimes, RunStats};

/// Limit of a join: its timeout of 10 s and its requests.
const MAX_JOIN: Duration = Duration::from_secs(15);
/// Attempts to join after the fault: a fault may take effect late.
const MAX_ATTEMPTS: usize = 4;
/// Limit of the time until a frame was exchanged in each direction after a join.
const EXCHANGE_LIMIT: Duration = Duration::from_millis(200);

/// The fault of a join.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "see Display")]
pub enum Failure {
    None,
    NoSuchNetwork,
    WrongPassphrase,
    WrongSecurity,
    AuthTimeout,
    AuthRefused,
    AssocRefused,
    FirstKeyMessageLost,
    ThirdKeyMessageLost,
    GroupKeyLost,
    Silence,
    AccessPointOff,
    Deauthenticated,
    ReplyLost,
    ReplyTwice,
    ReplyLate,
    RequestRefused,
    EventLost,
    EventTwice,
    EventCorrupted,
    CreditFrozen,
    BusFails,
    Brownout,
    FirmwareHalted,
}

impl Failure {
    /// All faults.
    pub const ALL: [Self; 24] = [
        Self::None,
        Self::NoSuchNetwork,
        Self::WrongPassphrase,
        Self::WrongSecurity,
        Self::AuthTimeout,
        Self::AuthRefused,
        Self::AssocRefused,
        Self::FirstKeyMessageLost,
        Self::ThirdKeyMessageLost,
        Self::GroupKeyLost,
        Self::Silence,
        Self::AccessPointOff,
        Self::Deauthenticated,
        Self::ReplyLost,
        Self::ReplyTwice,
        Self::ReplyLate,
        Self::RequestRefused,
        Self::EventLost,
        Self::EventTwice,
        Self::EventCorrupted,
        Self::CreditFrozen,
        Self::BusFails,
        Self::Brownout,
        Self::FirmwareHalted,
    ];

    /// Whether the fault needs a network with keys.
    const fn needs_keys(self) -> bool {
        matches!(
            self,
            Self::WrongPassphrase | Self::FirstKeyMessageLost | Self::ThirdKeyMessageLost | Self::GroupKeyLost
        )
    }

    /// The result of the join, where it does not depend on timing.
    const fn expected(self) -> Option<Attempt> {
        Some(match self {
            Self::None => Attempt::Joined,
            Self::NoSuchNetwork => Attempt::Rejected(JoinError::NoSuchNetwork),
            Self::WrongPassphrase | Self::ThirdKeyMessageLost => Attempt::Rejected(JoinError::WrongPassphrase),
            Self::Silence => Attempt::Rejected(JoinError::Timeout),
            Self::AuthTimeout | Self::FirstKeyMessageLost | Self::GroupKeyLost => {
                Attempt::Rejected(JoinError::NoResponse)
            }
            _ => return None,
        })
    }

    /// Whether the join must fail.
    const fn must_fail(self) -> bool {
        matches!(
            self,
            Self::NoSuchNetwork
                | Self::WrongSecurity
                | Self::AuthTimeout
                | Self::AuthRefused
                | Self::AssocRefused
                | Self::Silence
        ) || self.needs_keys()
    }

    const fn join_fault(self) -> JoinFault {
        match self {
            Self::AuthTimeout => JoinFault::AuthTimeout,
            Self::AuthRefused => JoinFault::AuthRefused,
            Self::AssocRefused => JoinFault::AssocRefused(17),
            Self::FirstKeyMessageLost => JoinFault::FirstKeyMessageLost,
            Self::ThirdKeyMessageLost => JoinFault::ThirdKeyMessageLost,
            Self::GroupKeyLost => JoinFault::GroupKeyLost,
            Self::Silence => JoinFault::Silence,
            _ => JoinFault::None,
        }
    }

    /// Schedules the fault during the following join.
    fn schedule(self, testbed: &Testbed, ap: ApId, random: &mut fastrand::Rng) {
        let chip = testbed.chip.clone();
        // About 12 ms of requests, then about 180 ms of scan, authentication, association, keys.
        let (requests, all) = (0..12_000, 0..200_000);
        let at = Duration::from_micros(random.u64(match self {
            Self::ReplyLost | Self::ReplyTwice | Self::ReplyLate | Self::RequestRefused | Self::CreditFrozen => {
                requests
            }
            Self::EventLost | Self::EventTwice | Self::EventCorrupted | Self::Deauthenticated => 120_000..195_000,
            _ => all,
        }));
        let later = |act: Box<dyn FnOnce()>| {
            testbed.clock.schedule_in(at, act);
        };
        match self {
            Self::AccessPointOff => later(Box::new(move || chip.remove_ap(ap))),
            Self::Deauthenticated => later(Box::new(move || chip.deauthenticate(7))),
            Self::ReplyLost => later(Box::new(move || chip.inject(Fault::Reply(Corruption::Lost)))),
            Self::ReplyTwice => later(Box::new(move || chip.inject(Fault::Reply(Corruption::Duplicate)))),
            Self::ReplyLate => {
                let delay = Duration::from_millis(random.u64(1..3000));
                later(Box::new(move || chip.inject(Fault::LateReply(delay))));
            }
            Self::RequestRefused => later(Box::new(move || chip.inject(Fault::RefuseIoctl(-22)))),
            Self::EventLost => later(Box::new(move || chip.inject(Fault::Event(Corruption::Lost)))),
            Self::EventTwice => later(Box::new(move || chip.inject(Fault::Event(Corruption::Duplicate)))),
            Self::EventCorrupted => {
                let corruptions = [
                    Corruption::EventLength(u32::MAX),
                    Corruption::Garbage,
                    Corruption::Channel(2),
                    Corruption::Complement,
                ];
                let corruption = corruptions[random.usize(..corruptions.len())];
                later(Box::new(move || chip.inject(Fault::Event(corruption))));
            }
            Self::CreditFrozen => {
                let back = chip.clone();
                later(Box::new(move || chip.freeze_credit(true)));
                let at = at + Duration::from_millis(random.u64(1..500));
                testbed.clock.schedule_in(at, move || back.freeze_credit(false));
            }
            Self::BusFails => chip.fail_bus_at(random.u64(..60)),
            Self::Brownout => later(Box::new(move || chip.inject_brownout())),
            Self::FirmwareHalted => later(Box::new(move || chip.halt_firmware())),
            _ => {}
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::NoSuchNetwork => "no such network",
            Self::WrongPassphrase => "wrong passphrase",
            Self::WrongSecurity => "wrong security",
            Self::AuthTimeout => "authentication timeout",
            Self::AuthRefused => "authentication refused",
            Self::AssocRefused => "association refused",
            Self::FirstKeyMessageLost => "key message 1 lost",
            Self::ThirdKeyMessageLost => "key message 3 lost",
            Self::GroupKeyLost => "group key lost",
            Self::Silence => "access point silent",
            Self::AccessPointOff => "access point off during the join",
            Self::Deauthenticated => "deauthenticated during the join",
            Self::ReplyLost => "response lost",
            Self::ReplyTwice => "response duplicated",
            Self::ReplyLate => "response up to 3 s late",
            Self::RequestRefused => "request rejected",
            Self::EventLost => "event lost",
            Self::EventTwice => "event duplicated",
            Self::EventCorrupted => "event corrupted",
            Self::CreditFrozen => "no credit for up to 500 ms",
            Self::BusFails => "bus failure",
            Self::Brownout => "brownout",
            Self::FirmwareHalted => "firmware halted",
        })
    }
}

/// The result of a join.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// Joined.
    Joined,
    /// Failed with a join error.
    Rejected(JoinError),
    /// Failed with another error.
    Failed(Error<BusFault>),
}

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Joined => f.write_str("joined"),
            Self::Rejected(JoinError::Refused { .. }) => f.write_str("Refused"),
            Self::Rejected(JoinError::Failed { .. }) => f.write_str("Failed"),
            Self::Rejected(why) => write!(f, "{why:?}"),
            Self::Failed(Error::Bus(_)) => f.write_str("Bus"),
            Self::Failed(Error::Rejected { .. }) => f.write_str("Rejected"),
            Self::Failed(Error::BadResponse { .. }) => f.write_str("BadResponse"),
            Self::Failed(e) => write!(f, "{e:?}"),
        }
    }
}

impl From<host::Result<()>> for Attempt {
    fn from(result: host::Result<()>) -> Self {
        match result {
            Ok(()) => Self::Joined,
            Err(Error::Join(why)) => Self::Rejected(why),
            Err(e) => Self::Failed(e),
        }
    }
}

/// The results of all joins.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Joins {
    /// The results, by fault.
    pub outcomes: BTreeMap<Failure, BTreeMap<String, u64>>,
    /// The durations of the joins with a fault.
    pub durations: BTreeMap<Failure, RecoveryTimes>,
    /// The times from the end of a fault until a join succeeded.
    pub recoveries: BTreeMap<Failure, RecoveryTimes>,
    /// The frames that were exchanged after each join.
    pub stats: RunStats,
}

/// Runs this number of joins with a fault, each followed by one without. Calls `progress` after
/// each.
pub fn run(joins: u64, seed: u64, mut progress: impl FnMut()) -> Joins {
    let mut random = fastrand::Rng::with_seed(seed);
    let order = if random.bool() {
        EventOrder::KeyedFirst
    } else {
        EventOrder::KeyedLast
    };
    let testbed = Testbed::new(ChipConfig::default().with_seed(seed).with_event_order(order));
    // A response that is late by more than two timeouts overlaps with the next request.
    testbed.chip.allow_violation(ViolationKind::IoctlOverlap);
    let ap = testbed.chip.add_ap(AccessPoint::open(SSID));
    let mut rx_queue = host::rx_queue();
    let mut all = Joins::default();
    let config = host::config().with_power_save(PowerSave::Off);
    let started =
        Host::new(&testbed, &mut rx_queue, random.bool(), config).and_then(|mut host| host.start().map(|()| host));
    let mut host = match started {
        Ok(host) => host,
        Err(e) => {
            all.stats.violation(format!("start failed: {e}"));
            return all;
        }
    };
    let mut exchange = Exchange::new(&testbed, seed);
    for n in 0..joins {
        let failure = Failure::ALL[((n + seed) % Failure::ALL.len() as u64) as usize];
        one(failure, &testbed, ap, &mut host, &mut exchange, &mut random, &mut all);
        progress();
    }
    testbed.clock.advance(Duration::from_secs(1));
    exchange.recv_from_driver(&mut host, &mut all.stats);
    exchange.recv_from_peer();
    exchange.finish(&mut all.stats);
    all.stats.driver = host.stats();
    all.stats.max_durations = host.max_durations;
    // A corrupted event may be delivered as a frame.
    let touching = [Failure::EventCorrupted, Failure::Brownout];
    let counts = touching.map(|failure| all.durations.get(&failure).map_or(0, |times| times.count));
    all.stats.other_faults = counts.iter().sum();
    all.stats.elapsed = testbed.clock.now();
    all.stats.audit(Family::Firmware);
    for violation in testbed.chip.violations() {
        all.stats.violation(format!("protocol violation: {violation}"));
    }
    all
}

fn network(security: &Security, passphrase: &str) -> host::Result<Network> {
    let network = match security {
        Security::Open => Network::open(SSID),
        Security::Wpa3(_) => Network::wpa3(SSID, passphrase),
        Security::Wpa2Wpa3(_) => Network::wpa2_wpa3(SSID, passphrase),
        _ => Network::wpa2(SSID, passphrase),
    };
    network.map_err(Error::Param)
}

fn one(
    failure: Failure,
    testbed: &Testbed,
    ap: ApId,
    host: &mut Host<'_>,
    exchange: &mut Exchange<'_>,
    random: &mut fastrand::Rng,
    all: &mut Joins,
) {
    let phrase = || PASSPHRASE.to_owned();
    let kinds = [
        Security::Open,
        Security::Wpa2(phrase()),
        Security::Wpa3(phrase()),
        Security::Wpa2Wpa3(phrase()),
    ];
    let first = usize::from(failure.needs_keys());
    let security = kinds[random.usize(first..kinds.len())].clone();
    let keyed = security != Security::Open;
    let passphrase = if failure == Failure::WrongPassphrase {
        "not the passphrase"
    } else {
        PASSPHRASE
    };
    let (Ok(faulty), Ok(valid)) = (network(&security, passphrase), network(&security, PASSPHRASE)) else {
        all.stats.violation("invalid network in the harness".to_owned());
        return;
    };
    let ap_security = match (failure, keyed) {
        (Failure::WrongSecurity, true) => Security::Open,
        (Failure::WrongSecurity, false) => Security::Wpa2(phrase()),
        _ => security.clone(),
    };
    testbed.chip.change_ap(ap, |ap| {
        ap.security = ap_security;
        ap.join_fault = failure.join_fault();
    });
    if failure == Failure::NoSuchNetwork {
        testbed.chip.remove_ap(ap);
    }
    failure.schedule(testbed, ap, random);

    let began = testbed.clock.now();
    let attempt = Attempt::from(host.join(&faulty));
    let took = testbed.clock.now() - began;
    note(&mut all.durations, failure, took);
    *all.outcomes
        .entry(failure)
        .or_default()
        .entry(attempt.to_string())
        .or_default() += 1;
    let stats = &mut all.stats;
    if took > MAX_JOIN {
        stats.violation(format!("{failure}, {security:?}: the join took {took:?}"));
    }
    if failure.must_fail() && attempt == Attempt::Joined {
        stats.violation(format!("{failure}, {security:?}: joined"));
    }
    let expected = failure.expected();
    if expected.is_some_and(|expected| expected != attempt) {
        stats.violation(format!("{failure}, {security:?}: {attempt}"));
    }

    // The fault ends.
    testbed.clock.advance(Duration::from_millis(250));
    testbed.chip.change_ap(ap, |ap| {
        ap.security = security.clone();
        ap.join_fault = JoinFault::None;
    });
    testbed.chip.restore_ap(ap);
    let began = testbed.clock.now();
    if let Attempt::Failed(e) = attempt
        && e.kind() == ErrorKind::Fault
    {
        host.handle_error(&e, stats);
    }
    let mut attempts = 0;
    while let Err(e) = host.join(&valid) {
        attempts += 1;
        if attempts == MAX_ATTEMPTS {
            stats.violation(format!("after \"{failure}\", {security:?}: join failed: {e}"));
            return;
        }
        host.handle_error(&e, stats);
    }
    note(&mut all.recoveries, failure, testbed.clock.now() - began);
    exchange_frames(failure, testbed, host, exchange, stats);
    if let Err(e) = host.disconnect() {
        host.handle_error(&e, stats);
    }
    if host.link().is_up() {
        stats.violation(format!("after \"{failure}\": link up after disconnect"));
    }
}

/// Exchanges a frame in each direction.
fn exchange_frames(
    failure: Failure,
    testbed: &Testbed,
    host: &mut Host<'_>,
    exchange: &mut Exchange<'_>,
    stats: &mut RunStats,
) {
    exchange.expect_both(testbed.clock.now());
    let end = testbed.clock.now() + EXCHANGE_LIMIT;
    while testbed.clock.now() < end {
        exchange.send(host, 1);
        testbed.clock.advance(Duration::from_millis(2));
        exchange.recv_from_driver(host, stats);
        exchange.recv_from_peer();
        if exchange.both_arrived() {
            return;
        }
    }
    stats.violation(format!(
        "after \"{failure}\": no frames exchanged after the join; last join error {:?}",
        host.last_join_error()
    ));
}

fn note(of: &mut BTreeMap<Failure, RecoveryTimes>, failure: Failure, took: Duration) {
    of.entry(failure).or_default().add(took, false);
}
