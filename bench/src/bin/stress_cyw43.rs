//! `stress_cyw43 [--frames N] [--operations N] [--seed N]`: stress test of the CYW43439 driver on
//! the model of its chip: traffic, power cycles, joins, management calls.

#![deny(clippy::print_stdout, clippy::print_stderr)]

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use comfy_table::Table;
use ethdev_bench::StressArgs;
use ethdev_bench::cyw43::stress::{
    Calls, Cycles, Failure, Family, FaultKind, Joins, Management, ManagementPlan, Operation, Plan, RecoveryTimes,
    RunStats, run_joins, run_management, run_power_cycles, run_traffic,
};
use ethdev_cli::{self as cli, OutputError};
use indicatif::ProgressBar;

/// The total number of power cycles.
const CYCLES: u64 = 1_000;
/// The total number of joins.
const JOINS: u64 = 1_000;
/// Columns of a table of traffic runs: the two runs of one family.
const RUNS_PER_TABLE: usize = 2;
/// The number of chips for power cycles, and for joins.
const CHIPS: u64 = 8;

/// The number of chips for management calls: half of them with the async driver.
const MANAGEMENT_CHIPS: u64 = 8;

/// Stress test of the CYW43439 driver on the model of its chip
#[derive(Debug, clap::Parser)]
struct Args {
    #[command(flatten)]
    stress: StressArgs,
    /// Number of management calls
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    operations: u64,
}

/// A part of the run.
#[derive(Debug, Clone, Copy)]
enum Part {
    Traffic(Plan),
    Power { cycles: u64, seed: u64 },
    Joins { joins: u64, seed: u64 },
    Management(ManagementPlan),
}

/// The result of a part.
enum Outcome {
    Traffic(Plan, Box<RunStats>),
    Power(Box<Cycles>),
    Joins(Box<Joins>),
    Management(ManagementPlan, Box<Management>),
    Panicked(Part),
}

fn main() -> ExitCode {
    let args = match cli::parse::<Args>() {
        Ok(args) => args,
        Err(status) => return status,
    };
    match run_all(args) {
        Ok(false) => ExitCode::SUCCESS,
        Ok(true) => ExitCode::FAILURE,
        Err(e) => cli::failure(cli::Causes(&e)),
    }
}

/// Runs and prints everything. Returns whether anything failed.
fn run_all(Args { stress, operations }: Args) -> Result<bool, OutputError> {
    let StressArgs { frames, seed } = stress;
    cli::print(format_args!(
        "seed {seed}; to reproduce: --frames {frames} --operations {operations} --seed {seed}"
    ))?;
    let began = Instant::now();
    let parts = parts(frames, operations, seed);
    let progress = cli::progress(
        parts.iter().map(Part::steps).sum(),
        "{wide_bar} {pos}/{len} frames, cycles, joins and calls, {eta} remaining",
    );
    let queue = Mutex::new(parts.clone());
    let done = Mutex::new(BTreeMap::new());
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some((at, part)) = take(&queue) {
                    let outcome = catch_unwind(AssertUnwindSafe(|| part.run(&progress)));
                    if let Ok(mut done) = done.lock() {
                        done.insert(at, outcome.unwrap_or(Outcome::Panicked(part)));
                    }
                }
            });
        }
    });
    progress.finish_and_clear();
    let done: Vec<Outcome> = done.into_inner().unwrap_or_default().into_values().collect();
    let failed = report(&done)?;
    cli::print(format_args!(
        "\n{frames} frames, {CYCLES} power cycles, {JOINS} joins, {operations} management calls, seed {seed}, {:.0?}",
        began.elapsed()
    ))?;
    Ok(failed)
}

fn take(queue: &Mutex<Vec<Part>>) -> Option<(usize, Part)> {
    let mut queue = queue.lock().ok()?;
    let part = queue.pop()?;
    Some((queue.len(), part))
}

fn parts(frames: u64, operations: u64, seed: u64) -> Vec<Part> {
    let mut parts = Vec::new();
    let seed_of = |n: usize| seed.wrapping_mul(1000).wrapping_add(n as u64);
    for family in Family::ALL {
        for has_irq_line in [true, false] {
            parts.push(Part::Traffic(Plan {
                family,
                has_irq_line,
                frames: frames / 8,
                seed: seed_of(parts.len()),
            }));
        }
    }
    for _ in 0..CHIPS {
        let seed = seed_of(parts.len());
        let cycles = CYCLES / CHIPS;
        parts.push(Part::Power { cycles, seed });
    }
    for _ in 0..CHIPS {
        let seed = seed_of(parts.len());
        let joins = JOINS / CHIPS;
        parts.push(Part::Joins { joins, seed });
    }
    for n in 0..MANAGEMENT_CHIPS {
        let seed = seed_of(parts.len());
        parts.push(Part::Management(ManagementPlan {
            is_async: n % 2 == 1,
            operations: operations.div_ceil(MANAGEMENT_CHIPS),
            seed,
        }));
    }
    parts
}

impl Part {
    fn steps(&self) -> u64 {
        match self {
            Self::Traffic(plan) => plan.frames,
            Self::Power { cycles, .. } => *cycles,
            Self::Joins { joins, .. } => *joins,
            Self::Management(plan) => plan.operations,
        }
    }

    fn run(self, progress: &ProgressBar) -> Outcome {
        match self {
            Self::Traffic(plan) => Outcome::Traffic(plan, Box::new(run_traffic(plan, |frames| progress.inc(frames)))),
            Self::Power { cycles, seed } => {
                Outcome::Power(Box::new(run_power_cycles(cycles, seed, || progress.inc(1))))
            }
            Self::Joins { joins, seed } => Outcome::Joins(Box::new(run_joins(joins, seed, || progress.inc(1)))),
            Self::Management(plan) => Outcome::Management(plan, Box::new(run_management(plan, || progress.inc(1)))),
        }
    }
}

/// Prints all results. Returns whether anything failed.
fn report(done: &[Outcome]) -> Result<bool, OutputError> {
    let frames: Vec<(Plan, &RunStats)> = done
        .iter()
        .filter_map(|outcome| match outcome {
            Outcome::Traffic(plan, stats) => Some((*plan, &**stats)),
            _ => None,
        })
        .collect();
    cli::print(format_args!(
        "\ntraffic in both directions; with the interrupt line and no power save (line), or polling and with power save (poll)"
    ))?;
    // All columns in one table are wider than a terminal.
    for some in frames.chunks(RUNS_PER_TABLE) {
        cli::print(stats_table(some))?;
    }
    cli::print(format_args!(
        "\nfaults: time from the end of each until frames that were sent after it had arrived in both directions"
    ))?;
    cli::print(faults_table(&frames))?;
    let power: Vec<&Cycles> = done
        .iter()
        .filter_map(|outcome| match outcome {
            Outcome::Power(cycles) => Some(&**cycles),
            _ => None,
        })
        .collect();
    cli::print(format_args!(
        "\npower cycles on {CHIPS} chips: time from the start of each until frames were exchanged"
    ))?;
    cli::print(cycles_table(&power))?;
    let joins: Vec<&Joins> = done
        .iter()
        .filter_map(|outcome| match outcome {
            Outcome::Joins(joins) => Some(&**joins),
            _ => None,
        })
        .collect();
    cli::print(format_args!(
        "\njoins of open, WPA2, WPA3 and mixed networks with one fault each, then a join without a fault, after a restart if required"
    ))?;
    cli::print(joins_table(&joins))?;
    let management: Vec<(ManagementPlan, &Management)> = done
        .iter()
        .filter_map(|outcome| match outcome {
            Outcome::Management(plan, management) => Some((*plan, &**management)),
            _ => None,
        })
        .collect();
    report_management(&management)?;
    let rest = power.iter().map(|cycles| ("power cycles", &cycles.stats));
    let rest = rest.chain(joins.iter().map(|joins| ("joins", &joins.stats)));
    let managed = management.iter();
    let rest: Vec<(&str, &RunStats)> = rest
        .chain(managed.map(|(plan, management)| (driver(plan), &management.stats)))
        .collect();
    for what in ["power cycles", "joins"] {
        let of = rest.iter().filter(|(kind, _)| *kind == what).map(|(_, stats)| *stats);
        cli::print(format_args!("{what}: {}", summary(of)))?;
    }
    let mut failed = false;
    let named = frames.iter().map(|(plan, stats)| (title(plan), *stats));
    for (title, stats) in named.chain(rest.into_iter().map(|(what, stats)| (what.to_owned(), stats))) {
        for violation in &stats.violations {
            cli::print(format_args!("{title}: VIOLATION: {violation}"))?;
            failed = true;
        }
    }
    for outcome in done {
        if let Outcome::Panicked(part) = outcome {
            cli::print(format_args!("PANICKED: {part:?}"))?;
            failed = true;
        }
    }
    Ok(failed)
}

const fn driver(plan: &ManagementPlan) -> &'static str {
    if plan.is_async {
        "async driver"
    } else {
        "blocking driver"
    }
}

/// Prints the management calls of each driver.
fn report_management(runs: &[(ManagementPlan, &Management)]) -> Result<(), OutputError> {
    cli::print(format_args!(
        "\nmanagement calls at random moments, a quarter of them with a bus failure, a quarter of the async ones dropped; \
         each that succeeded has its whole effect"
    ))?;
    for is_async in [false, true] {
        let of: Vec<&Management> = runs
            .iter()
            .filter(|(plan, _)| plan.is_async == is_async)
            .map(|(_, management)| *management)
            .collect();
        let name = if is_async { "async driver" } else { "blocking driver" };
        cli::print(calls_table(name, &of))?;
        let sum = |figure: fn(&Management) -> u64| of.iter().map(|management| figure(management)).sum::<u64>();
        let silence = of
            .iter()
            .map(|management| management.max_silence)
            .max()
            .unwrap_or_default();
        cli::print(format_args!(
            "{name}: {} recoveries on a working bus, {} failed; frames exchanged {} times, after {} ms at most;\n\
             {} frames received, {} sent; calls with an effect missing or a counter wrong: {}",
            sum(|management| management.recoveries),
            sum(|management| management.failed_recoveries),
            sum(|management| management.exchanges),
            millis(silence),
            sum(|management| management.stats.rx_delivered),
            sum(|management| management.stats.tx_arrived),
            sum(|management| management.stats.violations.len() as u64),
        ))?;
    }
    Ok(())
}

fn calls_table(name: &str, runs: &[&Management]) -> Table {
    let heads = [name, "calls", "succeeded", "failed", "dropped", "max, ms"];
    let mut table = table(heads.map(String::from));
    for operation in Operation::ALL {
        let each = runs.iter().filter_map(|management| management.calls.get(&operation));
        let calls = each.fold(Calls::default(), |all, one| all.merge(*one));
        let figures = [calls.all, calls.succeeded, calls.failed, calls.dropped];
        let mut row = vec![operation.to_string()];
        row.extend(figures.iter().map(u64::to_string));
        row.push(millis(calls.max));
        table.add_row(row);
    }
    table
}

fn title(plan: &Plan) -> String {
    format!("{}, {}", plan.family, if plan.has_irq_line { "line" } else { "poll" })
}

/// A row of the table: its name and its value.
type Row = (&'static str, fn(&RunStats) -> String);

#[rustfmt::skip]
const ROWS: &[Row] = &[
    ("RX: sent by the peer", |b| b.rx_sent.to_string()),
    ("RX: delivered intact", |b| b.rx_delivered.to_string()),
    ("RX: delivered twice (duplicated by the firmware)", |b| b.rx_duplicates.to_string()),
    ("RX: delivered corrupt: bit errors, random bytes, events", |b| b.rx_corrupt.to_string()),
    ("RX: not joined, or lost in the air", |b| (b.model.not_joined + b.model.lost_in_air).to_string()),
    ("RX: lost in the chip (overflow, reset, leave)", |b| b.rx_lost_in_chip().to_string()),
    ("RX: rx_overrun / rx_reset / rx_bad_length", |b| format!("{} / {} / {}", b.driver.rx_overrun, b.driver.rx_reset, b.driver.rx_bad_length)),
    ("RX: read from the chip, not accounted for", |b| b.rx_unaccounted().to_string()),
    ("TX: accepted by the driver / unknown (bus failure)", |b| format!("{} / {}", b.tx_accepted, b.tx_unknown)),
    ("TX: arrived intact", |b| b.tx_arrived.to_string()),
    ("TX: arrived twice / corrupt", |b| format!("{} / {}", b.tx_duplicates, b.tx_corrupt)),
    ("TX: accepted, not received by the chip", |b| (b.tx_accepted as i64 - b.model.tx_accepted as i64).to_string()),
    ("TX: lost in the air", |b| b.model.tx_lost_in_air.to_string()),
    ("TX: lost in the chip, which confirms no frame", |b| b.tx_lost_in_chip().to_string()),
    ("transactions on the bus", |b| b.transactions.to_string()),
    ("faults injected / detected by the driver / recoveries", |b| format!("{} / {} / {}", b.faults(), b.driver.faults, b.driver.recoveries)),
    ("failed recoveries / joins by the application", |b| format!("{} / {}", b.failed_recoveries, b.joins)),
    ("longest call: send and receive / service, ms", |b| format!("{} / {}", millis(b.max_durations.data), millis(b.max_durations.service))),
    ("longest call: join / start and recover, ms", |b| format!("{} / {}", millis(b.max_durations.join), millis(b.max_durations.control))),
    ("simulated time, s", |b| format!("{:.1}", b.elapsed.as_secs_f64())),
    ("violations", |b| b.violations.len().to_string()),
];

fn millis(time: Duration) -> String {
    format!("{:.2}", time.as_secs_f64() * 1000.0)
}

fn table(header: impl IntoIterator<Item = String>) -> Table {
    let mut table = cli::table();
    table.set_header(header.into_iter().collect::<Vec<_>>());
    table
}

fn stats_table(frames: &[(Plan, &RunStats)]) -> Table {
    let titles = frames.iter().map(|(plan, _)| title(plan).replace(", ", ",\n"));
    let mut table = table(std::iter::once(String::new()).chain(titles));
    for (name, figure) in ROWS {
        let mut row = vec![(*name).to_owned()];
        row.extend(frames.iter().map(|(_, stats)| figure(stats)));
        table.add_row(row);
    }
    table
}

fn recovery_row(name: String, times: RecoveryTimes) -> Vec<String> {
    let (mean, max) = (millis(times.mean()), millis(times.max));
    vec![name, times.count.to_string(), mean, max]
}

fn faults_table(frames: &[(Plan, &RunStats)]) -> Table {
    let heads = ["", "times", "mean, ms", "max, ms", "link lost"];
    let mut table = table(heads.map(String::from));
    for family in Family::ALL {
        for fault in FaultKind::of(family) {
            let recoveries = frames.iter().filter_map(|(_, stats)| stats.recoveries.get(&fault));
            let recoveries = recoveries.fold(RecoveryTimes::default(), |all, one| all.merge(*one));
            let mut row = recovery_row(format!("{family}: {fault}"), recoveries);
            row.push(recoveries.link_lost.to_string());
            table.add_row(row);
        }
    }
    table
}

fn cycles_table(power: &[&Cycles]) -> Table {
    let mut table = table(["", "times", "mean, ms", "max, ms"].map(String::from));
    let mut all: BTreeMap<_, RecoveryTimes> = BTreeMap::new();
    for (cycle, recoveries) in power.iter().flat_map(|cycles| &cycles.recoveries) {
        let sum = all.entry(*cycle).or_default();
        *sum = sum.merge(*recoveries);
    }
    for (cycle, recoveries) in all {
        table.add_row(recovery_row(cycle.to_string(), recoveries));
    }
    table
}

fn joins_table(joins: &[&Joins]) -> Table {
    let heads = ["", "times", "mean, ms", "max, ms", "results", "next join, max, ms"];
    let mut table = table(heads.map(String::from));
    for failure in Failure::ALL {
        let sum = |of: fn(&Joins) -> &BTreeMap<Failure, RecoveryTimes>| {
            let each = joins.iter().filter_map(|joins| of(joins).get(&failure));
            each.fold(RecoveryTimes::default(), |all, one| all.merge(*one))
        };
        let mut outcomes: BTreeMap<&str, u64> = BTreeMap::new();
        for (outcome, times) in joins.iter().filter_map(|joins| joins.outcomes.get(&failure)).flatten() {
            *outcomes.entry(outcome).or_default() += times;
        }
        let results: Vec<String> = outcomes
            .iter()
            .map(|(outcome, times)| format!("{outcome}: {times}"))
            .collect();
        let mut row = recovery_row(failure.to_string(), sum(|joins| &joins.durations));
        row.extend([results.join(", "), millis(sum(|joins| &joins.recoveries).max)]);
        table.add_row(row);
    }
    table
}

fn summary<'b>(stats: impl Iterator<Item = &'b RunStats>) -> String {
    let (mut rx, mut tx, mut unaccounted, mut missing, mut duplicates, mut data) = (0, 0, 0, 0, 0, Duration::ZERO);
    for stats in stats {
        rx += stats.rx_delivered;
        tx += stats.tx_arrived;
        unaccounted += stats.rx_unaccounted();
        missing += stats.tx_accepted as i64 - stats.model.tx_accepted as i64;
        duplicates += stats.rx_duplicates + stats.tx_duplicates;
        data = data.max(stats.max_durations.data);
    }
    format!(
        "{rx} frames received, {tx} sent, {duplicates} of them twice; read from the chip, not accounted for: {unaccounted}; \
         accepted, not received by the chip: {missing}; longest send or receive: {} ms",
        millis(data)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_default_stats_fit_terminal() {
        let plan = |family, has_irq_line| Plan {
            family,
            has_irq_line,
            frames: 125_000,
            seed: 1,
        };
        let plans: Vec<Plan> = Family::ALL
            .into_iter()
            .flat_map(|family| [true, false].map(|line| plan(family, line)))
            .collect();
        let mut stats = RunStats::default();
        (stats.rx_sent, stats.rx_delivered, stats.tx_accepted) = (62_500, 61_234, 62_000);
        (
            stats.driver.rx_overrun,
            stats.driver.rx_reset,
            stats.driver.rx_bad_length,
        ) = (10_000, 10_000, 10_000);
        let runs: Vec<(Plan, &RunStats)> = plans.into_iter().map(|plan| (plan, &stats)).collect();
        let width = cli::table().width().map(usize::from).expect("a width");
        let joins = Joins::default();
        let tables = runs.chunks(RUNS_PER_TABLE).map(stats_table).chain([
            faults_table(&runs),
            joins_table(&[&joins]),
            calls_table("blocking driver", &[]),
        ]);
        for table in tables.map(|table| table.to_string()) {
            assert!(table.lines().all(|line| line.chars().count() <= width), "{table}");
        }
    }
}
