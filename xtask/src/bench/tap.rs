//! Frames and system calls: our TAP device and smoltcp's own, in the same UDP echo.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Error, Result, anyhow, bail, ensure};
use ethdev_cli as cli;
use indicatif::ProgressBar;

use super::callgrind;
use super::client::Client;
use super::program::Programs;
use crate::figures::Figure;
use crate::{programs, tools};

/// The kernel's interface, and both ends' addresses: the network that the measured program is made for.
const NAME: &str = "ethdevbench";
const KERNEL: &str = "192.168.69.100";
const HOST: &str = "192.168.69.1:6969";

const DEVICES: [&str; 2] = ["ours", "smoltcp"];
const LENGTHS: [usize; 2] = [64, 1514];
/// Ethernet, IPv4, UDP.
const HEADERS: usize = 14 + 20 + 8;
/// Datagrams under way at once.
const WINDOW: usize = 32;
/// Turn about, so that whatever else the machine does hits both.
const ROUNDS: usize = 21;
const FRAMES: u32 = 10_000;
/// Nearly all of the time is the kernel's, which is the same for both: what they differ by is seldom more than from one run to the next.
const NOISE: f64 = 0.03;
/// What is done once is in both and cancels out. One datagram at a time: then the counts do not depend on timing.
const COUNTED: [u32; 2] = [500, 2500];

pub(super) const RUNS: u64 = (LENGTHS.len() * DEVICES.len() * (ROUNDS + 2 * COUNTED.len())) as u64;

pub(super) fn figures(programs: &Programs, progress: &ProgressBar) -> Result<Vec<Figure>> {
    let interface = Interface::create();
    let mut list = Vec::new();
    for length in LENGTHS {
        let figure = format!("TAP echo of {length}-byte frames");
        // The clock's time is as much the client's as the server's: it is only shown.
        let (processor, clock) = (
            "frames per second of processor time",
            "frames per second, client and all",
        );
        match &interface {
            Ok(_) => {
                let rates = rates(&programs.tap, length, progress)?;
                let goal = format!("at least as many (noise: {:.0} %)", NOISE * 100.0);
                let at_least = |ours, other| ours >= other * (1.0 - NOISE);
                list.push(compare(
                    figure.clone(),
                    processor,
                    [&rates[0], &rates[1]].map(median),
                    &goal,
                    at_least,
                ));
                let best = rates.map(|rates| rates.by_clock.into_iter().fold(0.0, f64::max).round());
                list.push(shown(figure, clock, best));
            }
            Err(why) => list.extend([processor, clock].map(|unit| skipped(figure.clone(), unit, why))),
        }
    }
    let counted: [(_, Count); 2] = [
        ("system calls per frame", calls),
        ("instructions per frame, without the kernel's", instructions),
    ];
    for (unit, count) in counted {
        for length in LENGTHS {
            let figure = format!("TAP echo of {length}-byte frames");
            let values = match &interface {
                Ok(_) => count(&programs.tap, length, progress),
                Err(why) => Err(anyhow!("{why:#}")),
            };
            list.push(match values {
                Ok(values) => compare(figure, unit, values, "at most as many", |ours, other| ours <= other),
                Err(why) => skipped(figure, unit, &why),
            });
        }
    }
    Ok(list)
}

fn compare(figure: String, unit: &str, [ours, other]: [f64; 2], goal: &str, ok: impl Fn(f64, f64) -> bool) -> Figure {
    Figure {
        figure,
        unit: unit.into(),
        ours,
        peers: BTreeMap::from([("smoltcp's TunTapInterface".into(), other)]),
        goal: goal.into(),
        ok: Some(ok(ours, other)),
    }
}

fn shown(figure: String, unit: &str, values: [f64; 2]) -> Figure {
    Figure {
        ok: None,
        ..compare(figure, unit, values, "none", |_, _| true)
    }
}

fn skipped(figure: String, unit: &str, why: &Error) -> Figure {
    Figure {
        figure,
        unit: unit.into(),
        ours: f64::NAN,
        peers: BTreeMap::new(),
        goal: format!("SKIPPED: {why:#}"),
        ok: None,
    }
}

/// What the rounds of one device brought.
#[derive(Debug, Default)]
struct Rates {
    by_clock: Vec<f64>,
    by_processor: Vec<f64>,
}

/// The middle of the rates by processor time.
fn median(rates: &Rates) -> f64 {
    let mut sorted = rates.by_processor.clone();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN).round()
}

fn rates(program: &Path, length: usize, progress: &ProgressBar) -> Result<[Rates; 2]> {
    let mut rates = <[Rates; 2]>::default();
    for round in 1..=ROUNDS {
        for (device, rates) in DEVICES.into_iter().zip(&mut rates) {
            super::step(progress, format!("{device} TAP, {length} bytes, round {round}"));
            let _client = Client::start(KERNEL, HOST, length - HEADERS, WINDOW)?;
            // Starts: a program of this workspace
            let mut echo = Command::new(program);
            let said = tools::output(echo.args([device, NAME, &FRAMES.to_string()]))?;
            let (by_clock, by_processor) = said.trim().split_once(' ').context("there are two rates")?;
            rates.by_clock.push(by_clock.parse().context("a rate is no number")?);
            rates
                .by_processor
                .push(by_processor.parse().context("a rate is no number")?);
            progress.inc(1);
        }
    }
    Ok(rates)
}

/// Something that can be counted in one run of the program.
type Count = fn(&Path, usize, &ProgressBar) -> Result<[f64; 2]>;

/// What `count` grows by with each frame, for both; one datagram at a time.
fn per_frame(
    length: usize,
    progress: &ProgressBar,
    what: &str,
    count: impl Fn(&str, u32) -> Result<f64>,
) -> Result<[f64; 2]> {
    let mut grows = [0.0; 2];
    for (device, grows) in DEVICES.into_iter().zip(&mut grows) {
        let count = |frames| {
            super::step(progress, format!("{device} TAP, {length} bytes, {what}"));
            let _client = Client::start(KERNEL, HOST, length - HEADERS, 1)?;
            let count = count(device, frames);
            progress.inc(1);
            count
        };
        let (few, many) = (count(COUNTED[0])?, count(COUNTED[1])?);
        // A single call more or less at the start is none per frame.
        *grows = ((many - few) / f64::from(COUNTED[1] - COUNTED[0]) * 100.0).round() / 100.0;
    }
    Ok(grows)
}

/// The system calls per frame of both.
fn calls(program: &Path, length: usize, progress: &ProgressBar) -> Result<[f64; 2]> {
    per_frame(length, progress, "under strace", |device, frames| {
        traced(program, device, frames)
    })
}

/// The instructions per frame of both.
fn instructions(program: &Path, length: usize, progress: &ProgressBar) -> Result<[f64; 2]> {
    per_frame(length, progress, "under callgrind", |device, frames| {
        callgrind::instructions(program, &[device, NAME, &frames.to_string()])
    })
}

fn traced(program: &Path, device: &str, frames: u32) -> Result<f64> {
    let directory = tempfile::tempdir()?;
    let file = directory.path().join("strace.out");
    let mut strace = Command::new("strace");
    strace.args(["-c", "-U", "calls,name", "-o"]).arg(&file).arg(program);
    tools::output(strace.args([device, NAME, &frames.to_string()]))?;
    total(&std::fs::read_to_string(&file)?)
}

/// The last line of strace's summary.
fn total(text: &str) -> Result<f64> {
    text.lines()
        .filter_map(|line| line.trim().strip_suffix(" total"))
        .find_map(|line| line.trim().parse().ok())
        .context("strace has no total")
}

/// A TAP interface of the kernel's, until it is dropped.
struct Interface;

impl Interface {
    fn create() -> Result<Self> {
        ensure!(programs::is_root(), "it needs root");
        ensure!(Path::new("/dev/net/tun").exists(), "there is no /dev/net/tun");
        programs::require(&["bench-tap"])?;
        ip(&["tuntap", "add", "dev", NAME, "mode", "tap"])?;
        // From here on it is to be deleted.
        let interface = Self;
        ip(&["address", "add", &format!("{KERNEL}/24"), "dev", NAME])?;
        ip(&["link", "set", "dev", NAME, "up"])?;
        Ok(interface)
    }
}

impl Drop for Interface {
    fn drop(&mut self) {
        if let Err(e) = ip(&["link", "delete", "dev", NAME]) {
            cli::note(format_args!("{NAME} is left over: {e:#}"));
        }
    }
}

fn ip(args: &[&str]) -> Result<()> {
    let out = Command::new("ip").args(args).stdin(Stdio::null()).output()?;
    if !out.status.success() {
        bail!("ip {}: {}", args.join(" "), String::from_utf8_lossy(&out.stderr).trim());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_of_a_summary_is_read() {
        let text = "    calls syscall\n--------- ----------------\n     1200 read\n      400 write\n--------- ----------------\n     1600 total\n";
        assert_eq!(total(text).unwrap(), 1600.0);
        assert!(total("").is_err());
    }
}
