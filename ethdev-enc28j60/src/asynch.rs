//! The async driver: the same chip logic on an async SPI device, and waiting by the INT line or by
//! polling.
//!
//! # Cancellation
//!
//! Every future may be dropped at any point. The next call finds out whether the chip executed an
//! instruction whose future was dropped. A received frame that is lost by that is counted in
//! `rx_reset`.

use core::fmt;
use core::future::poll_fn;
use core::pin::{Pin, pin};
use core::task::Poll;

use embedded_hal::digital::{self, Error as _};
use embedded_hal_async::delay::DelayNs;
use embedded_hal_async::digital::Wait;
use embedded_hal_async::spi::SpiDevice;
use ethdev::asynch::{Control, EthernetDevice, yield_once};
use ethdev::{
    Capabilities, ErrorKind, ErrorType, Events, FilterOutcome, Interest, Link, MacAddress, RearmOutcome, RxFilter,
    RxMeta, Stats,
};

use crate::awaited::chip::{Chip, Look};
use crate::bus::{AsyncBus, Awaited, NoReset, ResetPin};
use crate::config::delay_us;
use crate::errata::tx_stuck;
use crate::{Config, Error, Revision};

/// How the driver waits for the chip: [`LevelIrq`], [`EdgeIrq`] or [`Polled`].
#[allow(async_fn_in_trait, reason = "whether the futures are Send depends on the pin")]
pub trait Interrupt {
    /// Whether the INT line is connected.
    const IS_WIRED: bool;
    /// Whether `wait` waits for an edge, so that it must be polled before the interrupt is enabled.
    const IS_EDGE: bool;

    /// Waits for the interrupt.
    ///
    /// # Errors
    ///
    /// The pin failed.
    ///
    /// # Cancellation
    ///
    /// An implementation must be cancel-safe.
    async fn wait(&mut self) -> Result<(), digital::ErrorKind>;
}

/// No INT line: the chip is polled every [`poll_interval`](Config::poll_interval).
#[derive(Debug, Clone, Copy, Default)]
pub struct Polled;

impl Interrupt for Polled {
    const IS_WIRED: bool = false;
    const IS_EDGE: bool = false;

    async fn wait(&mut self) -> Result<(), digital::ErrorKind> {
        core::future::pending().await
    }
}

/// The INT line on a pin that waits for a low level. Preferred: a level cannot be missed.
#[derive(Debug, Clone, Copy)]
pub struct LevelIrq<P>(pub P);

impl<P: Wait> Interrupt for LevelIrq<P> {
    const IS_WIRED: bool = true;
    const IS_EDGE: bool = false;

    async fn wait(&mut self) -> Result<(), digital::ErrorKind> {
        self.0.wait_for_low().await.map_err(|e| e.kind())
    }
}

/// The INT line on a pin that waits for a falling edge.
#[derive(Debug, Clone, Copy)]
pub struct EdgeIrq<P>(pub P);

impl<P: Wait> Interrupt for EdgeIrq<P> {
    const IS_WIRED: bool = true;
    const IS_EDGE: bool = true;

    async fn wait(&mut self) -> Result<(), digital::ErrorKind> {
        self.0.wait_for_falling_edge().await.map_err(|e| e.kind())
    }
}

/// An ENC28J60 behind an async SPI device.
///
/// The device is running on construction. Every call but [`ready`](EthernetDevice::ready), `recv`
/// and `send` completes after a bounded number of SPI transactions and delays.
///
/// `D` is the delay, `INT` the [`Interrupt`], `RST` the RESET pin: [`Reset`](crate::Reset) or
/// [`NoReset`].
pub struct Enc28j60<SPI, D, INT = Polled, RST = NoReset> {
    chip: Chip<Awaited<SPI, D, RST>>,
    interrupt: INT,
    /// Longest sleep while no frame is being sent, in microseconds; 0 for no limit.
    interval_us: u32,
    link_reported: bool,
}

impl<SPI, D, INT, RST> fmt::Debug for Enc28j60<SPI, D, INT, RST> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Enc28j60").finish_non_exhaustive()
    }
}

impl<SPI: SpiDevice, D: DelayNs, INT: Interrupt> Enc28j60<SPI, D, INT> {
    /// Resets the chip over SPI, initializes it and starts it. `interrupt` is [`LevelIrq`],
    /// [`EdgeIrq`] or [`Polled`].
    ///
    /// `spi` is in mode 0 at 8 to 20 MHz and supports delays within a transaction
    /// ([`Operation::DelayNs`]).
    ///
    /// # Errors
    ///
    /// `Spi`, `NotResponding`, `WrongChip`, `RegisterMismatch`, `Timeout`: see [`Error`].
    ///
    /// [`Operation::DelayNs`]: embedded_hal::spi::Operation::DelayNs
    pub async fn new(spi: SPI, delay: D, interrupt: INT, config: Config) -> Result<Self, Error<SPI::Error>> {
        Self::with_reset(spi, delay, interrupt, NoReset, config).await
    }
}

impl<SPI: SpiDevice, D: DelayNs, INT: Interrupt, RST: ResetPin> Enc28j60<SPI, D, INT, RST> {
    /// As [`new`](Enc28j60::new), and resets the chip by its RESET pin:
    /// [`Reset(pin)`](crate::Reset).
    ///
    /// # Errors
    ///
    /// As [`new`](Enc28j60::new), or `ResetPin`.
    pub async fn with_reset(
        spi: SPI,
        delay: D,
        interrupt: INT,
        reset: RST,
        config: Config,
    ) -> Result<Self, Error<SPI::Error>> {
        let interval_us = if INT::IS_WIRED {
            config.watchdog_interval.map_or(0, delay_us)
        } else {
            delay_us(config.poll_interval)
        };
        let mut chip = Chip::new(Awaited { spi, delay, reset }, &config);
        chip.begin().await?;
        let link_reported = chip.link_up;
        Ok(Self {
            chip,
            interrupt,
            interval_us,
            link_reported,
        })
    }

    /// Returns the revision of the silicon.
    #[must_use]
    pub const fn revision(&self) -> Revision {
        self.chip.revision
    }

    /// Returns the SPI device, the delay, the INT line and the RESET pin. The chip continues to
    /// receive unless it was [stopped](Control::stop).
    pub fn release(self) -> (SPI, D, INT, RST) {
        let Awaited { spi, delay, reset } = self.chip.spi.bus;
        (spi, delay, self.interrupt, reset)
    }

    /// Longest sleep in microseconds; `None`: until the interrupt.
    fn max_sleep_us(&self) -> Option<u32> {
        let interval = Some(self.interval_us).filter(|us| *us > 0);
        if INT::IS_WIRED && self.chip.tx.is_busy() {
            // A transmitter that is stuck raises no interrupt (erratum 13).
            let stuck = tx_stuck(self.chip.settings.is_full_duplex()) / 10 + 1;
            return Some(interval.map_or(stuck, |us| us.min(stuck)));
        }
        interval
    }

    /// Sleeps until the chip may have work. Returns how closely to check it then.
    async fn sleep_until_told(&mut self, interest: Interest) -> Result<Look, Error<SPI::Error>> {
        let max_sleep_us = self.max_sleep_us();
        let Self { chip, interrupt, .. } = self;
        if !INT::IS_WIRED {
            chip.spi.wait_us(max_sleep_us.unwrap_or(1)).await;
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
            // Other tasks run in between, so that a chip with inconsistent reports cannot hang the
            // executor.
            yield_once().await;
            return Ok(Look::Thorough);
        }
        if let Some(told) = let_through(told.as_mut()).await {
            return told.map(|()| Look::Told).map_err(Error::InterruptPin);
        }
        let told = match max_sleep_us {
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

/// Returns the output of a future that is ready immediately. Other tasks run first, so that a line
/// that is stuck low cannot hang the executor.
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

impl<SPI: SpiDevice, D, INT, RST> ErrorType for Enc28j60<SPI, D, INT, RST> {
    type Error = Error<SPI::Error>;
}

impl<SPI: SpiDevice, D: DelayNs, INT: Interrupt, RST: ResetPin> EthernetDevice for Enc28j60<SPI, D, INT, RST>
where
    Awaited<SPI, D, RST>: AsyncBus<SpiError = SPI::Error>,
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
        // While a level-triggered line is armed and was not yet waited for, the chip has nothing to
        // report.
        let armed = INT::IS_WIRED && !INT::IS_EDGE && self.chip.is_armed(interest);
        let mut look = if armed { Look::Seldom } else { Look::Thorough };
        loop {
            let mut ready = Interest::NONE;
            // Frames that are known to be pending need no access.
            ready.rx = interest.rx && self.chip.knows_of_frames();
            if ready.is_none() {
                self.chip.attend(look).await?;
                ready.rx = interest.rx && look != Look::Seldom && self.chip.is_rx_pending().await?;
                ready.tx = interest.tx && self.chip.has_room();
                ready.link = interest.link && self.chip.link_up != self.link_reported;
            }
            if ready.link {
                self.link_reported = self.chip.link_up;
            }
            if !ready.is_none() {
                return Ok(ready);
            }
            // After an interrupt without a cause the chip is checked thoroughly.
            let before = look;
            look = self.sleep_until_told(interest).await?;
            if before == Look::Told {
                look = Look::Thorough;
            }
        }
    }
}

/// The device is running on construction.
///
/// - `set_mac_address` and `set_rx_filter` turn the receiver off for the change (data sheet section
///   8): frames that arrive meanwhile are lost and not counted. Pending frames stay, and so do those
///   to be sent.
/// - `stop` and `sleep` wait for a frame that is arriving. Pending frames are counted in `rx_reset`,
///   frames to be sent in `tx_reset`. `recover`, and `start` of a device that is not running, reset
///   the chip; what that loses is counted as well. The link is down for about 20 ms afterwards.
/// - A call returns `Ok` only after the chip was read back: address, filter, buffer limits and MAC
///   settings, all of which a reset of the chip clears, and whether it receives or sleeps. A chip
///   that was reset inside the call is set up again, or the call fails.
/// - After a call that failed, or whose future was dropped, the device is in a fault: calls that
///   move frames return `Fault`. The same call again, any other of these calls, or `service` resets
///   the chip and ends it. `service` and `recover` restore the state that was reached last. What a
///   setter requested stays requested, and is applied with that.
///
/// A group filter is a hash table of 64 bits: [`Superset`](FilterOutcome::Superset). Promiscuous
/// reception is exact.
impl<SPI: SpiDevice, D: DelayNs, INT: Interrupt, RST: ResetPin> Control for Enc28j60<SPI, D, INT, RST> {
    async fn start(&mut self) -> Result<(), Self::Error> {
        self.chip.start().await
    }

    async fn stop(&mut self) -> Result<(), Self::Error> {
        self.chip.stop().await
    }

    async fn set_mac_address(&mut self, address: MacAddress) -> Result<(), Self::Error> {
        if !address.is_unicast() {
            return Err(ErrorKind::InvalidInput.into());
        }
        self.chip.set_mac_address(address).await
    }

    async fn set_rx_filter(&mut self, filter: RxFilter<'_>) -> Result<FilterOutcome, Self::Error> {
        self.chip.set_rx_filter(filter).await
    }

    async fn recover(&mut self) -> Result<(), Self::Error> {
        self.chip.recover().await
    }

    async fn sleep(&mut self) -> Result<(), Self::Error> {
        self.chip.sleep().await
    }

    async fn wake(&mut self) -> Result<(), Self::Error> {
        self.chip.wake().await
    }
}
