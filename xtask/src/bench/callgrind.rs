//! Instructions per frame.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use indicatif::ProgressBar;

use super::program::Programs;
use crate::figures::Figure;
use crate::programs;

const DIRECTIONS: [(&str, &str); 2] = [("rx", "receive"), ("tx", "send")];
const LENGTHS: [usize; 2] = [64, 1514];
const DEVICES: [&str; 2] = ["ethdev", "baseline"];
/// The cost of the setup is in both and cancels out.
pub(super) const FRAMES: [u32; 2] = [1600, 8000];
/// The maximum ratio to the baseline.
const GOAL: f64 = 1.02;
/// The names of the functions that contain the work of the host begin with this.
const HOST: &str = "host_turn_";

pub(super) const RUNS: u64 = (DIRECTIONS.len() * LENGTHS.len() * DEVICES.len() * FRAMES.len()) as u64;

/// Instructions, per frame or in total.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cost {
    /// Of the program: wire, chip, host.
    whole: f64,
    /// Of the host.
    pub(super) host: f64,
}

pub(super) fn figures(programs: &Programs, progress: &ProgressBar) -> Result<Vec<Figure>> {
    programs::require(&["bench"])?;
    let (mut whole, mut host) = (Vec::new(), Vec::new());
    for (direction, verb) in DIRECTIONS {
        for length in LENGTHS {
            let length_arg = length.to_string();
            let cost = |device| per_frame(&programs.ring, &[device, direction, &length_arg], progress);
            let (ours, baseline) = (cost(DEVICES[0])?, cost(DEVICES[1])?);
            host.push(figure(
                format!("{verb} {length}-byte frames"),
                ours.host,
                baseline.host,
                true,
            ));
            // Wire and chip cost the same in both, so this ratio has no limit.
            whole.push(figure(
                format!("{verb} {length}-byte frames, with simulated wire and chip"),
                ours.whole,
                baseline.whole,
                false,
            ));
        }
    }
    host.extend(whole);
    Ok(host)
}

fn figure(figure: String, ours: f64, baseline: f64, has_goal: bool) -> Figure {
    let ratio = ours / baseline;
    Figure {
        figure,
        unit: "instructions per frame".into(),
        ours,
        peers: BTreeMap::from([("baseline".into(), baseline)]),
        goal: if has_goal {
            format!("at most {GOAL} x, is {ratio:.3} x")
        } else {
            format!("none, is {ratio:.3} x")
        },
        ok: has_goal.then_some(ratio <= GOAL),
    }
}

/// The cost of a frame in a program whose last argument is their number.
pub(super) fn per_frame(program: &Path, args: &[&str], progress: &ProgressBar) -> Result<Cost> {
    let cost = |frames: u32| {
        super::step(progress, format!("{}, {frames} frames under callgrind", args.join(" ")));
        let cost = run(program, args, frames);
        progress.inc(1);
        cost
    };
    let (few, many) = (cost(FRAMES[0])?, cost(FRAMES[1])?);
    let frames = f64::from(FRAMES[1] - FRAMES[0]);
    Ok(Cost {
        whole: (many.whole - few.whole) / frames,
        host: (many.host - few.host) / frames,
    })
}

fn run(program: &Path, args: &[&str], frames: u32) -> Result<Cost> {
    let text = profile(program, &[args, &[&frames.to_string()]].concat())?;
    let cost = cost(&text)?;
    ensure!(cost.host > 0.0, "no call of {HOST}* in the profile");
    Ok(cost)
}

/// The instructions of a program, without the kernel.
pub(super) fn instructions(program: &Path, args: &[&str]) -> Result<f64> {
    Ok(cost(&profile(program, args)?)?.whole)
}

/// Runs a program under callgrind. Returns the profile.
fn profile(program: &Path, args: &[&str]) -> Result<String> {
    let directory = tempfile::tempdir()?;
    let file = directory.path().join("callgrind.out");
    let out = Command::new("valgrind")
        .args(["--tool=callgrind", "--compress-strings=no", "--compress-pos=no"])
        .arg(format!("--callgrind-out-file={}", file.display()))
        .arg(program)
        .args(args)
        .output()
        .context("cannot start valgrind")?;
    ensure!(
        out.status.success(),
        "{} {} failed under valgrind: {}",
        program.display(),
        args.join(" "),
        String::from_utf8_lossy(&out.stderr)
    );
    Ok(std::fs::read_to_string(&file)?)
}

/// Parses the output of callgrind: <https://valgrind.org/docs/manual/cl-format.html>.
fn cost(text: &str) -> Result<Cost> {
    let (mut whole, mut host) = (None, 0);
    let mut lines = text.lines();
    let mut callee_is_host = false;
    while let Some(line) = lines.next() {
        if let Some(total) = line.strip_prefix("totals: ") {
            whole = Some(total.trim().parse::<u64>().context("invalid totals in the profile")?);
        } else if let Some(callee) = line.strip_prefix("cfn=") {
            callee_is_host = callee.contains(HOST);
        } else if line.starts_with("calls=") {
            // The next line has the position of the call and its inclusive cost.
            let inclusive = lines.next().and_then(|line| line.split_whitespace().next_back());
            if callee_is_host {
                host += inclusive
                    .and_then(|cost| cost.parse::<u64>().ok())
                    .context("call without cost in the profile")?;
            }
        }
    }
    Ok(Cost {
        whole: whole.context("no totals in the profile")? as f64,
        host: host as f64,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cost_totals_and_host_calls_parsed() {
        let text = "events: Ir\nfn=main\n12 5\ncfn=a::host_turn_rx\ncalls=3 40\n13 700\ncfn=other\ncalls=1 9\n14 50\ntotals: 1000\n";
        let cost = cost(text).unwrap();
        assert_eq!((cost.whole, cost.host), (1000.0, 700.0));
    }

    #[test]
    fn cost_no_totals_returns_error() {
        assert!(cost("events: Ir\nfn=main\n12 5\n").is_err());
    }
}
