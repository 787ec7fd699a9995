//! `stress_enc28j60 [--frames N] [--seed N]`: stress test of the ENC28J60 driver on the model of
//! its chip, in all four revisions.

#![deny(clippy::print_stdout, clippy::print_stderr)]

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::Instant;

use comfy_table::Table;
use enc28j60_model::Revision;
use ethdev_bench::StressArgs;
use ethdev_bench::enc28j60::stress::{Plan, RunStats, Scenario, run};
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
        "seed {seed}; to reproduce: --frames {frames} --seed {seed}"
    ))?;
    let began = Instant::now();
    let plans = plans(frames, seed);
    let progress = cli::progress(
        plans.iter().map(|plan| plan.frames).sum(),
        "{wide_bar} {pos}/{len} frames, {eta} remaining",
    );
    let queue = Mutex::new(plans.clone());
    let done = Mutex::new(BTreeMap::new());
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(plan) = take(&queue) {
                    let stats = catch_unwind(AssertUnwindSafe(|| run(plan, |frames| progress.inc(frames))));
                    if let Ok(mut done) = done.lock() {
                        done.insert((plan.scenario, plan.revision), stats.ok());
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
            let Some(stats) = of(revision) else {
                cli::print(format_args!("{revision:?}: PANICKED"))?;
                failed = true;
                continue;
            };
            for violation in &stats.violations {
                cli::print(format_args!("{revision:?}: VIOLATION: {violation}"))?;
                failed = true;
            }
            if !stats.errors.is_empty() {
                let errors: Vec<String> = stats.errors.iter().map(|(e, times)| format!("{e}: {times}")).collect();
                cli::print(format_args!("{revision:?}: errors returned: {}", errors.join(", ")))?;
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

/// A row of the table: its name and its value.
type Row = (&'static str, fn(&RunStats) -> String);

#[rustfmt::skip]
const ROWS: &[Row] = &[
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

fn table(stats: &[Option<&RunStats>; 4]) -> Table {
    let mut table = cli::table();
    let mut header = vec![String::new()];
    header.extend(Revision::ALL.map(|revision| format!("{revision:?}")));
    table.set_header(header);
    for (name, figure) in ROWS {
        let mut row = vec![(*name).to_owned()];
        row.extend(stats.map(|stats| stats.map_or_else(|| "-".to_owned(), figure)));
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
        let table = table(&[Some(&RunStats::default()), None, None, None]).to_string();
        assert!(table.lines().all(|line| line.chars().count() <= width), "{table}");
    }
}
