//! The pins of the PHY, as a host's GPIO pins that are wired to them.

use core::convert::Infallible;
use core::fmt;
use std::rc::Rc;

use embedded_hal::digital::ErrorType;

use super::bits::Drive;
use super::hardware::Shared;
use ethdev_sim::model::pins::{input, output, pin, wait};

pin! {
    /// nINT, as an input of the host: active low, pulled up. High for ever where the pin is REFCLKO.
    ///
    /// # Cancellation
    ///
    /// Its futures may be dropped at any time. Each edge future sees the edges since it was first polled.
    IntPin(Shared)
}

pin! {
    /// nRST, as an output of the host: active low, pulled up. The straps are latched when it rises.
    ResetPin(Shared)
}

pin! {
    /// MDC, as an output of the host. The PHY takes MDIO at its rising edges.
    MdcPin(Shared)
}

/// MDIO, as a pin of the host: an open-drain one with a pull-up, or one that pushes and pulls and has a direction.
///
/// As an open-drain pin, high is released. A pin with a direction starts as an input, and drives what was set last while it is an output.
pub struct MdioPin {
    shared: Rc<Shared>,
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
    pub(super) fn new(shared: &Rc<Shared>, open_drain: bool) -> Self {
        Self {
            shared: shared.clone(),
            open_drain,
            output: open_drain,
            high: true,
        }
    }

    /// Makes it an input, which drives nothing.
    pub fn set_as_input(&mut self) {
        self.output = false;
        self.apply();
    }

    /// Makes it an output.
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
        pass_time(&self.shared);
        self.shared.with(|phy| phy.drive_mdio(drive));
    }

    fn set(&mut self, high: bool) {
        self.high = high;
        self.apply();
    }

    fn level(&self) -> bool {
        pass_time(&self.shared);
        self.shared.core.borrow().mdio_level()
    }
}

/// What an access to a pin takes.
fn pass_time(shared: &Shared) {
    let time = shared.core.borrow().config.times.pin;
    if !time.is_zero() {
        shared.clock.advance(time);
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
        self.0.with(|phy| phy.drive_mdc(high));
    }
}

output!(MdcPin);

impl ResetPin {
    fn set(&self, high: bool) {
        self.0.with(|phy| phy.drive_reset(!high));
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
