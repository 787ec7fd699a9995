//! The `ethdev` traits for the driver of the crate `enc28j60` 0.2, on embedded-hal 0.2: for users
//! who migrate from it.
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
//! use ethdev_enc28j60::compat::Bridge;
//!
//! let mac = MacAddress::new([0x02, 0, 0, 0, 0, 0x28]);
//! let driver = Enc28j60::new(spi, ncs, Unconnected, Unconnected, delay, 0x1a00, mac.octets()).map_err(|e| format!("{e:?}"))?;
//! let (mut rx, mut tx) = ([0; 1514], [0; 1514]);
//! let mut device = Bridge::new(driver, mac, &mut rx, &mut tx);
//! let mut buf = [0; 1514];
//! if let Some(meta) = device.recv_frame(&mut buf)? {
//!     device.send_frame(&buf[..meta.len])?;
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Limits
//!
//! The contract of the traits holds as far as that driver allows. The [`Enc28j60`](crate::Enc28j60)
//! of this crate has none of these limits.
//!
//! - **Panics**: the driver panics when a transmission is aborted (collisions on a busy or faulty
//!   half-duplex medium), unless ESTAT reports a late collision, which is unreliable by erratum 15;
//!   when a received header is corrupt (a length below 4 or above 1518); and, with debug
//!   assertions, when the receive buffer overran.
//! - **Unbounded waits**: for the end of a transmission that hangs in the chip (errata 12 and 13,
//!   revisions B5 and B7 in half duplex), for the packet flag of a packet that the chip has counted
//!   (erratum 6: the flag may stay clear), and for an absent PHY on construction.
//! - **A bus error** leaves chip select low and the state of the driver wrong. Every later call
//!   returns [`Fault`](ErrorKind::Fault): [`release`](Bridge::release) the driver, `free` its
//!   parts, raise chip select and construct it again.
//! - **The link state** is unknown: [`link`](EthernetDevice::link) is always up, and a frame
//!   without a cable counts as sent.
//! - **After a late collision** every frame counts as aborted although it is sent: the driver never
//!   clears ESTAT.
//! - **Overruns** and corrupt frames are not counted: the chip drops them, and the driver does not
//!   read the flags.
//! - **Sending** waits for the previous frame, at most 1.2 ms unless the chip hangs; so does
//!   [`service`](EthernetDevice::service), which completes the last frame. Sending is never `Busy`.
//! - **Control**: address and filter are those of construction; stop, sleep and recovery are
//!   `Unsupported`.
//! - The driver changes banks by writing ECON1 as a whole: a transmission that ends at that moment
//!   is started again, and the frame is sent twice.

use core::fmt;

use embedded_hal_02::blocking::spi::{Transfer, Write};
#[allow(deprecated, reason = "the driver requires the first version of the traits")]
use embedded_hal_02::digital::{InputPin, OutputPin};
use enc28j60::{Enc28j60, Event, IntPin, ResetPin};
use ethdev::frame::MAX_FRAME_LEN;
use ethdev::{
    Capabilities, Control, Counted, Coverage, ErrorKind, ErrorType, EthernetDevice, Events, Interest, Link, LinkMode,
    LossReason, MacAddress, MaxFrameLen, Rearm, RearmOutcome, RxMeta, Speed, Stats, validate_tx_len,
};

use crate::Error;

/// The driver and the chip drop these frames silently.
const COVERAGE: Coverage = Coverage::EXACT
    .with(LossReason::RxOverrun, Counted::NotReported)
    .with(LossReason::RxBadFcs, Counted::NotReported)
    .with(LossReason::RxBadLength, Counted::NotReported)
    .with(LossReason::RxFiltered, Counted::NotReported);

/// The driver of the crate `enc28j60` as an [`EthernetDevice`]. The [module](self) lists the
/// limits.
///
/// [`Rearm`] requires a driver with an INT pin.
pub struct Bridge<'m, SPI, NCS, INT, RST> {
    driver: Enc28j60<SPI, NCS, INT, RST>,
    mac_address: MacAddress,
    rx: &'m mut [u8; MAX_FRAME_LEN],
    tx: &'m mut [u8; MAX_FRAME_LEN],
    /// Length of the frame in `rx`, which is next.
    held: Option<usize>,
    /// Length of the frame that is being sent.
    in_flight: Option<usize>,
    stats: Stats,
    reported: Reported,
    fault: bool,
}

#[derive(Debug, Clone, Copy, Default)]
struct Reported {
    sent: u32,
    failed: u32,
    lost: u32,
}

impl<SPI, NCS, INT, RST> fmt::Debug for Bridge<'_, SPI, NCS, INT, RST> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bridge")
            .field("mac_address", &self.mac_address)
            .field("stats", &self.stats)
            .field("fault", &self.fault)
            .finish_non_exhaustive()
    }
}

impl<'m, SPI, NCS, INT, RST> Bridge<'m, SPI, NCS, INT, RST> {
    /// Wraps a driver that was constructed with `mac_address`.
    ///
    /// `rx` holds a frame that is longer than the buffer of the caller; in `tx`, the parts of a
    /// frame are joined.
    pub const fn new(
        driver: Enc28j60<SPI, NCS, INT, RST>,
        mac_address: MacAddress,
        rx: &'m mut [u8; MAX_FRAME_LEN],
        tx: &'m mut [u8; MAX_FRAME_LEN],
    ) -> Self {
        Self {
            driver,
            mac_address,
            rx,
            tx,
            held: None,
            in_flight: None,
            stats: Stats::ZERO,
            reported: Reported {
                sent: 0,
                failed: 0,
                lost: 0,
            },
            fault: false,
        }
    }

    /// Returns the driver. A frame held in `rx` is lost.
    pub fn release(self) -> Enc28j60<SPI, NCS, INT, RST> {
        self.driver
    }
}

#[allow(deprecated, reason = "the driver requires the first version of the traits")]
impl<E, SPI, NCS, INT, RST> Bridge<'_, SPI, NCS, INT, RST>
where
    E: fmt::Debug,
    SPI: Transfer<u8, Error = E> + Write<u8, Error = E>,
    NCS: OutputPin,
    INT: IntPin,
    RST: ResetPin,
{
    fn check(&self) -> Result<(), Error<E>> {
        if self.fault {
            Err(ErrorKind::Fault.into())
        } else {
            Ok(())
        }
    }

    /// Notes that the bus failed: the state of chip and driver is unknown from here on.
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

    /// Reads the next frame into `rx`, if there is one.
    fn hold(&mut self) -> Result<Option<usize>, Error<E>> {
        if self.held.is_none() && self.is_pending()? {
            let received = self.driver.receive(self.rx);
            self.held = Some(received.map_err(|e| self.lost(e))?.into());
        }
        Ok(self.held)
    }

    /// As [`failed`](Self::failed), while a frame was read.
    fn lost(&mut self, error: E) -> Error<E> {
        self.stats.rx_reset = self.stats.rx_reset.wrapping_add(1);
        self.failed(error)
    }

    /// Counts the frame that was being sent.
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

impl<E, SPI, NCS, INT, RST> ErrorType for Bridge<'_, SPI, NCS, INT, RST>
where
    E: fmt::Debug,
    SPI: Transfer<u8, Error = E>,
{
    type Error = Error<E>;
}

#[allow(deprecated, reason = "the driver requires the first version of the traits")]
impl<E, SPI, NCS, INT, RST> EthernetDevice for Bridge<'_, SPI, NCS, INT, RST>
where
    E: fmt::Debug,
    SPI: Transfer<u8, Error = E> + Write<u8, Error = E>,
    NCS: OutputPin,
    INT: IntPin,
    RST: ResetPin,
{
    fn mac_address(&self) -> MacAddress {
        self.mac_address
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::ETHERNET
            .with_queue_frames(None, Some(1))
            .with_coverage(COVERAGE)
    }

    /// Always up: the driver does not read the link state.
    fn link(&self) -> Link {
        let mut mode = LinkMode::UNKNOWN;
        mode.speed = Some(Speed::MBPS_10);
        Link::Up(mode)
    }

    fn stats(&self) -> Stats {
        self.stats
    }

    /// Reads directly into `buf` if it takes the longest frame, otherwise through the receive
    /// buffer of the bridge.
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
            let (Some(buf), Some(frame)) = (buf.get_mut(..needed), self.rx.get(..needed)) else {
                return Err(ErrorKind::BufferTooSmall { needed }.into());
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

    /// Always `true` unless the bus failed: sending waits.
    fn tx_ready(&mut self) -> Result<bool, Error<E>> {
        self.check().map(|()| true)
    }

    /// One part is passed on as it is; several are joined in the transmit buffer of the bridge.
    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), Error<E>> {
        self.check()?;
        let len = validate_tx_len(parts, MaxFrameLen::ETHERNET)?;
        // First, so that the outcome of the previous frame is not counted for this one.
        self.flush()?;
        let joined;
        let frame = if let [frame] = parts {
            *frame
        } else {
            let (mut rest, _) = self.tx.split_at_mut(len);
            for part in parts {
                // All parts together have `len` bytes.
                let (here, behind) = rest.split_at_mut(part.len());
                here.copy_from_slice(part);
                rest = behind;
            }
            joined = &*self.tx;
            joined.get(..len).unwrap_or_default()
        };
        match self.driver.transmit(frame) {
            Ok(()) => {
                self.in_flight = Some(len);
                Ok(())
            }
            // No frame was being sent: a stale flag.
            Err(enc28j60::Error::LateCollision) => Err(ErrorKind::Busy.into()),
            Err(enc28j60::Error::Spi(e)) => Err(self.failed(e)),
        }
    }

    /// Waits for the end of the frame that is being sent.
    fn service(&mut self) -> Result<Events, Error<E>> {
        self.check()?;
        self.flush()?;
        let mut events = Events::NONE;
        events.rx_pending = self.is_pending()?;
        events.tx_ready = true;
        let now = Reported {
            sent: self.stats.tx_frames,
            failed: self.stats.tx_aborted,
            lost: self.stats.rx_lost(),
        };
        let reported = core::mem::replace(&mut self.reported, now);
        let count = |now: u32, before: u32| u16::try_from(now.wrapping_sub(before)).unwrap_or(u16::MAX);
        events.tx_completed = count(now.sent, reported.sent);
        events.tx_failed = count(now.failed, reported.failed);
        events.rx_dropped = now.lost != reported.lost;
        Ok(events)
    }
}

/// For received frames only: the driver has no other interrupt. Interest in transmit capacity is
/// always `WorkPending`.
#[allow(deprecated, reason = "the driver requires the first version of the traits")]
impl<E, SPI, NCS, INT, RST> Rearm for Bridge<'_, SPI, NCS, INT, RST>
where
    E: fmt::Debug,
    SPI: Transfer<u8, Error = E> + Write<u8, Error = E>,
    NCS: OutputPin,
    INT: IntPin + InputPin,
    RST: ResetPin,
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

/// The device is running on construction. Everything but `start` is `Unsupported`.
impl<E, SPI, NCS, INT, RST> Control for Bridge<'_, SPI, NCS, INT, RST>
where
    E: fmt::Debug,
    SPI: Transfer<u8, Error = E>,
{
    fn start(&mut self) -> Result<(), Error<E>> {
        if self.fault {
            Err(ErrorKind::Fault.into())
        } else {
            Ok(())
        }
    }
}
