//! `stress_enc28j60 [--frames N] [--seed N]`: the ENC28J60's driver under stress, on the model of its chip, all four revisions.

#![deny(clippy::print_stdout, clippy::print_stderr)]

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::Instant;

use comfy_table::Table;
use enc28j60_model::Revision;
use ethdev_bench::StressArgs;
use ethdev_bench::enc28j60::stress::{Books, Plan, Scenario, run};
use ethdev_cli::{self as cli, OutputError};

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
    let plans = plans(frames, seed);
    let progress = cli::progress(
        plans.iter().map(|plan| plan.frames).sum(),
        "{wide_bar} {pos}/{len} frames, {eta} to go",
    );
    let queue = Mutex::new(plans.clone());
    let done = Mutex::new(BTreeMap::new());
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(plan) = take(&queue) {
                    let books = catch_unwind(AssertUnwindSafe(|| run(plan, |frames| progress.inc(frames))));
                    if let Ok(mut done) = done.lock() {
                        done.insert((plan.scenario, plan.revision), books.ok());
                    }
                }
            });
        }
    });
    progress.finish_and_clear();
    let done = done.into_inner().unwrap_or_default();
    let mut failed = false;
    for scenario in Scenario::ALL {
        let of = |revision| done.get(&(scenario, revision)).and_then(Option::as_ref);
        cli::print(format_args!("\n{scenario}"))?;
        cli::print(table(&Revision::ALL.map(of)))?;
        for revision in Revision::ALL {
            let Some(books) = of(revision) else {
                cli::print(format_args!("{revision:?}: PANICKED"))?;
                failed = true;
                continue;
            };
            for violation in &books.violations {
                cli::print(format_args!("{revision:?}: VIOLATION: {violation}"))?;
                failed = true;
            }
            if !books.errors.is_empty() {
                let errors: Vec<String> = books.errors.iter().map(|(e, times)| format!("{e}: {times}")).collect();
                cli::print(format_args!(
                    "{revision:?}: errors that calls returned: {}",
                    errors.join(", ")
                ))?;
            }
        }
    }
    cli::print(format_args!("\n{frames} frames, seed {seed}, {:.0?}", began.elapsed()))?;
    Ok(failed)
}

fn take(queue: &Mutex<Vec<Plan>>) -> Option<Plan> {
    queue.lock().ok()?.pop()
}

fn plans(frames: u64, seed: u64) -> Vec<Plan> {
    let runs = Scenario::ALL.len() * Revision::ALL.len();
    let mut plans = Vec::new();
    for scenario in Scenario::ALL {
        for revision in Revision::ALL {
            plans.push(Plan {
                revision,
                scenario,
                frames: frames.div_ceil(runs as u64),
                seed: seed.wrapping_mul(1000).wrapping_add(plans.len() as u64),
            });
        }
    }
    plans
}

/// What is shown of each run: the name of the figure, and where it is.
type Row = (&'static str, fn(&Books) -> String);

#[rustfmt::skip]
const ROWS: &[Row] = &[
    ("RX: sent to the chip", |b| b.rx_sent.to_string()),
    ("RX: delivered, once and intact", |b| b.rx_delivered.to_string()),
    ("RX: delivered twice / damaged", |b| format!("{} / {}", b.rx_twice, b.rx_damaged)),
    ("RX: delivered damaged by a brown-out or reset", |b| b.rx_damaged_in_reset.to_string()),
    ("RX: cut by the wire with the link", |b| b.rx_cut.to_string()),
    ("RX: came while the chip was deaf (no link, reset)", |b| b.truth.deaf.to_string()),
    ("RX: FIFO full: the chip's truth", |b| (b.truth.overflowed + b.truth.packet_count_full).to_string()),
    ("RX: times that rx_overrun told", |b| b.stats.rx_overrun.to_string()),
    ("RX: wrong for the chip (filter, FCS, length)", |b| (b.truth.filtered + b.truth.bad_crc + b.truth.runts + b.truth.giants + b.truth.control + b.truth.killed).to_string()),
    ("RX: gone from the FIFO in injected resets", |b| b.rx_vanished.to_string()),
    ("RX: rx_reset / rx_bad_length / rx_error", |b| format!("{} / {} / {}", b.stats.rx_reset, b.stats.rx_bad_length, b.stats.rx_error)),
    ("RX: received, neither delivered nor counted", |b| b.rx_unaccounted().to_string()),
    ("TX: accepted", |b| b.tx_accepted.to_string()),
    ("TX: arrived, once and intact", |b| b.tx_arrived.to_string()),
    ("TX: arrived twice / damaged with a right FCS", |b| format!("{} / {}", b.tx_twice, b.tx_damaged)),
    ("TX: said sent and not arrived, or said lost and arrived", |b| format!("{} / {}", b.tx_falsely_sent, b.tx_falsely_lost)),
    ("TX: the same where link or chip were gone meanwhile", |b| format!("{} / {}", b.tx_sent_unheard, b.tx_lost_arrived)),
    ("TX: refused by the station for the FCS", |b| b.tx_bad_fcs.to_string()),
    ("TX: sent by the chip without a link", |b| b.truth.tx_unheard.to_string()),
    ("TX: cut by the wire with the link", |b| b.tx_cut.to_string()),
    ("TX: tx_aborted / tx_reset", |b| format!("{} / {}", b.stats.tx_aborted, b.stats.tx_reset)),
    ("TX: aborts and stalls by errata 12, 13", |b| format!("{} / {}", b.truth.tx_aborted, b.truth.tx_stalled)),
    ("SPI transactions", |b| b.transactions.to_string()),
    ("link flaps / brown-outs / chip resets", |b| format!("{} / {} / {}", b.flaps, b.brown_outs, b.resets)),
    ("faults noticed / recoveries", |b| format!("{} / {}", b.stats.faults, b.stats.recoveries)),
    ("slowest recovery of traffic, ms", |b| millis(b.slowest_recovery)),
    ("longest silence with frames offered, ms", |b| millis(b.longest_silence)),
    ("longest call, ms", |b| millis(b.longest_call)),
    ("simulated time, s", |b| format!("{:.1}", b.elapsed.as_secs_f64())),
    ("violations, of what is not let pass (--help)", |b| b.violations.len().to_string()),
];

fn millis(time: std::time::Duration) -> String {
    format!("{:.2}", time.as_secs_f64() * 1000.0)
}

fn table(books: &[Option<&Books>; 4]) -> Table {
    let mut table = cli::table();
    let mut header = vec![String::new()];
    header.extend(Revision::ALL.map(|revision| format!("{revision:?}")));
    table.set_header(header);
    for (name, figure) in ROWS {
        let mut row = vec![(*name).to_owned()];
        row.extend(books.map(|books| books.map_or_else(|| "-".to_owned(), figure)));
        table.add_row(row);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_fits_the_terminal() {
        let width = cli::table().width().map(usize::from).expect("a width");
        let table = table(&[Some(&Books::default()), None, None, None]).to_string();
        assert!(table.lines().all(|line| line.chars().count() <= width), "{table}");
    }
}
