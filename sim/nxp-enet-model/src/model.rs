//! The chip as a whole: the host's accesses, its parts, and how it acts on its surroundings.

use core::cell::RefCell;
use core::time::Duration;
use std::rc::Rc;

use ethdev::{Duplex, Speed};
use ethdev_sim::MediaSide;
use ethdev_sim::model::{ChipModel, Hook, ModelCell};

use crate::bus::{BusError, BusMemory, Memory};
use crate::config::ChipConfig;
use crate::context::{Context, Effect, MdioFrame, Timer, Types};
use crate::mdio::Mdio;
use crate::registers::{REGISTERS, Registers, at, ecr, eir, mib, rcr, tcr};
use crate::rx::Receiver;
use crate::tx::Transmitter;
use crate::violations::ViolationKind;

type MdioBus = Box<dyn Fn(&MdioFrame) -> Option<u16>>;

/// The medium, the MDIO bus and the handlers of the chip.
pub(crate) struct Board {
    pub(crate) media: Box<dyn MediaSide>,
    /// Called at each rising edge of the interrupt line.
    pub(crate) interrupt: Hook<()>,
    /// Called before each access of the host to a register.
    pub(crate) access: Hook<()>,
    pub(crate) mdio: RefCell<Option<MdioBus>>,
}

/// The chip.
pub(crate) struct Model {
    pub(crate) context: Context,
    registers: Registers,
    memory: Memory,
    pub(crate) rx: Receiver,
    pub(crate) tx: Transmitter,
    mdio: Mdio,
    /// End of the reset.
    reset_until: Duration,
    /// Resets never end.
    pub(crate) reset_hangs: bool,
    /// Level of the interrupt line.
    line: bool,
}

pub(crate) type Cell = ModelCell<Model>;

impl ChipModel for Model {
    type Types = Types;
    type Board = Board;

    fn context(&self) -> &Context {
        &self.context
    }

    fn context_mut(&mut self) -> &mut Context {
        &mut self.context
    }

    fn expire(&mut self, timer: Timer) {
        match timer {
            Timer::TxEnd { era } if self.tx.is_current(era) => {
                let ended = self.tx.frame_ends(&mut self.context, &mut self.registers, &self.memory);
                self.check(ended);
            }
            Timer::PauseOver { era } if self.tx.is_current(era) => self.send_next(),
            Timer::TxEnd { .. } | Timer::PauseOver { .. } => {}
            Timer::MdioEnd { number, frame } => Mdio::last_bit(&mut self.context, number, frame),
        }
    }

    fn settle(cell: &ModelCell<Self>) {
        while let Some(effect) = cell.next_effect() {
            match effect {
                Effect::Transmit { frame, collides, era } => {
                    let end = cell.media.transmit(frame);
                    if collides {
                        cell.media.break_off();
                    }
                    cell.update(|chip| Transmitter::transmitting_until(&mut chip.context, end, era));
                }
                Effect::BreakOff => cell.media.break_off(),
                Effect::MacMode(speed, duplex) => cell.media.set_mac_mode(speed, duplex),
                Effect::Mdio { number, frame } => {
                    let answer = cell.mdio.borrow().as_ref().map_or(Some(0xffff), |bus| bus(&frame));
                    cell.update(|chip| chip.mdio.end(&mut chip.registers, number, frame, answer));
                }
            }
        }
        if cell.update(Self::line_rose) {
            cell.interrupt.call(());
        }
    }
}

impl Model {
    /// A chip at power-on on this medium and this bus.
    pub(crate) fn attach(media: Box<dyn MediaSide>, memory: Box<dyn BusMemory>, config: ChipConfig) -> Rc<Cell> {
        let allowed = config.allowed_violations.clone();
        let mut model = Self {
            context: Context::new(&media.clock(), config, allowed),
            registers: Registers::default(),
            memory: Memory::new(memory),
            rx: Receiver::default(),
            tx: Transmitter::default(),
            mdio: Mdio::default(),
            reset_until: Duration::ZERO,
            reset_hangs: false,
            line: false,
        };
        model.power_on();
        let board = Board {
            media,
            interrupt: Hook::default(),
            access: Hook::default(),
            mdio: RefCell::new(None),
        };
        let cell = ModelCell::new(model, board);
        let chip = cell.weak();
        cell.media.on_receive(Box::new(move |frame| {
            chip.with(|chip| chip.receive(frame));
        }));
        cell
    }

    /// Takes the level of the interrupt line over; whether it rose.
    fn line_rose(&mut self) -> bool {
        let level = self.registers.interrupts();
        let was = core::mem::replace(&mut self.line, level);
        level && !was
    }

    /// Loads the state after power-on.
    pub(crate) fn power_on(&mut self) {
        self.disable();
        self.registers.reset();
        self.mdio.reset();
        self.tx.reset();
    }

    /// ECR\[ETHEREN\] is cleared: uDMA, FIFOs and the frame that is being sent are lost.
    fn disable(&mut self) {
        self.tx.disable(&mut self.context);
        self.rx.disable(&mut self.context);
        self.registers.set_active(at::RDAR, false);
        self.registers.set_active(at::TDAR, false);
    }

    /// The uDMA met a bus error: the MAC halts.
    pub(crate) fn bus_error(&mut self) {
        self.registers.raise(eir::EBERR);
        self.disable();
        let control = self.registers.get(at::ECR) & !ecr::ETHEREN;
        self.registers.set(at::ECR, control);
    }

    fn check(&mut self, result: Result<(), BusError>) {
        if let Err(BusError) = result {
            self.bus_error();
        }
    }

    /// A frame from the medium, with its FCS.
    pub(crate) fn receive(&mut self, on_wire: &[u8]) {
        let pause = self
            .rx
            .receive(&mut self.context, &mut self.registers, &self.memory, on_wire);
        let result = pause.and_then(|pause| match pause {
            Some(time) => self
                .tx
                .pause(&mut self.context, &mut self.registers, &self.memory, time),
            None => Ok(()),
        });
        self.check(result);
    }

    fn send_next(&mut self) {
        let result = self.tx.send_next(&mut self.context, &mut self.registers, &self.memory);
        self.check(result);
    }

    pub(crate) fn stall_tx(&mut self, stalled: bool) {
        self.tx.stall(stalled);
        self.send_next();
    }

    fn is_resetting(&self) -> bool {
        self.reset_hangs || self.context.now() < self.reset_until
    }

    /// The host reads a register.
    pub(crate) fn read(&mut self, offset: usize) -> u32 {
        if offset % 4 == 0 && mib::ALL.contains(&offset) {
            return self.registers.statistic(offset);
        }
        if !self.registers.exists(offset) {
            self.context
                .violation(ViolationKind::NoRegister, format!("read of {offset:#x}"));
            return 0;
        }
        let value = self.registers.get(offset);
        match offset {
            at::ECR if self.is_resetting() => value | ecr::RESET,
            // Idle.
            at::MIBC => (value & 0xa000_0000) | 0x4000_0000,
            _ => value,
        }
    }

    /// The host writes a register.
    pub(crate) fn write(&mut self, offset: usize, value: u32) {
        let Some(register) = REGISTERS.iter().find(|r| r.at == offset) else {
            self.context
                .violation(ViolationKind::NoRegister, format!("{value:#x} to {offset:#x}"));
            return;
        };
        if self.is_resetting() {
            self.context.violation(
                ViolationKind::BadSettings,
                format!("{value:#x} to {offset:#x} during a reset"),
            );
            return;
        }
        match offset {
            at::EIR => {
                let events = self.registers.get(at::EIR) & !value;
                self.registers.set(at::EIR, events);
            }
            at::RDAR => {
                let result = self.rx.doorbell(&mut self.context, &mut self.registers, &self.memory);
                self.check(result);
            }
            at::TDAR => {
                let result = self.tx.doorbell(&mut self.context, &mut self.registers, &self.memory);
                self.check(result);
            }
            at::ECR => self.write_control(value),
            at::MMFR => self.mdio.start(&mut self.context, &mut self.registers, value),
            at::MIBC => {
                self.registers.set(at::MIBC, value & register.writable);
                if value & 0x2000_0000 != 0 {
                    self.registers.clear_statistics();
                }
            }
            _ => self.write_plain(offset, register.writable, value),
        }
    }

    fn write_plain(&mut self, offset: usize, writable: u32, value: u32) {
        let before = self.registers.get(offset);
        let after = (value & writable) | (before & !writable);
        if value & !writable & !before != 0 {
            self.context.violation(
                ViolationKind::ReservedBits,
                format!("{value:#x} to {offset:#x}, of which {writable:#x} is writable"),
            );
        }
        let frozen = match offset {
            at::RCR => rcr::FROZEN,
            at::TCR => tcr::FDEN,
            at::RDSR | at::TDSR | at::MRBR | at::FTRL => u32::MAX,
            _ => 0,
        };
        if self.registers.is_enabled() && (before ^ after) & frozen != 0 {
            self.context.violation(
                ViolationKind::ChangedWhileEnabled,
                format!("{offset:#x} from {before:#x} to {after:#x}"),
            );
        }
        self.registers.set(offset, after);
        if offset == at::TCR {
            let result = self
                .tx
                .control(&mut self.context, &mut self.registers, &self.memory, before, after);
            self.check(result);
        }
    }

    fn write_control(&mut self, value: u32) {
        if value & ecr::RESET != 0 {
            self.power_on();
            let cycle = Duration::from_secs(1) / self.context.config.module_clock_hz.max(1);
            self.reset_until = self.context.now() + 8 * cycle;
            return;
        }
        let was = self.registers.is_enabled();
        let kept = self.registers.get(at::ECR) & 0xf000_0000;
        self.registers.set(at::ECR, (value & 0x176) | kept);
        match (was, self.registers.is_enabled()) {
            (false, true) => self.enable(),
            (true, false) => self.disable(),
            _ => {}
        }
    }

    fn enable(&mut self) {
        self.check_settings();
        self.rx.enable(&self.registers);
        self.tx.enable(&self.registers);
        let speed = if self.registers.get(at::RCR) & rcr::RMII_10T != 0 {
            Speed::MBPS_10
        } else {
            Speed::MBPS_100
        };
        let full = self.registers.get(at::TCR) & tcr::FDEN != 0;
        let duplex = if full { Duplex::Full } else { Duplex::Half };
        self.context.effect(Effect::MacMode(speed, duplex));
    }

    /// Reports settings that contradict each other, or that this model does not know.
    fn check_settings(&mut self) {
        let (registers, context) = (&self.registers, &mut self.context);
        let (control, receive) = (registers.get(at::ECR), registers.get(at::RCR));
        let (truncation, buffer) = (registers.get(at::FTRL), registers.get(at::MRBR));
        for (wrong, what) in [
            (receive & rcr::MII_MODE == 0, "RCR[MII_MODE] is not set"),
            (control & ecr::EN1588 != 0, "enhanced descriptors are not modelled"),
            (
                control & ecr::DBSWP == 0,
                "big-endian descriptors on a little-endian host",
            ),
            (
                (truncation as usize) < registers.max_frame_len(),
                "FTRL is less than RCR[MAX_FL]",
            ),
            (
                buffer == 0 || receive & rcr::LOOP != 0,
                "MRBR is 0, or RCR[LOOP] is set",
            ),
        ] {
            if wrong {
                context.violation(ViolationKind::BadSettings, what);
            }
        }
        for (name, value) in [
            ("RDSR", registers.get(at::RDSR)),
            ("TDSR", registers.get(at::TDSR)),
            ("MRBR", buffer),
        ] {
            if value % 64 != 0 {
                context.violation(ViolationKind::Misaligned, format!("{name} is {value:#x}"));
            }
        }
        if receive & rcr::PADEN != 0 {
            context.violation(ViolationKind::PadRemoval, format!("RCR is {receive:#x}"));
        }
    }
}
