//! What the parts of the chip share: registers, buffer memory, clocking, the wire, and the context
//! of the model.

use core::time::Duration;
use std::collections::VecDeque;

use ethdev_sim::model::{Context, ModelTypes};
use ethdev_sim::random::Rng;
use ethdev_sim::{Clock, Port};

use crate::config::ChipConfig;
use crate::faults::TxOutcome;
use crate::power::Power;
use crate::ram::{Fifo, Ram};
use crate::registers::{ECON1, ERXND, ERXST, ESTAT, Kind, MACON3, Registers, TABLE, econ1, estat};
use crate::stats::ModelStats;
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
    type Timer = Timer;
    /// None: the wire takes frames at once, and the INT line follows the registers.
    type Effect = core::convert::Infallible;
}

/// The random number generators, one for each kind of fault, so that enabling one fault does not
/// change the sequence of another.
#[derive(Debug)]
pub(crate) struct FaultRngs {
    pub(crate) memory: Rng,
    pub(crate) bus: Rng,
    pub(crate) edge: Rng,
    pub(crate) mac: Rng,
    pub(crate) rx_pointer: Rng,
    pub(crate) packet_flag: Rng,
    pub(crate) loopback: Rng,
    pub(crate) tx: Rng,
    pub(crate) rx: Rng,
    pub(crate) strap: Rng,
}

impl FaultRngs {
    fn new(seed: u64) -> Self {
        let mut next = Rng::streams(seed, 0xe28_0001);
        Self {
            memory: next(),
            bus: next(),
            edge: next(),
            mac: next(),
            rx_pointer: next(),
            packet_flag: next(),
            loopback: next(),
            tx: next(),
            rx: next(),
            strap: next(),
        }
    }
}

/// The latest instruction of the host, for reports of violations.
#[derive(Debug, Default)]
pub(crate) struct Instruction {
    bytes: [u8; 8],
    len: usize,
}

impl Instruction {
    /// Adds a byte that the host sent. Keeps the first eight.
    pub(crate) fn push(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(self.len) {
            *place = byte;
            self.len += 1;
        }
    }

    /// How many bytes were kept.
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// The bytes, and the instruction in words.
    fn describe(&self, bank: u8) -> (Vec<u8>, String) {
        let bytes = self.bytes[..self.len].to_vec();
        let decoded = match bytes.first() {
            None => String::from("no instruction"),
            Some(0x3a) => String::from("RBM"),
            Some(0x7a) => String::from("WBM"),
            Some(0xff) => String::from("SRC"),
            Some(opcode) => {
                let addr = usize::from(opcode & 0x1f);
                let name = ["RCR", "RBM?", "WCR", "WBM?", "BFS", "BFC", "none", "SRC?"][usize::from(opcode >> 5)];
                let value = bytes.get(1).map(|value| format!(" {value:#04x}")).unwrap_or_default();
                format!("{name} {}{value}", TABLE[usize::from(bank)][addr].name)
            }
        };
        (bytes, decoded)
    }
}

/// Faults that a test injects into single operations.
#[derive(Debug, Default)]
pub(crate) struct InjectedFaults {
    /// Outcomes of the next transmissions in half duplex.
    pub(crate) tx_outcomes: VecDeque<TxOutcome>,
    /// What EPKTCNT reads.
    pub(crate) packet_count: Option<u8>,
    /// The byte count in the header of the next packet.
    pub(crate) rx_len: Option<u16>,
}

/// The state that the parts of the chip share. Each part is handed it by its caller.
pub(crate) struct Chip {
    pub(crate) cx: Context<Types>,
    pub(crate) port: Port,
    pub(crate) rng: FaultRngs,
    pub(crate) registers: Registers,
    pub(crate) ram: Ram,
    pub(crate) power: Power,
    pub(crate) instruction: Instruction,
    pub(crate) injected: InjectedFaults,
    /// ECON1.TXRTS as the host read it last, unless it knows better or the chip was reset since.
    pub(crate) txrts_read: Option<bool>,
    /// Time of the latest reset, by any cause.
    pub(crate) reset_at: Duration,
}

impl Chip {
    /// A chip on its wire before its first power-on reset.
    pub(crate) fn new(clock: &Clock, port: Port, mut config: ChipConfig) -> Self {
        let mut rng = FaultRngs::new(config.seed);
        let allowed = core::mem::take(&mut config.allowed_violations);
        Self {
            cx: Context::new(clock, config, allowed),
            port,
            registers: Registers::reset(),
            ram: Ram::random(&mut rng.memory),
            rng,
            power: Power::default(),
            instruction: Instruction::default(),
            injected: InjectedFaults::default(),
            txrts_read: None,
            reset_at: Duration::ZERO,
        }
    }

    /// Records a protocol violation.
    pub(crate) fn violation(&mut self, kind: ViolationKind, detail: impl Into<String>) {
        if self.injected.packet_count.is_some() || !self.cx.violations.is_reported(&kind) {
            return;
        }
        let (instruction, decoded) = self.instruction.describe(self.registers.get(ECON1) & econ1::BSEL);
        let violation = Violation {
            at: self.cx.now(),
            instruction,
            decoded,
            kind,
            detail: detail.into(),
        };
        self.cx.violations.push(violation);
    }

    /// Suspends the reporting of violations: after an injected fault the host cannot know the state
    /// of the chip until it resets it.
    pub(crate) const fn taint(&mut self) {
        self.cx.violations.suspend();
    }

    pub(crate) fn fifo(&self) -> Fifo {
        Fifo {
            start: self.registers.word(ERXST),
            end: self.registers.word(ERXND),
        }
    }

    /// The duplex mode of the MAC.
    pub(crate) fn is_full_duplex(&self) -> bool {
        self.registers.has(MACON3, 0x01)
    }

    pub(crate) fn is_receive_enabled(&self) -> bool {
        self.registers.has(ECON1, econ1::RXEN)
    }

    pub(crate) fn is_transmitting(&self) -> bool {
        self.registers.has(ECON1, econ1::TXRTS)
    }

    /// ESTAT.CLKRDY.
    pub(crate) fn is_clock_ready(&self) -> bool {
        self.registers.has(ESTAT, estat::CLKRDY)
    }

    /// Whether the MAC responds.
    pub(crate) fn is_mac_ready(&self) -> bool {
        self.power.is_ready(self.cx.now(), self.power.mac_ready_at)
    }

    /// Whether a register of this kind, of the MAC or of the MII with the PHY behind it, responds.
    /// Records a violation where it does not.
    pub(crate) fn check_ready(&mut self, kind: Kind) -> bool {
        let ready_at = if kind == Kind::Mii {
            self.power.phy_ready_at
        } else {
            self.power.mac_ready_at
        };
        if self.power.is_ready(self.cx.now(), ready_at) {
            return true;
        }
        let detail = if self.power.asleep {
            String::from("the chip is in power-save")
        } else {
            format!("ready at {ready_at:?}")
        };
        self.violation(ViolationKind::NotReady, detail);
        false
    }

    /// Starts the oscillator; CLKRDY is set when it runs.
    pub(crate) fn start_oscillator(&mut self) {
        let (ready, start) = self.power.start_oscillator(self.cx.now());
        self.cx.timer_at(ready, Timer::OscillatorReady { start });
    }

    /// The oscillator runs, unless it was started again or stopped.
    pub(crate) fn oscillator_ready(&mut self, start: u64) {
        if self.power.is_current(start) {
            self.registers.raise(ESTAT, estat::CLKRDY);
        }
    }
}
