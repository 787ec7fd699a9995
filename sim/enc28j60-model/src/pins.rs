//! INT, RESET and chip select as pins of the host.

use ethdev_sim::model::pins::{input, output, pin, wait};

use crate::cell::Shared;
use crate::spi;

pin! {
    /// The INT pin, as an input of the host: active low.
    ///
    /// # Cancellation
    ///
    /// Its futures may be dropped at any time. Each edge future sees the edges since it was first
    /// polled.
    IntPin(Shared)
}

pin! {
    /// The RESET pin, as an output of the host: active low. The chip filters out pulses under
    /// 400 ns.
    ResetPin(Shared)
}

pin! {
    /// Chip select, as an output of the host: active low.
    ///
    /// Driving it advances the clock: by [`cs_gap`](crate::ChipConfig::cs_gap),
    /// [`overhead`](crate::ChipConfig::overhead) and [`cs_setup`](crate::ChipConfig::cs_setup)
    /// around the falling edge, by [`cs_hold`](crate::ChipConfig::cs_hold) before the rising edge.
    CsPin(Shared)
}

impl IntPin {
    fn level(&self) -> bool {
        self.0.line.is_high()
    }
}

input!(IntPin);
wait!(IntPin);

impl ResetPin {
    fn set(&self, high: bool) {
        self.0.with(|chip| chip.model.drive_reset(!high));
    }
}

output!(ResetPin);

impl CsPin {
    fn set(&self, high: bool) {
        spi::drive_select(&self.0, !high);
    }
}

output!(CsPin);
