//! The state of the device, and the transfer of frames to and from the kernel.

use core::fmt;
use std::io::{self, IoSlice};
use std::os::fd::{AsFd, BorrowedFd};

use ethdev::frame::{HEADER_LEN, Header, MIN_FRAME_LEN};
use ethdev::{Capabilities, ErrorType, Link, LinkMode, MacAddress, MaxFrameLen, Stats};

#[cfg(feature = "async-io")]
use crate::async_io::Registration;
use crate::drop_detector::DropDetector;
use crate::error::InterfaceError;
use crate::link_monitor::LinkMonitor;
use crate::port::{Failure, Opened, Port, Received, Settings, TAG_LEN};
use crate::rx_filter::Filter;

/// Largest number of parts that are passed to the kernel in place; a frame in more parts is copied
/// into one.
const MAX_PARTS: usize = 16;

/// What a short frame is padded with.
const PADDING: [u8; MIN_FRAME_LEN] = [0; MIN_FRAME_LEN];

/// An open interface as a device: a [`Tap`](crate::Tap) or a
/// [`PacketSocket`](crate::PacketSocket).
///
/// It is running on construction, with [`RxFilter::DEFAULT`](ethdev::RxFilter::DEFAULT).
pub struct Interface<P: Port> {
    pub(crate) port: P,
    pub(crate) name: String,
    pub(crate) config: P::Config,
    pub(crate) mac_address: MacAddress,
    pub(crate) filter: Filter,
    pub(crate) capabilities: Capabilities,
    pub(crate) link_monitor: LinkMonitor,
    /// Running, as opposed to stopped.
    pub(crate) running: bool,
    /// The interface was deleted. [`recover`](ethdev::Control::recover) opens it again; `running`
    /// stays.
    pub(crate) removed: bool,
    pub(crate) link: Link,
    /// The mode of the link while it is up.
    pub(crate) link_mode: LinkMode,
    pub(crate) stats: Stats,
    pub(crate) reported: Reported,
    /// A frame that did not fit the caller's buffer; during a read, the part of it that does not
    /// fit. One byte longer than the longest frame.
    hold: Vec<u8>,
    held: Option<usize>,
    pub(crate) drop_detector: DropDetector,
    drain_limit: u32,
    #[cfg(feature = "async-io")]
    pub(crate) registration: Registration,
}

/// The values that the last calls reported.
#[derive(Debug, Default)]
pub(crate) struct Reported {
    /// The link, by `service`.
    pub(crate) link: Link,
    /// The link, by `wait` and `poll_ready`.
    pub(crate) link_by_wait: Link,
    pub(crate) tx_frames: u32,
    pub(crate) rx_dropped: u32,
}

/// The result of one read.
pub(crate) enum Read {
    Empty,
    /// The frame is in the caller's buffer.
    Delivered(usize),
    /// The frame is in `hold`, because the caller's buffer is shorter.
    Held(usize),
    /// The frame was counted and dropped: filtered, or of an invalid length.
    Dropped,
}

impl<P: Port> Interface<P> {
    /// Creates the device in the state running, with the link down until it is polled.
    pub(crate) fn new(opened: Opened<P>, config: P::Config) -> Self {
        let Opened {
            port,
            name,
            link_monitor,
            mac_address,
        } = opened;
        Self {
            port,
            name,
            config,
            mac_address,
            filter: Filter::new(ethdev::RxFilter::DEFAULT),
            capabilities: Capabilities::ETHERNET,
            link_monitor,
            running: true,
            removed: false,
            link: Link::Down,
            link_mode: LinkMode::UNKNOWN,
            stats: Stats::ZERO,
            reported: Reported::default(),
            hold: Vec::new(),
            held: None,
            drop_detector: DropDetector::default(),
            drain_limit: 0,
            #[cfg(feature = "async-io")]
            registration: Registration::default(),
        }
    }

    /// Returns the name that the interface had when it was opened.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the descriptor that becomes readable when the kernel announces a change of the
    /// interface, for event loops that also poll the device itself ([`AsFd`]).
    ///
    /// When it is readable, call [`service`](ethdev::EthernetDevice::service); do not read it.
    /// `None` if changes are not announced: call `service` every
    /// [`max_service_interval`](Capabilities::max_service_interval).
    #[must_use]
    pub fn link_fd(&self) -> Option<BorrowedFd<'_>> {
        self.link_monitor.fd()
    }

    /// Reads the settings of the interface, and adapts lengths and buffers to them.
    pub(crate) fn apply_settings(&mut self) -> Result<(), InterfaceError> {
        let Settings {
            ip_mtu,
            queue_frames,
            drain_limit,
        } = self.port.read_settings(&self.name, &mut self.link_monitor)?;
        self.drop_detector.set_capacity(queue_frames);
        self.drain_limit = drain_limit;
        let tx_max = MaxFrameLen::from_ip_mtu(ip_mtu);
        // A packet of the full IP MTU may have a VLAN tag.
        let rx_max = MaxFrameLen::new(tx_max.bytes().saturating_add(TAG_LEN));
        self.capabilities = Capabilities::ETHERNET
            .with_tx_max_frame_len(tx_max)
            .with_rx_max_frame_len(rx_max)
            .with_tx_min_frame_len(P::MIN_FRAME_LEN)
            .with_queue_frames(Some(u16::try_from(queue_frames).unwrap_or(u16::MAX)), None);
        // The kernel cuts a frame that is longer than the buffer. One extra byte distinguishes the
        // longest frame from a longer one.
        self.hold.resize(rx_max.bytes().saturating_add(1), 0);
        Ok(())
    }

    pub(crate) fn set_link(&mut self, link: Link) {
        if self.link != link {
            self.link = link;
            self.stats.link_changes = self.stats.link_changes.wrapping_add(1);
            #[cfg(feature = "async-io")]
            self.registration.wake();
        }
    }

    /// Reads the mode of the link, if it is up.
    pub(crate) fn read_link_mode(&mut self) {
        if self.link_monitor.up {
            self.link_mode = self.port.link_mode();
        }
    }

    /// Takes over what is known of the link.
    pub(crate) fn update_link(&mut self) {
        self.set_link(if self.running && self.link_monitor.up {
            Link::Up(self.link_mode)
        } else {
            Link::Down
        });
    }

    /// Reads the state of the interface, which a system call found down. It may be up again.
    pub(crate) fn check_link(&mut self) -> Result<(), InterfaceError> {
        self.link_monitor.up = false;
        self.link_monitor.refresh();
        if P::is_removed(&self.link_monitor) {
            return Err(self.set_removed(None));
        }
        self.read_link_mode();
        self.update_link();
        Ok(())
    }

    /// Records that the interface was deleted, and returns the error.
    pub(crate) fn set_removed(&mut self, source: Option<io::Error>) -> InterfaceError {
        if !self.removed {
            self.removed = true;
            self.stats.faults = self.stats.faults.wrapping_add(1);
            self.set_link(Link::Down);
        }
        InterfaceError::InterfaceRemoved {
            name: self.name.clone(),
            source,
        }
    }

    /// Fails if the interface was deleted.
    pub(crate) fn check_present(&mut self) -> Result<(), InterfaceError> {
        if self.removed {
            Err(self.set_removed(None))
        } else {
            Ok(())
        }
    }

    pub(crate) const fn is_held(&self) -> bool {
        self.held.is_some()
    }

    /// Moves the held frame into `buf`; `None` if no frame is held.
    pub(crate) fn take_held(&mut self, buf: &mut [u8]) -> Option<Result<usize, InterfaceError>> {
        let len = self.held?;
        let (Some(buf), Some(frame)) = (buf.get_mut(..len), self.hold.get(..len)) else {
            return Some(Err(ethdev::ErrorKind::BufferTooSmall { needed: len }.into()));
        };
        buf.copy_from_slice(frame);
        self.held = None;
        Some(Ok(len))
    }

    /// Drops the held frame. Returns whether there was one.
    pub(crate) const fn drop_held(&mut self) -> bool {
        self.held.take().is_some()
    }

    /// Reads one frame by one system call.
    pub(crate) fn read(&mut self, buf: &mut [u8]) -> Result<Read, InterfaceError> {
        let mut result = self.read_once(buf);
        if matches!(&result, Err(e) if P::classify(e) == Failure::Down) {
            // A packet socket reports once that the interface went down. Frames may be pending.
            self.check_link()?;
            result = self.read_once(buf);
        }
        let received = match result {
            Ok(received) => received,
            Err(e) => {
                return match P::classify(&e) {
                    Failure::Again | Failure::Down => {
                        self.drop_detector.queue_empty();
                        Ok(Read::Empty)
                    }
                    Failure::Merged => Ok(self.drop_bad_length()),
                    Failure::Removed => Err(self.set_removed(Some(e))),
                    Failure::TooLong | Failure::Other => Err(InterfaceError::Io {
                        what: "reading a frame",
                        source: e,
                    }),
                };
            }
        };
        if received.is_outgoing {
            return Ok(Read::Dropped);
        }
        self.drop_detector.frame_read();
        let len = received.wire_len();
        if received.len < HEADER_LEN || len >= self.hold.len() || received.is_merged {
            return Ok(self.drop_bad_length());
        }
        let fits = len <= buf.len();
        if !fits {
            // Assemble the frame in `hold`: first the part in `buf`, then the rest.
            let front = buf.len().min(received.len);
            self.hold.copy_within(..received.len - front, front);
            if let (Some(to), Some(from)) = (self.hold.get_mut(..front), buf.get(..front)) {
                to.copy_from_slice(from);
            }
        }
        let memory = if fits { &mut *buf } else { &mut self.hold };
        let frame = memory.get_mut(..len).unwrap_or_default();
        received.finish(frame);
        let passes = Header::parse(frame).is_some_and(|h| self.filter.passes(h.destination, self.mac_address));
        Ok(if !passes {
            self.stats.rx_filtered = self.stats.rx_filtered.wrapping_add(1);
            Read::Dropped
        } else if fits {
            Read::Delivered(len)
        } else {
            self.held = Some(len);
            Read::Held(len)
        })
    }

    fn read_once(&mut self, buf: &mut [u8]) -> io::Result<Received> {
        let max = self.hold.len();
        if let Some(buf) = buf.get_mut(..max) {
            self.port.recv(buf, &mut [])
        } else {
            // The part that does not fit the caller's buffer goes into `hold`: nothing is lost, and
            // the part that fits is not copied again.
            let rest = self.hold.get_mut(..max.saturating_sub(buf.len())).unwrap_or_default();
            self.port.recv(buf, rest)
        }
    }

    /// Counts a frame that cannot be delivered.
    fn drop_bad_length(&mut self) -> Read {
        self.stats.rx_bad_length = self.stats.rx_bad_length.wrapping_add(1);
        // It may have filled the queue of the kernel alone.
        self.drop_detector.suspect();
        Read::Dropped
    }

    /// Drops the held frame and the frames that the kernel has queued, counted in `rx_reset`.
    pub(crate) fn drain(&mut self) -> Result<(), InterfaceError> {
        self.reset_held();
        let mut buf = vec![0; self.hold.len()];
        for _ in 0..self.drain_limit {
            match self.read(&mut buf)? {
                Read::Empty => break,
                Read::Dropped => {}
                Read::Delivered(_) | Read::Held(_) => self.stats.rx_reset = self.stats.rx_reset.wrapping_add(1),
            }
        }
        Ok(())
    }

    /// Drops the held frame, counted in `rx_reset`.
    pub(crate) const fn reset_held(&mut self) {
        if self.drop_held() {
            self.stats.rx_reset = self.stats.rx_reset.wrapping_add(1);
        }
    }

    /// Reads the kernel's counter of dropped frames. `count`: whether the device was running when
    /// they were dropped, so that they belong into `rx_overrun`.
    pub(crate) fn update_drops(&mut self, count: bool) {
        let counter = self.port.dropped(&mut self.link_monitor);
        let dropped = self.drop_detector.update(counter);
        if count {
            self.stats.rx_overrun = self.stats.rx_overrun.wrapping_add(dropped);
        }
    }

    /// Starts counting dropped frames from now, for a newly opened interface.
    pub(crate) fn restart_drops(&mut self) {
        let counter = self.port.dropped(&mut self.link_monitor);
        self.drop_detector.restart(counter);
    }

    /// Sends one frame of `len` bytes by one system call.
    pub(crate) fn write(&self, parts: &[&[u8]], len: usize) -> io::Result<()> {
        // Prefix, parts, padding.
        let mut slices = [IoSlice::new(P::TX_PREFIX); MAX_PARTS + 2];
        let joined = if parts.len() > MAX_PARTS {
            parts.concat()
        } else {
            Vec::new()
        };
        let joined = [&*joined];
        let parts = if parts.len() > MAX_PARTS { &joined } else { parts };
        for (slice, part) in slices.iter_mut().skip(1).zip(parts) {
            *slice = IoSlice::new(part);
        }
        let padding = PADDING.get(..P::MIN_FRAME_LEN.saturating_sub(len)).unwrap_or(&PADDING);
        if let Some(slice) = slices.get_mut(parts.len() + 1) {
            *slice = IoSlice::new(padding);
        }
        let first = usize::from(P::TX_PREFIX.is_empty());
        let end = 1 + parts.len() + usize::from(!padding.is_empty());
        let sent = self.port.send(slices.get(first..end).unwrap_or_default())?;
        // The kernel accepts a frame as a whole or not at all.
        if sent == P::TX_PREFIX.len() + len + padding.len() {
            Ok(())
        } else {
            Err(io::ErrorKind::WriteZero.into())
        }
    }
}

impl<P: Port> ErrorType for Interface<P> {
    type Error = InterfaceError;
}

/// Without the buffers.
impl<P: Port> fmt::Debug for Interface<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Interface")
            .field("name", &self.name)
            .field("fd", &self.port.as_fd())
            .field("link_fd", &self.link_monitor.fd())
            .field("running", &self.running)
            .field("removed", &self.removed)
            .field("mac_address", &self.mac_address)
            .field("link", &self.link)
            .field("held", &self.held)
            .field("stats", &self.stats)
            .finish_non_exhaustive()
    }
}

/// Readable: a frame is pending. Writable: the kernel accepts a frame. Both are level-triggered.
/// See also [`Interface::link_fd`].
///
/// [`recover`](ethdev::Control::recover) replaces the descriptor if the interface was deleted.
impl<P: Port> AsFd for Interface<P> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.port.as_fd()
    }
}
