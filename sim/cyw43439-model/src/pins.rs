//! The chip's pins, for a host that drives the bus bit by bit, and the two that every host has.

use std::rc::Rc;

use super::ViolationKind;
use super::hardware::{Model, Shared};
use ethdev_sim::model::pins::{input, output, pin, wait};

/// The bits between words: what the pins show, and how far a word has come.
#[derive(Debug, Default)]
pub(super) struct Bits {
    /// Whether a host drives the bus by its pins at all.
    in_use: bool,
    clock: bool,
    /// What the host drives the data line to; `None` as an input.
    driven: Option<bool>,
    latch: bool,
    /// The host's word so far.
    word: u32,
    count: u32,
    /// The chip's word on the bus, and the next bit's number in it.
    reply: u32,
    /// Pulses of the clock since the host's last bit.
    presented: u64,
    /// Words taken from the chip.
    fetched: u64,
    host_spoke: bool,
}

impl Bits {
    /// Whether the data line is low, where a host drives it by its pins.
    pub(super) fn strap(&self) -> Option<bool> {
        self.in_use.then_some(self.driven == Some(false))
    }
}

impl Model {
    fn drive_select(&mut self, low: bool) {
        if low && !self.is_selected() {
            self.select();
            self.bits = Bits {
                in_use: true,
                clock: self.bits.clock,
                driven: self.bits.driven,
                latch: self.bits.latch,
                host_spoke: true,
                ..Bits::default()
            };
        } else if !low && self.is_selected() {
            if self.bits.count % 32 != 0 {
                self.partial_word(self.bits.count % 32);
            } else if self.bits.presented % 32 != 0 {
                self.partial_word((self.bits.presented % 32) as u32);
            }
            self.deselect();
        }
    }

    fn drive_clock(&mut self, high: bool) {
        if self.bits.clock == high {
            return;
        }
        self.bits.clock = high;
        if !self.is_selected() {
            return;
        }
        if !high {
            if !self.registers.is_high_speed() && !self.bits.host_spoke {
                self.bits.presented += 1;
            }
            // The host's bits were all sampled at rising edges: from this falling edge on the chip may speak.
            self.bits.host_spoke = self.gspi.host_speaks() || self.bits.count % 32 != 0;
            return;
        }
        if self.gspi.host_speaks() || self.bits.count % 32 != 0 {
            self.sample();
        } else {
            self.fetch();
            if self.bits.driven.is_some() {
                self.violation(
                    ViolationKind::Contention,
                    "the host drives the data line while the chip does",
                );
            }
            if self.registers.is_high_speed() {
                self.bits.presented += 1;
            }
        }
    }

    /// Takes one of the host's bits.
    fn sample(&mut self) {
        if self.bits.driven.is_none() {
            self.violation(ViolationKind::Contention, "nobody drives the data line");
        }
        let bit = u32::from(self.bits.driven == Some(true));
        self.bits.word = self.bits.word << 1 | bit;
        self.bits.count += 1;
        if self.bits.count % 32 == 0 {
            let word = self.bits.word;
            self.shift_out(word);
        }
    }

    /// Has the word ready whose bit is due.
    fn fetch(&mut self) {
        if self.bits.presented / 32 >= self.bits.fetched {
            self.bits.fetched += 1;
            self.bits.reply = self.shift_in();
        }
    }

    /// What the host sees on the data line.
    fn data_level(&mut self, irq: bool) -> bool {
        if let Some(level) = self.bits.driven {
            return level;
        }
        if !self.is_selected() {
            return irq;
        }
        if self.gspi.host_speaks() || self.bits.count % 32 != 0 {
            return false;
        }
        if self.bits.clock && self.bits.presented / 32 >= self.bits.fetched {
            // Beyond the last bit that was asked for, and before the next one.
            return false;
        }
        self.fetch();
        self.bits.reply >> (31 - self.bits.presented % 32) & 1 != 0
    }

    fn set_direction(&mut self, output: bool) {
        self.bits.driven = output.then_some(self.bits.latch);
    }

    fn drive_data(&mut self, high: bool) {
        self.bits.latch = high;
        if self.bits.driven.is_some() {
            self.bits.driven = Some(high);
        }
    }
}

impl Shared {
    /// A look at a pin or a change of one takes its time.
    fn pin<R>(&self, act: impl FnOnce(&mut Model) -> R) -> R {
        let time = self.core.borrow().config.pin_time;
        self.clock.advance(time);
        self.with(act)
    }
}

pin! {
    /// `WL_REG_ON`, as an output of the host.
    PowerPin(Shared)
}

pin! {
    /// Chip select, as an output of the host: active low.
    SelectPin(Shared)
}

pin! {
    /// The clock of the bus, as an output of the host: idle low. The chip samples at the rising edge.
    ClockPin(Shared)
}

pin! {
    /// The data line, as a pin of the host that can be turned round: an input at first.
    ///
    /// As an output it drives the line to the level that was set last, in either direction. As an input it shows what the chip drives: its bits in a
    /// transaction, the interrupt between transactions.
    DataPin(Shared)
}

pin! {
    /// The interrupt, as an input of the host: the data line as it is between transactions. During one it keeps the level that it has there.
    ///
    /// # Cancellation
    ///
    /// Its futures may be dropped at any time. Each edge future sees the edges since it was first polled.
    IrqPin(Shared)
}

/// All pins of the bus.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Pins {
    /// `WL_REG_ON`.
    pub power: PowerPin,
    /// Chip select.
    pub select: SelectPin,
    /// The clock.
    pub clock: ClockPin,
    /// The data line.
    pub data: DataPin,
}

impl Pins {
    pub(super) fn new(shared: &Rc<Shared>) -> Self {
        shared.with(|chip| chip.bits.in_use = true);
        Self {
            power: PowerPin::new(shared),
            select: SelectPin::new(shared),
            clock: ClockPin::new(shared),
            data: DataPin::new(shared),
        }
    }
}

impl PowerPin {
    fn set(&self, high: bool) {
        self.0.with(|chip| chip.drive_power(high, chip.bits.strap()));
    }
}

output!(PowerPin);

impl SelectPin {
    fn set(&self, high: bool) {
        self.0.pin(|chip| chip.drive_select(!high));
    }
}

output!(SelectPin);

impl ClockPin {
    fn set(&self, high: bool) {
        self.0.pin(|chip| chip.drive_clock(high));
    }
}

output!(ClockPin);

impl DataPin {
    /// Drives the line from now on.
    pub fn set_as_output(&mut self) {
        self.0.pin(|chip| chip.set_direction(true));
    }

    /// Lets the line go.
    pub fn set_as_input(&mut self) {
        self.0.pin(|chip| chip.set_direction(false));
    }

    fn set(&self, high: bool) {
        self.0.pin(|chip| chip.drive_data(high));
    }

    fn level(&self) -> bool {
        let irq = self.0.line.is_high();
        self.0.pin(|chip| chip.data_level(irq))
    }
}

output!(DataPin);
input!(DataPin);
wait!(DataPin);

impl IrqPin {
    fn level(&self) -> bool {
        self.0.line.is_high()
    }
}

input!(IrqPin);
wait!(IrqPin);
