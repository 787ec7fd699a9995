//! The async driver: the same chip logic on an async bus, and waiting by the interrupt or by
//! polling.
//!
//! # Cancellation
//!
//! Every future may be dropped at any point. The next call finds out whether the chip executed the
//! transaction. A frame that is lost by that is counted in `rx_reset`. A management call whose
//! future was dropped half way is a fault until it is repeated, or until `recover`. After a dropped
//! `join` the firmware may go on, and the link come up; the network is not remembered. A scan of
//! which the start was dropped ends as aborted.

use core::fmt;
use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::Poll;

use embedded_hal::digital::OutputPin;
use embedded_hal_async::delay::DelayNs;
use ethdev::asynch::{Control, EthernetDevice, yield_once};
use ethdev::{
    Capabilities, ErrorType, Events, FilterOutcome, Interest, Link, MacAddress, RearmOutcome, RxFilter, RxMeta, Stats,
};

use crate::bus::{Awaited, RxWords, TxWords};
use crate::chip::{Chip, Joining};
use crate::firmware::FirmwareSource;
use crate::{Config, Error};

/// A gSPI bus, async: the mirror of [`Gspi`](crate::Gspi).
#[allow(async_fn_in_trait, reason = "whether the futures are Send depends on the bus")]
pub trait Gspi {
    /// The error of the bus.
    type Error: fmt::Debug;

    /// Whether [`wait_for_interrupt`](Self::wait_for_interrupt) works. If not, the driver polls.
    const CAN_WAIT: bool;

    /// As [`Gspi::write`](crate::Gspi::write).
    ///
    /// # Errors
    ///
    /// The bus failed.
    async fn write(&mut self, command: u32, data: &mut TxWords<'_>) -> Result<u32, Self::Error>;

    /// As [`Gspi::read`](crate::Gspi::read).
    ///
    /// # Errors
    ///
    /// The bus failed.
    async fn read(&mut self, command: u32, data: &mut RxWords<'_>) -> Result<u32, Self::Error>;

    /// As [`Gspi::set_strap`](crate::Gspi::set_strap).
    ///
    /// # Errors
    ///
    /// The bus failed.
    async fn set_strap(&mut self, low: bool) -> Result<(), Self::Error>;

    /// As [`Gspi::interrupt`](crate::Gspi::interrupt).
    ///
    /// # Errors
    ///
    /// The bus failed.
    fn interrupt(&mut self) -> Result<Option<bool>, Self::Error> {
        Ok(None)
    }

    /// Waits until DATA is high while chip select is high. Returns immediately if it is.
    ///
    /// # Errors
    ///
    /// The bus failed.
    ///
    /// # Cancellation
    ///
    /// An implementation must be cancel-safe.
    async fn wait_for_interrupt(&mut self) -> Result<(), Self::Error> {
        core::future::pending().await
    }
}

/// A CYW43439 behind an async gSPI bus.
///
/// The device is stopped on construction: call [`start`](Control::start), then
/// [`join`](Self::join). Every call but [`ready`](EthernetDevice::ready), `recv` and `send`
/// completes after a bounded number of transactions and delays.
///
/// `BUS` is the [`Gspi`] bus, `PWR` the pin `WL_REG_ON`, `D` the delay, `FW` the
/// [`FirmwareSource`].
pub struct Cyw43<'m, BUS, PWR, D, FW> {
    chip: Chip<'m, Awaited<BUS, PWR, D>, FW>,
    /// Number of link changes when `ready` last reported one.
    link_reported: u32,
}

impl<BUS, PWR, D, FW> fmt::Debug for Cyw43<'_, BUS, PWR, D, FW> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cyw43").finish_non_exhaustive()
    }
}

/// Awaits chip logic.
macro_rules! awaited {
    ($logic:expr) => {
        $logic.await
    };
}

impl<'m, BUS: Gspi, PWR: OutputPin, D: DelayNs, FW: FirmwareSource> Cyw43<'m, BUS, PWR, D, FW> {
    /// As [`Cyw43::new`](crate::Cyw43::new).
    ///
    /// # Errors
    ///
    /// [`Memory`](Error::RxQueueTooSmall).
    pub fn new(
        gspi: BUS,
        power: PWR,
        delay: D,
        firmware: FW,
        rx_queue: &'m mut [u8],
        config: Config,
    ) -> Result<Self, Error<BUS::Error>> {
        let bus = Awaited { gspi, power, delay };
        Ok(Self {
            chip: Chip::new(bus, firmware, rx_queue, &config)?,
            link_reported: 0,
        })
    }

    crate::wifi_methods::wifi_methods!(awaited, async);

    /// Returns the bus, the power pin, the delay and the firmware source. The chip stays powered
    /// and associated unless it was [stopped](Control::stop).
    pub fn release(self) -> (BUS, PWR, D, FW) {
        let Awaited { gspi, power, delay } = self.chip.port.bus;
        (gspi, power, delay, self.chip.source)
    }

    /// Whether a frame can be sent. Credits come with received frames, which are fetched here
    /// unless the caller waits for them.
    async fn has_room(&mut self, interest: Interest) -> Result<bool, Error<BUS::Error>> {
        if interest.rx {
            Ok(self.chip.is_running()? && self.chip.has_room())
        } else {
            self.chip.tx_ready().await
        }
    }

    /// Sleeps until the chip may have work.
    async fn sleep_until_told(&mut self, interest: Interest) -> Result<(), Error<BUS::Error>> {
        if !matches!(self.chip.joining, Joining::Idle | Joining::GivenUp) {
            // Each check continues the attempt; without a clock it includes a delay.
            if self.chip.config.has_clock() {
                self.chip.port.wait_us(self.chip.config.poll_interval_us).await;
            } else {
                yield_once().await;
            }
            return Ok(());
        }
        if self.chip.rearm(interest, self.link_reported, !interest.rx).await? == RearmOutcome::WorkPending {
            // Other tasks run in between, so that a chip with inconsistent reports cannot hang the
            // executor.
            yield_once().await;
            return Ok(());
        }
        if !BUS::CAN_WAIT || self.chip.holds_the_line() {
            self.chip.port.wait_us(self.chip.config.poll_interval_us).await;
            return Ok(());
        }
        if self.interrupt_in_time().await? {
            return Ok(());
        }
        self.chip.check_health().await
    }

    /// Waits for the interrupt or for the watchdog interval. Returns whether the interrupt came.
    async fn interrupt_in_time(&mut self) -> Result<bool, Error<BUS::Error>> {
        let watchdog_ms = self.chip.config.watchdog_ms;
        let Awaited { gspi, delay, .. } = &mut self.chip.port.bus;
        let mut told = pin!(gspi.wait_for_interrupt());
        let at_once = poll_fn(|cx| Poll::Ready(told.as_mut().poll(cx))).await;
        if let Poll::Ready(result) = at_once {
            // Other tasks run first, so that a line that is stuck high cannot hang the executor.
            yield_once().await;
            return result.map(|()| true).map_err(Error::Bus);
        }
        if watchdog_ms == 0 {
            return told.await.map(|()| true).map_err(Error::Bus);
        }
        let mut late = pin!(delay.delay_ms(watchdog_ms));
        poll_fn(|cx| match told.as_mut().poll(cx) {
            Poll::Pending => late.as_mut().poll(cx).map(|()| Ok(false)),
            Poll::Ready(result) => Poll::Ready(result.map(|()| true).map_err(Error::Bus)),
        })
        .await
    }
}

impl<BUS: Gspi, PWR, D, FW> ErrorType for Cyw43<'_, BUS, PWR, D, FW> {
    type Error = Error<BUS::Error>;
}

impl<BUS: Gspi, PWR: OutputPin, D: DelayNs, FW: FirmwareSource> EthernetDevice for Cyw43<'_, BUS, PWR, D, FW> {
    fn mac_address(&self) -> MacAddress {
        self.chip.mac
    }

    fn capabilities(&self) -> Capabilities {
        self.chip.capabilities()
    }

    fn link(&self) -> Link {
        if self.chip.link_up { Link::UP } else { Link::Down }
    }

    fn stats(&self) -> Stats {
        self.chip.stats
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

    /// With [`Interest::RX`], anything that is pending in the chip is reported as a frame, because
    /// fetching it would not be cancel-safe. If it was an event, `recv_frame` returns `None`,
    /// and [`recv`](EthernetDevice::recv) continues to wait.
    ///
    /// # Cancellation
    ///
    /// Safe with [`Interest::RX`]. Without it, pending frames are fetched into the receive queue: a
    /// future dropped meanwhile can lose one, which is counted in `rx_reset`.
    async fn ready(&mut self, interest: Interest) -> Result<Interest, Self::Error> {
        loop {
            let mut ready = Interest::NONE;
            // Frames that are known to be pending need no access.
            ready.rx = interest.rx && self.chip.is_rx_pending();
            if ready.is_none() {
                if self.chip.is_running()? {
                    if !interest.rx {
                        self.chip.attend().await?;
                    } else if self.chip.waiting().await?.is_some() {
                        // It stays in the chip: fetched here, it would be lost if this future is
                        // dropped.
                        ready.rx = true;
                    } else {
                        self.chip.look_after().await?;
                    }
                }
                ready.rx |= interest.rx && self.chip.is_rx_pending();
                ready.tx = interest.tx && self.has_room(interest).await?;
                ready.link = interest.link && self.chip.stats.link_changes != self.link_reported;
            }
            if ready.link {
                self.link_reported = self.chip.stats.link_changes;
            }
            if !ready.is_none() {
                return Ok(ready);
            }
            self.sleep_until_told(interest).await?;
        }
    }
}

/// As `Control` of the blocking [`Cyw43`](crate::Cyw43).
impl<BUS: Gspi, PWR: OutputPin, D: DelayNs, FW: FirmwareSource> Control for Cyw43<'_, BUS, PWR, D, FW> {
    async fn start(&mut self) -> Result<(), Self::Error> {
        self.chip.start().await
    }

    async fn stop(&mut self) -> Result<(), Self::Error> {
        self.chip.stop().await
    }

    async fn set_mac_address(&mut self, address: MacAddress) -> Result<(), Self::Error> {
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
