//! The chip on its bus, in the cell that its handles and pins share.

use core::time::Duration;
use std::rc::Rc;

use ethdev_sim::model::{ChipModel, Context, Line, ModelCell};
use ethdev_sim::{Clock, Port};

use crate::bits::Bits;
use crate::chip::{RunTimer, Types};
use crate::config::ChipConfig;
use crate::error::BusFault;
use crate::faults::DataLine;
use crate::gspi::Gspi;
use crate::model::Model;
use crate::violations::ViolationKind;

/// What the chip's handles and pins share.
pub(crate) type Shared = ModelCell<Cyw43439>;

/// The chip: its bus interface, bit by bit and word by word, and the rest.
pub(crate) struct Cyw43439 {
    pub(crate) bits: Bits,
    pub(crate) gspi: Gspi,
    pub(crate) model: Model,
    /// The level of the interrupt line, where a test has set it.
    pub(crate) forced_irq: Option<bool>,
}

/// What the chip is connected to.
pub(crate) struct Board {
    /// The interrupt line: the data line between transactions.
    pub(crate) line: Line,
}

impl ChipModel for Cyw43439 {
    type Types = Types;
    type Board = Board;

    fn context(&self) -> &Context<Types> {
        &self.model.chip.cx
    }

    fn context_mut(&mut self) -> &mut Context<Types> {
        &mut self.model.chip.cx
    }

    fn expire(&mut self, timer: RunTimer) {
        self.model.expire(timer);
    }

    fn settle(cell: &Shared) {
        let (high, lost_edge) = {
            let chip = cell.model();
            (chip.irq_is_high(), chip.model.chip.cx.config.faults.lost_edge)
        };
        let rises = high && !cell.line.is_active();
        let lost = rises && lost_edge > 0.0 && cell.update(|chip| chip.model.chip.rng.edge.chance(lost_edge));
        cell.line.set(high, !lost);
    }
}

/// A chip without power, whose access points bridge to this end of a wire.
pub(crate) fn without_power(clock: &Clock, port: Port, config: ChipConfig) -> Rc<Shared> {
    let chip = Cyw43439 {
        bits: Bits::default(),
        gspi: Gspi::default(),
        model: Model::new(clock, port, config),
        forced_irq: None,
    };
    let line = Line::active_high();
    let cell = ModelCell::new(chip, Board { line });
    let weak = cell.weak();
    cell.model().model.chip.port.on_receive(Box::new(move |frame| {
        weak.with(|chip| chip.model.frame_from_wire(frame));
    }));
    cell
}

impl Cyw43439 {
    /// The host drives `WL_REG_ON`. `strap`: whether the data line is low, where it is known.
    pub(crate) fn drive_power(&mut self, high: bool, strap: Option<bool>) {
        if high == self.model.chip.power.is_on() {
            return;
        }
        if high {
            self.model.switch_on(strap);
        } else {
            self.model.switch_off();
            self.gspi.abort();
        }
    }

    /// The supply fails for a moment, where it is on.
    pub(crate) fn brownout(&mut self) {
        if self.model.chip.power.is_on() {
            self.drive_power(false, None);
            self.model.chip.taint();
            self.drive_power(true, None);
        }
    }

    /// Whether the line is high between transactions.
    fn irq_is_high(&self) -> bool {
        if let Some(level) = self.forced_irq {
            return level;
        }
        let chip = &self.model.chip;
        if !chip.power.is_ready() || self.gspi.data_line != DataLine::Connected {
            return false;
        }
        let active = chip.spurious_irq || self.model.interrupts() & chip.registers.interrupt_enable() != 0;
        active == chip.registers.interrupts_are_active_high()
    }

    /// Duration of a word on the bus.
    pub(crate) fn word_time(&self) -> Duration {
        Duration::from_nanos(32_000_000_000 / u64::from(self.model.chip.cx.config.bus_hz))
    }
}

/// The bus.
impl Cyw43439 {
    /// The bus is used in the middle of another transaction.
    pub(crate) fn reentered(&mut self) {
        let chip = &mut self.model.chip;
        chip.violation(ViolationKind::BusReentered, "chip select is low already");
    }

    pub(crate) fn draw_bus_failure(&mut self) -> Result<(), BusFault> {
        self.gspi.draw_bus_failure(&mut self.model.chip)
    }

    pub(crate) fn select(&mut self) {
        self.gspi.select(&mut self.model.chip);
    }

    pub(crate) fn shift_out(&mut self, word: u32) {
        self.gspi.shift_out(&mut self.model, word);
    }

    pub(crate) fn shift_in(&mut self) -> u32 {
        self.gspi.shift_in(&mut self.model)
    }

    pub(crate) fn shift_status(&mut self) -> u32 {
        self.gspi.shift_status(&mut self.model)
    }

    pub(crate) fn deselect(&mut self) {
        self.gspi.deselect(&mut self.model);
    }

    pub(crate) fn drive_select(&mut self, low: bool) {
        self.bits.drive_select(&mut self.gspi, &mut self.model, low);
    }

    pub(crate) fn drive_clock(&mut self, high: bool) {
        self.bits.drive_clock(&mut self.gspi, &mut self.model, high);
    }

    pub(crate) fn data_level(&mut self, irq: bool) -> bool {
        self.bits.data_level(&mut self.gspi, &mut self.model, irq)
    }
}
