//! What the chip logic asks of the host: gSPI transactions, the power pin, time. Async here; the blocking form is always ready.

use core::fmt;
use core::future::Future;
use core::pin::pin;
use core::task::{Context, Poll, Waker};

use embedded_hal::digital::{self, Error as _, OutputPin};

use crate::error::Error;
pub use crate::words::{Incoming, Outgoing};

/// A gSPI bus: half-duplex SPI on one data line, in words of 32 bits, most significant bit first, clock idle low, sampled on the rising edge.
///
/// One call is one transaction: chip select falls, the words go over, chip select rises. Commands and words are given as they travel: an
/// implementation exchanges no bytes. There is no clock while the bus waits for memory, so that words may come as slowly as they like.
///
/// # Implementor notes
///
/// On an RP2040 this is a PIO state machine that shifts `1 + words` words out, turns DATA round, and shifts the rest in; [`Outgoing`] feeds its
/// FIFO word by word, or a small buffer for DMA with [`Outgoing::fill`], and [`Incoming`] takes what comes. [`BitBang`](crate::BitBang) is the same in the
/// open. The data line is the interrupt line too: it means something only while chip select is high, and 100 ns after it rose.
pub trait Gspi {
    /// What can go wrong on this side of the bus. The chip itself cannot refuse.
    type Error: fmt::Debug;

    /// Sends `command` and all words of `data`, then reads one word: the status, which is returned.
    ///
    /// # Errors
    ///
    /// The bus failed. What the chip made of it is not known.
    fn write(&mut self, command: u32, data: &mut Outgoing<'_>) -> Result<u32, Self::Error>;

    /// Sends `command`, reads [`words_left`](Incoming::words_left) words into `data`, then one more: the status, which is returned.
    ///
    /// # Errors
    ///
    /// The bus failed. What the chip made of it is not known.
    fn read(&mut self, command: u32, data: &mut Incoming<'_>) -> Result<u32, Self::Error>;

    /// Drives DATA low with chip select high (`true`), or lets it go (`false`). Low while the chip gets power, it chooses gSPI.
    ///
    /// # Errors
    ///
    /// The bus failed.
    fn set_strap(&mut self, low: bool) -> Result<(), Self::Error>;

    /// Whether the chip's interrupt is asserted: DATA is high while chip select is. `None` where that cannot be seen, and then the chip is asked over the bus.
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

    fn write(&mut self, command: u32, data: &mut Outgoing<'_>) -> Result<u32, T::Error> {
        (**self).write(command, data)
    }

    fn read(&mut self, command: u32, data: &mut Incoming<'_>) -> Result<u32, T::Error> {
        (**self).read(command, data)
    }

    fn set_strap(&mut self, low: bool) -> Result<(), T::Error> {
        (**self).set_strap(low)
    }

    fn interrupt(&mut self) -> Result<Option<bool>, T::Error> {
        (**self).interrupt()
    }
}

/// The host's side of the chip. The chip logic is written once, against this.
pub(crate) trait Bus {
    type BusError: fmt::Debug;

    async fn write(&mut self, command: u32, data: &mut Outgoing<'_>) -> Result<u32, Self::BusError>;

    async fn read(&mut self, command: u32, data: &mut Incoming<'_>) -> Result<u32, Self::BusError>;

    async fn set_strap(&mut self, low: bool) -> Result<(), Self::BusError>;

    fn interrupt(&mut self) -> Result<Option<bool>, Self::BusError>;

    /// Drives `WL_REG_ON`.
    fn power(&mut self, on: bool) -> Result<(), digital::ErrorKind>;

    /// Lets at least so much time pass.
    async fn wait_us(&mut self, us: u32);
}

/// A blocking bus and delay: every future of it is ready when it is first polled.
#[derive(Debug)]
pub(crate) struct Blocking<GSPI, PWR, DELAY> {
    pub(crate) gspi: GSPI,
    pub(crate) power: PWR,
    pub(crate) delay: DELAY,
}

impl<GSPI, PWR, DELAY> Bus for Blocking<GSPI, PWR, DELAY>
where
    GSPI: Gspi,
    PWR: OutputPin,
    DELAY: embedded_hal::delay::DelayNs,
{
    type BusError = GSPI::Error;

    async fn write(&mut self, command: u32, data: &mut Outgoing<'_>) -> Result<u32, GSPI::Error> {
        self.gspi.write(command, data)
    }

    async fn read(&mut self, command: u32, data: &mut Incoming<'_>) -> Result<u32, GSPI::Error> {
        self.gspi.read(command, data)
    }

    async fn set_strap(&mut self, low: bool) -> Result<(), GSPI::Error> {
        self.gspi.set_strap(low)
    }

    fn interrupt(&mut self) -> Result<Option<bool>, GSPI::Error> {
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
pub(crate) struct Awaited<GSPI, PWR, DELAY> {
    pub(crate) gspi: GSPI,
    pub(crate) power: PWR,
    pub(crate) delay: DELAY,
}

impl<GSPI, PWR, DELAY> Bus for Awaited<GSPI, PWR, DELAY>
where
    GSPI: crate::asynch::Gspi,
    PWR: OutputPin,
    DELAY: embedded_hal_async::delay::DelayNs,
{
    type BusError = GSPI::Error;

    async fn write(&mut self, command: u32, data: &mut Outgoing<'_>) -> Result<u32, GSPI::Error> {
        self.gspi.write(command, data).await
    }

    async fn read(&mut self, command: u32, data: &mut Incoming<'_>) -> Result<u32, GSPI::Error> {
        self.gspi.read(command, data).await
    }

    async fn set_strap(&mut self, low: bool) -> Result<(), GSPI::Error> {
        self.gspi.set_strap(low).await
    }

    fn interrupt(&mut self) -> Result<Option<bool>, GSPI::Error> {
        self.gspi.interrupt()
    }

    fn power(&mut self, on: bool) -> Result<(), digital::ErrorKind> {
        self.power.set_state(on.into()).map_err(|e| e.kind())
    }

    async fn wait_us(&mut self, us: u32) {
        self.delay.delay_us(us).await;
    }
}

/// Runs chip logic on a blocking bus: nothing in it can wait, so that one poll completes it. If it does not, that is an error, not a loop.
pub(crate) fn complete<T, E>(logic: impl Future<Output = Result<T, Error<E>>>) -> Result<T, Error<E>> {
    match pin!(logic).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => Err(Error::Suspended),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_wait_for_ever_is_an_error() {
        assert!(matches!(complete(async { Ok::<_, Error<()>>(7) }), Ok(7)));
        let stuck = core::future::pending::<Result<(), Error<()>>>();
        assert!(matches!(complete(stuck), Err(Error::Suspended)));
    }
}
