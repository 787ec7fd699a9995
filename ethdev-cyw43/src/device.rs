//! The blocking driver.

use core::fmt;

use embedded_hal::delay::DelayNs;
use embedded_hal::digital::OutputPin;
use ethdev::{
    Capabilities, Control, ErrorType, EthernetDevice, Events, FilterOutcome, Interest, Link, MacAddress, MaxFrameLen,
    Rearm, RearmOutcome, RxFilter, RxMeta, Stats,
};

use crate::bus::{Blocking, Gspi, complete};
use crate::chip::Chip;
use crate::firmware::FirmwareSource;
use crate::{Config, Error};

/// A CYW43439 behind a blocking gSPI bus.
///
/// The device is stopped on construction: call [`start`](Control::start), then
/// [`join`](Self::join). Every call returns after a bounded number of transactions and delays.
///
/// `BUS` is the [`Gspi`] bus, `PWR` the pin `WL_REG_ON`, `D` the delay, `FW` the
/// [`FirmwareSource`].
pub struct Cyw43<'m, BUS, PWR, D, FW> {
    chip: Chip<'m, Blocking<BUS, PWR, D>, FW>,
}

impl<BUS, PWR, D, FW> fmt::Debug for Cyw43<'_, BUS, PWR, D, FW> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cyw43").finish_non_exhaustive()
    }
}

/// Runs chip logic on a blocking bus.
macro_rules! at_once {
    ($logic:expr) => {
        complete($logic)
    };
}

impl<'m, BUS: Gspi, PWR: OutputPin, D: DelayNs, FW: FirmwareSource> Cyw43<'m, BUS, PWR, D, FW> {
    /// Creates the driver. Nothing is sent, and the power stays as it is.
    ///
    /// `power` is the pin `WL_REG_ON`. `firmware` is read at every start. `rx_queue` holds events,
    /// frames that arrive while the driver waits for a response, and frames that the caller's
    /// buffer may be too short for: any length from
    /// [`MIN_RX_QUEUE_LEN`](crate::MIN_RX_QUEUE_LEN) bytes; every 1516 bytes more hold another
    /// frame of the longest length.
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
        let bus = Blocking { gspi, power, delay };
        Ok(Self {
            chip: Chip::new(bus, firmware, rx_queue, &config)?,
        })
    }

    crate::wifi_methods::wifi_methods!(at_once);

    /// Returns the bus, the power pin, the delay and the firmware source. The chip stays powered
    /// and associated unless it was [stopped](Control::stop).
    pub fn release(self) -> (BUS, PWR, D, FW) {
        let Blocking { gspi, power, delay } = self.chip.port.bus;
        (gspi, power, delay, self.chip.source)
    }
}

impl<BUS: Gspi, PWR, D, FW> ErrorType for Cyw43<'_, BUS, PWR, D, FW> {
    type Error = Error<BUS::Error>;
}

impl<BUS: Gspi, PWR: OutputPin, D: DelayNs, FW: FirmwareSource> EthernetDevice for Cyw43<'_, BUS, PWR, D, FW> {
    /// The configured address, or from `start` on the chip's own; all zeros before that.
    fn mac_address(&self) -> MacAddress {
        self.chip.mac
    }

    fn capabilities(&self) -> Capabilities {
        self.chip.capabilities()
    }

    fn tx_max_frame_len(&self) -> MaxFrameLen {
        MaxFrameLen::ETHERNET
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

/// The interrupt is a level on the DATA line while chip select is high. The chip has one interrupt
/// for frames, events and credits: a host that waits for one of them is woken by all.
impl<BUS: Gspi, PWR: OutputPin, D: DelayNs, FW: FirmwareSource> Rearm for Cyw43<'_, BUS, PWR, D, FW> {
    fn disarm(&mut self) -> Result<(), Self::Error> {
        complete(self.chip.disarm())
    }

    fn rearm(&mut self, interest: Interest) -> Result<RearmOutcome, Self::Error> {
        let link_told = self.chip.stats.link_changes;
        complete(self.chip.rearm(interest, link_told, true))
    }
}

/// The device is stopped on construction.
///
/// `start` powers the chip, loads the firmware, which takes about 0.3 s, and begins to reconnect to
/// the network that was joined last. `stop` takes the interface down; the firmware runs on. `sleep`
/// turns the power off. `recover` cycles the power, also of a stopped device.
///
/// A call that failed or was dropped is a fault ([`NotStarted`](crate::Fault::NotStarted),
/// [`Incomplete`](crate::Fault::Incomplete)) until it is repeated, or until `recover`, which
/// restores the state that was reached last. A `stop` or `sleep` in a fault cuts the power.
///
/// `stop`, `sleep`, `recover` and `set_mac_address` drop pending frames, which are counted in
/// `rx_reset`; the firmware does not report what it had accepted to send.
///
/// `set_mac_address` on a running device disassociates, and waits until the network is joined
/// again. If only that join fails, the call returns its error and the address is set.
///
/// `set_rx_filter` drops nothing. If it fails, the next `service` repeats it. Up to ten group
/// addresses are filtered exactly, more are [`Superset`](FilterOutcome::Superset), as is a filter
/// without broadcast. Promiscuous reception is `Unsupported`.
///
/// A setter in a fault stores the value for `recover` and returns the fault.
impl<BUS: Gspi, PWR: OutputPin, D: DelayNs, FW: FirmwareSource> Control for Cyw43<'_, BUS, PWR, D, FW> {
    fn start(&mut self) -> Result<(), Self::Error> {
        complete(self.chip.start())
    }

    fn stop(&mut self) -> Result<(), Self::Error> {
        complete(self.chip.stop())
    }

    fn set_mac_address(&mut self, address: MacAddress) -> Result<(), Self::Error> {
        complete(self.chip.set_mac_address(address))
    }

    fn set_rx_filter(&mut self, filter: RxFilter<'_>) -> Result<FilterOutcome, Self::Error> {
        complete(self.chip.set_rx_filter(filter))
    }

    fn recover(&mut self) -> Result<(), Self::Error> {
        complete(self.chip.recover())
    }

    fn sleep(&mut self) -> Result<(), Self::Error> {
        complete(self.chip.sleep())
    }

    fn wake(&mut self) -> Result<(), Self::Error> {
        complete(self.chip.wake())
    }
}
