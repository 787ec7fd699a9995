//! The adapters: instructions per frame, and goodput of each stack in simulated time.

use std::collections::BTreeMap;
use std::process::Command;

use anyhow::{Context, Result, bail};
use ethdev_cli as cli;
use indicatif::ProgressBar;
use serde::Deserialize;

use super::callgrind::{self, per_frame};
use super::modelled::or_skipped;
use super::program::Programs;
use crate::figures::Figure;
use crate::{programs, size, tools};

const LENGTHS: [usize; 2] = [64, 1514];
/// The maximum ratio of the driver for embassy-net to a hand-written one.
const OUT_GOAL: f64 = 1.25;
/// The maximum difference of a driver for embassy-net as a device to the pull API, in instructions.
const IN_GOAL: f64 = 60.0;
/// The runs of each length: three of each way.
const RUNS: u64 = (LENGTHS.len() * 6 * callgrind::FRAMES.len()) as u64;

pub(super) fn figures(programs: &Programs) -> Result<Vec<Figure>> {
    let progress = cli::progress(RUNS, "{wide_bar} {pos}/{len} {msg}");
    let mut list = instructions(programs, &progress)?;
    progress.finish_and_clear();
    list.extend(testbed(programs)?);
    list.extend(or_skipped(size::adapters::figures()));
    Ok(list)
}

fn instructions(programs: &Programs, progress: &ProgressBar) -> Result<Vec<Figure>> {
    programs::require(&["bench"])?;
    let host = |direction: &str, device: &str, length: usize| -> Result<f64> {
        let length = length.to_string();
        let args = [direction, device, length.as_str()];
        Ok(per_frame(&programs.adapters, &args, progress)?.host)
    };
    let mut list = Vec::new();
    for length in LENGTHS {
        let (ours, baseline) = (host("out", "ethdev", length)?, host("out", "baseline", length)?);
        let ratio = ours / baseline;
        list.push(Figure {
            figure: format!("embassy out, {length} B"),
            unit: UNIT.to_owned(),
            ours,
            peers: BTreeMap::from([
                ("by hand".to_owned(), baseline),
                ("NIC's halves".to_owned(), host("out", "lending", length)?),
            ]),
            goal: format!("{OUT_GOAL} x, is {ratio:.3} x"),
            ok: Some(ratio <= OUT_GOAL),
        });
    }
    for length in LENGTHS {
        let (ours, pull) = (host("in", "ethdev", length)?, host("in", "pull", length)?);
        let more = ours - pull;
        list.push(Figure {
            figure: format!("embassy in, {length} B"),
            unit: UNIT.to_owned(),
            ours,
            peers: BTreeMap::from([
                ("pull".to_owned(), pull),
                ("tokens".to_owned(), host("in", "tokens", length)?),
            ]),
            goal: format!("pull + {IN_GOAL}, is {more:+.0}"),
            ok: Some(more <= IN_GOAL),
        });
    }
    Ok(list)
}

/// The drivers of the ENC28J60 that are compared under embassy-net, by their rows.
const OURS: &str = "ethdev-enc28j60";
const THIRD_PARTY: &str = "embassy-net-enc28j60";
const UNIT: &str = "instr./frame, in and out";

/// A row of the testbed.
#[derive(Debug, Deserialize)]
struct Row {
    nic: String,
    stack: String,
    goodput_mbps: Option<f64>,
    copies_per_frame: Option<f64>,
    overruns: u32,
    failure: Option<String>,
}

/// Goodput of the TCP echo over each stack, and copies per frame.
fn testbed(programs: &Programs) -> Result<Vec<Figure>> {
    // Starts: a program of this workspace
    let printed = tools::output(Command::new(&programs.adapters).arg("goodput"))?;
    let rows: Vec<Row> = serde_json::from_str(&printed).context("the program printed no valid list")?;
    if let Some((row, failure)) = rows.iter().find_map(|row| Some((row, row.failure.as_ref()?))) {
        bail!("{} on {}: {failure}", row.stack, row.nic);
    }
    let third_party = rows.iter().find(|row| row.nic == THIRD_PARTY);
    let mut list = Vec::new();
    for row in rows.iter().filter(|row| row.nic != THIRD_PARTY) {
        let beside = third_party.filter(|_| row.nic == OURS);
        let row_of = |name: &str, unit: &str, value: fn(&Row) -> f64| Figure {
            figure: format!("{name}, {}, {}", row.stack, row.nic),
            unit: unit.to_owned(),
            ours: value(row),
            peers: beside
                .map(|other| (other.nic.clone(), value(other)))
                .into_iter()
                .collect(),
            goal: String::new(),
            ok: None,
        };
        list.push(row_of("TCP echo", "Mbit/s", |row| row.goodput_mbps.unwrap_or(f64::NAN)));
        let most = match (row.nic.as_str(), row.stack.as_str()) {
            ("ring", "smoltcp" | "embassy") => Some((0.0, "0")),
            ("ring", "lwip") => Some((1.0, "1 (pull's)")),
            _ => None,
        };
        if let Some((most, goal)) = most {
            let copies = row_of("copies", "per frame", |row| row.copies_per_frame.unwrap_or(f64::NAN));
            list.push(Figure {
                goal: goal.to_owned(),
                ok: Some(copies.ours <= most),
                ..copies
            });
        }
        if beside.is_some() {
            list.push(row_of("overruns", "frames", |row| row.overruns.into()));
        }
    }
    Ok(list)
}
