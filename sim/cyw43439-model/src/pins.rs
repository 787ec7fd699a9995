//! The pins of the bus, `WL_REG_ON`, and the interrupt, as pins of the host.

use std::rc::Rc;

use ethdev_sim::model::pins::{input, output, pin, wait};

use crate::cell::{Cyw43439, Shared};

/// Accesses a pin, which takes time.
fn with_pin<R>(shared: &Shared, act: impl FnOnce(&mut Cyw43439) -> R) -> R {
    let time = shared.model().model.chip.cx.config.pin_time;
    shared.clock().advance(time);
    shared.with(act)
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
    /// The clock of the bus, as an output of the host: idle low. The chip samples at the rising
    /// edge.
    ClockPin(Shared)
}

pin! {
    /// The data line, as a pin of the host whose direction can be set: an input at first.
    ///
    /// As an output it drives the level that was set last, in either direction. As an input it
    /// shows what the chip drives: its bits in a transaction, the interrupt between transactions.
    DataPin(Shared)
}

pin! {
    /// The interrupt, as an input of the host: the level of the data line between transactions. It
    /// is valid during a transaction as well.
    ///
    /// # Cancellation
    ///
    /// Its futures may be dropped at any time. Each edge future sees the edges since it was first
    /// polled.
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
    pub(crate) fn new(shared: &Rc<Shared>) -> Self {
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
        with_pin(&self.0, |chip| chip.drive_select(!high));
    }
}

output!(SelectPin);

impl ClockPin {
    fn set(&self, high: bool) {
        with_pin(&self.0, |chip| chip.drive_clock(high));
    }
}

output!(ClockPin);

impl DataPin {
    /// Makes the pin an output.
    pub fn set_as_output(&mut self) {
        with_pin(&self.0, |chip| chip.bits.set_direction(true));
    }

    /// Makes the pin an input.
    pub fn set_as_input(&mut self) {
        with_pin(&self.0, |chip| chip.bits.set_direction(false));
    }

    fn set(&self, high: bool) {
        with_pin(&self.0, |chip| chip.bits.drive_data(high));
    }

    fn level(&self) -> bool {
        let irq = self.0.line.is_high();
        with_pin(&self.0, |chip| chip.data_level(irq))
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
