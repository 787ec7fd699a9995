//! ethdev's traits for the driver of the crate `enc28j60` 0.2, on embedded-hal 0.2: for its users on their way here.
//!
//! ```no_run
//! # #[allow(deprecated)]
//! # fn f<SPI, NCS, D, E>(spi: SPI, ncs: NCS, delay: &mut D) -> Result<(), Box<dyn core::error::Error>>
//! # where
//! #     E: core::fmt::Debug + 'static,
//! #     SPI: embedded_hal_02::blocking::spi::Transfer<u8, Error = E> + embedded_hal_02::blocking::spi::Write<u8, Error = E>,
//! #     NCS: embedded_hal_02::digital::OutputPin,
//! #     D: embedded_hal_02::blocking::delay::DelayMs<u8>,
//! # {
//! use enc28j60::{Enc28j60, Unconnected};
//! use ethdev::{EthernetDevice, MacAddress};
//! use ethdev_enc28j60::compat::{Bridge, Memory};
//!
//! let mac = MacAddress::new([0x02, 0, 0, 0, 0, 0x28]);
//! let driver = Enc28j60::new(spi, ncs, Unconnected, Unconnected, delay, 0x1a00, mac.octets()).map_err(|e| format!("{e:?}"))?;
//! let mut memory = Memory::new();
//! let mut device = Bridge::new(driver, mac, &mut memory);
//! let mut buf = [0; 1514];
//! if let Some(meta) = device.recv_frame(&mut buf)? {
//!     device.send_frame(&buf[..meta.len])?;
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # What that driver does not allow
//!
//! The traits' contract holds as far as the driver lets it. This crate's own [`Enc28j60`](crate::Enc28j60) has none of these limits.
//!
//! - **It panics** where a transmission is aborted (collisions on a busy or broken half-duplex medium), unless ESTAT tells of a late collision, which silicon
//!   with erratum 15 does not reliably; where a received header is damaged (a length below 4 or above 1518); and, built with debug assertions, where the
//!   receive buffer overran.
//! - **It waits for ever** for the end of a transmission that hangs in the chip (errata 12 and 13, revisions B5 and B7 in half duplex), for the packet flag of
//!   a packet that the chip has counted (erratum 6: the flag may stay clear), and for a PHY that is not there, on construction.
//! - **A failing bus** leaves chip select low and the driver's idea of the chip wrong. From then on every call is [`Error::Fault`]: [`release`](Bridge::release)
//!   the driver, `free` its parts, raise chip select and construct it anew.
//! - **The link** is not known: [`link`](EthernetDevice::link) is always up, and a frame without a cable counts as sent.
//! - **After a late collision** every frame counts as aborted, although it goes out: the driver never clears what ESTAT says.
//! - **Overruns** and damaged frames are not counted: the chip drops them, and the driver does not ask.
//! - **Sending** waits for the frame before it, 1.2 ms at worst where nothing hangs; so does [`service`](EthernetDevice::service), which is how the frame's fate is
//!   known. It is never `Busy`.
//! - **Control**: address and filter are those of construction; there is no stop, no sleep and no recovery.
//! - It changes banks by writing ECON1 whole: a transmission that ends in that moment is started again, and the frame goes out twice.

use core::fmt;

use embedded_hal_02::blocking::spi::{Transfer, Write};
#[allow(deprecated, reason = "the driver asks for the first version of the traits")]
use embedded_hal_02::digital::{InputPin, OutputPin};
use enc28j60::{Enc28j60, Event, IntPin, ResetPin};
use ethdev::frame::MAX_FRAME_LEN;
use ethdev::{
    Capabilities, Control, ControlError, ErrorKind, ErrorType, EthernetDevice, Events, Interest, Link, LinkMode,
    MacAddress, Rearm, RearmOutcome, RxMeta, Speed, Stats, validate_tx_len,
};

use crate::Error;

/// What a [`Bridge`] needs beside the driver: a buffer for a frame that did not fit the caller's, and one to put frames together in.
#[derive(Debug)]
pub struct Memory {
    rx: [u8; MAX_FRAME_LEN],
    tx: [u8; MAX_FRAME_LEN],
}

impl Memory {
    /// Empty.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            rx: [0; MAX_FRAME_LEN],
            tx: [0; MAX_FRAME_LEN],
        }
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

/// The driver of the crate `enc28j60` as an [`EthernetDevice`]. The [module](self) lists its limits.
///
/// [`Rearm`] needs the driver's INT pin.
pub struct Bridge<'m, SPI, NCS, INT, RESET> {
    driver: Enc28j60<SPI, NCS, INT, RESET>,
    mac_address: MacAddress,
    memory: &'m mut Memory,
    /// Length of the frame in `memory.rx` that is next.
    held: Option<usize>,
    /// Length of the frame whose fate is not known yet.
    in_flight: Option<usize>,
    stats: Stats,
    told: Told,
    fault: bool,
}

#[derive(Debug, Clone, Copy, Default)]
struct Told {
    sent: u32,
    failed: u32,
    lost: u32,
}

impl<SPI, NCS, INT, RESET> fmt::Debug for Bridge<'_, SPI, NCS, INT, RESET> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bridge")
            .field("mac_address", &self.mac_address)
            .field("stats", &self.stats)
            .field("fault", &self.fault)
            .finish_non_exhaustive()
    }
}

impl<'m, SPI, NCS, INT, RESET> Bridge<'m, SPI, NCS, INT, RESET> {
    /// Takes a driver that was constructed with this address.
    pub const fn new(driver: Enc28j60<SPI, NCS, INT, RESET>, mac_address: MacAddress, memory: &'m mut Memory) -> Self {
        Self {
            driver,
            mac_address,
            memory,
            held: None,
            in_flight: None,
            stats: Stats::ZERO,
            told: Told {
                sent: 0,
                failed: 0,
                lost: 0,
            },
            fault: false,
        }
    }

    /// Gives the driver back. A frame that did not fit its caller's buffer is lost.
    pub fn release(self) -> Enc28j60<SPI, NCS, INT, RESET> {
        self.driver
    }
}

#[allow(deprecated, reason = "the driver asks for the first version of the traits")]
impl<E, SPI, NCS, INT, RESET> Bridge<'_, SPI, NCS, INT, RESET>
where
    E: fmt::Debug,
    SPI: Transfer<u8, Error = E> + Write<u8, Error = E>,
    NCS: OutputPin,
    INT: IntPin,
    RESET: ResetPin,
{
    const fn check(&self) -> Result<(), Error<E>> {
        if self.fault { Err(Error::Fault) } else { Ok(()) }
    }

    /// The bus failed: what the chip and the driver make of it is not known.
    fn failed(&mut self, error: E) -> Error<E> {
        self.fault = true;
        self.stats.faults = self.stats.faults.wrapping_add(1);
        let lost = u32::from(self.in_flight.take().is_some());
        self.stats.tx_reset = self.stats.tx_reset.wrapping_add(lost);
        Error::Spi(error)
    }

    fn is_pending(&mut self) -> Result<bool, Error<E>> {
        self.check()?;
        Ok(self.held.is_some() || self.driver.pending_packets().map_err(|e| self.failed(e))? > 0)
    }

    /// Fetches the next frame into `memory.rx`, if there is one.
    fn hold(&mut self) -> Result<Option<usize>, Error<E>> {
        if self.held.is_none() && self.is_pending()? {
            let received = self.driver.receive(&mut self.memory.rx);
            self.held = Some(received.map_err(|e| self.lost(e))?.into());
        }
        Ok(self.held)
    }

    /// As [`failed`](Self::failed), in the middle of a frame.
    fn lost(&mut self, error: E) -> Error<E> {
        self.stats.rx_reset = self.stats.rx_reset.wrapping_add(1);
        self.failed(error)
    }

    /// The fate of the frame that was sent last is known.
    fn settle(&mut self, sent: bool) {
        match self.in_flight.take() {
            Some(len) if sent => self.stats.count_tx(len),
            Some(_) => self.stats.tx_aborted = self.stats.tx_aborted.wrapping_add(1),
            None => {}
        }
    }

    fn flush(&mut self) -> Result<(), Error<E>> {
        match self.driver.flush() {
            Ok(()) => self.settle(true),
            Err(enc28j60::Error::LateCollision) => self.settle(false),
            Err(enc28j60::Error::Spi(e)) => return Err(self.failed(e)),
        }
        Ok(())
    }
}

impl<E, SPI, NCS, INT, RESET> ErrorType for Bridge<'_, SPI, NCS, INT, RESET>
where
    E: fmt::Debug,
    SPI: Transfer<u8, Error = E>,
{
    type Error = Error<E>;
}

#[allow(deprecated, reason = "the driver asks for the first version of the traits")]
impl<E, SPI, NCS, INT, RESET> EthernetDevice for Bridge<'_, SPI, NCS, INT, RESET>
where
    E: fmt::Debug,
    SPI: Transfer<u8, Error = E> + Write<u8, Error = E>,
    NCS: OutputPin,
    INT: IntPin,
    RESET: ResetPin,
{
    fn mac_address(&self) -> MacAddress {
        self.mac_address
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::ETHERNET
            .with_queue_frames(0, 1)
            .with_rx_overrun_exact(false)
    }

    /// Always up: the driver does not know.
    fn link(&self) -> Link {
        let mut mode = LinkMode::UNKNOWN;
        mode.speed = Some(Speed::MBPS_10);
        Link::Up(mode)
    }

    fn stats(&self) -> Stats {
        self.stats
    }

    /// Straight into `buf` where that has room for the longest frame; else by way of [`Memory`].
    fn recv_frame(&mut self, buf: &mut [u8]) -> Result<Option<RxMeta>, Error<E>> {
        self.check()?;
        let len = if self.held.is_none() && buf.len() >= MAX_FRAME_LEN {
            if !self.is_pending()? {
                return Ok(None);
            }
            let received = self.driver.receive(buf);
            received.map_err(|e| self.lost(e))?.into()
        } else {
            let Some(needed) = self.hold()? else {
                return Ok(None);
            };
            let (Some(buf), Some(frame)) = (buf.get_mut(..needed), self.memory.rx.get(..needed)) else {
                return Err(Error::Request(ErrorKind::BufferTooSmall { needed }));
            };
            buf.copy_from_slice(frame);
            self.held = None;
            needed
        };
        self.stats.count_rx(len);
        Ok(Some(RxMeta::new(len)))
    }

    fn discard_frame(&mut self) -> Result<bool, Error<E>> {
        self.check()?;
        if self.hold()?.is_none() {
            return Ok(false);
        }
        self.held = None;
        self.stats.rx_discarded = self.stats.rx_discarded.wrapping_add(1);
        Ok(true)
    }

    /// Always, where nothing failed: sending waits.
    fn tx_ready(&mut self) -> Result<bool, Error<E>> {
        self.check().map(|()| true)
    }

    /// One part goes to the chip as it lies; several are put together in [`Memory`].
    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), Error<E>> {
        self.check()?;
        let len = validate_tx_len(parts, &self.capabilities()).map_err(Error::Request)?;
        // First, so that what becomes of the frame before is not taken for this one's.
        self.flush()?;
        let joined;
        let frame = if let [frame] = parts {
            *frame
        } else {
            let (mut rest, _) = self.memory.tx.split_at_mut(len);
            for part in parts {
                // As long as all parts together: `len`.
                let (here, behind) = rest.split_at_mut(part.len());
                here.copy_from_slice(part);
                rest = behind;
            }
            joined = &self.memory.tx;
            joined.get(..len).unwrap_or_default()
        };
        match self.driver.transmit(frame) {
            Ok(()) => {
                self.in_flight = Some(len);
                Ok(())
            }
            // Of no frame: nothing was on its way.
            Err(enc28j60::Error::LateCollision) => Err(Error::Request(ErrorKind::Busy)),
            Err(enc28j60::Error::Spi(e)) => Err(self.failed(e)),
        }
    }

    /// Waits for the end of the frame that is on its way.
    fn service(&mut self) -> Result<Events, Error<E>> {
        self.check()?;
        self.flush()?;
        let mut events = Events::NONE;
        events.rx_pending = self.is_pending()?;
        events.tx_ready = true;
        let now = Told {
            sent: self.stats.tx_frames,
            failed: self.stats.tx_aborted,
            lost: self.stats.rx_lost(),
        };
        let told = core::mem::replace(&mut self.told, now);
        let count = |now: u32, told: u32| u16::try_from(now.wrapping_sub(told)).unwrap_or(u16::MAX);
        events.tx_completed = count(now.sent, told.sent);
        events.tx_failed = count(now.failed, told.failed);
        events.rx_dropped = now.lost != told.lost;
        Ok(events)
    }
}

/// Received frames only: the driver can enable no other interrupt. What waits for room to send has it already.
#[allow(deprecated, reason = "the driver asks for the first version of the traits")]
impl<E, SPI, NCS, INT, RESET> Rearm for Bridge<'_, SPI, NCS, INT, RESET>
where
    E: fmt::Debug,
    SPI: Transfer<u8, Error = E> + Write<u8, Error = E>,
    NCS: OutputPin,
    INT: IntPin + InputPin,
    RESET: ResetPin,
{
    fn disarm(&mut self) -> Result<(), Error<E>> {
        self.check()?;
        self.driver.unlisten(Event::Pkt).map_err(|e| self.failed(e))
    }

    fn rearm(&mut self, interest: Interest) -> Result<RearmOutcome, Error<E>> {
        self.disarm()?;
        if interest.rx {
            self.driver.listen(Event::Pkt).map_err(|e| self.failed(e))?;
        }
        Ok(if interest.tx || interest.rx && self.is_pending()? {
            RearmOutcome::WorkPending
        } else {
            RearmOutcome::Armed
        })
    }
}

/// It is started on construction. The driver allows nothing else.
impl<E, SPI, NCS, INT, RESET> Control for Bridge<'_, SPI, NCS, INT, RESET>
where
    E: fmt::Debug,
    SPI: Transfer<u8, Error = E>,
{
    fn start(&mut self) -> Result<(), ControlError<Error<E>>> {
        if self.fault {
            Err(ControlError::Device(Error::Fault))
        } else {
            Ok(())
        }
    }
}
