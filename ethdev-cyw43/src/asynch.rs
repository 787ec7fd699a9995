//! The async driver: the same chip logic on an async bus, and waiting by the interrupt or by polling.
//!
//! Every future of the data path may be dropped at any point: the next call finds out what the chip made of a transaction that was cut off.

use core::fmt;
use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::Poll;

use embedded_hal::digital::OutputPin;
use embedded_hal_async::delay::DelayNs;
use ethdev::asynch::{Control, EthernetDevice};
use ethdev::{
    Capabilities, ControlError, ErrorType, Events, FilterOutcome, Interest, Link, MacAddress, RearmOutcome, RxFilter,
    RxMeta, Stats,
};

use crate::bus::{Awaited, Incoming, Outgoing};
use crate::chip::{Chip, Joining};
use crate::firmware::Source;
use crate::{Config, Error};

/// The async mirror of [`Gspi`](crate::Gspi): see there.
#[allow(async_fn_in_trait, reason = "whether the futures are Send is the bus' matter")]
pub trait Gspi {
    /// What can go wrong on this side of the bus.
    type Error: fmt::Debug;

    /// Whether [`wait_for_interrupt`](Self::wait_for_interrupt) waits for something. Where not, the driver polls.
    const CAN_WAIT: bool;

    /// As [`Gspi::write`](crate::Gspi::write).
    ///
    /// # Errors
    ///
    /// The bus failed.
    async fn write(&mut self, command: u32, data: &mut Outgoing<'_>) -> Result<u32, Self::Error>;

    /// As [`Gspi::read`](crate::Gspi::read).
    ///
    /// # Errors
    ///
    /// The bus failed.
    async fn read(&mut self, command: u32, data: &mut Incoming<'_>) -> Result<u32, Self::Error>;

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

    /// Waits until DATA is high while chip select is: at once, where it is.
    ///
    /// # Errors
    ///
    /// The bus failed.
    ///
    /// # Cancellation
    ///
    /// Must be safe.
    async fn wait_for_interrupt(&mut self) -> Result<(), Self::Error> {
        core::future::pending().await
    }
}

/// A CYW43439 behind an async gSPI bus. Not started on construction: [`start`](Control::start) does that, and then [`join`](Self::join).
pub struct Cyw43<'m, GSPI, PWR, DELAY, FW> {
    chip: Chip<'m, Awaited<GSPI, PWR, DELAY>, FW>,
    /// How many changes of the link were told by `ready`.
    link_told: u32,
}

impl<GSPI, PWR, DELAY, FW> fmt::Debug for Cyw43<'_, GSPI, PWR, DELAY, FW> {
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

impl<'m, GSPI: Gspi, PWR: OutputPin, DELAY: DelayNs, FW: Source> Cyw43<'m, GSPI, PWR, DELAY, FW> {
    /// As [`Cyw43::new`](crate::Cyw43::new).
    ///
    /// # Errors
    ///
    /// [`Memory`](Error::Memory).
    pub fn new(
        gspi: GSPI,
        power: PWR,
        delay: DELAY,
        images: FW,
        memory: &'m mut [u8],
        config: Config,
    ) -> Result<Self, Error<GSPI::Error>> {
        let bus = Awaited { gspi, power, delay };
        Ok(Self {
            chip: Chip::new(bus, images, memory, config)?,
            link_told: 0,
        })
    }

    crate::radio::radio_methods!(awaited, async);

    /// Gives bus, power pin, delay and images back.
    pub fn release(self) -> (GSPI, PWR, DELAY, FW) {
        let Awaited { gspi, power, delay } = self.chip.port.bus;
        (gspi, power, delay, self.chip.source)
    }

    /// Credits come with frames, which are fetched here only where nobody waits for them.
    async fn has_room(&mut self, interest: Interest) -> Result<bool, Error<GSPI::Error>> {
        if interest.rx {
            Ok(self.chip.is_running()? && self.chip.has_room())
        } else {
            self.chip.tx_ready().await
        }
    }

    /// Sleeps until the chip may want something.
    async fn sleep_until_told(&mut self, interest: Interest) -> Result<(), Error<GSPI::Error>> {
        if !matches!(self.chip.joining, Joining::Idle | Joining::GivenUp) {
            // The attempt goes on with each look, which waits by itself where there is no clock.
            if self.chip.config.now_ms.is_some() {
                self.chip.port.wait_us(self.chip.config.poll_interval_us.max(1)).await;
            } else {
                yield_once().await;
            }
            return Ok(());
        }
        if self.chip.rearm(interest, self.link_told, !interest.rx).await? == RearmOutcome::WorkPending {
            // Others run between two looks, so that a chip which contradicts itself cannot hang the executor.
            yield_once().await;
            return Ok(());
        }
        if !GSPI::CAN_WAIT || self.chip.holds_the_line() {
            self.chip.port.wait_us(self.chip.config.poll_interval_us.max(1)).await;
            return Ok(());
        }
        if self.told_in_time().await? {
            return Ok(());
        }
        self.chip.check_health().await
    }

    /// Waits for the interrupt, or until it is time for a look at an idle chip: whether the interrupt came.
    async fn told_in_time(&mut self) -> Result<bool, Error<GSPI::Error>> {
        let idle_ms = self.chip.config.idle_check_ms;
        let Awaited { gspi, delay, .. } = &mut self.chip.port.bus;
        let mut told = pin!(gspi.wait_for_interrupt());
        let at_once = poll_fn(|cx| Poll::Ready(told.as_mut().poll(cx))).await;
        if let Poll::Ready(result) = at_once {
            // Others run first, so that a line which is high for no reason cannot hang the executor.
            yield_once().await;
            return result.map(|()| true).map_err(Error::Bus);
        }
        if idle_ms == 0 {
            return told.await.map(|()| true).map_err(Error::Bus);
        }
        let mut late = pin!(delay.delay_ms(idle_ms));
        poll_fn(|cx| match told.as_mut().poll(cx) {
            Poll::Pending => late.as_mut().poll(cx).map(|()| Ok(false)),
            Poll::Ready(result) => Poll::Ready(result.map(|()| true).map_err(Error::Bus)),
        })
        .await
    }
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

impl<GSPI: Gspi, PWR, DELAY, FW> ErrorType for Cyw43<'_, GSPI, PWR, DELAY, FW> {
    type Error = Error<GSPI::Error>;
}

impl<GSPI: Gspi, PWR: OutputPin, DELAY: DelayNs, FW: Source> EthernetDevice for Cyw43<'_, GSPI, PWR, DELAY, FW> {
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

    /// With [`Interest::RX`], whatever waits in the chip is told as a frame, before it is known what it is: fetching it would not be cancel-safe. Where it was
    /// an event, `recv_frame` finds nothing; [`recv`](EthernetDevice::recv) goes on to wait.
    ///
    /// Without it, what waits is fetched: dropped in the middle of that, a frame may be lost, which is counted in `rx_reset`.
    async fn ready(&mut self, interest: Interest) -> Result<Interest, Self::Error> {
        loop {
            let mut ready = Interest::NONE;
            // Frames that are known to wait cost no look.
            ready.rx = interest.rx && self.chip.is_rx_pending();
            if ready.is_none() {
                if self.chip.is_running()? {
                    if !interest.rx {
                        self.chip.attend().await?;
                    } else if self.chip.waiting().await?.is_some() {
                        // It stays where it is: fetched here, it would be lost where this future is dropped.
                        ready.rx = true;
                    } else {
                        self.chip.look_after().await?;
                    }
                }
                ready.rx |= interest.rx && self.chip.is_rx_pending();
                ready.tx = interest.tx && self.has_room(interest).await?;
                ready.link = interest.link && self.chip.stats.link_changes != self.link_told;
            }
            if ready.link {
                self.link_told = self.chip.stats.link_changes;
            }
            if !ready.is_none() {
                return Ok(ready);
            }
            self.sleep_until_told(interest).await?;
        }
    }
}

/// As the blocking driver's.
impl<GSPI: Gspi, PWR: OutputPin, DELAY: DelayNs, FW: Source> Control for Cyw43<'_, GSPI, PWR, DELAY, FW> {
    async fn start(&mut self) -> Result<(), ControlError<Self::Error>> {
        self.chip.start().await.map_err(ControlError::Device)
    }

    async fn stop(&mut self) -> Result<(), ControlError<Self::Error>> {
        self.chip.stop().await.map_err(ControlError::Device)
    }

    async fn set_mac_address(&mut self, address: MacAddress) -> Result<(), ControlError<Self::Error>> {
        self.chip.set_mac_address(address).await
    }

    async fn set_rx_filter(&mut self, filter: RxFilter<'_>) -> Result<FilterOutcome, ControlError<Self::Error>> {
        self.chip.set_rx_filter(filter).await
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
