//! A driver for embassy-net as an ethdev device.

mod capabilities;
mod error;
#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;

use core::fmt;
use core::task::{Context, Poll, Waker};

use embassy_net_driver::{Driver, HardwareAddress, LinkState, RxToken, TxToken};
use ethdev::frame::{HEADER_LEN, MIN_FRAME_LEN, copy_vectored};
use ethdev::{
    Capabilities, Control, ErrorKind, ErrorType, EthernetDevice, Events, Interest, Link, MacAddress, MaxFrameLen,
    PollReady, RxMeta, Stats, validate_tx_len,
};

pub use error::EmbassyDeviceError;

/// Number of invalid frames that one call drops before it returns.
const MAX_INVALID_PER_CALL: usize = 8;

/// A [`Driver`] for embassy-net as an [`EthernetDevice`].
///
/// It needs a buffer for one frame: a token that was consumed cannot be returned, so a frame that
/// is too long for the caller's buffer is kept there.
///
/// [`PollReady`] wakes by the wakers of the driver. `ethdev_util` gives the other APIs:
/// `asynch::BlockingAsync::with_poll_ready` the async one, `Buffered` the zero-copy one, `Callback`
/// the callback API.
///
/// # Link
///
/// [`link`](EthernetDevice::link) is down until the first `service` or `poll_ready`: only these
/// call [`Driver::link_state`], because many drivers access a bus in it.
///
/// # Wakers
///
/// A driver keeps one waker for each purpose. Calls without a context pass on the waker of the last
/// `poll_ready`, so that they do not replace it. A waker that is woken without need is the
/// driver's: some wake at each call, because they have no interrupt.
///
/// # Frame accounting
///
/// The traits of embassy-net report no losses: [`Capabilities::coverage`] declares every reason as
/// [`NotReported`](ethdev::Counted::NotReported). Counted are the frames that the device passes on,
/// discarded frames, and received frames with an invalid length (`rx_bad_length`). A frame counts
/// as sent when the driver has taken it.
///
/// # Panics
///
/// Where the driver panics. The device does not.
pub struct EmbassyDevice<'b, D> {
    driver: D,
    mac_address: MacAddress,
    capabilities: Capabilities,
    /// Whether a received frame stays in the driver when its token is dropped.
    queued: bool,
    buf: &'b mut [u8],
    /// Length of the frame in `buf`, which is next.
    held: Option<usize>,
    /// The waker of the last `poll_ready`.
    waker: Waker,
    link: Link,
    /// The link as last reported by `service`, and by `poll_ready`.
    serviced_link: Link,
    polled_link: Link,
    stats: Stats,
    /// `rx_bad_length` as last reported by `service`.
    reported_bad: u32,
}

/// What became of the next frame of the driver.
enum Taken {
    /// There is none.
    Nothing,
    /// It is in the caller's buffer.
    Copied(usize),
    /// It is in the buffer of the device.
    Held,
    /// Its length is invalid: it was dropped and counted.
    Invalid,
}

impl<D> fmt::Debug for EmbassyDevice<'_, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbassyDevice")
            .field("mac_address", &self.mac_address)
            .field("link", &self.link)
            .field("held", &self.held)
            .field("stats", &self.stats)
            .finish_non_exhaustive()
    }
}

impl<'b, D: Driver> EmbassyDevice<'b, D> {
    /// Wraps any driver. Each token for a received frame is consumed.
    ///
    /// This is right for drivers that read the frame in [`Driver::receive`], where a dropped token
    /// loses it (embassy-net-enc28j60, embassy-net-tuntap), and correct for all others. If
    /// `service` or `poll_ready` find a frame, it is copied once more, through `buf`.
    ///
    /// `buf` holds the longest frame of the driver: 1514 bytes, unless it carries VLAN tags.
    ///
    /// # Errors
    ///
    /// The driver is not for Ethernet, or `buf` is too short.
    pub fn new(driver: D, buf: &'b mut [u8]) -> Result<Self, EmbassyDeviceError> {
        let address = match driver.hardware_address() {
            HardwareAddress::Ethernet(address) => MacAddress::new(address),
            other => return Err(EmbassyDeviceError::NotEthernet(other)),
        };
        let capabilities = capabilities::of(&driver.capabilities());
        let needed = capabilities.rx_max_frame_len.bytes();
        if buf.len() < needed {
            return Err(EmbassyDeviceError::BufferTooSmall { needed });
        }
        Ok(Self {
            driver,
            mac_address: address,
            capabilities,
            queued: false,
            buf,
            held: None,
            waker: Waker::noop().clone(),
            link: Link::Down,
            serviced_link: Link::Down,
            polled_link: Link::Down,
            stats: Stats::ZERO,
            reported_bad: 0,
        })
    }

    /// Wraps a driver with a receive queue, in which a frame stays until its token is consumed:
    /// embassy-net-driver-channel and the drivers that are built on it, and those of embassy's HALs
    /// for DMA rings.
    ///
    /// As [`new`](Self::new), but `service` and `poll_ready` leave the frame in the driver, and
    /// each frame is copied once. A driver that loses frames with their tokens loses them here.
    ///
    /// # Reception and transmit capacity
    ///
    /// These drivers receive a frame only together with a free transmit buffer for a reply. So
    /// while their transmit queue is full, `recv_frame` returns `Ok(None)`: line 5 of the contract
    /// of [`EthernetDevice`] does not hold. No frame is lost by that as long as the receive queue
    /// has capacity, and reception resumes with the first frame that is sent.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn queued(driver: D, buf: &'b mut [u8]) -> Result<Self, EmbassyDeviceError> {
        let mut device = Self::new(driver, buf)?;
        device.queued = true;
        Ok(device)
    }

    /// Returns the driver, for its specific functions. Frames received from it directly are not
    /// seen here.
    pub const fn inner_mut(&mut self) -> &mut D {
        &mut self.driver
    }

    /// Returns the driver. A frame held in the buffer is dropped.
    pub fn into_inner(self) -> D {
        self.driver
    }

    /// Takes the next frame from the driver: into `buf`, or where it is too long for that, into the
    /// buffer of the device.
    #[inline]
    fn take(&mut self, buf: &mut [u8]) -> Taken {
        let mut cx = Context::from_waker(&self.waker);
        let Some((token, _reply)) = self.driver.receive(&mut cx) else {
            return Taken::Nothing;
        };
        let max = self.capabilities.rx_max_frame_len.bytes();
        let held = &mut *self.buf;
        let taken = token.consume(|frame| {
            let len = frame.len();
            if !(HEADER_LEN..=max).contains(&len) {
                return Taken::Invalid;
            }
            if let Some(to) = buf.get_mut(..len) {
                to.copy_from_slice(frame);
                return Taken::Copied(len);
            }
            let Some(to) = held.get_mut(..len) else {
                return Taken::Invalid;
            };
            to.copy_from_slice(frame);
            self.held = Some(len);
            Taken::Held
        });
        if let Taken::Invalid = taken {
            self.stats.rx_bad_length = self.stats.rx_bad_length.wrapping_add(1);
        }
        taken
    }

    /// Takes the next valid frame into the buffer of the device, unless it holds one. Returns
    /// whether it does then.
    fn hold(&mut self) -> bool {
        for _ in 0..MAX_INVALID_PER_CALL {
            if self.held.is_some() {
                return true;
            }
            if let Taken::Nothing = self.take(&mut []) {
                return false;
            }
        }
        // There may be more, and the driver keeps a waker only if there are none.
        self.waker.wake_by_ref();
        self.held.is_some()
    }

    /// Returns whether a frame is pending.
    fn is_pending(&mut self) -> bool {
        if self.queued && self.held.is_none() {
            let mut cx = Context::from_waker(&self.waker);
            self.driver.receive(&mut cx).is_some()
        } else {
            self.hold()
        }
    }

    /// Returns whether the driver takes a frame. The unused token is dropped.
    fn is_tx_ready(&mut self) -> bool {
        let mut cx = Context::from_waker(&self.waker);
        self.link.is_up() && self.driver.transmit(&mut cx).is_some()
    }

    /// Reads the link state and the address of the driver.
    fn refresh(&mut self) {
        let mut cx = Context::from_waker(&self.waker);
        let link = match self.driver.link_state(&mut cx) {
            LinkState::Up => Link::UP,
            LinkState::Down => Link::Down,
        };
        if link != self.link {
            self.link = link;
            self.stats.link_changes = self.stats.link_changes.wrapping_add(1);
        }
        // Drivers of the channel family may learn their address from the chip.
        if let HardwareAddress::Ethernet(address) = self.driver.hardware_address() {
            self.mac_address = MacAddress::new(address);
        }
    }
}

impl<D> ErrorType for EmbassyDevice<'_, D> {
    /// The traits of embassy-net report no errors: there are no causes to keep.
    type Error = ErrorKind;
}

impl<D: Driver> EthernetDevice for EmbassyDevice<'_, D> {
    /// The address of the driver at construction or, if it changed, at the last `service` or
    /// `poll_ready`.
    #[inline]
    fn mac_address(&self) -> MacAddress {
        self.mac_address
    }

    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    #[inline]
    fn tx_max_frame_len(&self) -> MaxFrameLen {
        self.capabilities.tx_max_frame_len
    }

    #[inline]
    fn link(&self) -> Link {
        self.link
    }

    fn stats(&self) -> Stats {
        self.stats
    }

    /// Reads the next received frame.
    ///
    /// # Errors
    ///
    /// - `BufferTooSmall`: as in the contract.
    /// - `BadFrame`: the driver delivered a frame that is shorter than a header or longer than its
    ///   maximum. It was dropped and counted in [`rx_bad_length`](Stats::rx_bad_length).
    #[inline]
    fn recv_frame(&mut self, buf: &mut [u8]) -> Result<Option<RxMeta>, ErrorKind> {
        if self.held.is_none() {
            match self.take(buf) {
                Taken::Nothing => return Ok(None),
                Taken::Invalid => return Err(ErrorKind::BadFrame),
                Taken::Copied(len) => {
                    self.stats.count_rx(len);
                    return Ok(Some(RxMeta::new(len)));
                }
                Taken::Held => {}
            }
        }
        self.copy_held(buf)
    }

    fn discard_frame(&mut self) -> Result<bool, ErrorKind> {
        let discarded = self.hold();
        if discarded {
            self.held = None;
            self.stats.rx_discarded = self.stats.rx_discarded.wrapping_add(1);
        }
        Ok(discarded)
    }

    fn tx_ready(&mut self) -> Result<bool, ErrorKind> {
        Ok(self.is_tx_ready())
    }

    /// Sends one frame, padded with zeros to 60 bytes: whether the driver pads is unknown.
    ///
    /// # Errors
    ///
    /// As in the contract; `Other` if the transmit buffer of the driver is shorter than the frame.
    #[inline]
    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), ErrorKind> {
        let max = self.capabilities.tx_max_frame_len;
        let len = validate_tx_len(parts, max)?;
        if !self.link.is_up() {
            return Err(ErrorKind::LinkDown);
        }
        let mut cx = Context::from_waker(&self.waker);
        let token = self.driver.transmit(&mut cx).ok_or(ErrorKind::Busy)?;
        let copied = token.consume(len.max(MIN_FRAME_LEN.min(max.bytes())), |frame| {
            let copied = copy_vectored(parts, frame);
            // The buffer has the content of a former frame.
            frame.get_mut(copied.unwrap_or(0)..).unwrap_or_default().fill(0);
            copied
        });
        if copied.is_none() {
            return Err(ErrorKind::Other);
        }
        self.stats.count_tx(len);
        Ok(())
    }

    fn service(&mut self) -> Result<Events, ErrorKind> {
        let mut events = Events::NONE;
        // First: `link_state` ends a turn of embassy-net, and drivers may limit the frames of a
        // turn.
        self.refresh();
        events.rx_pending = self.is_pending();
        events.tx_ready = self.is_tx_ready();
        events.link_changed = self.link != self.serviced_link;
        events.rx_dropped = self.stats.rx_bad_length != self.reported_bad;
        self.serviced_link = self.link;
        self.reported_bad = self.stats.rx_bad_length;
        Ok(events)
    }
}

impl<D> EmbassyDevice<'_, D> {
    /// Delivers the frame in the buffer of the device.
    #[cold]
    fn copy_held(&mut self, buf: &mut [u8]) -> Result<Option<RxMeta>, ErrorKind> {
        let Some(frame) = self.held.and_then(|len| self.buf.get(..len)) else {
            return Ok(None);
        };
        let needed = frame.len();
        let buf = buf.get_mut(..needed).ok_or(ErrorKind::BufferTooSmall { needed })?;
        buf.copy_from_slice(frame);
        self.held = None;
        self.stats.count_rx(needed);
        Ok(Some(RxMeta::new(needed)))
    }
}

/// By the wakers that the driver keeps.
impl<D: Driver> PollReady for EmbassyDevice<'_, D> {
    fn poll_ready(&mut self, interest: Interest, cx: &mut Context<'_>) -> Poll<Result<Interest, ErrorKind>> {
        if interest.is_none() {
            return Poll::Pending;
        }
        self.waker.clone_from(cx.waker());
        let rx = interest.rx && self.is_pending();
        // After `receive`, as embassy-net does it: drivers arm their interrupt here.
        self.refresh();
        let link = interest.link && self.link != self.polled_link;
        if link {
            self.polled_link = self.link;
        }
        let tx = interest.tx && self.is_tx_ready();
        let ready = Interest { rx, tx, link };
        if ready.is_none() {
            Poll::Pending
        } else {
            Poll::Ready(Ok(ready))
        }
    }
}

/// The driver is running from its construction on. Address, filter, stop, sleep and recovery are
/// functions of the driver that its trait does not offer: they are `Unsupported`.
impl<D> Control for EmbassyDevice<'_, D> {
    /// The device is running already.
    fn start(&mut self) -> Result<(), ErrorKind> {
        Ok(())
    }
}
