//! What the parts of the chip share: power, bus registers, the state of the firmware, the access
//! points, the wire, and the context of the model.

use core::time::Duration;
use std::collections::VecDeque;

use ethdev_sim::model::{Context, ModelTypes};
use ethdev_sim::random::Rng;
use ethdev_sim::{Clock, Port};

use crate::air::Air;
use crate::bus_registers::BusRegisters;
use crate::command::Command;
use crate::config::ChipConfig;
use crate::faults::Fault;
use crate::power::Power;
use crate::stats::{BusCounters, ModelStats};
use crate::timer::Timer;
use crate::violations::{Violation, ViolationKind};

/// The types of the model's context.
#[derive(Debug)]
pub(crate) struct Types;

impl ModelTypes for Types {
    type Config = ChipConfig;
    type Stats = ModelStats;
    type ViolationKind = ViolationKind;
    type Violation = Violation;
    type Timer = RunTimer;
    /// None: the wire takes frames at once, and the interrupt line follows the registers.
    type Effect = core::convert::Infallible;
}

/// A timer, and the run of the firmware in which it was started. A stop of the firmware and a loss
/// of power end the run.
#[derive(Debug)]
pub(crate) struct RunTimer {
    run: u64,
    timer: Timer,
}

/// The random number generators, one for each kind of fault, so that enabling one fault does not
/// change the sequence of another.
#[derive(Debug)]
pub(crate) struct FaultRngs {
    pub(crate) bus: Rng,
    pub(crate) bits: Rng,
    pub(crate) status: Rng,
    pub(crate) edge: Rng,
    pub(crate) corruption: Rng,
    pub(crate) reply: Rng,
    pub(crate) ioctl: Rng,
    pub(crate) air: Rng,
    pub(crate) air_tx: Rng,
    pub(crate) noise: Rng,
}

impl FaultRngs {
    fn new(seed: u64) -> Self {
        let mut next = Rng::streams(seed, 0xc43_0001);
        Self {
            bus: next(),
            bits: next(),
            status: next(),
            edge: next(),
            corruption: next(),
            reply: next(),
            ioctl: next(),
            air: next(),
            air_tx: next(),
            noise: next(),
        }
    }

    pub(crate) fn noise_bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.noise.below(0x100) as u8).collect()
    }

    pub(crate) fn noise_word(&mut self) -> u32 {
        (self.noise.below(0x1_0000) << 16 | self.noise.below(0x1_0000)) as u32
    }
}

/// The transaction on the bus, for reports of violations.
#[derive(Debug, Default)]
pub(crate) struct Transcript {
    /// Chip select is low.
    pub(crate) selected: bool,
    /// The first words that the host sent, as they are on the bus.
    sent: Vec<u32>,
    pub(crate) command: Option<Command>,
    /// The violations that were reported in this transaction.
    reported: Vec<ViolationKind>,
}

impl Transcript {
    /// Chip select falls.
    pub(crate) fn select(&mut self) {
        *self = Self {
            selected: true,
            ..Self::default()
        };
    }

    /// Chip select rises.
    pub(crate) fn deselect(&mut self) {
        self.selected = false;
        self.command = None;
        self.sent.clear();
    }

    /// Adds a word that the host sent. Keeps the first eight.
    pub(crate) fn push(&mut self, word: u32) {
        if self.sent.len() < 8 {
            self.sent.push(word);
        }
    }

    /// The words, and the transaction in words.
    fn describe(&self) -> (Vec<u32>, String) {
        let decoded = match self.command {
            Some(command) => command.to_string(),
            None if self.selected => String::from("no command yet"),
            None => String::from("no transaction"),
        };
        (self.sent.clone(), decoded)
    }

    /// Whether a violation is the first of its kind in this transaction.
    fn is_first(&mut self, kind: ViolationKind) -> bool {
        if self.selected {
            if self.reported.contains(&kind) {
                return false;
            }
            self.reported.push(kind);
        }
        true
    }
}

/// How far the firmware has come.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct FirmwareStatus {
    /// The ARM core has started it.
    pub(crate) started: bool,
    /// It takes frames.
    pub(crate) f2_ready: bool,
    /// It has stopped for good.
    pub(crate) halted: bool,
}

impl FirmwareStatus {
    /// Whether the firmware executes.
    pub(crate) const fn runs(self) -> bool {
        self.started && !self.halted
    }
}

/// The state that the parts of the chip share. Each part is handed it by its caller.
pub(crate) struct Chip {
    pub(crate) cx: Context<Types>,
    pub(crate) port: Port,
    pub(crate) rng: FaultRngs,
    pub(crate) air: Air,
    pub(crate) power: Power,
    pub(crate) registers: BusRegisters,
    pub(crate) firmware: FirmwareStatus,
    pub(crate) transcript: Transcript,
    pub(crate) bus: BusCounters,
    /// Injected faults that are pending.
    pub(crate) faults: VecDeque<Fault>,
    /// The interrupt line is high for a moment without a cause.
    pub(crate) spurious_irq: bool,
    /// Counts runs of the firmware and losses of power.
    run: u64,
}

impl Chip {
    /// A chip without power.
    pub(crate) fn new(clock: &Clock, port: Port, mut config: ChipConfig) -> Self {
        let rng = FaultRngs::new(config.seed);
        let allowed = core::mem::take(&mut config.allowed_violations);
        Self {
            cx: Context::new(clock, config, allowed),
            port,
            rng,
            air: Air::default(),
            power: Power::default(),
            registers: BusRegisters::reset(),
            firmware: FirmwareStatus::default(),
            transcript: Transcript::default(),
            bus: BusCounters::default(),
            faults: VecDeque::new(),
            spurious_irq: false,
            run: 0,
        }
    }

    /// Starts a timer, which has no effect after the run of the firmware has ended.
    pub(crate) fn timer_in(&mut self, delay: Duration, timer: Timer) {
        let run = self.run;
        self.cx.timer_in(delay, RunTimer { run, timer });
    }

    /// The timer that expires, unless the run of the firmware has ended in which it was started.
    pub(crate) fn current(&self, timer: RunTimer) -> Option<Timer> {
        (timer.run == self.run).then_some(timer.timer)
    }

    /// The firmware stops, or the power is lost: timers have no effect any more.
    pub(crate) fn end_run(&mut self) {
        self.firmware = FirmwareStatus::default();
        self.run += 1;
    }

    /// Records a protocol violation, each kind once in a transaction.
    pub(crate) fn violation(&mut self, kind: ViolationKind, detail: impl Into<String>) {
        if !self.cx.violations.is_reported(&kind) || !self.transcript.is_first(kind) {
            return;
        }
        let (words, decoded) = self.transcript.describe();
        let violation = Violation {
            at: self.cx.now(),
            words,
            decoded,
            kind,
            detail: detail.into(),
        };
        self.cx.violations.push(violation);
    }

    /// Suspends the reporting of violations: after an injected bus fault the host cannot know the
    /// state of the chip until it switches it off.
    pub(crate) const fn taint(&mut self) {
        self.cx.violations.suspend();
    }

    /// Takes the first of the injected faults that `accepts` accepts.
    pub(crate) fn take_fault<R>(&mut self, accepts: impl Fn(&Fault) -> Option<R>) -> Option<R> {
        let at = self.faults.iter().position(|fault| accepts(fault).is_some())?;
        let fault = self.faults.remove(at)?;
        accepts(&fault)
    }
}
