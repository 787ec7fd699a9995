//! Instructions per frame, counted by the clock of QEMU.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};

use super::account::CpuStats;
use super::machine::Qemu;
use super::programs::{Board, ETHERNET_HEADER};
use super::wire::Wire;
use super::{MAC, TIMEOUT, build};
use crate::cross::ToolChain;
use crate::figures::Figure;

/// The profile of the workspace optimises for size, the measurement for speed.
const SPEED: [(&str, &str); 1] = [("CARGO_PROFILE_RELEASE_OPT_LEVEL", "3")];
/// With `-icount shift=N` an instruction takes 2^N ns of virtual time: enough for the resolution of
/// every timer.
const SHIFT: u32 = 7;
const LENGTHS: [usize; 2] = [64, 1514];
/// Limit of the time for one kind of frame.
const PHASE: Duration = Duration::from_secs(30);
/// Frames per batch, fewer than fill a FIFO or a ring.
const BATCH: usize = 4;
/// The maximum ratio to the baseline.
const GOAL: f64 = 1.05;
/// The maximum relative error of the clock.
const CLOCK_ERROR: f64 = 0.001;

/// The measurements of one image.
struct Measured {
    /// Instructions per received frame of either length.
    rx: [f64; 2],
    /// Instructions per sent frame of either length.
    tx: [f64; 2],
    /// Instructions per call of `service`.
    service: f64,
}

pub(super) fn figures(board: &Board, tools: &ToolChain) -> Result<Vec<Figure>> {
    let [ours, baseline] = board.frames;
    let (ours, baseline) = (measure(board, ours, tools)?, measure(board, baseline, tools)?);
    let mut list = Vec::new();
    for (i, len) in LENGTHS.into_iter().enumerate() {
        list.push(figure(
            board,
            &format!("receive {len}-byte frames"),
            ours.rx[i],
            baseline.rx[i],
        ));
        list.push(figure(
            board,
            &format!("send {len}-byte frames"),
            ours.tx[i],
            baseline.tx[i],
        ));
    }
    list.push(Figure {
        figure: format!("{}: service, once for the frames of an interrupt", board.about),
        unit: "instructions".into(),
        ours: ours.service,
        peers: BTreeMap::new(),
        goal: "none".into(),
        ok: None,
    });
    Ok(list)
}

fn figure(board: &Board, what: &str, ours: f64, baseline: f64) -> Figure {
    let ratio = ours / baseline;
    Figure {
        figure: format!("{}: {what}", board.about),
        unit: "instructions per frame".into(),
        ours,
        peers: BTreeMap::from([("baseline".into(), baseline)]),
        goal: format!("at most {GOAL} x, is {ratio:.3} x"),
        ok: Some(ratio <= GOAL),
    }
}

/// Runs an image, and sends frames to it.
fn measure(board: &Board, program: &str, tools: &ToolChain) -> Result<Measured> {
    let kernel = build(program, tools, &SPEED, "frames")?;
    let dir = tempfile::tempdir()?;
    // The baseline leaves padding to the hardware, and a model of QEMU does not pad.
    let (wire, mut arguments) = Wire::new(board, MAC, ETHERNET_HEADER)?;
    arguments.extend(["-icount".to_owned(), format!("shift={SHIFT}")]);
    let mut running = Qemu::start(board, &kernel, &arguments, dir.path())?;
    let clock = Clock::new(CpuStats(running.wait_for(0, "clock", TIMEOUT)?))?;
    let (mut rx, mut tx) = ([0.0; 2], [0.0; 2]);
    for (i, len) in LENGTHS.into_iter().enumerate() {
        running.wait_for(0, &format!("receiving {len}"), TIMEOUT)?;
        wire.arp()?;
        rx[i] = clock.each(&receive(&mut running, &wire, len)?)?;
    }
    for (i, len) in LENGTHS.into_iter().enumerate() {
        let line = running.wait_for(0, &format!("tx length={len}"), PHASE)?;
        tx[i] = clock.each(&CpuStats(line))?;
    }
    ensure!(wire.count_received(LENGTHS[0])? > 0, "sent frames did not arrive");
    let service = clock.each(&CpuStats(running.wait_for(0, "service", TIMEOUT)?))?;
    Ok(Measured { rx, tx, service })
}

/// Sends frames until the image has received enough.
fn receive(running: &mut Qemu, wire: &Wire, len: usize) -> Result<CpuStats> {
    let (mark, start) = (running.mark(), format!("rx length={len}"));
    let deadline = Instant::now() + PHASE;
    while Instant::now() < deadline {
        for _ in 0..BATCH {
            wire.datagram(len)?;
        }
        thread::sleep(Duration::from_micros(200));
        if let Some(line) = running
            .said()
            .into_iter()
            .skip(mark.saturating_sub(1))
            .find(|line| line.starts_with(&start))
        {
            return Ok(CpuStats(line));
        }
    }
    bail!("the board has not received enough frames in {} s", PHASE.as_secs())
}

/// The instructions per tick of the clock of the board.
struct Clock {
    per_tick: f64,
}

impl Clock {
    /// Creates it from the report of the image: the rate of the clock, and the time of a known
    /// number of instructions.
    fn new(report: CpuStats) -> Result<Self> {
        let hz = report.value("hz")? as f64;
        let clock = Self {
            per_tick: 1e9 / hz / f64::from(1 << SHIFT),
        };
        let (right, measured) = (
            report.value("instructions")? as f64,
            report.value("ticks")? as f64 * clock.per_tick,
        );
        ensure!(
            (measured / right - 1.0).abs() < CLOCK_ERROR,
            "{right} instructions measured as {measured}"
        );
        Ok(clock)
    }

    /// The instructions per operation.
    fn each(&self, report: &CpuStats) -> Result<f64> {
        let (ticks, times) = (report.value("ticks")?, report.value("times")?);
        ensure!(times > 0, "no operations: {report:?}");
        Ok(ticks as f64 * self.per_tick / times as f64)
    }
}
