//! The driver. On a target this is a crate of its own.

use core::fmt;

use embedded_hal::spi::{Operation, SpiDevice};
use ethdev::{Capabilities, Control, ErrorKind, ErrorType, EthernetDevice, Events};
use ethdev::{Link, MacAddress, RxMeta, Stats, frame, validate_tx_len};

const STATUS: u8 = 0x01;
const CONFIG: u8 = 0x02;
const READ: u8 = 0x03;
const RELEASE: u8 = 0x04;
const WRITE: u8 = 0x05;
const SEND: u8 = 0x06;
const RESET: u8 = 0x07;

/// The first byte of STATUS.
const ID: u8 = 0x5a;

/// An error of the driver.
#[derive(Debug)]
pub enum Error<E> {
    /// An error without a further cause.
    Kind(ErrorKind),
    /// The SPI bus failed.
    Spi(E),
}

impl<E: fmt::Debug> ethdev::Error for Error<E> {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Kind(kind) => *kind,
            Self::Spi(_) => ErrorKind::Bus,
        }
    }
}

impl<E> From<ErrorKind> for Error<E> {
    fn from(kind: ErrorKind) -> Self {
        Self::Kind(kind)
    }
}

impl<E: fmt::Debug> fmt::Display for Error<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kind(kind) => kind.fmt(f),
            Self::Spi(e) => write!(f, "SPI error: {e:?}"),
        }
    }
}

impl<E: fmt::Debug> core::error::Error for Error<E> {}

/// What STATUS reports for one call.
struct Status {
    tx_busy: bool,
    /// Length of the next frame in bytes, not validated.
    pending: Option<usize>,
}

/// The device. It is running on construction.
pub struct MinimalNic<SPI> {
    spi: SPI,
    address: MacAddress,
    /// The last state that was reached.
    running: bool,
    /// Whether the chip has this state and address. If not, the device is in fault.
    applied: bool,
    link: Link,
    /// The counters of the chip at the last STATUS.
    seen: [u16; 8],
    /// Length of the frame that was accepted last.
    tx_len: usize,
    stats: Stats,
    /// The link and the counters when the last `service` returned.
    serviced: (Link, Stats),
}

impl<SPI: SpiDevice> MinimalNic<SPI> {
    /// Resets and starts the chip.
    ///
    /// # Errors
    ///
    /// `Bus`, `NotPresent` without the chip, `Fault` if the chip does not take the configuration.
    pub fn new(spi: SPI, address: MacAddress) -> Result<Self, Error<SPI::Error>> {
        let mut nic = Self {
            spi,
            address,
            running: false,
            applied: false,
            link: Link::Down,
            seen: [0; 8],
            tx_len: 0,
            stats: Stats::ZERO,
            serviced: (Link::Down, Stats::ZERO),
        };
        nic.configure(true)?;
        // The counters of the chip do not begin at zero.
        nic.stats = Stats::ZERO;
        nic.serviced = (nic.link, Stats::ZERO);
        Ok(nic)
    }

    fn command(&mut self, bytes: &[u8]) -> Result<(), Error<SPI::Error>> {
        self.spi.write(bytes).map_err(Error::Spi)
    }

    /// Reads STATUS, adds up the counters, and verifies state and address. A chip that reports a
    /// fault, or lost its configuration, is in fault.
    fn read_status(&mut self, running: bool) -> Result<Status, Error<SPI::Error>> {
        let mut raw = [0; 26];
        let mut operations = [Operation::Write(&[STATUS]), Operation::Read(&mut raw)];
        self.spi.transaction(&mut operations).map_err(Error::Spi)?;
        let [ID, flags, high, low, a, b, c, d, e, f, counters @ ..] = raw else {
            return Err(ErrorKind::NotPresent.into());
        };
        let mut new = [0_u16; 8];
        for ((pair, seen), new) in counters.chunks_exact(2).zip(&mut self.seen).zip(&mut new) {
            let now = pair.iter().fold(0, |value, byte| (value << 8) | u16::from(*byte));
            *new = now.wrapping_sub(*seen);
            *seen = now;
        }
        let [overrun, fcs, length, filtered, rx_reset, sent, aborted, tx_reset] = new.map(u32::from);
        let mut new = Stats::ZERO;
        (new.rx_overrun, new.rx_bad_fcs, new.rx_bad_length) = (overrun, fcs, length);
        (new.rx_filtered, new.rx_reset) = (filtered, rx_reset);
        (new.tx_frames, new.tx_aborted, new.tx_reset) = (sent, aborted, tx_reset);
        // At most one frame is sent between two STATUS.
        new.tx_bytes = sent.wrapping_mul(self.tx_len as u32);
        let enabled = flags & 1 != 0;
        let is_up = enabled && flags & 2 != 0;
        let link = if is_up { Link::UP } else { Link::Down };
        new.link_changes = u32::from(link != self.link);
        self.link = link;
        self.stats = self.stats.wrapping_add(&new);
        let fault = flags & 0x10 != 0;
        if fault || enabled != running || [a, b, c, d, e, f] != self.address.octets() {
            self.applied = false;
            self.stats.faults = self.stats.faults.wrapping_add(1);
            return Err(ErrorKind::Fault.into());
        }
        let pending = (flags & 8 != 0).then_some(usize::from(u16::from_be_bytes([high, low])));
        Ok(Status {
            tx_busy: flags & 4 != 0,
            pending,
        })
    }

    /// Writes state and address and reads them back, after a reset if the device is in fault.
    fn configure(&mut self, running: bool) -> Result<(), Error<SPI::Error>> {
        if !core::mem::replace(&mut self.applied, false) {
            self.command(&[RESET])?;
        }
        let [a, b, c, d, e, f] = self.address.octets();
        self.command(&[CONFIG, u8::from(running), a, b, c, d, e, f])?;
        self.read_status(running)?;
        (self.running, self.applied) = (running, true);
        Ok(())
    }

    /// Reads the status, unless the device is in fault.
    fn refresh(&mut self) -> Result<Status, Error<SPI::Error>> {
        self.check_fault()?;
        self.read_status(self.running)
    }

    const fn check_fault(&self) -> Result<(), ErrorKind> {
        if self.applied { Ok(()) } else { Err(ErrorKind::Fault) }
    }

    /// Returns the length of the next frame in bytes. A frame with an invalid length is counted and
    /// dropped.
    fn pending(&mut self) -> Result<Option<usize>, Error<SPI::Error>> {
        let Some(len) = self.refresh()?.pending else {
            return Ok(None);
        };
        if (frame::MIN_FRAME_LEN..=frame::MAX_FRAME_LEN).contains(&len) {
            return Ok(Some(len));
        }
        self.command(&[RELEASE])?;
        self.stats.rx_bad_length = self.stats.rx_bad_length.wrapping_add(1);
        Err(ErrorKind::BadFrame.into())
    }
}

impl<SPI: SpiDevice> ErrorType for MinimalNic<SPI> {
    type Error = Error<SPI::Error>;
}

impl<SPI: SpiDevice> EthernetDevice for MinimalNic<SPI> {
    fn mac_address(&self) -> MacAddress {
        self.address
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::ETHERNET.with_queue_frames(Some(8), Some(1))
    }

    fn link(&self) -> Link {
        self.link
    }

    fn stats(&self) -> Stats {
        self.stats
    }

    fn recv_frame(&mut self, buf: &mut [u8]) -> Result<Option<RxMeta>, Self::Error> {
        let Some(needed) = self.pending()? else {
            return Ok(None);
        };
        let buf = buf.get_mut(..needed).ok_or(ErrorKind::BufferTooSmall { needed })?;
        let mut operations = [Operation::Write(&[READ]), Operation::Read(buf)];
        self.spi.transaction(&mut operations).map_err(Error::Spi)?;
        // If this fails, the frame stays next: it is neither lost nor delivered twice.
        self.command(&[RELEASE])?;
        self.stats.count_rx(needed);
        Ok(Some(RxMeta::new(needed)))
    }

    fn discard_frame(&mut self) -> Result<bool, Self::Error> {
        if self.pending()?.is_none() {
            return Ok(false);
        }
        self.command(&[RELEASE])?;
        self.stats.rx_discarded = self.stats.rx_discarded.wrapping_add(1);
        Ok(true)
    }

    fn tx_ready(&mut self) -> Result<bool, Self::Error> {
        let status = self.refresh()?;
        Ok(self.link.is_up() && !status.tx_busy)
    }

    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), Self::Error> {
        self.check_fault()?;
        let len = validate_tx_len(parts, self.tx_max_frame_len())?;
        let status = self.refresh()?;
        if !self.running {
            return Err(ErrorKind::Stopped.into());
        }
        if !self.link.is_up() {
            return Err(ErrorKind::LinkDown.into());
        }
        if status.tx_busy {
            return Err(ErrorKind::Busy.into());
        }
        let mut offset = 0_u16;
        for part in parts.iter().filter(|part| !part.is_empty()) {
            let [high, low] = offset.to_be_bytes();
            let mut operations = [Operation::Write(&[WRITE, high, low]), Operation::Write(part)];
            self.spi.transaction(&mut operations).map_err(Error::Spi)?;
            offset = offset.wrapping_add(part.len() as u16);
        }
        let [high, low] = offset.to_be_bytes();
        self.tx_len = len;
        self.command(&[SEND, high, low])
    }

    fn service(&mut self) -> Result<Events, Self::Error> {
        let status = self.refresh()?;
        let new = self.stats.delta_since(&self.serviced.1);
        let mut events = Events::NONE;
        events.link_changed = self.link != self.serviced.0;
        events.rx_pending = status.pending.is_some();
        events.rx_dropped = new.rx_lost() != 0;
        events.tx_ready = self.link.is_up() && !status.tx_busy;
        events.tx_completed = new.tx_frames as u16;
        events.tx_failed = new.tx_lost() as u16;
        self.serviced = (self.link, self.stats);
        Ok(events)
    }
}

impl<SPI: SpiDevice> Control for MinimalNic<SPI> {
    fn start(&mut self) -> Result<(), Self::Error> {
        self.configure(true)
    }

    fn stop(&mut self) -> Result<(), Self::Error> {
        self.configure(false)
    }

    fn set_mac_address(&mut self, address: MacAddress) -> Result<(), Self::Error> {
        if !address.is_unicast() {
            return Err(ErrorKind::InvalidInput.into());
        }
        self.address = address;
        self.configure(self.running)
    }

    fn recover(&mut self) -> Result<(), Self::Error> {
        self.applied = false;
        self.configure(self.running)?;
        self.stats.recoveries = self.stats.recoveries.wrapping_add(1);
        Ok(())
    }
}
