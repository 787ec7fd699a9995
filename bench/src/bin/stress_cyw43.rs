//! `stress_cyw43 [--frames N] [--seed N]`: the CYW43439's driver under stress, on the model of its chip: frames, power cycles, joins.

#![deny(clippy::print_stdout, clippy::print_stderr)]

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use comfy_table::Table;
use ethdev_bench::StressArgs;
use ethdev_bench::cyw43::stress::{
    Books, Cycles, Failure, Family, Healing, Joins, Knob, Plan, run_frames, run_joins, run_power,
};
use ethdev_cli::{self as cli, OutputError};
use indicatif::ProgressBar;

/// Power cycles, and joins, in all.
const CYCLES: u64 = 1_000;
const JOINS: u64 = 1_000;
/// Runs with frames that are shown side by side: the two of one family.
const RUNS_PER_TABLE: usize = 2;
/// On so many chips each.
const CHIPS: u64 = 8;

/// A part of the run.
#[derive(Debug, Clone, Copy)]
enum Part {
    Frames(Plan),
    Power { cycles: u64, seed: u64 },
    Joins { joins: u64, seed: u64 },
}

/// What became of it.
enum Outcome {
    Frames(Plan, Box<Books>),
    Power(Box<Cycles>),
    Joins(Box<Joins>),
    Panicked(Part),
}

fn main() -> ExitCode {
    let args = match cli::parse::<StressArgs>() {
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
fn run_all(StressArgs { frames, seed }: StressArgs) -> Result<bool, OutputError> {
    cli::print(format_args!(
        "seed {seed}: this run again with --frames {frames} --seed {seed}"
    ))?;
    let began = Instant::now();
    let parts = parts(frames, seed);
    let progress = cli::progress(
        parts.iter().map(Part::steps).sum(),
        "{wide_bar} {pos}/{len} frames, power cycles and joins, {eta} to go",
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
        "\n{frames} frames, {CYCLES} power cycles, {JOINS} joins with failures, seed {seed}, {:.0?}",
        began.elapsed()
    ))?;
    Ok(failed)
}

fn take(queue: &Mutex<Vec<Part>>) -> Option<(usize, Part)> {
    let mut queue = queue.lock().ok()?;
    let part = queue.pop()?;
    Some((queue.len(), part))
}

fn parts(frames: u64, seed: u64) -> Vec<Part> {
    let mut parts = Vec::new();
    let seed_of = |n: usize| seed.wrapping_mul(1000).wrapping_add(n as u64);
    for family in Family::ALL {
        for sees_line in [true, false] {
            parts.push(Part::Frames(Plan {
                family,
                sees_line,
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
    parts
}

impl Part {
    fn steps(&self) -> u64 {
        match self {
            Self::Frames(plan) => plan.frames,
            Self::Power { cycles, .. } => *cycles,
            Self::Joins { joins, .. } => *joins,
        }
    }

    fn run(self, progress: &ProgressBar) -> Outcome {
        match self {
            Self::Frames(plan) => Outcome::Frames(plan, Box::new(run_frames(plan, |frames| progress.inc(frames)))),
            Self::Power { cycles, seed } => Outcome::Power(Box::new(run_power(cycles, seed, || progress.inc(1)))),
            Self::Joins { joins, seed } => Outcome::Joins(Box::new(run_joins(joins, seed, || progress.inc(1)))),
        }
    }
}

/// Prints everything; whether anything must not be.
fn report(done: &[Outcome]) -> Result<bool, OutputError> {
    let frames: Vec<(Plan, &Books)> = done
        .iter()
        .filter_map(|outcome| match outcome {
            Outcome::Frames(plan, books) => Some((*plan, &**books)),
            _ => None,
        })
        .collect();
    cli::print(format_args!(
        "\nframes both ways; the host sees the interrupt line and the radio never sleeps (line), or it polls and the radio does (poll)"
    ))?;
    // Side by side they would be wider than a terminal.
    for some in frames.chunks(RUNS_PER_TABLE) {
        cli::print(books_table(some))?;
    }
    cli::print(format_args!(
        "\nfaults in that, from the end of each until frames that were sent after it crossed both ways"
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
        "\npower cycles on {CHIPS} chips, from the beginning of each until frames crossed both ways"
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
        "\njoins of open, WPA2, WPA3 and mixed networks that meet a failure, or have none; and the sound one after it, with a restart where one is needed"
    ))?;
    cli::print(joins_table(&joins))?;
    let rest = power.iter().map(|cycles| ("power cycles", &cycles.books));
    let rest: Vec<(&str, &Books)> = rest.chain(joins.iter().map(|joins| ("joins", &joins.books))).collect();
    for what in ["power cycles", "joins"] {
        let of = rest.iter().filter(|(kind, _)| *kind == what).map(|(_, books)| *books);
        cli::print(format_args!("{what}: {}", summary(of)))?;
    }
    let mut failed = false;
    let named = frames.iter().map(|(plan, books)| (title(plan), *books));
    for (title, books) in named.chain(rest.into_iter().map(|(what, books)| (what.to_owned(), books))) {
        for violation in &books.violations {
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

fn title(plan: &Plan) -> String {
    format!("{}, {}", plan.family, if plan.sees_line { "line" } else { "poll" })
}

/// What is shown of each run: the name of the figure, and where it is.
type Row = (&'static str, fn(&Books) -> String);

#[rustfmt::skip]
const ROWS: &[Row] = &[
    ("RX: sent to the chip", |b| b.rx_sent.to_string()),
    ("RX: delivered, once and intact", |b| b.rx_delivered.to_string()),
    ("RX: delivered twice, where the firmware made a copy", |b| b.rx_twice.to_string()),
    ("RX: delivered altered: flipped bits, noise, frames of the air", |b| b.rx_altered.to_string()),
    ("RX: came without a network, or were lost in the air", |b| (b.truth.not_joined + b.truth.lost_in_air).to_string()),
    ("RX: lost in the chip: its queue, its death, the network's", |b| b.rx_lost_in_chip().to_string()),
    ("RX: rx_overrun / rx_reset / rx_bad_length", |b| format!("{} / {} / {}", b.stats.rx_overrun, b.stats.rx_reset, b.stats.rx_bad_length)),
    ("RX: read from the chip, less what was delivered or counted", |b| b.rx_unaccounted().to_string()),
    ("TX: taken by the driver / doubtful: the bus failed", |b| format!("{} / {}", b.tx_taken, b.tx_doubtful)),
    ("TX: arrived, once and intact", |b| b.tx_arrived.to_string()),
    ("TX: arrived twice / altered", |b| format!("{} / {}", b.tx_twice, b.tx_altered)),
    ("TX: taken, and never came to the chip", |b| (b.tx_taken as i64 - b.truth.tx_accepted as i64).to_string()),
    ("TX: lost in the air", |b| b.truth.tx_lost_in_air.to_string()),
    ("TX: lost in the chip, which confirms nothing", |b| b.tx_lost_in_chip().to_string()),
    ("transactions on the bus", |b| b.transactions.to_string()),
    ("faults injected / noticed by the driver / recoveries", |b| format!("{} / {} / {}", b.faults(), b.stats.faults, b.stats.recoveries)),
    ("recoveries that failed first / joins by the application", |b| format!("{} / {}", b.failed_recoveries, b.joins)),
    ("longest call: send and receive / service, ms", |b| format!("{} / {}", millis(b.longest.data), millis(b.longest.service))),
    ("longest call: join / start and recover, ms", |b| format!("{} / {}", millis(b.longest.join), millis(b.longest.control))),
    ("simulated time, s", |b| format!("{:.1}", b.elapsed.as_secs_f64())),
    ("violations, of what is not let pass (--help)", |b| b.violations.len().to_string()),
];

fn millis(time: Duration) -> String {
    format!("{:.2}", time.as_secs_f64() * 1000.0)
}

fn table(header: impl IntoIterator<Item = String>) -> Table {
    let mut table = cli::table();
    table.set_header(header.into_iter().collect::<Vec<_>>());
    table
}

fn books_table(frames: &[(Plan, &Books)]) -> Table {
    let titles = frames.iter().map(|(plan, _)| title(plan).replace(", ", ",\n"));
    let mut table = table(std::iter::once(String::new()).chain(titles));
    for (name, figure) in ROWS {
        let mut row = vec![(*name).to_owned()];
        row.extend(frames.iter().map(|(_, books)| figure(books)));
        table.add_row(row);
    }
    table
}

fn healing_row(name: String, healing: Healing) -> Vec<String> {
    let (mean, worst) = (millis(healing.mean()), millis(healing.worst));
    vec![name, healing.times.to_string(), mean, worst]
}

fn faults_table(frames: &[(Plan, &Books)]) -> Table {
    let heads = ["", "times", "mean, ms", "worst, ms", "link lost"];
    let mut table = table(heads.map(String::from));
    for family in Family::ALL {
        for knob in Knob::of(family) {
            let healing = frames.iter().filter_map(|(_, books)| books.healing.get(&knob));
            let healing = healing.fold(Healing::default(), |all, one| all.plus(*one));
            let mut row = healing_row(format!("{family}: {knob}"), healing);
            row.push(healing.link_lost.to_string());
            table.add_row(row);
        }
    }
    table
}

fn cycles_table(power: &[&Cycles]) -> Table {
    let mut table = table(["", "times", "mean, ms", "worst, ms"].map(String::from));
    let mut all: BTreeMap<_, Healing> = BTreeMap::new();
    for (cycle, healing) in power.iter().flat_map(|cycles| &cycles.healing) {
        let sum = all.entry(*cycle).or_default();
        *sum = sum.plus(*healing);
    }
    for (cycle, healing) in all {
        table.add_row(healing_row(cycle.to_string(), healing));
    }
    table
}

fn joins_table(joins: &[&Joins]) -> Table {
    let heads = [
        "",
        "times",
        "mean, ms",
        "worst, ms",
        "ended",
        "sound join after it, worst, ms",
    ];
    let mut table = table(heads.map(String::from));
    for failure in Failure::ALL {
        let sum = |of: fn(&Joins) -> &BTreeMap<Failure, Healing>| {
            let each = joins.iter().filter_map(|joins| of(joins).get(&failure));
            each.fold(Healing::default(), |all, one| all.plus(*one))
        };
        let mut outcomes: BTreeMap<&str, u64> = BTreeMap::new();
        for (outcome, times) in joins.iter().filter_map(|joins| joins.outcomes.get(&failure)).flatten() {
            *outcomes.entry(outcome).or_default() += times;
        }
        let ended: Vec<String> = outcomes
            .iter()
            .map(|(outcome, times)| format!("{outcome}: {times}"))
            .collect();
        let mut row = healing_row(failure.to_string(), sum(|joins| &joins.took));
        row.extend([ended.join(", "), millis(sum(|joins| &joins.joined_after).worst)]);
        table.add_row(row);
    }
    table
}

fn summary<'b>(books: impl Iterator<Item = &'b Books>) -> String {
    let (mut rx, mut tx, mut unaccounted, mut missing, mut again, mut data) = (0, 0, 0, 0, 0, Duration::ZERO);
    for books in books {
        rx += books.rx_delivered;
        tx += books.tx_arrived;
        unaccounted += books.rx_unaccounted();
        missing += books.tx_taken as i64 - books.truth.tx_accepted as i64;
        again += books.rx_twice + books.tx_twice;
        data = data.max(books.longest.data);
    }
    format!(
        "{rx} frames received and {tx} sent meanwhile, {again} of them twice; read from the chip, less what was delivered or counted: {unaccounted}; \
         taken, and never came to the chip: {missing}; longest send or receive: {} ms",
        millis(data)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_fit_the_terminal() {
        let plan = |family, sees_line| Plan {
            family,
            sees_line,
            frames: 125_000,
            seed: 1,
        };
        let plans: Vec<Plan> = Family::ALL
            .into_iter()
            .flat_map(|family| [true, false].map(|line| plan(family, line)))
            .collect();
        let mut books = Books::default();
        (books.rx_sent, books.rx_delivered, books.tx_taken) = (62_500, 61_234, 62_000);
        (books.stats.rx_overrun, books.stats.rx_reset, books.stats.rx_bad_length) = (10_000, 10_000, 10_000);
        let runs: Vec<(Plan, &Books)> = plans.into_iter().map(|plan| (plan, &books)).collect();
        let width = cli::table().width().map(usize::from).expect("a width");
        let joins = Joins::default();
        let tables = runs
            .chunks(RUNS_PER_TABLE)
            .map(books_table)
            .chain([faults_table(&runs), joins_table(&[&joins])]);
        for table in tables.map(|table| table.to_string()) {
            assert!(table.lines().all(|line| line.chars().count() <= width), "{table}");
        }
    }
}
