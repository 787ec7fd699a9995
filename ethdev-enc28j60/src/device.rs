//! The blocking driver.

use core::fmt;

use embedded_hal::delay::DelayNs;
use embedded_hal::spi::SpiDevice;
use ethdev::{
    Capabilities, Control, ErrorKind, ErrorType, EthernetDevice, Events, FilterOutcome, Interest, Link, MacAddress,
    MaxFrameLen, Rearm, RearmOutcome, RxFilter, RxMeta, Stats,
};

use crate::blocking::chip::Chip;
use crate::bus::{Blocking, NoReset, ResetPin};
use crate::{Config, Error, Revision};

/// An ENC28J60 behind a blocking SPI device.
///
/// The device is running on construction. Every call returns after a bounded number of SPI
/// transactions and delays.
///
/// In half duplex a transmission can stall without an interrupt (erratum 13). While a frame is being
/// sent, call [`service`](EthernetDevice::service) at least every
/// [`max_service_interval`](Capabilities::max_service_interval), 20 ms, also if the host sleeps by
/// [`Rearm`]: a stalled frame is sent again after at most 18 calls. While nothing is being sent,
/// an interrupt precedes every necessary call.
///
/// `D` is the delay, `RST` the RESET pin: [`Reset`](crate::Reset) or [`NoReset`].
pub struct Enc28j60<SPI, D, RST = NoReset> {
    chip: Chip<Blocking<SPI, D, RST>>,
}

impl<SPI, D, RST> fmt::Debug for Enc28j60<SPI, D, RST> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Enc28j60").finish_non_exhaustive()
    }
}

impl<SPI: SpiDevice, D: DelayNs> Enc28j60<SPI, D> {
    /// Resets the chip over SPI, initializes it and starts it. Takes 1.5 ms and about 250 short
    /// transactions.
    ///
    /// `spi` is in mode 0 at 8 to 20 MHz and supports delays within a transaction
    /// ([`Operation::DelayNs`]).
    ///
    /// # Errors
    ///
    /// `Spi`, `NotResponding`, `WrongChip`, `RegisterMismatch`, `Timeout`: see [`Error`].
    ///
    /// [`Operation::DelayNs`]: embedded_hal::spi::Operation::DelayNs
    pub fn new(spi: SPI, delay: D, config: Config) -> Result<Self, Error<SPI::Error>> {
        Self::with_reset(spi, delay, NoReset, config)
    }
}

impl<SPI: SpiDevice, D: DelayNs, RST: ResetPin> Enc28j60<SPI, D, RST> {
    /// As [`new`](Enc28j60::new), and resets the chip by its RESET pin:
    /// [`Reset(pin)`](crate::Reset).
    ///
    /// # Errors
    ///
    /// As [`new`](Enc28j60::new), or `ResetPin`.
    pub fn with_reset(spi: SPI, delay: D, reset: RST, config: Config) -> Result<Self, Error<SPI::Error>> {
        let mut chip = Chip::new(Blocking { spi, delay, reset }, &config);
        chip.begin()?;
        Ok(Self { chip })
    }

    /// Returns the revision of the silicon.
    #[must_use]
    pub const fn revision(&self) -> Revision {
        self.chip.revision
    }

    /// Returns the SPI device, the delay and the RESET pin. The chip continues to receive unless it
    /// was [stopped](Control::stop).
    pub fn release(self) -> (SPI, D, RST) {
        let Blocking { spi, delay, reset } = self.chip.spi.bus;
        (spi, delay, reset)
    }
}

impl<SPI: SpiDevice, D, RST> ErrorType for Enc28j60<SPI, D, RST> {
    type Error = Error<SPI::Error>;
}

impl<SPI: SpiDevice, D: DelayNs, RST: ResetPin> EthernetDevice for Enc28j60<SPI, D, RST> {
    fn mac_address(&self) -> MacAddress {
        self.chip.settings.mac_address
    }

    fn capabilities(&self) -> Capabilities {
        self.chip.capabilities()
    }

    fn tx_max_frame_len(&self) -> MaxFrameLen {
        self.chip.settings.max_frame_len()
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

impl<SPI: SpiDevice, D: DelayNs, RST: ResetPin> Rearm for Enc28j60<SPI, D, RST> {
    fn disarm(&mut self) -> Result<(), Self::Error> {
        self.chip.disarm()
    }

    fn rearm(&mut self, interest: Interest) -> Result<RearmOutcome, Self::Error> {
        let outcome = self.chip.rearm(interest)?;
        // A change that another call noticed makes no interrupt.
        if interest.link && self.chip.link_up != self.chip.link_reported {
            return Ok(RearmOutcome::WorkPending);
        }
        Ok(outcome)
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
/// - After a call that failed the device is in a fault: calls that
///   move frames return `Fault`. The same call again, any other of these calls, or `service` resets
///   the chip and ends it. `service` and `recover` restore the state that was reached last. What a
///   setter requested stays requested, and is applied with that.
///
/// A group filter is a hash table of 64 bits: [`Superset`](FilterOutcome::Superset). Promiscuous
/// reception is exact.
impl<SPI: SpiDevice, D: DelayNs, RST: ResetPin> Control for Enc28j60<SPI, D, RST> {
    fn start(&mut self) -> Result<(), Self::Error> {
        self.chip.start()
    }

    fn stop(&mut self) -> Result<(), Self::Error> {
        self.chip.stop()
    }

    fn set_mac_address(&mut self, address: MacAddress) -> Result<(), Self::Error> {
        if !address.is_unicast() {
            return Err(ErrorKind::InvalidInput.into());
        }
        self.chip.set_mac_address(address)
    }

    fn set_rx_filter(&mut self, filter: RxFilter<'_>) -> Result<FilterOutcome, Self::Error> {
        self.chip.set_rx_filter(filter)
    }

    fn recover(&mut self) -> Result<(), Self::Error> {
        self.chip.recover()
    }

    fn sleep(&mut self) -> Result<(), Self::Error> {
        self.chip.sleep()
    }

    fn wake(&mut self) -> Result<(), Self::Error> {
        self.chip.wake()
    }
}
