//! The host side of the driver: SPI transactions, delays, the RESET pin; blocking and async.

use embedded_hal::digital::{self, OutputPin};
use embedded_hal::spi::{ErrorType, Operation};

/// The host side, blocking. The chip logic is written once, for this and for [`AsyncBus`].
pub(crate) trait BlockingBus {
    /// The error of the SPI device.
    type SpiError;

    /// One assertion of chip select.
    fn transaction(&mut self, operations: &mut [Operation<'_, u8>]) -> Result<(), Self::SpiError>;

    /// Waits for at least `us` microseconds.
    fn wait_us(&mut self, us: u32);

    /// Drives the RESET pin; `Ok(false)` if there is none.
    fn reset_pin(&mut self, asserted: bool) -> Result<bool, digital::ErrorKind>;
}

/// The host side, async.
pub(crate) trait AsyncBus {
    /// The error of the SPI device.
    type SpiError;

    /// One assertion of chip select.
    async fn transaction(&mut self, operations: &mut [Operation<'_, u8>]) -> Result<(), Self::SpiError>;

    /// Waits for at least `us` microseconds.
    async fn wait_us(&mut self, us: u32);

    /// Drives the RESET pin; `Ok(false)` if there is none.
    fn reset_pin(&mut self, asserted: bool) -> Result<bool, digital::ErrorKind>;
}

/// An optional RESET pin: [`Reset`] or [`NoReset`].
pub trait ResetPin {
    /// Asserts (low) or releases (high) the pin; `Ok(false)` if there is none.
    ///
    /// # Errors
    ///
    /// The pin failed.
    fn drive(&mut self, asserted: bool) -> Result<bool, digital::ErrorKind>;
}

/// No RESET pin: the chip is reset over SPI.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoReset;

impl ResetPin for NoReset {
    fn drive(&mut self, _: bool) -> Result<bool, digital::ErrorKind> {
        Ok(false)
    }
}

/// A RESET pin, active low.
#[derive(Debug, Clone, Copy)]
pub struct Reset<P>(pub P);

impl<P: OutputPin> ResetPin for Reset<P> {
    fn drive(&mut self, asserted: bool) -> Result<bool, digital::ErrorKind> {
        let result = if asserted { self.0.set_low() } else { self.0.set_high() };
        result.map(|()| true).map_err(|e| digital::Error::kind(&e))
    }
}

/// A blocking SPI device and delay.
#[derive(Debug)]
pub(crate) struct Blocking<SPI, D, RST> {
    pub(crate) spi: SPI,
    pub(crate) delay: D,
    pub(crate) reset: RST,
}

impl<SPI, D, RST> BlockingBus for Blocking<SPI, D, RST>
where
    SPI: embedded_hal::spi::SpiDevice,
    D: embedded_hal::delay::DelayNs,
    RST: ResetPin,
{
    type SpiError = <SPI as ErrorType>::Error;

    fn transaction(&mut self, operations: &mut [Operation<'_, u8>]) -> Result<(), Self::SpiError> {
        self.spi.transaction(operations)
    }

    fn wait_us(&mut self, us: u32) {
        self.delay.delay_us(us);
    }

    fn reset_pin(&mut self, asserted: bool) -> Result<bool, digital::ErrorKind> {
        self.reset.drive(asserted)
    }
}

/// An async SPI device and delay.
#[derive(Debug)]
pub(crate) struct Awaited<SPI, D, RST> {
    pub(crate) spi: SPI,
    pub(crate) delay: D,
    pub(crate) reset: RST,
}

impl<SPI, D, RST> AsyncBus for Awaited<SPI, D, RST>
where
    SPI: embedded_hal_async::spi::SpiDevice,
    D: embedded_hal_async::delay::DelayNs,
    RST: ResetPin,
{
    type SpiError = <SPI as ErrorType>::Error;

    async fn transaction(&mut self, operations: &mut [Operation<'_, u8>]) -> Result<(), Self::SpiError> {
        self.spi.transaction(operations).await
    }

    async fn wait_us(&mut self, us: u32) {
        self.delay.delay_us(us).await;
    }

    fn reset_pin(&mut self, asserted: bool) -> Result<bool, digital::ErrorKind> {
        self.reset.drive(asserted)
    }
}
