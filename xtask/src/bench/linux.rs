//! Frames and system calls of the TAP devices and packet sockets of ethdev and smoltcp, in the same
//! UDP echo.

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

/// The interface of the measured program.
const NAME: &str = "ethdevbench";
/// The addresses of both ends, which the measured program expects.
const KERNEL: &str = "192.168.69.100";
const HOST: &str = "192.168.69.1:6969";

const DEVICES: [&str; 2] = ["ethdev", "smoltcp"];
const LENGTHS: [usize; 2] = [64, 1514];
/// Length of the Ethernet, IPv4 and UDP headers.
const HEADERS: usize = 14 + 20 + 8;
/// Datagrams in flight.
const WINDOW: usize = 32;
/// The devices alternate, so that other load of the machine affects both.
const ROUNDS: usize = 21;
const FRAMES: u32 = 10_000;
/// Most of the time is spent in the kernel, equally for both: their difference is usually smaller
/// than that between two runs.
const NOISE: f64 = 0.03;
/// The cost of the setup is in both and cancels out. One datagram is in flight, so that the counts
/// do not depend on timing.
const COUNTED: [u32; 2] = [500, 2500];

pub(super) const RUNS: u64 = (KINDS.len() * LENGTHS.len() * DEVICES.len() * (ROUNDS + 2 * COUNTED.len())) as u64;

/// What is measured.
struct Kind {
    /// The argument of the program.
    word: &'static str,
    title: &'static str,
    /// The device of smoltcp.
    baseline: &'static str,
    /// The commands of ip(8) that create the interface.
    create: &'static [&'static str],
}

const KINDS: [Kind; 2] = [
    Kind {
        word: "tap",
        title: "TAP",
        baseline: "smoltcp's TunTapInterface",
        create: &[
            "tuntap add dev ethdevbench mode tap",
            "address add 192.168.69.100/24 dev ethdevbench",
            "link set dev ethdevbench up",
        ],
    },
    Kind {
        word: "packet",
        title: "packet socket",
        baseline: "smoltcp's RawSocket",
        create: &[
            "link add dev ethdevbench type veth peer name ethdevbenchfar",
            "address add 192.168.69.100/24 dev ethdevbenchfar",
            "link set dev ethdevbenchfar up",
            "link set dev ethdevbench up",
        ],
    },
];

pub(super) fn figures(programs: &Programs, progress: &ProgressBar) -> Result<Vec<Figure>> {
    let mut list = Vec::new();
    for kind in &KINDS {
        list.extend(kind_figures(kind, &programs.linux, progress)?);
    }
    Ok(list)
}

fn kind_figures(kind: &Kind, program: &Path, progress: &ProgressBar) -> Result<Vec<Figure>> {
    let title = kind.title;
    let interface = Interface::create(kind);
    let mut list = Vec::new();
    for length in LENGTHS {
        let figure = format!("{title} echo of {length}-byte frames");
        // The real time includes the client, so this rate has no limit.
        let (processor, clock) = (
            "frames per second of processor time",
            "frames per second of real time, with the client",
        );
        match &interface {
            Ok(_) => {
                let rates = rates(kind, program, length, progress)?;
                let goal = format!("at least the same (noise: {:.0} %)", NOISE * 100.0);
                let at_least = |ours, other| ours >= other * (1.0 - NOISE);
                list.push(compare(
                    kind,
                    figure.clone(),
                    processor,
                    [&rates[0], &rates[1]].map(median),
                    &goal,
                    at_least,
                ));
                let best = rates.map(|rates| rates.per_second.into_iter().fold(0.0, f64::max).round());
                list.push(shown(kind, figure, clock, best));
            }
            Err(why) => list.extend([processor, clock].map(|unit| skipped(figure.clone(), unit, why))),
        }
    }
    let counted: [(_, Count); 2] = [
        ("system calls per frame", calls),
        ("instructions per frame, without the kernel", instructions),
    ];
    for (unit, count) in counted {
        for length in LENGTHS {
            let figure = format!("{title} echo of {length}-byte frames");
            let values = match &interface {
                Ok(_) => count(kind, program, length, progress),
                Err(why) => Err(anyhow!("{why:#}")),
            };
            list.push(match values {
                Ok(values) => compare(kind, figure, unit, values, "at most the same", |ours, other| {
                    ours <= other
                }),
                Err(why) => skipped(figure, unit, &why),
            });
        }
    }
    Ok(list)
}

fn compare(
    kind: &Kind,
    figure: String,
    unit: &str,
    [ours, other]: [f64; 2],
    goal: &str,
    ok: impl Fn(f64, f64) -> bool,
) -> Figure {
    Figure {
        figure,
        unit: unit.into(),
        ours,
        peers: BTreeMap::from([(kind.baseline.into(), other)]),
        goal: goal.into(),
        ok: Some(ok(ours, other)),
    }
}

fn shown(kind: &Kind, figure: String, unit: &str, values: [f64; 2]) -> Figure {
    Figure {
        ok: None,
        ..compare(kind, figure, unit, values, "none", |_, _| true)
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

/// The rates of one device.
#[derive(Debug, Default)]
struct Rates {
    per_second: Vec<f64>,
    per_cpu_second: Vec<f64>,
}

/// The median of the rates per processor time.
fn median(rates: &Rates) -> f64 {
    let mut sorted = rates.per_cpu_second.clone();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN).round()
}

fn rates(kind: &Kind, program: &Path, length: usize, progress: &ProgressBar) -> Result<[Rates; 2]> {
    let mut rates = <[Rates; 2]>::default();
    for round in 1..=ROUNDS {
        for (device, rates) in DEVICES.into_iter().zip(&mut rates) {
            super::step(
                progress,
                format!("{device} {}, {length} bytes, round {round}", kind.title),
            );
            let _client = Client::start(KERNEL, HOST, length - HEADERS, WINDOW)?;
            // Starts: a program of this workspace
            let mut echo = Command::new(program);
            let said = tools::output(echo.args([kind.word, device, NAME, &FRAMES.to_string()]))?;
            let (per_second, per_cpu_second) = said
                .trim()
                .split_once(' ')
                .context("the program printed no two rates")?;
            rates.per_second.push(per_second.parse().context("invalid rate")?);
            rates
                .per_cpu_second
                .push(per_cpu_second.parse().context("invalid rate")?);
            progress.inc(1);
        }
    }
    Ok(rates)
}

/// Counts something in one run of the program.
type Count = fn(&Kind, &Path, usize, &ProgressBar) -> Result<[f64; 2]>;

/// The increase of `count` per frame, for both devices.
fn per_frame(
    kind: &Kind,
    length: usize,
    progress: &ProgressBar,
    what: &str,
    count: impl Fn(&str, u32) -> Result<f64>,
) -> Result<[f64; 2]> {
    let mut grows = [0.0; 2];
    for (device, grows) in DEVICES.into_iter().zip(&mut grows) {
        let count = |frames| {
            super::step(progress, format!("{device} {}, {length} bytes, {what}", kind.title));
            let _client = Client::start(KERNEL, HOST, length - HEADERS, 1)?;
            let count = count(device, frames);
            progress.inc(1);
            count
        };
        let (few, many) = (count(COUNTED[0])?, count(COUNTED[1])?);
        // A difference of one call in a run is not one per frame.
        *grows = ((many - few) / f64::from(COUNTED[1] - COUNTED[0]) * 100.0).round() / 100.0;
    }
    Ok(grows)
}

/// The system calls per frame of both devices.
fn calls(kind: &Kind, program: &Path, length: usize, progress: &ProgressBar) -> Result<[f64; 2]> {
    per_frame(kind, length, progress, "under strace", |device, frames| {
        traced(kind, program, device, frames)
    })
}

/// The instructions per frame of both devices.
fn instructions(kind: &Kind, program: &Path, length: usize, progress: &ProgressBar) -> Result<[f64; 2]> {
    per_frame(kind, length, progress, "under callgrind", |device, frames| {
        callgrind::instructions(program, &[kind.word, device, NAME, &frames.to_string()])
    })
}

fn traced(kind: &Kind, program: &Path, device: &str, frames: u32) -> Result<f64> {
    let directory = tempfile::tempdir()?;
    let file = directory.path().join("strace.out");
    let mut strace = Command::new("strace");
    strace.args(["-c", "-U", "calls,name", "-o"]).arg(&file).arg(program);
    tools::output(strace.args([kind.word, device, NAME, &frames.to_string()]))?;
    total(&std::fs::read_to_string(&file)?)
}

/// Parses the total of the summary of strace.
fn total(text: &str) -> Result<f64> {
    text.lines()
        .filter_map(|line| line.trim().strip_suffix(" total"))
        .find_map(|line| line.trim().parse().ok())
        .context("no total in the summary of strace")
}

/// The interface of the kernel. It is deleted on drop.
struct Interface;

impl Interface {
    fn create(kind: &Kind) -> Result<Self> {
        ensure!(programs::is_root(), "root privileges required");
        ensure!(
            kind.word != "tap" || Path::new("/dev/net/tun").exists(),
            "/dev/net/tun does not exist"
        );
        programs::require(&["bench-linux"])?;
        let mut commands = kind.create.iter();
        commands.next().map_or(Ok(()), |first| ip(first))?;
        // From here on the interface is deleted on drop.
        let interface = Self;
        commands.try_for_each(|command| ip(command))?;
        Ok(interface)
    }
}

impl Drop for Interface {
    fn drop(&mut self) {
        if let Err(e) = ip(&format!("link delete dev {NAME}")) {
            cli::note(format_args!("{NAME} was not deleted: {e:#}"));
        }
    }
}

fn ip(command: &str) -> Result<()> {
    let mut ip = Command::new("ip");
    let out = ip.args(command.split_whitespace()).stdin(Stdio::null()).output()?;
    if !out.status.success() {
        bail!("ip {command}: {}", String::from_utf8_lossy(&out.stderr).trim());
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
