//! How large the drivers are.

use core::convert::Infallible;

use embedded_hal::delay::DelayNs;
use embedded_hal::digital::OutputPin;
use embedded_hal::spi::{ErrorType, Operation, SpiDevice};
use embedded_hal_02 as hal02;
use ethdev::Stats;
use ethdev_enc28j60::Config;

use super::{Figure, Goal};

/// A host's SPI device, delay and pins, none of which takes memory.
struct Nothing;

impl ErrorType for Nothing {
    type Error = Infallible;
}

impl SpiDevice for Nothing {
    fn transaction(&mut self, _: &mut [Operation<'_, u8>]) -> Result<(), Infallible> {
        Ok(())
    }
}

impl DelayNs for Nothing {
    fn delay_ns(&mut self, _: u32) {}
}

impl embedded_hal::digital::ErrorType for Nothing {
    type Error = Infallible;
}

impl OutputPin for Nothing {
    fn set_low(&mut self) -> Result<(), Infallible> {
        Ok(())
    }

    fn set_high(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

impl hal02::blocking::spi::Transfer<u8> for Nothing {
    type Error = Infallible;

    fn transfer<'w>(&mut self, words: &'w mut [u8]) -> Result<&'w [u8], Infallible> {
        Ok(words)
    }
}

impl hal02::blocking::spi::Write<u8> for Nothing {
    type Error = Infallible;

    fn write(&mut self, _: &[u8]) -> Result<(), Infallible> {
        Ok(())
    }
}

#[allow(deprecated, reason = "the driver asks for the first version of the trait")]
impl hal02::digital::OutputPin for Nothing {
    fn set_low(&mut self) {}

    fn set_high(&mut self) {}
}

pub(crate) fn figures() -> Vec<Figure> {
    let ours = size_of::<ethdev_enc28j60::Enc28j60<Nothing, Nothing>>() as f64;
    let embassy = size_of::<embassy_net_enc28j60::Enc28j60<Nothing, Nothing>>() as f64;
    let unconnected = size_of::<enc28j60::Enc28j60<Nothing, Nothing, enc28j60::Unconnected, enc28j60::Unconnected>>();
    // Its two static buffers are no part of embassy's type.
    let name = "RAM of the driver, buffers not counted (no pointers in it: the same on this host as on 32 bits)";
    let ram = Figure::new(name, "bytes", ours, Goal::AtMost(64.0)).beside(embassy, unconnected as f64);
    let counters = Figure::new(
        "of that, the counters (Stats)",
        "bytes",
        size_of::<Stats>() as f64,
        Goal::Shown,
    );
    let config = Figure::new(
        "of that, the configuration (Config)",
        "bytes",
        size_of::<Config>() as f64,
        Goal::Shown,
    );
    let mut flash = Figure::new("flash of driver and traits on thumbv7m", "bytes", 0.0, Goal::Shown);
    flash.ours = None;
    flash.goal = "SKIPPED: needs an image for the target, which this run does not build".into();
    vec![ram, counters, config, flash]
}
