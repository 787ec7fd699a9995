//! Power cycles: the chip is restarted by its host, or loses power, with frames in flight.

use core::fmt;
use core::time::Duration;
use std::collections::BTreeMap;

use cyw43439_model::{AccessPoint, ChipConfig, EventOrder};
use embedded_hal::digital::OutputPin;
use ethdev_cyw43::{Network, PowerSave};

use super::super::{PASSPHRASE, SSID, Testbed};
use super::exchange::Exchange;
use super::faults::Family;
use super::host::{self, Host};
use super::stats::{RecoveryTimes, RunStats};

/// Limit of the time until frames were exchanged again.
const RECOVERY_LIMIT: Duration = Duration::from_secs(3);
/// The number of cycles with one driver.
const CYCLES_PER_DRIVER: u64 = 10;
/// The interval between calls of `service`.
const SERVICE_INTERVAL: Duration = Duration::from_millis(1);

/// What restarts the chip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "see Display")]
pub enum Cycle {
    HostStarts,
    SleepAndWake,
    StopAndStart,
    Recover,
    Brownout,
    SupplyOff,
    FirmwareHalted,
}

impl Cycle {
    const WITH_ONE_DRIVER: [Self; 6] = [
        Self::SleepAndWake,
        Self::StopAndStart,
        Self::Recover,
        Self::Brownout,
        Self::SupplyOff,
        Self::FirmwareHalted,
    ];
}

impl fmt::Display for Cycle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::HostStarts => "new driver, chip on or off",
            Self::SleepAndWake => "sleep, wake",
            Self::StopAndStart => "stop, start",
            Self::Recover => "recover",
            Self::Brownout => "brownout",
            Self::SupplyOff => "power off for up to 100 ms",
            Self::FirmwareHalted => "firmware halted",
        })
    }
}

/// The results of all power cycles.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Cycles {
    /// The times from the start of a cycle until frames were exchanged.
    pub recoveries: BTreeMap<Cycle, RecoveryTimes>,
    /// The frames of all cycles.
    pub stats: RunStats,
}

/// Runs this number of cycles on one chip, whose properties depend on the seed. Calls `progress`
/// after each.
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
    let testbed = Testbed::new(config);
    testbed.chip.add_ap(AccessPoint::wpa2(SSID, PASSPHRASE));
    let mut all = Cycles::default();
    let mut exchange = Exchange::new(&testbed, seed);
    let mut left = cycles;
    while left > 0 && all.stats.violations.is_empty() {
        let mut rx_queue = host::rx_queue();
        let count = left.min(CYCLES_PER_DRIVER);
        run_with_driver(
            &testbed,
            &mut rx_queue,
            count,
            &mut random,
            &mut exchange,
            &mut all,
            &mut progress,
        );
        left -= count;
    }
    // Frames in flight arrive.
    testbed.clock.advance(Duration::from_secs(1));
    exchange.recv_from_peer();
    exchange.finish(&mut all.stats);
    let lost =
        [Cycle::Brownout, Cycle::SupplyOff].map(|cycle| all.recoveries.get(&cycle).map_or(0, |times| times.count));
    all.stats.other_faults = lost.iter().sum();
    all.stats.elapsed = testbed.clock.now();
    all.stats.audit(Family::Power);
    for violation in testbed.chip.violations() {
        all.stats.violation(format!("protocol violation: {violation}"));
    }
    all
}

/// Runs cycles with one driver.
fn run_with_driver<'m>(
    testbed: &'m Testbed,
    rx_queue: &'m mut [u8],
    cycles: u64,
    random: &mut fastrand::Rng,
    exchange: &mut Exchange<'_>,
    all: &mut Cycles,
    progress: &mut impl FnMut(),
) {
    let config = host::config().with_power_save(PowerSave::Off);
    let began = testbed.clock.now();
    let started = Host::new(testbed, rx_queue, random.bool(), config).and_then(|mut host| {
        let network = Network::wpa2(SSID, PASSPHRASE)?;
        host.start()?;
        host.join(&network)?;
        Ok(host)
    });
    let mut host = match started {
        Ok(host) => host,
        Err(e) => {
            all.stats.violation(format!("start failed: {e}"));
            return;
        }
    };
    for n in 0..cycles {
        let (cycle, since) = if n == 0 {
            (Cycle::HostStarts, began)
        } else {
            // Frames are in flight.
            exchange.send(&mut host, random.usize(..6));
            let cycle = Cycle::WITH_ONE_DRIVER[random.usize(..Cycle::WITH_ONE_DRIVER.len())];
            let since = apply(cycle, testbed, &mut host, random).unwrap_or_else(|e| {
                all.stats.violation(format!("{cycle}: {e}"));
                testbed.clock.now()
            });
            (cycle, since)
        };
        let exchanged = exchange_frames(testbed, &mut host, exchange, &mut all.stats, since);
        let took = testbed.clock.now() - since;
        let violations = testbed.chip.take_violations();
        // The host does not know that the power is off.
        if cycle != Cycle::SupplyOff {
            for violation in violations {
                all.stats.violation(format!("protocol violation: {violation}"));
            }
        }
        if !exchanged {
            all.stats
                .violation(format!("{cycle}: no frames exchanged within {took:?}"));
            break;
        }
        all.recoveries.entry(cycle).or_default().add(took, true);
        progress();
    }
    // Frames in the receive queue would be lost with the driver.
    exchange.recv_from_driver(&mut host, &mut all.stats);
    all.stats.driver = all.stats.driver.wrapping_add(&host.stats());
    all.stats.max_durations = all.stats.max_durations.max(host.max_durations);
}

/// Applies the cycle. Returns when it began.
fn apply(cycle: Cycle, testbed: &Testbed, host: &mut Host<'_>, random: &mut fastrand::Rng) -> host::Result<Duration> {
    let now = testbed.clock.now();
    match cycle {
        Cycle::HostStarts => {}
        Cycle::SleepAndWake => {
            host.sleep()?;
            testbed.clock.advance(Duration::from_millis(random.u64(1..100)));
            host.wake()?;
        }
        Cycle::StopAndStart => {
            host.stop()?;
            testbed.clock.advance(Duration::from_millis(random.u64(..100)));
            host.start()?;
        }
        Cycle::Recover => host.recover()?,
        Cycle::Brownout => {
            // Also in the middle of a transaction.
            let chip = testbed.chip.clone();
            let at = now + Duration::from_nanos(random.u64(..2_000_000));
            testbed.clock.schedule_at(at, move || chip.inject_brownout());
            return Ok(at);
        }
        Cycle::SupplyOff => {
            // Not the power pin of the driver.
            let mut supply = testbed.chip.power_pin();
            let Ok(()) = supply.set_low();
            let off = Duration::from_millis(random.u64(1..100));
            testbed.clock.schedule_in(off, move || {
                let Ok(()) = supply.set_high();
            });
        }
        Cycle::FirmwareHalted => testbed.chip.halt_firmware(),
    }
    Ok(now)
}

/// Services the driver until frames that were sent after `since` were exchanged in both directions.
/// Returns whether that was in time.
fn exchange_frames(
    testbed: &Testbed,
    host: &mut Host<'_>,
    exchange: &mut Exchange<'_>,
    stats: &mut RunStats,
    since: Duration,
) -> bool {
    exchange.expect_both(since);
    while testbed.clock.now().saturating_sub(since) < RECOVERY_LIMIT {
        if let Err(e) = host.service() {
            host.handle_error(&e, stats);
        }
        if host.link().is_up() {
            exchange.send(host, 1);
        }
        testbed.clock.advance(SERVICE_INTERVAL);
        exchange.recv_from_driver(host, stats);
        exchange.recv_from_peer();
        if exchange.both_arrived() {
            return true;
        }
    }
    false
}
