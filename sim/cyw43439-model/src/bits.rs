//! The bus as its pins show it, bit by bit.

use crate::gspi::Gspi;
use crate::model::Model;
use crate::violations::ViolationKind;

/// The levels of the pins, and the word in transfer.
#[derive(Debug, Default)]
pub(crate) struct Bits {
    /// Whether a host drives the bus by its pins.
    pub(crate) in_use: bool,
    clock: bool,
    /// The level that the host drives on the data line; `None` as an input.
    driven: Option<bool>,
    latch: bool,
    /// The bits of the host so far.
    word: u32,
    count: u32,
    /// The word of the chip on the bus.
    reply: u32,
    /// Clock pulses since the last bit of the host.
    presented: u64,
    /// Words taken from the chip.
    fetched: u64,
    host_sent: bool,
}

impl Bits {
    /// Whether the data line is low, where a host drives it by its pins.
    pub(crate) fn strap(&self) -> Option<bool> {
        self.in_use.then_some(self.driven == Some(false))
    }
}

impl Bits {
    /// The host drives chip select.
    pub(crate) fn drive_select(&mut self, gspi: &mut Gspi, model: &mut Model, low: bool) {
        if low && !gspi.is_selected() {
            gspi.select(&mut model.chip);
            *self = Self {
                in_use: true,
                clock: self.clock,
                driven: self.driven,
                latch: self.latch,
                host_sent: true,
                ..Self::default()
            };
        } else if !low && gspi.is_selected() {
            if self.count % 32 != 0 {
                Gspi::partial_word(&mut model.chip, self.count % 32);
            } else if self.presented % 32 != 0 {
                Gspi::partial_word(&mut model.chip, (self.presented % 32) as u32);
            }
            gspi.deselect(model);
        }
    }

    /// The host drives the clock.
    pub(crate) fn drive_clock(&mut self, gspi: &mut Gspi, model: &mut Model, high: bool) {
        if self.clock == high {
            return;
        }
        self.clock = high;
        if !gspi.is_selected() {
            return;
        }
        if !high {
            if !model.chip.registers.is_high_speed() && !self.host_sent {
                self.presented += 1;
            }
            // The bits of the host were sampled at rising edges: from this falling edge on the chip
            // may drive the line.
            self.host_sent = gspi.host_sends() || self.count % 32 != 0;
            return;
        }
        if gspi.host_sends() || self.count % 32 != 0 {
            self.sample(gspi, model);
        } else {
            self.fetch(gspi, model);
            if self.driven.is_some() {
                model.chip.violation(
                    ViolationKind::Contention,
                    "the host drives the data line while the chip does",
                );
            }
            if model.chip.registers.is_high_speed() {
                self.presented += 1;
            }
        }
    }

    /// Samples a bit of the host.
    fn sample(&mut self, gspi: &mut Gspi, model: &mut Model) {
        if self.driven.is_none() {
            model
                .chip
                .violation(ViolationKind::Contention, "the data line is not driven");
        }
        let bit = u32::from(self.driven == Some(true));
        self.word = self.word << 1 | bit;
        self.count += 1;
        if self.count % 32 == 0 {
            let word = self.word;
            gspi.shift_out(model, word);
        }
    }

    /// Fetches the word of the next bit.
    fn fetch(&mut self, gspi: &mut Gspi, model: &mut Model) {
        if self.presented / 32 >= self.fetched {
            self.fetched += 1;
            self.reply = gspi.shift_in(model);
        }
    }

    /// The level of the data line. `irq`: its level between transactions.
    pub(crate) fn data_level(&mut self, gspi: &mut Gspi, model: &mut Model, irq: bool) -> bool {
        if let Some(level) = self.driven {
            return level;
        }
        if !gspi.is_selected() {
            return irq;
        }
        if gspi.host_sends() || self.count % 32 != 0 {
            return false;
        }
        if self.clock && self.presented / 32 >= self.fetched {
            // Between the last bit and the next one.
            return false;
        }
        if self.presented / 32 >= self.fetched && gspi.is_complete(&model.chip) {
            // After the last bit.
            return false;
        }
        self.fetch(gspi, model);
        self.reply >> (31 - self.presented % 32) & 1 != 0
    }

    /// Makes the data line an output or an input of the host.
    pub(crate) fn set_direction(&mut self, output: bool) {
        self.driven = output.then_some(self.latch);
    }

    /// The host drives the data line.
    pub(crate) fn drive_data(&mut self, high: bool) {
        self.latch = high;
        if self.driven.is_some() {
            self.driven = Some(high);
        }
    }
}
