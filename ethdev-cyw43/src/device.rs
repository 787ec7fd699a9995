//! The blocking driver.

use core::fmt;

use embedded_hal::delay::DelayNs;
use embedded_hal::digital::OutputPin;
use ethdev::{
    Capabilities, Control, ControlError, ErrorType, EthernetDevice, Events, FilterOutcome, Interest, Link, MacAddress,
    Rearm, RearmOutcome, RxFilter, RxMeta, Stats,
};

use crate::bus::{Blocking, Gspi, complete};
use crate::chip::Chip;
use crate::firmware::Source;
use crate::{Config, Error};

/// A CYW43439 behind a blocking gSPI bus. Not started on construction: [`start`](Control::start) does that, and then [`join`](Self::join).
///
/// Every call returns after a bounded number of transactions and waits; see [`Error`] for how each ends.
pub struct Cyw43<'m, GSPI, PWR, DELAY, FW> {
    chip: Chip<'m, Blocking<GSPI, PWR, DELAY>, FW>,
}

impl<GSPI, PWR, DELAY, FW> fmt::Debug for Cyw43<'_, GSPI, PWR, DELAY, FW> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cyw43").finish_non_exhaustive()
    }
}

/// Completes chip logic on a blocking bus.
macro_rules! at_once {
    ($logic:expr) => {
        complete($logic)
    };
}

impl<'m, GSPI: Gspi, PWR: OutputPin, DELAY: DelayNs, FW: Source> Cyw43<'m, GSPI, PWR, DELAY, FW> {
    /// The chip as it will be: nothing is sent, no power is given.
    ///
    /// `power` is `WL_REG_ON`. `images` are read at every start. `memory` is where frames wait that come while the driver waits for something else, or
    /// that the caller's buffer may be too small for: [`MIN_RX_QUEUE_LEN`](crate::MIN_RX_QUEUE_LEN) bytes or more. Each further 1516 hold another frame of the
    /// greatest length.
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
        let bus = Blocking { gspi, power, delay };
        Ok(Self {
            chip: Chip::new(bus, images, memory, config)?,
        })
    }

    crate::radio::radio_methods!(at_once);

    /// Gives bus, power pin, delay and images back. The chip goes on by itself: [`stop`](Control::stop) it first, or cut the power.
    pub fn release(self) -> (GSPI, PWR, DELAY, FW) {
        let Blocking { gspi, power, delay } = self.chip.port.bus;
        (gspi, power, delay, self.chip.source)
    }
}

impl<GSPI: Gspi, PWR, DELAY, FW> ErrorType for Cyw43<'_, GSPI, PWR, DELAY, FW> {
    type Error = Error<GSPI::Error>;
}

impl<GSPI: Gspi, PWR: OutputPin, DELAY: DelayNs, FW: Source> EthernetDevice for Cyw43<'_, GSPI, PWR, DELAY, FW> {
    /// The chip's own is known from `start` on; before, it is the configured one, or all zeros.
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

    fn recv_frame(&mut self, buf: &mut [u8]) -> Result<Option<RxMeta>, Self::Error> {
        Ok(complete(self.chip.receive(buf))?.map(RxMeta::new))
    }

    fn discard_frame(&mut self) -> Result<bool, Self::Error> {
        complete(self.chip.discard())
    }

    fn tx_ready(&mut self) -> Result<bool, Self::Error> {
        complete(self.chip.tx_ready())
    }

    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), Self::Error> {
        complete(self.chip.send(parts))
    }

    fn service(&mut self) -> Result<Events, Self::Error> {
        complete(self.chip.service())
    }
}

/// The line is DATA itself, while chip select is high: a level, high while something waits in the chip. One interrupt tells of frames, events and credits, so that
/// a host which waits for one is woken by the others too.
impl<GSPI: Gspi, PWR: OutputPin, DELAY: DelayNs, FW: Source> Rearm for Cyw43<'_, GSPI, PWR, DELAY, FW> {
    fn disarm(&mut self) -> Result<(), Self::Error> {
        complete(self.chip.disarm())
    }

    fn rearm(&mut self, interest: Interest) -> Result<RearmOutcome, Self::Error> {
        let link_told = self.chip.stats.link_changes;
        complete(self.chip.rearm(interest, link_told, true))
    }
}

/// `start` gives power and loads the firmware, which takes some 0.3 s, and begins to join a network that was joined before; `stop` takes the interface down,
/// `sleep` cuts the power. A changed address means a new association: `set_mac_address` waits for it. Promiscuous reception is `Unsupported`.
impl<GSPI: Gspi, PWR: OutputPin, DELAY: DelayNs, FW: Source> Control for Cyw43<'_, GSPI, PWR, DELAY, FW> {
    fn start(&mut self) -> Result<(), ControlError<Self::Error>> {
        complete(self.chip.start()).map_err(ControlError::Device)
    }

    fn stop(&mut self) -> Result<(), ControlError<Self::Error>> {
        complete(self.chip.stop()).map_err(ControlError::Device)
    }

    fn set_mac_address(&mut self, address: MacAddress) -> Result<(), ControlError<Self::Error>> {
        complete(async { Ok(self.chip.set_mac_address(address).await) }).map_err(ControlError::Device)?
    }

    fn set_rx_filter(&mut self, filter: RxFilter<'_>) -> Result<FilterOutcome, ControlError<Self::Error>> {
        complete(async { Ok(self.chip.set_rx_filter(filter).await) }).map_err(ControlError::Device)?
    }

    fn recover(&mut self) -> Result<(), ControlError<Self::Error>> {
        complete(self.chip.recover()).map_err(ControlError::Device)
    }

    fn sleep(&mut self) -> Result<(), ControlError<Self::Error>> {
        complete(self.chip.sleep()).map_err(ControlError::Device)
    }

    fn wake(&mut self) -> Result<(), ControlError<Self::Error>> {
        complete(self.chip.wake()).map_err(ControlError::Device)
    }
}
