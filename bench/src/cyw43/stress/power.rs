//! Power cycles: the chip started again and again, by its host and behind its back, with frames under way.

use core::fmt;
use core::time::Duration;
use std::collections::BTreeMap;

use cyw43439_model::{AccessPoint, BusFault, ChipConfig, EventOrder};
use embedded_hal::digital::OutputPin;
use ethdev_cyw43::{Error, Network, PowerSave};

use super::super::{Lab, PASSPHRASE, SSID};
use super::Family;
use super::books::{Books, Healing};
use super::exchange::Exchange;
use super::host::{self, Host, is_fault};

/// How soon frames have to cross again.
const PATIENCE: Duration = Duration::from_secs(3);
/// How many cycles one driver lives through.
const LIFE: u64 = 10;
/// How often the host looks after the chip.
const SERVICE: Duration = Duration::from_millis(1);

/// What makes the chip start anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each has its name in words")]
pub enum Cycle {
    HostStarts,
    SleepAndWake,
    StopAndStart,
    Recover,
    BrownOut,
    SupplyOff,
    FirmwareHalted,
}

impl Cycle {
    const WITHIN_A_LIFE: [Self; 6] = [
        Self::SleepAndWake,
        Self::StopAndStart,
        Self::Recover,
        Self::BrownOut,
        Self::SupplyOff,
        Self::FirmwareHalted,
    ];
}

impl fmt::Display for Cycle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::HostStarts => "the host starts, the chip is on or off",
            Self::SleepAndWake => "sleep, wake",
            Self::StopAndStart => "stop, start: without a loss of power",
            Self::Recover => "recover",
            Self::BrownOut => "supply fails for a moment",
            Self::SupplyOff => "supply off for up to 100 ms",
            Self::FirmwareHalted => "firmware stops",
        })
    }
}

/// What became of all cycles.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Cycles {
    /// From the beginning of each until frames crossed both ways.
    pub healing: BTreeMap<Cycle, Healing>,
    /// The frames.
    pub books: Books,
}

/// Runs so many cycles on one chip, of which no two are built the same. `progress` is told of each.
pub fn run(cycles: u64, seed: u64, mut progress: impl FnMut()) -> Cycles {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut config = ChipConfig::default()
        .with_seed(seed)
        .with_power_up(Duration::from_millis(random.u64(1..200)), random.u32(..4))
        .with_event_order(if random.bool() {
            EventOrder::KeyedFirst
        } else {
            EventOrder::KeyedLast
        });
    if random.bool() {
        config = config.with_arm_running();
    }
    let lab = Lab::new(config);
    lab.chip.add_ap(AccessPoint::wpa2(SSID, PASSPHRASE));
    let mut all = Cycles::default();
    let mut exchange = Exchange::new(&lab, seed);
    let mut left = cycles;
    while left > 0 && all.books.violations.is_empty() {
        let mut memory = host::memory();
        let here = left.min(LIFE);
        live(
            &lab,
            &mut memory,
            here,
            &mut random,
            &mut exchange,
            &mut all,
            &mut progress,
        );
        left -= here;
    }
    // What is under way arrives.
    lab.clock.advance(Duration::from_secs(1));
    exchange.listen();
    exchange.close(&mut all.books);
    all.books.power_cycles = cycles;
    all.books.elapsed = lab.clock.now();
    all.books.audit(Family::Power);
    for misuse in lab.chip.violations() {
        all.books.violate(format!("the driver misused the chip: {misuse}"));
    }
    all
}

/// One life of a driver.
fn live<'m>(
    lab: &'m Lab,
    memory: &'m mut [u8],
    cycles: u64,
    random: &mut fastrand::Rng,
    exchange: &mut Exchange<'_>,
    all: &mut Cycles,
    progress: &mut impl FnMut(),
) {
    let config = host::config().with_power_save(PowerSave::Off);
    let began = lab.clock.now();
    let begun = Host::new(lab, memory, random.bool(), config).and_then(|mut host| {
        let network = Network::wpa2(SSID, PASSPHRASE).map_err(Error::Invalid)?;
        host.start()?;
        host.join(&network)?;
        Ok(host)
    });
    let mut host = match begun {
        Ok(host) => host,
        Err(e) => {
            all.books.violate(format!("the driver does not start: {e}"));
            return;
        }
    };
    for n in 0..cycles {
        let (cycle, since) = if n == 0 {
            (Cycle::HostStarts, began)
        } else {
            // Something is under way.
            exchange.offer(&mut host, random.usize(..6));
            let cycle = Cycle::WITHIN_A_LIFE[random.usize(..Cycle::WITHIN_A_LIFE.len())];
            let since = turn(cycle, lab, &mut host, random).unwrap_or_else(|e| {
                all.books.violate(format!("{cycle}: {e}"));
                lab.clock.now()
            });
            (cycle, since)
        };
        let crossed = cross(lab, &mut host, exchange, &mut all.books, since);
        let took = lab.clock.now() - since;
        let misuse = lab.chip.take_violations();
        // A host cannot know that its chip has no power.
        if cycle != Cycle::SupplyOff {
            for misuse in misuse {
                all.books.violate(format!("the driver misused the chip: {misuse}"));
            }
        }
        if !crossed {
            all.books.violate(format!("{cycle}: no frames cross after {took:?}"));
            break;
        }
        let one = Healing {
            times: 1,
            total: took,
            worst: took,
            link_lost: 1,
        };
        let healing = all.healing.entry(cycle).or_default();
        *healing = healing.plus(one);
        progress();
    }
    // What the driver holds is not to be lost with it.
    exchange.receive(&mut host, &mut all.books);
    all.books.stats = all.books.stats.wrapping_add(&host.stats());
    all.books.longest = all.books.longest.max(host.longest);
}

/// Lets it happen; when it began.
fn turn(cycle: Cycle, lab: &Lab, host: &mut Host<'_>, random: &mut fastrand::Rng) -> host::Result<Duration> {
    let now = lab.clock.now();
    match cycle {
        Cycle::HostStarts => {}
        Cycle::SleepAndWake => {
            host.sleep()?;
            lab.clock.advance(Duration::from_millis(random.u64(1..100)));
            host.wake()?;
        }
        Cycle::StopAndStart => {
            host.stop()?;
            lab.clock.advance(Duration::from_millis(random.u64(..100)));
            host.start()?;
        }
        Cycle::Recover => host.recover()?,
        Cycle::BrownOut => {
            // In the middle of a transaction as well.
            let chip = lab.chip.clone();
            let at = now + Duration::from_nanos(random.u64(..2_000_000));
            lab.clock.schedule_at(at, move || chip.inject_brownout());
            return Ok(at);
        }
        Cycle::SupplyOff => {
            // Somebody else's switch.
            let mut supply = lab.chip.power_pin();
            let Ok(()) = supply.set_low();
            let off = Duration::from_millis(random.u64(1..100));
            lab.clock.schedule_in(off, move || {
                let Ok(()) = supply.set_high();
            });
        }
        Cycle::FirmwareHalted => lab.chip.halt_firmware(),
    }
    Ok(now)
}

/// Looks after the driver until frames that were sent after that time have crossed both ways; whether they have in time.
fn cross(lab: &Lab, host: &mut Host<'_>, exchange: &mut Exchange<'_>, books: &mut Books, since: Duration) -> bool {
    exchange.expect_both(since);
    while lab.clock.now().saturating_sub(since) < PATIENCE {
        let result = host.service();
        take_error(host, result.err(), books);
        if host.link().is_up() {
            exchange.offer(host, 1);
        }
        lab.clock.advance(SERVICE);
        exchange.receive(host, books);
        exchange.listen();
        if exchange.both_came() {
            return true;
        }
    }
    false
}

/// What applications do.
pub(super) fn take_error(host: &mut Host<'_>, error: Option<Error<BusFault>>, books: &mut Books) {
    let Some(error) = error else { return };
    books.error(&error);
    if is_fault(&error)
        && let Err(e) = host.recover()
    {
        books.failed_recoveries += 1;
        books.error(&e);
    }
}
