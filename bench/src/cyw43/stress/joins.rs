//! Joins, most of which cannot work, each followed by one that must.

use core::fmt;
use core::time::Duration;
use std::collections::BTreeMap;

use cyw43439_model::{
    AccessPoint, ApId, BusFault, ChipConfig, EventOrder, Fault, Refusal, Security, Spoil, ViolationKind,
};
use ethdev_cyw43::{Error, JoinError, Network, PowerSave};

use super::super::{Lab, PASSPHRASE, SSID};
use super::Family;
use super::books::{Books, Healing};
use super::exchange::Exchange;
use super::host::{self, Host, is_fault};
use super::power::take_error;

/// The longest that a join takes: its own limit of ten seconds, and its requests.
const LONGEST: Duration = Duration::from_secs(15);
/// How often a network that is sound may be joined in vain: what was injected may strike late.
const TRIES: usize = 4;
/// How soon frames cross after that.
const CROSSING: Duration = Duration::from_millis(200);

/// What is wrong with a join.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each has its name in words")]
pub enum Failure {
    None,
    NoSuchNetwork,
    WrongPassphrase,
    OtherSecurity,
    AuthenticationUnanswered,
    AuthenticationRefused,
    AssociationRefused,
    FirstKeyMessageLost,
    ThirdKeyMessageLost,
    GroupKeyLost,
    Silence,
    AccessPointVanishes,
    ThrownOut,
    ReplyLost,
    ReplyTwice,
    ReplyLate,
    RequestRefused,
    EventLost,
    EventTwice,
    EventSpoiled,
    CreditFrozen,
    BusFails,
    BrownOut,
    FirmwareHalted,
}

impl Failure {
    /// All of them.
    pub const ALL: [Self; 24] = [
        Self::None,
        Self::NoSuchNetwork,
        Self::WrongPassphrase,
        Self::OtherSecurity,
        Self::AuthenticationUnanswered,
        Self::AuthenticationRefused,
        Self::AssociationRefused,
        Self::FirstKeyMessageLost,
        Self::ThirdKeyMessageLost,
        Self::GroupKeyLost,
        Self::Silence,
        Self::AccessPointVanishes,
        Self::ThrownOut,
        Self::ReplyLost,
        Self::ReplyTwice,
        Self::ReplyLate,
        Self::RequestRefused,
        Self::EventLost,
        Self::EventTwice,
        Self::EventSpoiled,
        Self::CreditFrozen,
        Self::BusFails,
        Self::BrownOut,
        Self::FirmwareHalted,
    ];

    /// Whether only networks with keys can meet it.
    const fn is_about_keys(self) -> bool {
        matches!(
            self,
            Self::WrongPassphrase | Self::FirstKeyMessageLost | Self::ThirdKeyMessageLost | Self::GroupKeyLost
        )
    }

    /// How a join has to end, where that is certain, as [`Attempt`] says it.
    const fn certain(self) -> Option<Attempt> {
        Some(match self {
            Self::None => Attempt::Joined,
            Self::NoSuchNetwork => Attempt::Not(JoinError::NoSuchNetwork),
            Self::WrongPassphrase | Self::ThirdKeyMessageLost => Attempt::Not(JoinError::WrongPassphrase),
            Self::Silence => Attempt::Not(JoinError::Timeout),
            Self::AuthenticationUnanswered | Self::FirstKeyMessageLost | Self::GroupKeyLost => {
                Attempt::Not(JoinError::NoAnswer)
            }
            _ => return None,
        })
    }

    /// Whether a join that meets it cannot end well.
    const fn is_hopeless(self) -> bool {
        matches!(
            self,
            Self::NoSuchNetwork
                | Self::OtherSecurity
                | Self::AuthenticationUnanswered
                | Self::AuthenticationRefused
                | Self::AssociationRefused
                | Self::Silence
        ) || self.is_about_keys()
    }

    const fn refusal(self) -> Refusal {
        match self {
            Self::AuthenticationUnanswered => Refusal::AuthTimeout,
            Self::AuthenticationRefused => Refusal::AuthRefused,
            Self::AssociationRefused => Refusal::AssocRefused(17),
            Self::FirstKeyMessageLost => Refusal::FirstKeyMessageLost,
            Self::ThirdKeyMessageLost => Refusal::ThirdKeyMessageLost,
            Self::GroupKeyLost => Refusal::GroupKeyLost,
            Self::Silence => Refusal::Silence,
            _ => Refusal::None,
        }
    }

    /// Lets it happen during the join that follows.
    fn strike(self, lab: &Lab, ap: ApId, random: &mut fastrand::Rng) {
        let chip = lab.chip.clone();
        // Some 12 ms of requests; then scan, authentication, association, keys: some 180 ms.
        let (requests, all) = (0..12_000, 0..200_000);
        let at = Duration::from_micros(random.u64(match self {
            Self::ReplyLost | Self::ReplyTwice | Self::ReplyLate | Self::RequestRefused | Self::CreditFrozen => {
                requests
            }
            Self::EventLost | Self::EventTwice | Self::EventSpoiled | Self::ThrownOut => 120_000..195_000,
            _ => all,
        }));
        let later = |act: Box<dyn FnOnce()>| {
            lab.clock.schedule_in(at, act);
        };
        match self {
            Self::AccessPointVanishes => later(Box::new(move || chip.remove_ap(ap))),
            Self::ThrownOut => later(Box::new(move || chip.deauthenticate(7))),
            Self::ReplyLost => later(Box::new(move || chip.inject(Fault::Reply(Spoil::Lost)))),
            Self::ReplyTwice => later(Box::new(move || chip.inject(Fault::Reply(Spoil::Duplicate)))),
            Self::ReplyLate => {
                let delay = Duration::from_millis(random.u64(1..3000));
                later(Box::new(move || chip.inject(Fault::LateReply(delay))));
            }
            Self::RequestRefused => later(Box::new(move || chip.inject(Fault::RefuseIoctl(-22)))),
            Self::EventLost => later(Box::new(move || chip.inject(Fault::Event(Spoil::Lost)))),
            Self::EventTwice => later(Box::new(move || chip.inject(Fault::Event(Spoil::Duplicate)))),
            Self::EventSpoiled => {
                let spoils = [
                    Spoil::EventLength(u32::MAX),
                    Spoil::Garbage,
                    Spoil::Channel(2),
                    Spoil::Complement,
                ];
                let spoil = spoils[random.usize(..spoils.len())];
                later(Box::new(move || chip.inject(Fault::Event(spoil))));
            }
            Self::CreditFrozen => {
                let back = chip.clone();
                later(Box::new(move || chip.freeze_credit(true)));
                let at = at + Duration::from_millis(random.u64(1..500));
                lab.clock.schedule_in(at, move || back.freeze_credit(false));
            }
            Self::BusFails => chip.fail_bus_at(random.u64(..60)),
            Self::BrownOut => later(Box::new(move || chip.inject_brownout())),
            Self::FirmwareHalted => later(Box::new(move || chip.halt_firmware())),
            _ => {}
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "nothing",
            Self::NoSuchNetwork => "no such network",
            Self::WrongPassphrase => "wrong passphrase",
            Self::OtherSecurity => "another kind of security",
            Self::AuthenticationUnanswered => "authentication not answered",
            Self::AuthenticationRefused => "authentication refused",
            Self::AssociationRefused => "association refused",
            Self::FirstKeyMessageLost => "first message of the keys lost",
            Self::ThirdKeyMessageLost => "third message of the keys lost",
            Self::GroupKeyLost => "group key lost",
            Self::Silence => "nothing is heard",
            Self::AccessPointVanishes => "access point vanishes on the way",
            Self::ThrownOut => "thrown out on the way",
            Self::ReplyLost => "an answer is lost",
            Self::ReplyTwice => "an answer comes twice",
            Self::ReplyLate => "an answer is up to 3 s late",
            Self::RequestRefused => "a request is refused",
            Self::EventLost => "an event is lost",
            Self::EventTwice => "an event comes twice",
            Self::EventSpoiled => "an event is spoiled",
            Self::CreditFrozen => "no credit for up to 500 ms",
            Self::BusFails => "the bus fails once",
            Self::BrownOut => "supply fails for a moment",
            Self::FirmwareHalted => "firmware stops",
        })
    }
}

/// How a join ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// Well.
    Joined,
    /// With a reason of the network's.
    Not(JoinError),
    /// With another error: of the bus, of the chip, of a request.
    Failed(Error<BusFault>),
}

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Joined => f.write_str("joined"),
            Self::Not(JoinError::Refused { .. }) => f.write_str("Refused"),
            Self::Not(JoinError::Failed { .. }) => f.write_str("Failed"),
            Self::Not(why) => write!(f, "{why:?}"),
            Self::Failed(Error::Bus(_)) => f.write_str("Bus"),
            Self::Failed(Error::Rejected { .. }) => f.write_str("Rejected"),
            Self::Failed(Error::BadAnswer { .. }) => f.write_str("BadAnswer"),
            Self::Failed(e) => write!(f, "{e:?}"),
        }
    }
}

impl From<host::Result<()>> for Attempt {
    fn from(result: host::Result<()>) -> Self {
        match result {
            Ok(()) => Self::Joined,
            Err(Error::Join(why)) => Self::Not(why),
            Err(e) => Self::Failed(e),
        }
    }
}

/// What became of all joins.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Joins {
    /// How those with each failure ended.
    pub outcomes: BTreeMap<Failure, BTreeMap<String, u64>>,
    /// How long they took.
    pub took: BTreeMap<Failure, Healing>,
    /// From the end of a failure until a sound join was done.
    pub joined_after: BTreeMap<Failure, Healing>,
    /// The frames that crossed after each.
    pub books: Books,
}

/// Runs so many joins that meet a failure or none, each followed by a sound one. `progress` is told of each.
pub fn run(joins: u64, seed: u64, mut progress: impl FnMut()) -> Joins {
    let mut random = fastrand::Rng::with_seed(seed);
    let order = if random.bool() {
        EventOrder::KeyedFirst
    } else {
        EventOrder::KeyedLast
    };
    let lab = Lab::new(ChipConfig::default().with_seed(seed).with_event_order(order));
    // Answers that are later than the driver waits for, twice, overlap with what it asks then.
    lab.chip.allow(ViolationKind::IoctlOverlap);
    let ap = lab.chip.add_ap(AccessPoint::open(SSID));
    let mut memory = host::memory();
    let mut all = Joins::default();
    let config = host::config().with_power_save(PowerSave::Off);
    let begun = Host::new(&lab, &mut memory, random.bool(), config).and_then(|mut host| host.start().map(|()| host));
    let mut host = match begun {
        Ok(host) => host,
        Err(e) => {
            all.books.violate(format!("the driver does not start: {e}"));
            return all;
        }
    };
    let mut exchange = Exchange::new(&lab, seed);
    for n in 0..joins {
        let failure = Failure::ALL[((n + seed) % Failure::ALL.len() as u64) as usize];
        one(failure, &lab, ap, &mut host, &mut exchange, &mut random, &mut all);
        progress();
    }
    lab.clock.advance(Duration::from_secs(1));
    exchange.receive(&mut host, &mut all.books);
    exchange.listen();
    exchange.close(&mut all.books);
    all.books.stats = host.stats();
    all.books.longest = host.longest;
    all.books.power_cycles = joins;
    all.books.elapsed = lab.clock.now();
    all.books.audit(Family::Firmware);
    for misuse in lab.chip.violations() {
        all.books.violate(format!("the driver misused the chip: {misuse}"));
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
    network.map_err(Error::Invalid)
}

fn one(
    failure: Failure,
    lab: &Lab,
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
    let first = usize::from(failure.is_about_keys());
    let security = kinds[random.usize(first..kinds.len())].clone();
    let keyed = security != Security::Open;
    let given = if failure == Failure::WrongPassphrase {
        "not the passphrase"
    } else {
        PASSPHRASE
    };
    let (Ok(asked), Ok(sound)) = (network(&security, given), network(&security, PASSPHRASE)) else {
        all.books.violate("the harness' networks are none".to_owned());
        return;
    };
    let offered = match (failure, keyed) {
        (Failure::OtherSecurity, true) => Security::Open,
        (Failure::OtherSecurity, false) => Security::Wpa2(phrase()),
        _ => security.clone(),
    };
    lab.chip.change_ap(ap, |ap| {
        ap.security = offered;
        ap.refusal = failure.refusal();
    });
    if failure == Failure::NoSuchNetwork {
        lab.chip.remove_ap(ap);
    }
    failure.strike(lab, ap, random);

    let began = lab.clock.now();
    let attempt = Attempt::from(host.join(&asked));
    let took = lab.clock.now() - began;
    note(&mut all.took, failure, took);
    *all.outcomes
        .entry(failure)
        .or_default()
        .entry(attempt.to_string())
        .or_default() += 1;
    let books = &mut all.books;
    if took > LONGEST {
        books.violate(format!("{failure}, {security:?}: the join took {took:?}"));
    }
    if failure.is_hopeless() && attempt == Attempt::Joined {
        books.violate(format!("{failure}, {security:?}: joined all the same"));
    }
    let certain = failure.certain();
    if certain.is_some_and(|certain| certain != attempt) {
        books.violate(format!("{failure}, {security:?}: {attempt}"));
    }

    // All is well again.
    lab.clock.advance(Duration::from_millis(250));
    lab.chip.change_ap(ap, |ap| {
        ap.security = security.clone();
        ap.refusal = Refusal::None;
    });
    lab.chip.restore_ap(ap);
    let began = lab.clock.now();
    if let Attempt::Failed(e) = attempt
        && is_fault(&e)
    {
        take_error(host, Some(e), books);
    }
    let mut tries = 0;
    while let Err(e) = host.join(&sound) {
        tries += 1;
        if tries == TRIES {
            books.violate(format!("after \"{failure}\", {security:?}: a sound join fails: {e}"));
            return;
        }
        take_error(host, Some(e), books);
    }
    note(&mut all.joined_after, failure, lab.clock.now() - began);
    cross(failure, lab, host, exchange, books);
    if let Err(e) = host.leave() {
        take_error(host, Some(e), books);
    }
    if host.link().is_up() {
        books.violate(format!("after \"{failure}\": the link is up after leaving"));
    }
}

/// A frame each way.
fn cross(failure: Failure, lab: &Lab, host: &mut Host<'_>, exchange: &mut Exchange<'_>, books: &mut Books) {
    exchange.expect_both(lab.clock.now());
    let end = lab.clock.now() + CROSSING;
    while lab.clock.now() < end {
        exchange.offer(host, 1);
        lab.clock.advance(Duration::from_millis(2));
        exchange.receive(host, books);
        exchange.listen();
        if exchange.both_came() {
            return;
        }
    }
    books.violate(format!(
        "after \"{failure}\": joined, and no frames cross; last error {:?}",
        host.last_join_error()
    ));
}

fn note(of: &mut BTreeMap<Failure, Healing>, failure: Failure, took: Duration) {
    let one = Healing {
        times: 1,
        total: took,
        worst: took,
        link_lost: 0,
    };
    let all = of.entry(failure).or_default();
    *all = all.plus(one);
}
