//! `stress_enc28j60 [--frames N] [--operations N] [--seed N]`: stress test of the ENC28J60 driver on
//! the model of its chip, in all four revisions: traffic with faults, then management calls with
//! faults inside them.

#![deny(clippy::print_stdout, clippy::print_stderr)]

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::Instant;

use clap::Parser;
use comfy_table::Table;
use enc28j60_model::Revision;
use ethdev_bench::StressArgs;
use ethdev_bench::enc28j60::stress::{
    OperationStats, OperationsPlan, OperationsScenario, Plan, RunStats, Scenario, run, run_operations,
};
use ethdev_cli::{self as cli, OutputError};

#[derive(Debug, Clone, Copy, Parser)]
struct Args {
    #[command(flatten)]
    common: StressArgs,
    /// Total number of management calls
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    operations: u64,
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
fn run_all(Args { common, operations }: Args) -> Result<bool, OutputError> {
    let StressArgs { frames, seed } = common;
    cli::print(format_args!(
        "seed {seed}; to reproduce: --frames {frames} --operations {operations} --seed {seed}"
    ))?;
    let began = Instant::now();
    let mut failed = false;
    let traffic = run_plans(
        plans(frames, seed),
        "frames",
        |plan| plan.frames,
        |plan, progress| run(plan, progress),
    );
    for (scenario, plans) in Scenario::ALL.iter().zip(traffic.chunks(Revision::ALL.len())) {
        cli::print(format_args!("\n{scenario}"))?;
        failed |= print_runs(plans, ROWS, |stats| &stats.violations)?;
        for (revision, stats) in Revision::ALL.iter().zip(plans) {
            let Some(errors) = stats
                .as_ref()
                .map(|stats| &stats.errors)
                .filter(|errors| !errors.is_empty())
            else {
                continue;
            };
            let errors: Vec<String> = errors.iter().map(|(e, times)| format!("{e}: {times}")).collect();
            cli::print(format_args!("{revision:?}: errors returned: {}", errors.join(", ")))?;
        }
    }
    let calls = run_plans(
        operation_plans(operations, seed),
        "calls",
        |plan| plan.operations,
        |plan, progress| run_operations(plan, progress),
    );
    for (scenario, plans) in OperationsScenario::ALL.iter().zip(calls.chunks(Revision::ALL.len())) {
        cli::print(format_args!("\n{scenario}"))?;
        failed |= print_runs(plans, OPERATION_ROWS, |stats| &stats.violations)?;
    }
    cli::print(format_args!(
        "\n{frames} frames, {operations} management calls, seed {seed}, {:.0?}",
        began.elapsed()
    ))?;
    Ok(failed)
}

/// Executes all plans on all processors. Returns the results in the order of the plans; `None` where
/// a run panicked.
fn run_plans<P: Copy + Send, S: Send>(
    plans: Vec<P>,
    unit: &str,
    size: impl Fn(&P) -> u64,
    run: impl Fn(P, &mut dyn FnMut(u64)) -> S + Sync,
) -> Vec<Option<S>> {
    let template = format!("{{wide_bar}} {{pos}}/{{len}} {unit}, {{eta}} remaining");
    let progress = cli::progress(plans.iter().map(size).sum(), &template);
    let queue: Mutex<Vec<(usize, P)>> = Mutex::new(plans.into_iter().enumerate().collect());
    let done = Mutex::new(BTreeMap::new());
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some((at, plan)) = take(&queue) {
                    let stats = catch_unwind(AssertUnwindSafe(|| run(plan, &mut |steps| progress.inc(steps))));
                    if let Ok(mut done) = done.lock() {
                        done.insert(at, stats.ok());
                    }
                }
            });
        }
    });
    progress.finish_and_clear();
    done.into_inner().unwrap_or_default().into_values().collect()
}

/// Prints the table of one scenario, one run for each revision. Returns whether anything failed.
fn print_runs<S>(
    runs: &[Option<S>],
    rows: &[Row<S>],
    violations: impl Fn(&S) -> &[String],
) -> Result<bool, OutputError> {
    cli::print(table(runs, rows))?;
    let mut failed = false;
    for (revision, stats) in Revision::ALL.iter().zip(runs) {
        let Some(stats) = stats else {
            cli::print(format_args!("{revision:?}: PANICKED"))?;
            failed = true;
            continue;
        };
        for violation in violations(stats) {
            cli::print(format_args!("{revision:?}: VIOLATION: {violation}"))?;
            failed = true;
        }
    }
    Ok(failed)
}

fn take<P>(queue: &Mutex<Vec<P>>) -> Option<P> {
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

fn operation_plans(operations: u64, seed: u64) -> Vec<OperationsPlan> {
    let runs = OperationsScenario::ALL.len() * Revision::ALL.len();
    let mut plans = Vec::new();
    for scenario in OperationsScenario::ALL {
        for revision in Revision::ALL {
            plans.push(OperationsPlan {
                revision,
                scenario,
                operations: operations.div_ceil(runs as u64),
                seed: seed.wrapping_mul(1000).wrapping_add(500 + plans.len() as u64),
            });
        }
    }
    plans
}

/// A row of the table: its name and its value.
type Row<S> = (&'static str, fn(&S) -> String);

#[rustfmt::skip]
const OPERATION_ROWS: &[Row<OperationStats>] = &[
    ("calls: Ok / error / future dropped", |s| format!("{} / {} / {}", s.ok, s.failed, s.dropped)),
    ("bus failures that struck / chip resets", |s| format!("{} / {}", s.bus_failures, s.resets)),
    ("Ok: registers compared", |s| s.verified.to_string()),
    ("Ok: chip reset after the last access", |s| s.after_last_access.to_string()),
    ("alive after one recover", |s| s.revived.to_string()),
    ("RX: delivered", |s| s.delivered.to_string()),
    ("RX: stored by the chip", |s| s.model.received.to_string()),
    ("RX: rx_reset / rx_bad_length / rx_error", |s| format!("{} / {} / {}", s.driver.rx_reset, s.driver.rx_bad_length, s.driver.rx_error)),
    ("RX: lost from the FIFO in resets (model)", |s| s.lost_in_reset.to_string()),
    ("RX: stored, not accounted for", |s| s.unaccounted.to_string()),
    ("TX: accepted / unknown", |s| format!("{} / {}", s.accepted, s.unknown)),
    ("TX: tx_frames / tx_aborted / tx_reset", |s| format!("{} / {} / {}", s.driver.tx_frames, s.driver.tx_aborted, s.driver.tx_reset)),
    ("faults / recoveries", |s| format!("{} / {}", s.driver.faults, s.driver.recoveries)),
    ("longest call, ms", |s| millis(s.max_call)),
    ("simulated time, s", |s| format!("{:.1}", s.elapsed.as_secs_f64())),
    ("violations", |s| s.violations.len().to_string()),
];

#[rustfmt::skip]
const ROWS: &[Row<RunStats>] = &[
    ("RX: sent by the peer", |b| b.rx_sent.to_string()),
    ("RX: delivered intact", |b| b.rx_delivered.to_string()),
    ("RX: delivered twice / corrupt", |b| format!("{} / {}", b.rx_duplicates, b.rx_corrupt)),
    ("RX: delivered corrupt during a reset", |b| b.rx_corrupt_in_reset.to_string()),
    ("RX: cut by a link loss", |b| b.rx_cut.to_string()),
    ("RX: arrived with the receiver off (link, reset)", |b| b.model.rx_disabled.to_string()),
    ("RX: lost by overruns (model)", |b| (b.model.overflowed + b.model.packet_count_full).to_string()),
    ("RX: rx_overrun", |b| b.driver.rx_overrun.to_string()),
    ("RX: rejected by the chip (filter, FCS, length)", |b| (b.model.filtered + b.model.bad_crc + b.model.runts + b.model.giants + b.model.control + b.model.lost_to_errata).to_string()),
    ("RX: lost from the FIFO in resets (model)", |b| b.rx_lost_in_reset.to_string()),
    ("RX: rx_reset / rx_bad_length / rx_error", |b| format!("{} / {} / {}", b.driver.rx_reset, b.driver.rx_bad_length, b.driver.rx_error)),
    ("RX: received, not accounted for", |b| b.rx_unaccounted().to_string()),
    ("TX: accepted", |b| b.tx_accepted.to_string()),
    ("TX: arrived intact", |b| b.tx_arrived.to_string()),
    ("TX: arrived twice / corrupt with valid FCS", |b| format!("{} / {}", b.tx_duplicates, b.tx_corrupt)),
    ("TX: counted as sent, not arrived / lost, arrived", |b| format!("{} / {}", b.tx_falsely_sent, b.tx_falsely_lost)),
    ("TX: as above, link down or reset meanwhile", |b| format!("{} / {}", b.tx_sent_link_down, b.tx_lost_arrived)),
    ("TX: arrived with wrong FCS", |b| b.tx_bad_fcs.to_string()),
    ("TX: sent by the chip without a link", |b| b.model.tx_without_link.to_string()),
    ("TX: cut by a link loss", |b| b.tx_cut.to_string()),
    ("TX: tx_aborted / tx_reset", |b| format!("{} / {}", b.driver.tx_aborted, b.driver.tx_reset)),
    ("TX: aborts and stalls (errata 12, 13)", |b| format!("{} / {}", b.model.tx_aborted, b.model.tx_stalled)),
    ("SPI transactions", |b| b.transactions.to_string()),
    ("link flaps / brownouts / chip resets", |b| format!("{} / {} / {}", b.flaps, b.brownouts, b.resets)),
    ("faults detected / recoveries", |b| format!("{} / {}", b.driver.faults, b.driver.recoveries)),
    ("longest recovery, ms", |b| millis(b.max_recovery)),
    ("longest time without a delivery, ms", |b| millis(b.max_silence)),
    ("longest call, ms", |b| millis(b.max_call)),
    ("simulated time, s", |b| format!("{:.1}", b.elapsed.as_secs_f64())),
    ("violations", |b| b.violations.len().to_string()),
];

fn millis(time: std::time::Duration) -> String {
    format!("{:.2}", time.as_secs_f64() * 1000.0)
}

fn table<S>(runs: &[Option<S>], rows: &[Row<S>]) -> Table {
    let mut table = cli::table();
    let mut header = vec![String::new()];
    header.extend(Revision::ALL.map(|revision| format!("{revision:?}")));
    table.set_header(header);
    for (name, figure) in rows {
        let mut row = vec![(*name).to_owned()];
        row.extend(
            runs.iter()
                .map(|run| run.as_ref().map_or_else(|| "-".to_owned(), figure)),
        );
        table.add_row(row);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_default_stats_fits_terminal() {
        let width = cli::table().width().map(usize::from).expect("a width");
        for table in [
            table(&[Some(RunStats::default()), None, None, None], ROWS),
            table(&[Some(OperationStats::default()), None, None, None], OPERATION_ROWS),
        ] {
            let table = table.to_string();
            assert!(table.lines().all(|line| line.chars().count() <= width), "{table}");
        }
    }
}
