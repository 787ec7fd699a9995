//! The pins of the PHY, as GPIO pins of a host that are wired to them.

use core::convert::Infallible;
use core::fmt;
use std::rc::Rc;

use embedded_hal::digital::ErrorType;
use ethdev_sim::model::pins::{input, output, pin, wait};

use crate::mdio_bits::Drive;
use crate::model::Cell;

pin! {
    /// nINT, as an input of the host: active low, pulled up. Always high where the pin is REFCLKO.
    ///
    /// # Cancellation
    ///
    /// Futures can be dropped at any time. An edge future sees the edges since it was first polled.
    IntPin(Cell)
}

pin! {
    /// nRST, as an output of the host: active low, pulled up. The straps are latched at its rising
    /// edge.
    ResetPin(Cell)
}

pin! {
    /// MDC, as an output of the host. The PHY samples MDIO at its rising edges.
    MdcPin(Cell)
}

/// MDIO, as a pin of the host: open drain with a pull-up, or push-pull with a direction.
///
/// An open-drain pin is released while it is high. A pin with a direction starts as an input, and
/// as an output drives the level that was set last.
pub struct MdioPin {
    cell: Rc<Cell>,
    open_drain: bool,
    output: bool,
    high: bool,
}

impl fmt::Debug for MdioPin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MdioPin")
            .field("open_drain", &self.open_drain)
            .field("output", &self.output)
            .field("high", &self.high)
            .finish_non_exhaustive()
    }
}

impl MdioPin {
    pub(super) fn new(cell: &Rc<Cell>, open_drain: bool) -> Self {
        Self {
            cell: cell.clone(),
            open_drain,
            output: open_drain,
            high: true,
        }
    }

    /// Makes the pin an input.
    pub fn set_as_input(&mut self) {
        self.output = false;
        self.apply();
    }

    /// Makes the pin an output.
    pub fn set_as_output(&mut self) {
        self.output = true;
        self.apply();
    }

    fn apply(&self) {
        let drive = match (self.output, self.high, self.open_drain) {
            (false, ..) | (true, true, true) => Drive::Released,
            (true, true, false) => Drive::High,
            (true, false, _) => Drive::Low,
        };
        pass_time(&self.cell);
        self.cell.with(|model| model.drive_mdio(drive));
    }

    fn set(&mut self, high: bool) {
        self.high = high;
        self.apply();
    }

    fn level(&self) -> bool {
        pass_time(&self.cell);
        self.cell.model().mdio_level()
    }
}

/// Passes the time of an access to a pin.
fn pass_time(cell: &Cell) {
    let time = cell.model().phy.context.config.times.pin;
    if !time.is_zero() {
        cell.clock().advance(time);
    }
}

impl ErrorType for MdioPin {
    type Error = Infallible;
}

input!(MdioPin);
output!(MdioPin);

impl MdcPin {
    fn set(&self, high: bool) {
        pass_time(&self.0);
        self.0.with(|model| model.drive_mdc(high));
    }
}

output!(MdcPin);

impl ResetPin {
    fn set(&self, high: bool) {
        self.0.with(|model| model.phy.drive_reset(!high));
    }
}

output!(ResetPin);

impl IntPin {
    fn level(&self) -> bool {
        self.0.line.is_high()
    }
}

input!(IntPin);
wait!(IntPin);
