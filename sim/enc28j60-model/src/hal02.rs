//! The traits of embedded-hal 0.2 on the chip's bus and pins, for drivers that use them.

use core::convert::Infallible;
use core::time::Duration;

use embedded_hal::digital::{InputPin, OutputPin};
use embedded_hal::spi::SpiBus;
use embedded_hal_02 as hal02;

use ethdev_sim::Clock;

use crate::error::SpiFault;
use crate::pins::{CsPin, IntPin};
use crate::spi::SimSpiBus;

/// A bus, a pin or a clock with the traits of embedded-hal 0.2. Its pins are those of the first
/// version of the digital traits, which cannot fail.
#[derive(Debug, Clone)]
pub struct Hal02<T>(pub T);

impl hal02::blocking::spi::Transfer<u8> for Hal02<SimSpiBus> {
    type Error = SpiFault;

    fn transfer<'w>(&mut self, words: &'w mut [u8]) -> Result<&'w [u8], SpiFault> {
        self.0.transfer_in_place(words)?;
        Ok(words)
    }
}

impl hal02::blocking::spi::Write<u8> for Hal02<SimSpiBus> {
    type Error = SpiFault;

    fn write(&mut self, words: &[u8]) -> Result<(), SpiFault> {
        self.0.write(words)
    }
}

#[allow(deprecated, reason = "drivers use the first version of the trait")]
impl hal02::digital::OutputPin for Hal02<CsPin> {
    fn set_low(&mut self) {
        let Ok::<(), Infallible>(()) = self.0.set_low();
    }

    fn set_high(&mut self) {
        let Ok::<(), Infallible>(()) = self.0.set_high();
    }
}

#[allow(deprecated, reason = "drivers use the first version of the trait")]
impl hal02::digital::InputPin for Hal02<IntPin> {
    fn is_high(&self) -> bool {
        self.0.clone().is_high() == Ok(true)
    }

    fn is_low(&self) -> bool {
        !self.is_high()
    }
}

impl hal02::blocking::delay::DelayMs<u8> for Hal02<Clock> {
    fn delay_ms(&mut self, ms: u8) {
        self.0.advance(Duration::from_millis(ms.into()));
    }
}
