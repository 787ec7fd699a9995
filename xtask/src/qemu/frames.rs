//! Instructions per frame, counted by QEMU's clock.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};

use super::account::Account;
use super::machine::Qemu;
use super::programs::{Board, ETHERNET_HEADER};
use super::wire::Wire;
use super::{MAC, PATIENCE, build};
use crate::cross::ToolChain;
use crate::figures::Figure;

/// The workspace's profile is for size. Who counts instructions compiles for speed.
const SPEED: [(&str, &str); 1] = [("CARGO_PROFILE_RELEASE_OPT_LEVEL", "3")];
/// With `-icount shift=N` an instruction takes 2^N ns of the board's time. So many that no timer of a board is too coarse to see one.
const SHIFT: u32 = 7;
const LENGTHS: [usize; 2] = [64, 1514];
/// How long one kind of frame may take.
const PHASE: Duration = Duration::from_secs(30);
/// Frames at once: fewer than fill a FIFO or a ring.
const BATCH: usize = 4;
/// How much more than by hand is allowed.
const GOAL: f64 = 1.05;
/// How far the clock may be off, of one.
const CLOCK_ERROR: f64 = 0.001;

/// What one image said.
struct Measured {
    /// Instructions per received frame of either length.
    rx: [f64; 2],
    /// Instructions per sent frame of either length.
    tx: [f64; 2],
    /// Instructions for looking after the device once.
    service: f64,
}

pub(super) fn figures(board: &Board, tools: &ToolChain) -> Result<Vec<Figure>> {
    let [ours, by_hand] = board.frames;
    let (ours, by_hand) = (measure(board, ours, tools)?, measure(board, by_hand, tools)?);
    let mut list = Vec::new();
    for (i, len) in LENGTHS.into_iter().enumerate() {
        list.push(figure(
            board,
            &format!("receive {len}-byte frames"),
            ours.rx[i],
            by_hand.rx[i],
        ));
        list.push(figure(
            board,
            &format!("send {len}-byte frames"),
            ours.tx[i],
            by_hand.tx[i],
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

fn figure(board: &Board, what: &str, ours: f64, by_hand: f64) -> Figure {
    let ratio = ours / by_hand;
    Figure {
        figure: format!("{}: {what}", board.about),
        unit: "instructions per frame".into(),
        ours,
        peers: BTreeMap::from([("by hand".into(), by_hand)]),
        goal: format!("at most {GOAL} x, is {ratio:.3} x"),
        ok: Some(ratio <= GOAL),
    }
}

/// Runs an image, and sends it what it receives.
fn measure(board: &Board, program: &str, tools: &ToolChain) -> Result<Measured> {
    let kernel = build(program, tools, &SPEED, "frames")?;
    let dir = tempfile::tempdir()?;
    // By hand, padding is left to the hardware, and a model of QEMU's does not do it.
    let (wire, mut arguments) = Wire::new(board, MAC, ETHERNET_HEADER)?;
    arguments.extend(["-icount".to_owned(), format!("shift={SHIFT}")]);
    let mut running = Qemu::start(board, &kernel, &arguments, dir.path())?;
    let clock = Clock::new(Account(running.wait_for(0, "clock", PATIENCE)?))?;
    let (mut rx, mut tx) = ([0.0; 2], [0.0; 2]);
    for (i, len) in LENGTHS.into_iter().enumerate() {
        running.wait_for(0, &format!("receiving {len}"), PATIENCE)?;
        wire.arp()?;
        rx[i] = clock.each(&receive(&mut running, &wire, len)?)?;
    }
    for (i, len) in LENGTHS.into_iter().enumerate() {
        let told = running.wait_for(0, &format!("tx length={len}"), PHASE)?;
        tx[i] = clock.each(&Account(told))?;
    }
    ensure!(wire.heard(LENGTHS[0])? > 0, "the frames that were sent did not arrive");
    let service = clock.each(&Account(running.wait_for(0, "service", PATIENCE)?))?;
    Ok(Measured { rx, tx, service })
}

/// Sends frames until the image has enough of them.
fn receive(running: &mut Qemu, wire: &Wire, len: usize) -> Result<Account> {
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
            return Ok(Account(line));
        }
    }
    bail!("the board has not received enough in {} s", PHASE.as_secs())
}

/// How many instructions a tick of the board's clock stands for.
struct Clock {
    per_tick: f64,
}

impl Clock {
    /// From what the image says about its clock: its rate, and how long it took for a known number of instructions.
    fn new(told: Account) -> Result<Self> {
        let hz = told.value("hz")? as f64;
        let clock = Self {
            per_tick: 1e9 / hz / f64::from(1 << SHIFT),
        };
        let (right, measured) = (
            told.value("instructions")? as f64,
            told.value("ticks")? as f64 * clock.per_tick,
        );
        ensure!(
            (measured / right - 1.0).abs() < CLOCK_ERROR,
            "{right} instructions are {measured} by the board's clock"
        );
        Ok(clock)
    }

    /// What it took once, of what was done several times.
    fn each(&self, told: &Account) -> Result<f64> {
        let (ticks, times) = (told.value("ticks")?, told.value("times")?);
        ensure!(times > 0, "done not once: {told:?}");
        Ok(ticks as f64 * self.per_tick / times as f64)
    }
}
