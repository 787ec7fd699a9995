//! The pins beside the SPI bus.

use super::hardware::Shared;
use ethdev_sim::model::pins::{input, output, pin, wait};

pin! {
    /// The INT pin, as an input of the host: active low, a function of the chip's state.
    ///
    /// # Cancellation
    ///
    /// Its futures may be dropped at any time. Each edge future sees the edges since it was first polled.
    IntPin(Shared)
}

pin! {
    /// The RESET pin, as an output of the host: active low. Pulses under 400 ns are filtered out by the chip.
    ResetPin(Shared)
}

pin! {
    /// Chip select, as an output of the host: active low.
    ///
    /// Its edges take their time on the clock: [`cs_gap`](super::ChipConfig::cs_gap), [`overhead`](super::ChipConfig::overhead) and
    /// [`cs_setup`](super::ChipConfig::cs_setup) around the falling one, [`cs_hold`](super::ChipConfig::cs_hold) before the rising one.
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
        self.0.with(|chip| chip.drive_reset(!high));
    }
}

output!(ResetPin);

impl CsPin {
    fn set(&self, high: bool) {
        Self::drive(&self.0, !high);
    }
}

output!(CsPin);
