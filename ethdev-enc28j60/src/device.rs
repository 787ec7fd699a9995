//! The blocking driver.

use core::fmt;

use embedded_hal::delay::DelayNs;
use embedded_hal::spi::SpiDevice;
use ethdev::{
    Capabilities, Control, ControlError, ErrorType, EthernetDevice, Events, FilterOutcome, Interest, Link, MacAddress,
    Rearm, RearmOutcome, RxFilter, RxMeta, Stats,
};

use crate::blocking::chip::Chip;
use crate::bus::{Blocking, NoReset, ResetPin};
use crate::{Config, Error, Revision};

/// An ENC28J60 behind a blocking SPI device.
///
/// It is started on construction. Every call returns after a bounded number of SPI transactions and waits; see [`Error`] for how each ends.
pub struct Enc28j60<SPI, DELAY, RST = NoReset> {
    chip: Chip<Blocking<SPI, DELAY, RST>>,
}

impl<SPI, DELAY, RST> fmt::Debug for Enc28j60<SPI, DELAY, RST> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Enc28j60").finish_non_exhaustive()
    }
}

impl<SPI: SpiDevice, DELAY: DelayNs> Enc28j60<SPI, DELAY> {
    /// Resets the chip over SPI, sets it up and starts it. Takes 1.5 ms and some 250 short transactions.
    ///
    /// `spi` is in mode 0 at 8 to 20 MHz and must be able to delay within a transaction.
    ///
    /// # Errors
    ///
    /// The bus failed, or what is behind it is no working ENC28J60.
    pub fn new(spi: SPI, delay: DELAY, config: Config) -> Result<Self, Error<SPI::Error>> {
        Self::with_reset(spi, delay, NoReset, config)
    }
}

impl<SPI: SpiDevice, DELAY: DelayNs, RST: ResetPin> Enc28j60<SPI, DELAY, RST> {
    /// As [`new`](Enc28j60::new), with the RESET pin wired: `Reset(pin)`.
    ///
    /// # Errors
    ///
    /// As [`new`](Enc28j60::new), or the pin failed.
    pub fn with_reset(spi: SPI, delay: DELAY, reset: RST, config: Config) -> Result<Self, Error<SPI::Error>> {
        let mut chip = Chip::new(Blocking { spi, delay, reset }, &config);
        chip.begin()?;
        Ok(Self { chip })
    }

    /// The revision of the silicon.
    #[must_use]
    pub const fn revision(&self) -> Revision {
        self.chip.revision
    }

    /// Gives the SPI device, the delay and the RESET pin back. The chip goes on receiving: [`stop`](Control::stop) it first.
    pub fn release(self) -> (SPI, DELAY, RST) {
        let Blocking { spi, delay, reset } = self.chip.spi.bus;
        (spi, delay, reset)
    }
}

impl<SPI: SpiDevice, DELAY, RST> ErrorType for Enc28j60<SPI, DELAY, RST> {
    type Error = Error<SPI::Error>;
}

impl<SPI: SpiDevice, DELAY: DelayNs, RST: ResetPin> EthernetDevice for Enc28j60<SPI, DELAY, RST> {
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

    fn recv_frame(&mut self, buf: &mut [u8]) -> Result<Option<RxMeta>, Self::Error> {
        Ok(self.chip.receive(buf)?.map(RxMeta::new))
    }

    fn discard_frame(&mut self) -> Result<bool, Self::Error> {
        self.chip.discard()
    }

    fn tx_ready(&mut self) -> Result<bool, Self::Error> {
        self.chip.tx_ready()
    }

    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), Self::Error> {
        self.chip.send(parts)
    }

    fn service(&mut self) -> Result<Events, Self::Error> {
        self.chip.service()
    }
}

impl<SPI: SpiDevice, DELAY: DelayNs, RST: ResetPin> Rearm for Enc28j60<SPI, DELAY, RST> {
    fn disarm(&mut self) -> Result<(), Self::Error> {
        self.chip.disarm()
    }

    fn rearm(&mut self, interest: Interest) -> Result<RearmOutcome, Self::Error> {
        self.chip.rearm(interest)
    }
}

/// Frames that arrive while an address or a filter is changed are lost without being counted: the receiver is off then, as the data sheet asks.
impl<SPI: SpiDevice, DELAY: DelayNs, RST: ResetPin> Control for Enc28j60<SPI, DELAY, RST> {
    fn start(&mut self) -> Result<(), ControlError<Self::Error>> {
        self.chip.start().map_err(ControlError::Device)
    }

    fn stop(&mut self) -> Result<(), ControlError<Self::Error>> {
        self.chip.stop().map_err(ControlError::Device)
    }

    fn set_mac_address(&mut self, address: MacAddress) -> Result<(), ControlError<Self::Error>> {
        if !address.is_unicast() {
            return Err(ControlError::InvalidInput);
        }
        self.chip.set_mac_address(address).map_err(ControlError::Device)
    }

    fn set_rx_filter(&mut self, filter: RxFilter<'_>) -> Result<FilterOutcome, ControlError<Self::Error>> {
        self.chip.set_rx_filter(filter).map_err(ControlError::Device)
    }

    fn recover(&mut self) -> Result<(), ControlError<Self::Error>> {
        self.chip.recover().map_err(ControlError::Device)
    }

    fn sleep(&mut self) -> Result<(), ControlError<Self::Error>> {
        self.chip.sleep().map_err(ControlError::Device)
    }

    fn wake(&mut self) -> Result<(), ControlError<Self::Error>> {
        self.chip.wake().map_err(ControlError::Device)
    }
}
