//! The async driver: the same chip logic on an async SPI device, and waiting by INT line or by polling.
//!
//! Every future may be dropped at any point. What an instruction that was dropped did to the chip is found out by the next call.

use core::fmt;
use core::future::poll_fn;
use core::pin::{Pin, pin};
use core::task::Poll;

use embedded_hal::digital::{self, Error as _};
use embedded_hal_async::delay::DelayNs;
use embedded_hal_async::digital::Wait;
use embedded_hal_async::spi::SpiDevice;
use ethdev::asynch::{Control, EthernetDevice};
use ethdev::{
    Capabilities, ControlError, ErrorType, Events, FilterOutcome, Interest, Link, MacAddress, RearmOutcome, RxFilter,
    RxMeta, Stats,
};

use crate::awaited::chip::{Chip, Look};
use crate::bus::{AsyncBus, Awaited, NoReset, ResetPin};
use crate::errata::tx_stuck;
use crate::{Config, Error, Revision};

/// How the driver learns that the chip wants something.
#[allow(async_fn_in_trait, reason = "whether the futures are Send is the pin's matter")]
pub trait Interrupt {
    /// Whether there is a line at all.
    const IS_WIRED: bool;
    /// Whether a change is waited for, which has to begin before the chip may make it.
    const IS_EDGE: bool;

    /// Waits for the line.
    ///
    /// # Errors
    ///
    /// The pin failed.
    ///
    /// # Cancellation
    ///
    /// Must be safe.
    async fn wait(&mut self) -> Result<(), digital::ErrorKind>;
}

/// No INT line: the chip is polled, every [`poll_interval_us`](Config::poll_interval_us).
#[derive(Debug, Clone, Copy, Default)]
pub struct Polled;

impl Interrupt for Polled {
    const IS_WIRED: bool = false;
    const IS_EDGE: bool = false;

    async fn wait(&mut self) -> Result<(), digital::ErrorKind> {
        core::future::pending().await
    }
}

/// The INT line on a pin that can wait for a low level. The best choice: a level cannot be missed.
#[derive(Debug, Clone, Copy)]
pub struct Level<P>(pub P);

impl<P: Wait> Interrupt for Level<P> {
    const IS_WIRED: bool = true;
    const IS_EDGE: bool = false;

    async fn wait(&mut self) -> Result<(), digital::ErrorKind> {
        self.0.wait_for_low().await.map_err(|e| e.kind())
    }
}

/// The INT line on a pin that can only wait for a falling edge.
#[derive(Debug, Clone, Copy)]
pub struct Edge<P>(pub P);

impl<P: Wait> Interrupt for Edge<P> {
    const IS_WIRED: bool = true;
    const IS_EDGE: bool = true;

    async fn wait(&mut self) -> Result<(), digital::ErrorKind> {
        self.0.wait_for_falling_edge().await.map_err(|e| e.kind())
    }
}

/// An ENC28J60 behind an async SPI device. It is started on construction.
pub struct Enc28j60<SPI, DELAY, INT = Polled, RST = NoReset> {
    chip: Chip<Awaited<SPI, DELAY, RST>>,
    interrupt: INT,
    /// How long to sleep at most while nothing is on its way, in microseconds; 0 = without end.
    interval_us: u32,
    link_told: bool,
}

impl<SPI, DELAY, INT, RST> fmt::Debug for Enc28j60<SPI, DELAY, INT, RST> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Enc28j60").finish_non_exhaustive()
    }
}

impl<SPI: SpiDevice, DELAY: DelayNs, INT: Interrupt> Enc28j60<SPI, DELAY, INT> {
    /// Resets the chip over SPI, sets it up and starts it. `interrupt` is [`Level`], [`Edge`] or [`Polled`].
    ///
    /// `spi` is in mode 0 at 8 to 20 MHz and must be able to delay within a transaction.
    ///
    /// # Errors
    ///
    /// The bus failed, or what is behind it is no working ENC28J60.
    pub async fn new(spi: SPI, delay: DELAY, interrupt: INT, config: Config) -> Result<Self, Error<SPI::Error>> {
        Self::with_reset(spi, delay, interrupt, NoReset, config).await
    }
}

impl<SPI: SpiDevice, DELAY: DelayNs, INT: Interrupt, RST: ResetPin> Enc28j60<SPI, DELAY, INT, RST> {
    /// As [`new`](Enc28j60::new), with the RESET pin wired: [`Reset(pin)`](crate::Reset).
    ///
    /// # Errors
    ///
    /// As [`new`](Enc28j60::new), or the pin failed.
    pub async fn with_reset(
        spi: SPI,
        delay: DELAY,
        interrupt: INT,
        reset: RST,
        config: Config,
    ) -> Result<Self, Error<SPI::Error>> {
        let interval_us = if INT::IS_WIRED {
            config.idle_check_ms.saturating_mul(1000)
        } else {
            config.poll_interval_us.max(1)
        };
        let mut chip = Chip::new(Awaited { spi, delay, reset }, &config);
        chip.begin().await?;
        let link_told = chip.link_up;
        Ok(Self {
            chip,
            interrupt,
            interval_us,
            link_told,
        })
    }

    /// The revision of the silicon.
    #[must_use]
    pub const fn revision(&self) -> Revision {
        self.chip.revision
    }

    /// Gives the SPI device, the delay, the INT line and the RESET pin back.
    pub fn release(self) -> (SPI, DELAY, INT, RST) {
        let Awaited { spi, delay, reset } = self.chip.spi.bus;
        (spi, delay, self.interrupt, reset)
    }

    /// How long to sleep at most, in microseconds; `None` = until the line says something.
    fn patience(&self) -> Option<u32> {
        let interval = Some(self.interval_us).filter(|us| *us > 0);
        if INT::IS_WIRED && self.chip.tx.is_busy() {
            // A transmitter that is stuck raises no interrupt (erratum 13).
            let stuck = tx_stuck(self.chip.settings.is_full_duplex()) / 10 + 1;
            return Some(interval.map_or(stuck, |us| us.min(stuck)));
        }
        interval
    }

    /// Sleeps until the chip may want something, and tells how to look at it then.
    async fn sleep_until_told(&mut self, interest: Interest) -> Result<Look, Error<SPI::Error>> {
        let patience = self.patience();
        let Self { chip, interrupt, .. } = self;
        if !INT::IS_WIRED {
            chip.spi.wait_us(patience.unwrap_or(1)).await;
            return Ok(Look::Thorough);
        }
        let mut told = pin!(interrupt.wait());
        if INT::IS_EDGE && let_through(told.as_mut()).await.is_some() {
            return Ok(Look::Told);
        }
        let outcome = if INT::IS_EDGE {
            chip.rearm(interest).await?
        } else {
            chip.rearm_level(interest).await?
        };
        if outcome == RearmOutcome::WorkPending {
            // Others run between two looks, so that a chip which contradicts itself cannot hang the executor.
            yield_once().await;
            return Ok(Look::Thorough);
        }
        if let Some(told) = let_through(told.as_mut()).await {
            return told.map(|()| Look::Told).map_err(Error::InterruptPin);
        }
        let told = match patience {
            None => told.await.map(|()| Look::Told),
            Some(us) => {
                let mut late = pin!(chip.spi.wait_us(us));
                poll_fn(|cx| match told.as_mut().poll(cx) {
                    Poll::Pending => late.as_mut().poll(cx).map(|()| Ok(Look::Thorough)),
                    Poll::Ready(told) => Poll::Ready(told.map(|()| Look::Told)),
                })
                .await
            }
        };
        told.map_err(Error::InterruptPin)
    }
}

/// The output of a future that is ready at once. Others run before it is returned, so that a line which is low for no reason cannot hang the executor.
async fn let_through<T>(mut future: Pin<&mut impl Future<Output = T>>) -> Option<T> {
    let ready = poll_fn(|cx| {
        Poll::Ready(match future.as_mut().poll(cx) {
            Poll::Ready(output) => Some(output),
            Poll::Pending => None,
        })
    })
    .await;
    if ready.is_some() {
        yield_once().await;
    }
    ready
}

async fn yield_once() {
    let mut yielded = false;
    poll_fn(|cx| {
        if core::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

impl<SPI: SpiDevice, DELAY, INT, RST> ErrorType for Enc28j60<SPI, DELAY, INT, RST> {
    type Error = Error<SPI::Error>;
}

impl<SPI: SpiDevice, DELAY: DelayNs, INT: Interrupt, RST: ResetPin> EthernetDevice for Enc28j60<SPI, DELAY, INT, RST>
where
    Awaited<SPI, DELAY, RST>: AsyncBus<SpiError = SPI::Error>,
{
    fn mac_address(&self) -> MacAddress {
        self.chip.settings.mac_address
    }

    fn capabilities(&self) -> Capabilities {
        self.chip.capabilities()
    }

    fn link(&self) -> Link {
        self.chip.link()
    }

    fn stats(&self) -> Stats {
        self.chip.counters.stats()
    }

    async fn recv_frame(&mut self, buf: &mut [u8]) -> Result<Option<RxMeta>, Self::Error> {
        Ok(self.chip.receive(buf).await?.map(RxMeta::new))
    }

    async fn discard_frame(&mut self) -> Result<bool, Self::Error> {
        self.chip.discard().await
    }

    async fn tx_ready(&mut self) -> Result<bool, Self::Error> {
        self.chip.tx_ready().await
    }

    async fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), Self::Error> {
        self.chip.send(parts).await
    }

    async fn service(&mut self) -> Result<Events, Self::Error> {
        self.chip.service().await
    }

    async fn ready(&mut self, interest: Interest) -> Result<Interest, Self::Error> {
        // A line whose level tells is believed: while it is armed, and nobody has waited for it yet, there is nothing to look for.
        let believed = INT::IS_WIRED && !INT::IS_EDGE && self.chip.is_armed(interest);
        let mut look = if believed { Look::Seldom } else { Look::Thorough };
        loop {
            let mut ready = Interest::NONE;
            // Frames that are known to wait cost no look.
            ready.rx = interest.rx && self.chip.knows_of_frames();
            if ready.is_none() {
                self.chip.attend(look).await?;
                ready.rx = interest.rx && look != Look::Seldom && self.chip.is_rx_pending().await?;
                ready.tx = interest.tx && self.chip.has_room();
                ready.link = interest.link && self.chip.link_up != self.link_told;
            }
            if ready.link {
                self.link_told = self.chip.link_up;
            }
            if !ready.is_none() {
                return Ok(ready);
            }
            // A line that tells of nothing is not believed a second time.
            let before = look;
            look = self.sleep_until_told(interest).await?;
            if before == Look::Told {
                look = Look::Thorough;
            }
        }
    }
}

/// Frames that arrive while an address or a filter is changed are lost without being counted: the receiver is off then, as the data sheet asks.
impl<SPI: SpiDevice, DELAY: DelayNs, INT: Interrupt, RST: ResetPin> Control for Enc28j60<SPI, DELAY, INT, RST> {
    async fn start(&mut self) -> Result<(), ControlError<Self::Error>> {
        self.chip.start().await.map_err(ControlError::Device)
    }

    async fn stop(&mut self) -> Result<(), ControlError<Self::Error>> {
        self.chip.stop().await.map_err(ControlError::Device)
    }

    async fn set_mac_address(&mut self, address: MacAddress) -> Result<(), ControlError<Self::Error>> {
        if !address.is_unicast() {
            return Err(ControlError::InvalidInput);
        }
        self.chip.set_mac_address(address).await.map_err(ControlError::Device)
    }

    async fn set_rx_filter(&mut self, filter: RxFilter<'_>) -> Result<FilterOutcome, ControlError<Self::Error>> {
        self.chip.set_rx_filter(filter).await.map_err(ControlError::Device)
    }

    async fn recover(&mut self) -> Result<(), ControlError<Self::Error>> {
        self.chip.recover().await.map_err(ControlError::Device)
    }

    async fn sleep(&mut self) -> Result<(), ControlError<Self::Error>> {
        self.chip.sleep().await.map_err(ControlError::Device)
    }

    async fn wake(&mut self) -> Result<(), ControlError<Self::Error>> {
        self.chip.wake().await.map_err(ControlError::Device)
    }
}
