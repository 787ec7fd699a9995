//! The state of the device, and the transfer of frames to and from the kernel.

use core::fmt;
use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsFd, BorrowedFd};

use ethdev::frame::{HEADER_LEN, Header, MAX_FRAME_LEN, MAX_VLAN_FRAME_LEN};
use ethdev::{Capabilities, ErrorType, Link, MacAddress, MaxFrameLen, Stats};
use nix::libc::{EAGAIN, EBADFD, EINTR, ENODEV};
use tun_rs::SyncDevice;

#[cfg(feature = "async-io")]
use crate::async_io::Registration;
use crate::config::TapConfig;
use crate::drop_detector::DropDetector;
use crate::error::TapError;
use crate::link_monitor::LinkMonitor;
use crate::open::Settings;
use crate::rx_filter::Filter;

/// Largest number of parts that are passed to the kernel in place; a frame in more parts is copied
/// into one.
const MAX_PARTS: usize = 16;

/// A TAP interface as a device. Its link partner is the Linux kernel.
///
/// It is running on construction, with [`RxFilter::DEFAULT`](ethdev::RxFilter::DEFAULT). The
/// [crate documentation](crate) describes the kernel's side.
pub struct Tap {
    pub(crate) io: SyncDevice,
    pub(crate) name: String,
    pub(crate) config: TapConfig,
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
    pub(crate) stats: Stats,
    pub(crate) reported: Reported,
    /// A frame that did not fit the caller's buffer; during a read, the part of it that does not
    /// fit. One byte longer than the longest frame.
    hold: Vec<u8>,
    held: Option<usize>,
    pub(crate) drop_detector: DropDetector,
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

impl Tap {
    /// Creates the device in the state running, with the link down until it is polled.
    pub(crate) fn new(io: SyncDevice, name: String, config: TapConfig, link_monitor: LinkMonitor) -> Self {
        Self {
            io,
            name,
            config,
            mac_address: MacAddress::UNSPECIFIED,
            filter: Filter::new(ethdev::RxFilter::DEFAULT),
            capabilities: Capabilities::ETHERNET,
            link_monitor,
            running: true,
            removed: false,
            link: Link::Down,
            stats: Stats::ZERO,
            reported: Reported::default(),
            hold: Vec::new(),
            held: None,
            drop_detector: DropDetector::default(),
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

    /// Adapts lengths and buffers to the settings of the interface.
    pub(crate) fn apply(&mut self, settings: &Settings) {
        self.drop_detector.set_queue(settings.queue_frames);
        let tx_max = MaxFrameLen::from_ip_mtu(settings.ip_mtu);
        // The kernel also sends packets of the full IP MTU with a VLAN tag.
        let rx_max = MaxFrameLen::new(tx_max.bytes().saturating_add(MAX_VLAN_FRAME_LEN - MAX_FRAME_LEN));
        self.capabilities = Capabilities::ETHERNET
            .with_tx_max_frame_len(tx_max)
            .with_rx_max_frame_len(rx_max)
            .with_tx_min_frame_len(0)
            .with_queue_frames(
                Some(u16::try_from(self.drop_detector.capacity()).unwrap_or(u16::MAX)),
                None,
            );
        // The kernel silently truncates a frame that is longer than the buffer. One extra byte
        // distinguishes the longest frame from a longer one.
        self.hold.resize(rx_max.bytes().saturating_add(1), 0);
    }

    pub(crate) fn set_link(&mut self, link: Link) {
        if self.link != link {
            self.link = link;
            self.stats.link_changes = self.stats.link_changes.wrapping_add(1);
            #[cfg(feature = "async-io")]
            self.registration.wake();
        }
    }

    /// Records that the interface was deleted, and returns the error.
    pub(crate) fn set_removed(&mut self, source: Option<io::Error>) -> TapError {
        if !self.removed {
            self.removed = true;
            self.stats.faults = self.stats.faults.wrapping_add(1);
            self.set_link(Link::Down);
        }
        TapError::InterfaceRemoved {
            name: self.name.clone(),
            source,
        }
    }

    /// Fails if the interface was deleted.
    pub(crate) fn check_present(&mut self) -> Result<(), TapError> {
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
    pub(crate) fn take_held(&mut self, buf: &mut [u8]) -> Option<Result<usize, TapError>> {
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

    /// Reads one frame by one read(2) or readv(2).
    pub(crate) fn read(&mut self, buf: &mut [u8]) -> Result<Read, TapError> {
        let max = self.hold.len();
        let result = if let Some(buf) = buf.get_mut(..max) {
            self.io.recv(buf)
        } else {
            // The part that does not fit the caller's buffer goes into `hold`: nothing is lost, and
            // the part that fits is not copied again.
            let rest = self.hold.get_mut(..max.saturating_sub(buf.len())).unwrap_or_default();
            self.io
                .recv_vectored(&mut [IoSliceMut::new(buf), IoSliceMut::new(rest)])
        };
        let len = match result {
            Ok(len) => len,
            Err(e) => {
                return match e.raw_os_error() {
                    Some(EAGAIN | EINTR) => {
                        self.drop_detector.queue_empty();
                        Ok(Read::Empty)
                    }
                    Some(EBADFD | ENODEV) => Err(self.set_removed(Some(e))),
                    _ => Err(TapError::Io {
                        what: "reading a frame",
                        source: e,
                    }),
                };
            }
        };
        self.drop_detector.frame_read();
        if len < HEADER_LEN || len >= max {
            self.stats.rx_bad_length = self.stats.rx_bad_length.wrapping_add(1);
            return Ok(Read::Dropped);
        }
        let excess = len.saturating_sub(buf.len());
        if excess > 0 {
            // Assemble the frame in `hold`: first the part in `buf`, then the rest.
            self.hold.copy_within(..excess, buf.len());
            if let Some(front) = self.hold.get_mut(..buf.len()) {
                front.copy_from_slice(buf);
            }
        }
        let frame = if excess > 0 { &self.hold } else { &*buf };
        let passes = Header::parse(frame).is_some_and(|h| self.filter.passes(h.destination, self.mac_address));
        Ok(if !passes {
            self.stats.rx_filtered = self.stats.rx_filtered.wrapping_add(1);
            Read::Dropped
        } else if excess > 0 {
            self.held = Some(len);
            Read::Held(len)
        } else {
            Read::Delivered(len)
        })
    }

    /// Drops the held frame and the frames that the kernel has queued, counted in `rx_reset`.
    pub(crate) fn drain(&mut self) -> Result<(), TapError> {
        self.reset_held();
        let mut buf = vec![0; self.hold.len()];
        for _ in 0..self.drop_detector.drain_limit() {
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
        self.link_monitor.refresh();
        let dropped = self.drop_detector.update(self.link_monitor.dropped);
        if count {
            self.stats.rx_overrun = self.stats.rx_overrun.wrapping_add(dropped);
        }
    }

    /// Sends one frame by one write(2) or writev(2).
    pub(crate) fn write(&self, parts: &[&[u8]]) -> io::Result<usize> {
        if let [frame] = parts {
            return self.io.send(frame);
        }
        let mut slices = [IoSlice::new(&[]); MAX_PARTS];
        match slices.get_mut(..parts.len()) {
            Some(slices) => {
                for (slice, part) in slices.iter_mut().zip(parts) {
                    *slice = IoSlice::new(part);
                }
                self.io.send_vectored(slices)
            }
            None => self.io.send(&parts.concat()),
        }
    }
}

impl ErrorType for Tap {
    type Error = TapError;
}

/// Without the buffers.
impl fmt::Debug for Tap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tap")
            .field("name", &self.name)
            .field("fd", &self.io.as_fd())
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
/// See also [`Tap::link_fd`].
///
/// [`recover`](ethdev::Control::recover) replaces the descriptor if the interface was deleted.
impl AsFd for Tap {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.io.as_fd()
    }
}
