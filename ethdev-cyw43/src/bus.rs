//! The host side of the driver: gSPI transactions, the power pin, delays. The chip logic is async;
//! on a blocking bus it completes with one poll.

use core::fmt;
use core::future::Future;
use core::pin::pin;
use core::task::{Context, Poll, Waker};

use embedded_hal::digital::{self, Error as _, OutputPin};

use crate::error::Error;
pub use crate::gspi_words::{RxWords, TxWords};

/// A gSPI bus: half-duplex SPI on one data line, in words of 32 bits, most significant bit first,
/// clock idle low, sampled on the rising edge.
///
/// One call is one transaction: chip select falls, the words are transferred, chip select rises.
/// Commands and words are given in wire order: an implementation does not swap bytes. The clock may
/// pause between words for any time.
///
/// # Implementor notes
///
/// On an RP2040 this is a PIO state machine that shifts `1 + words` words out, turns DATA around,
/// and shifts the rest in. [`TxWords`] feeds its FIFO word by word, or a small DMA buffer with
/// [`TxWords::fill`]; [`RxWords`] takes the received words. [`BitBang`](crate::BitBang) is an
/// implementation with three pins. The data line is the interrupt line too: it is valid only while
/// chip select is high, from 100 ns after its rising edge.
pub trait Gspi {
    /// The error of the bus.
    type Error: fmt::Debug;

    /// Sends `command` and all words of `data`, then reads the status word and returns it.
    ///
    /// # Errors
    ///
    /// The bus failed. Whether the chip executed the transaction is unknown.
    fn write(&mut self, command: u32, data: &mut TxWords<'_>) -> Result<u32, Self::Error>;

    /// Sends `command`, reads [`words_left`](RxWords::words_left) words into `data`, then reads the
    /// status word and returns it.
    ///
    /// # Errors
    ///
    /// The bus failed. Whether the chip executed the transaction is unknown.
    fn read(&mut self, command: u32, data: &mut RxWords<'_>) -> Result<u32, Self::Error>;

    /// Drives DATA low with chip select high (`true`), or releases it (`false`). DATA is a strap:
    /// low at power-up selects gSPI.
    ///
    /// # Errors
    ///
    /// The bus failed.
    fn set_strap(&mut self, low: bool) -> Result<(), Self::Error>;

    /// Returns whether the interrupt is asserted: DATA is high while chip select is high. `None` if
    /// the bus cannot read it; then the driver reads the status over the bus.
    ///
    /// # Errors
    ///
    /// The bus failed.
    fn interrupt(&mut self) -> Result<Option<bool>, Self::Error> {
        Ok(None)
    }
}

impl<T: Gspi + ?Sized> Gspi for &mut T {
    type Error = T::Error;

    fn write(&mut self, command: u32, data: &mut TxWords<'_>) -> Result<u32, T::Error> {
        (**self).write(command, data)
    }

    fn read(&mut self, command: u32, data: &mut RxWords<'_>) -> Result<u32, T::Error> {
        (**self).read(command, data)
    }

    fn set_strap(&mut self, low: bool) -> Result<(), T::Error> {
        (**self).set_strap(low)
    }

    fn interrupt(&mut self) -> Result<Option<bool>, T::Error> {
        (**self).interrupt()
    }
}

/// The host side. The chip logic is written once, against this trait.
pub(crate) trait Bus {
    type BusError: fmt::Debug;

    async fn write(&mut self, command: u32, data: &mut TxWords<'_>) -> Result<u32, Self::BusError>;

    async fn read(&mut self, command: u32, data: &mut RxWords<'_>) -> Result<u32, Self::BusError>;

    async fn set_strap(&mut self, low: bool) -> Result<(), Self::BusError>;

    fn interrupt(&mut self) -> Result<Option<bool>, Self::BusError>;

    /// Drives `WL_REG_ON`.
    fn power(&mut self, on: bool) -> Result<(), digital::ErrorKind>;

    /// Waits for at least `us` microseconds.
    async fn wait_us(&mut self, us: u32);
}

/// A blocking bus and delay: every future is ready at the first poll.
#[derive(Debug)]
pub(crate) struct Blocking<BUS, PWR, D> {
    pub(crate) gspi: BUS,
    pub(crate) power: PWR,
    pub(crate) delay: D,
}

impl<BUS, PWR, D> Bus for Blocking<BUS, PWR, D>
where
    BUS: Gspi,
    PWR: OutputPin,
    D: embedded_hal::delay::DelayNs,
{
    type BusError = BUS::Error;

    async fn write(&mut self, command: u32, data: &mut TxWords<'_>) -> Result<u32, BUS::Error> {
        self.gspi.write(command, data)
    }

    async fn read(&mut self, command: u32, data: &mut RxWords<'_>) -> Result<u32, BUS::Error> {
        self.gspi.read(command, data)
    }

    async fn set_strap(&mut self, low: bool) -> Result<(), BUS::Error> {
        self.gspi.set_strap(low)
    }

    fn interrupt(&mut self) -> Result<Option<bool>, BUS::Error> {
        self.gspi.interrupt()
    }

    fn power(&mut self, on: bool) -> Result<(), digital::ErrorKind> {
        self.power.set_state(on.into()).map_err(|e| e.kind())
    }

    async fn wait_us(&mut self, us: u32) {
        self.delay.delay_us(us);
    }
}

/// An async bus and delay.
#[derive(Debug)]
pub(crate) struct Awaited<BUS, PWR, D> {
    pub(crate) gspi: BUS,
    pub(crate) power: PWR,
    pub(crate) delay: D,
}

impl<BUS, PWR, D> Bus for Awaited<BUS, PWR, D>
where
    BUS: crate::asynch::Gspi,
    PWR: OutputPin,
    D: embedded_hal_async::delay::DelayNs,
{
    type BusError = BUS::Error;

    async fn write(&mut self, command: u32, data: &mut TxWords<'_>) -> Result<u32, BUS::Error> {
        self.gspi.write(command, data).await
    }

    async fn read(&mut self, command: u32, data: &mut RxWords<'_>) -> Result<u32, BUS::Error> {
        self.gspi.read(command, data).await
    }

    async fn set_strap(&mut self, low: bool) -> Result<(), BUS::Error> {
        self.gspi.set_strap(low).await
    }

    fn interrupt(&mut self) -> Result<Option<bool>, BUS::Error> {
        self.gspi.interrupt()
    }

    fn power(&mut self, on: bool) -> Result<(), digital::ErrorKind> {
        self.power.set_state(on.into()).map_err(|e| e.kind())
    }

    async fn wait_us(&mut self, us: u32) {
        self.delay.delay_us(us).await;
    }
}

/// Runs chip logic on a blocking bus with one poll. Logic that is not complete then is an error,
/// not a loop.
pub(crate) fn complete<T, E>(logic: impl Future<Output = Result<T, Error<E>>>) -> Result<T, Error<E>> {
    match pin!(logic).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => Err(Error::WouldBlock),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complete_pending_future_is_would_block() {
        assert!(matches!(complete(async { Ok::<_, Error<()>>(7) }), Ok(7)));
        let stuck = core::future::pending::<Result<(), Error<()>>>();
        assert!(matches!(complete(stuck), Err(Error::WouldBlock)));
    }
}
