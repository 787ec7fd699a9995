//! The chip's state, and how everything outside gets at it.

use core::cell::RefCell;
use core::time::Duration;
use std::collections::VecDeque;
use std::rc::{Rc, Weak};

use super::air::Air;
use super::backplane::Backplane;
use super::bus_registers::BusRegisters;
use super::fifo::Fifo;
use super::firmware::Firmware;
use super::gspi::Gspi;
use super::pins::Bits;
use super::power::Power;
use super::word_bus::BusFault;
use super::{BusCounters, ChipConfig, DataLine, Fault, ModelStats, Transaction, Violation, ViolationKind};
use ethdev_sim::model::Line;
use ethdev_sim::model::keep;
use ethdev_sim::random::Rng;
use ethdev_sim::{Clock, Port};

/// The chip and its interrupt line.
pub(super) struct Shared {
    pub(super) clock: Clock,
    pub(super) core: RefCell<Model>,
    pub(super) line: Line,
}

/// The random streams, one for each kind of accident, so that one switch does not reshuffle the others.
pub(super) struct FaultRngs {
    pub(super) bus: Rng,
    pub(super) bits: Rng,
    pub(super) status: Rng,
    pub(super) edge: Rng,
    pub(super) spoil: Rng,
    pub(super) reply: Rng,
    pub(super) refuse: Rng,
    pub(super) air: Rng,
    pub(super) air_tx: Rng,
    pub(super) noise: Rng,
}

impl FaultRngs {
    fn new(seed: u64) -> Self {
        let mut next = Rng::streams(seed, 0xc43_0001);
        Self {
            bus: next(),
            bits: next(),
            status: next(),
            edge: next(),
            spoil: next(),
            reply: next(),
            refuse: next(),
            air: next(),
            air_tx: next(),
            noise: next(),
        }
    }

    pub(super) fn noise_bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.noise.below(0x100) as u8).collect()
    }

    pub(super) fn noise_word(&mut self) -> u32 {
        (self.noise.below(0x1_0000) << 16 | self.noise.below(0x1_0000)) as u32
    }
}

/// The chip.
pub(super) struct Model {
    pub(super) me: Weak<Shared>,
    pub(super) clock: Clock,
    pub(super) port: Port,
    pub(super) config: ChipConfig,
    pub(super) rng: FaultRngs,

    pub(super) power: Power,
    pub(super) gspi: Gspi,
    pub(super) bits: Bits,
    pub(super) registers: BusRegisters,
    pub(super) backplane: Backplane,
    /// Between the firmware and the bus.
    pub(super) fifo: Fifo,
    /// `None` until the ARM core has started on good images.
    pub(super) firmware: Option<Box<Firmware>>,
    pub(super) air: Air,

    pub(super) bus: BusCounters,
    pub(super) stats: ModelStats,
    pub(super) violations: Vec<Violation>,
    /// A fault of the bus was injected, and the host has not switched the chip off since.
    pub(super) tainted: bool,
    pub(super) faults: VecDeque<Fault>,
    pub(super) data_line: DataLine,
    pub(super) stuck_irq: Option<bool>,
    /// The line is high for a moment, for nothing.
    pub(super) spurious_irq: bool,
    pub(super) fail_in: Option<u64>,
    pub(super) trace: Option<Vec<Transaction>>,
}

impl Shared {
    pub(super) fn new(clock: &Clock, port: Port, config: ChipConfig) -> Rc<Self> {
        let shared = Rc::new_cyclic(|me: &Weak<Self>| {
            let hw = Model {
                me: me.clone(),
                clock: clock.clone(),
                port,
                rng: FaultRngs::new(config.seed),
                power: Power::default(),
                gspi: Gspi::default(),
                bits: Bits::default(),
                registers: BusRegisters::reset(),
                backplane: Backplane::new(config.arm_runs_at_power_up),
                fifo: Fifo::default(),
                firmware: None,
                air: Air::default(),
                config,
                bus: BusCounters::default(),
                stats: ModelStats::default(),
                violations: Vec::new(),
                tainted: false,
                faults: VecDeque::new(),
                data_line: DataLine::Connected,
                stuck_irq: None,
                spurious_irq: false,
                fail_in: None,
                trace: None,
            };
            Self {
                clock: clock.clone(),
                core: RefCell::new(hw),
                line: Line::active_high(),
            }
        });
        {
            let chip = shared.core.borrow();
            let me = chip.me.clone();
            chip.port.on_receive(Box::new(move |frame| {
                Self::event(&me, |chip| chip.frame_from_wire(frame));
            }));
        }
        shared
    }

    /// Does something to the chip; then the interrupt line follows, with nothing borrowed.
    pub(super) fn with<R>(&self, act: impl FnOnce(&mut Model) -> R) -> R {
        let (result, high, noticed) = {
            let mut chip = self.core.borrow_mut();
            let result = act(&mut chip);
            let high = chip.irq_is_high();
            let lost = chip.config.faults.lost_edge;
            let noticed = !high || self.line.is_active() || lost == 0.0 || !chip.rng.edge.chance(lost);
            (result, high, noticed)
        };
        self.line.set(high, noticed);
        result
    }

    /// Something happens to a chip that may be gone.
    pub(super) fn event(me: &Weak<Self>, happen: impl FnOnce(&mut Model)) {
        if let Some(chip) = me.upgrade() {
            chip.with(happen);
        }
    }
}

impl Model {
    /// Lets something happen to the chip at a later time, if it has not lost its power by then.
    pub(super) fn later(&self, delay: Duration, happen: impl FnOnce(&mut Self) + 'static) {
        let me = self.me.clone();
        let life = self.power.life;
        self.clock.schedule_in(delay, move || {
            Shared::event(&me, |chip| {
                if chip.power.life == life {
                    happen(chip);
                }
            });
        });
    }

    /// Notes a misuse, each kind once in a transaction.
    pub(super) fn violation(&mut self, kind: ViolationKind, detail: impl Into<String>) {
        if self.tainted || self.config.allowed.contains(&kind) {
            return;
        }
        if self.gspi.is_selected() {
            if self.gspi.reported.contains(&kind) {
                return;
            }
            self.gspi.reported.push(kind);
        }
        let (words, decoded) = self.gspi.describe();
        let violation = Violation {
            at: self.clock.now(),
            words,
            decoded,
            kind,
            detail: detail.into(),
        };
        keep(&mut self.violations, violation);
    }

    /// A fault of the bus was injected: the host cannot know what state the chip is in until it switches it off.
    pub(super) fn taint(&mut self) {
        self.tainted = true;
    }

    /// Takes the first of the faults that were asked for once and that this accepts.
    pub(super) fn take_fault<R>(&mut self, accepts: impl Fn(&Fault) -> Option<R>) -> Option<R> {
        let at = self.faults.iter().position(|fault| accepts(fault).is_some())?;
        let fault = self.faults.remove(at)?;
        accepts(&fault)
    }

    /// Whether the line is high between transactions, as the host sees it.
    fn irq_is_high(&self) -> bool {
        if let Some(level) = self.stuck_irq {
            return level;
        }
        if !self.power.is_ready() || self.data_line != DataLine::Connected {
            return false;
        }
        let active = self.spurious_irq || self.interrupts() & self.registers.interrupt_enable() != 0;
        active == self.registers.interrupts_are_active_high()
    }

    /// Fails this transaction, if it is its turn.
    pub(super) fn refuse_bus(&mut self) -> Result<(), BusFault> {
        let failing = self.config.faults.bus_failure;
        let random = failing > 0.0 && self.rng.bus.chance(failing);
        let asked = match &mut self.fail_in {
            Some(0) => {
                self.fail_in = None;
                true
            }
            Some(n) => {
                *n -= 1;
                false
            }
            None => false,
        };
        if random || asked {
            self.taint();
            return Err(BusFault::AtTransaction(self.bus.transactions));
        }
        Ok(())
    }
}
