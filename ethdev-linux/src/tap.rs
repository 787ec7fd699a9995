//! The device: one end of a wire whose other end is the kernel's interface.

use core::fmt;
use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsFd, BorrowedFd};

use ethdev::frame::{HEADER_LEN, Header, MAX_FRAME_LEN, MAX_VLAN_FRAME_LEN};
use ethdev::{
    Capabilities, ErrorType, EthernetDevice, Events, Interest, Link, MacAddress, MaxFrameLen, RxFilter, RxMeta, Stats,
    validate_tx_len,
};
use nix::libc::{EAGAIN, EBADFD, EINTR, EIO, ENOBUFS, ENODEV, ENOMEM};
use tun_rs::SyncDevice;

use crate::control::Filter;
use crate::open::{Facts, Opened, facts, open};
use crate::overruns::DropDetector;
use crate::watch::LinkMonitor;
use crate::{TapConfig, TapError};

/// How many frames that are not for the caller (filtered, of impossible length) one call passes over before it returns with nothing.
const MAX_PASSED_OVER: usize = 64;
/// Parts of a frame that go to the kernel as they lie; frames in more parts are put together first.
const MAX_PARTS: usize = 16;

/// A TAP interface: a NIC of ours, wired to the Linux kernel.
///
/// It is started on construction, with [`RxFilter::DEFAULT`](ethdev::RxFilter::DEFAULT). See the [crate](crate) for what the kernel's end does.
pub struct Tap {
    pub(crate) io: SyncDevice,
    pub(crate) name: String,
    pub(crate) config: TapConfig,
    pub(crate) mac_address: MacAddress,
    pub(crate) filter: Filter,
    pub(crate) capabilities: Capabilities,
    pub(crate) watch: LinkMonitor,
    pub(crate) state: State,
    pub(crate) link: Link,
    pub(crate) stats: Stats,
    told: Told,
    /// A frame that did not fit the caller's buffer, and while reading the part of it that did not. As long as the longest frame, and one byte.
    hold: Vec<u8>,
    held: Option<usize>,
    pub(crate) overruns: DropDetector,
    /// How many times the interface was opened again: descriptors from before that are of no use.
    pub(crate) generation: u32,
}

/// ```text
///             stop              deleted by somebody
///   Running <------> Stopped ---------------------> InterfaceRemoved
///      |      start                                  ^ | recover: Running
///      +---------------------------------------------+
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Running,
    Stopped,
    InterfaceRemoved,
}

/// What the last `service` and the last `wait` saw.
#[derive(Debug)]
struct Told {
    link: Link,
    link_by_wait: Link,
    tx_frames: u32,
    rx_dropped: u32,
}

/// What one read brought.
enum Arrival {
    Nothing,
    /// In the caller's buffer.
    Delivered(usize),
    /// In `hold`: the caller's buffer is shorter.
    Held(usize),
    PassedOver,
}

impl Tap {
    /// Opens the TAP interface `name`; creates it if there is none. As [`with_config`](Self::with_config) with [`TapConfig::new`].
    ///
    /// # Errors
    ///
    /// As `with_config`.
    pub fn open(name: &str) -> Result<Self, TapError> {
        Self::with_config(TapConfig::new(name))
    }

    /// Opens a TAP interface.
    ///
    /// # Errors
    ///
    /// `InvalidName`, `InvalidMacAddress`, `PermissionDenied`, `NoDriver`, `NoSuchInterface`, `NotTap`, `InUse`, `NoQueue`, or `Io` for what remains.
    pub fn with_config(config: TapConfig) -> Result<Self, TapError> {
        let Opened {
            io,
            name,
            index,
            mac_address,
        } = open(&config)?;
        let facts = facts(&io, &name)?;
        let mut tap = Self {
            io,
            name,
            config,
            mac_address,
            filter: Filter::new(RxFilter::DEFAULT),
            capabilities: Capabilities::ETHERNET,
            watch: LinkMonitor::new(index),
            state: State::Running,
            link: Link::Down,
            stats: Stats::ZERO,
            told: Told {
                link: Link::Down,
                link_by_wait: Link::Down,
                tx_frames: 0,
                rx_dropped: 0,
            },
            hold: Vec::new(),
            held: None,
            overruns: DropDetector::default(),
            generation: 0,
        };
        tap.apply(&facts);
        tap.overruns.begin(tap.watch.dropped);
        // Where poll(2) is all there is to know the link by, it takes a look to know it.
        tap.look(Interest::ALL, Some(core::time::Duration::ZERO))?;
        // The state at the beginning is no change.
        tap.stats.link_changes = 0;
        tap.told.link = tap.link;
        tap.told.link_by_wait = tap.link;
        Ok(tap)
    }

    /// The interface's name, when it was opened.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What becomes readable when the kernel has something to say about the interface's state: to be watched beside the device itself
    /// ([`AsFd`]) by those who wait on their own. Call [`service`](EthernetDevice::service) then; do not read it. `None` where the link has to be asked for.
    #[must_use]
    pub fn link_fd(&self) -> Option<BorrowedFd<'_>> {
        self.watch.fd()
    }

    /// Sizes everything by the interface's present settings.
    pub(crate) fn apply(&mut self, facts: &Facts) {
        self.overruns.set_queue(facts.queue_frames);
        let tx_max = MaxFrameLen::from_ip_mtu(facts.ip_mtu);
        // The kernel sends packets of the full IP MTU with a VLAN tag too.
        let rx_max = MaxFrameLen::new(tx_max.bytes().saturating_add(MAX_VLAN_FRAME_LEN - MAX_FRAME_LEN));
        self.capabilities = Capabilities::ETHERNET
            .with_tx_max_frame_len(tx_max)
            .with_rx_max_frame_len(rx_max)
            .with_tx_min_frame_len(0)
            .with_queue_frames(u16::try_from(self.overruns.holds()).unwrap_or(u16::MAX), 0)
            .with_rx_overrun_exact(self.watch.fd().is_some());
        // The kernel cuts what does not fit without a word: one byte more tells the longest frame from a longer one.
        self.hold.resize(rx_max.bytes().saturating_add(1), 0);
    }

    pub(crate) fn set_link(&mut self, link: Link) {
        if self.link != link {
            self.link = link;
            self.stats.link_changes = self.stats.link_changes.wrapping_add(1);
        }
    }

    /// Whether the link is another than when this was last asked.
    pub(crate) fn link_changed_for_wait(&mut self) -> bool {
        core::mem::replace(&mut self.told.link_by_wait, self.link) != self.link
    }

    pub(crate) const fn is_held(&self) -> bool {
        self.held.is_some()
    }

    /// The interface was deleted.
    pub(crate) fn gone(&mut self, source: Option<io::Error>) -> TapError {
        if self.state != State::InterfaceRemoved {
            self.state = State::InterfaceRemoved;
            self.stats.faults = self.stats.faults.wrapping_add(1);
            self.set_link(Link::Down);
        }
        TapError::InterfaceRemoved {
            name: self.name.clone(),
            source,
        }
    }

    /// One read(2) or readv(2).
    fn read(&mut self, buf: &mut [u8]) -> Result<Arrival, TapError> {
        let room = self.hold.len();
        let result = if let Some(buf) = buf.get_mut(..room) {
            self.io.recv(buf)
        } else {
            // What does not fit the caller's buffer goes on in ours, so that nothing is lost, and nothing is copied that does fit.
            let spill = self.hold.get_mut(..room.saturating_sub(buf.len())).unwrap_or_default();
            self.io
                .recv_vectored(&mut [IoSliceMut::new(buf), IoSliceMut::new(spill)])
        };
        let len = match result {
            Ok(len) => len,
            Err(e) => {
                return match e.raw_os_error() {
                    Some(EAGAIN | EINTR) => {
                        self.overruns.nothing();
                        Ok(Arrival::Nothing)
                    }
                    Some(EBADFD | ENODEV) => Err(self.gone(Some(e))),
                    _ => Err(TapError::Io {
                        what: "reading a frame",
                        source: e,
                    }),
                };
            }
        };
        self.overruns.frame();
        if len < HEADER_LEN || len >= room {
            self.stats.rx_bad_length = self.stats.rx_bad_length.wrapping_add(1);
            return Ok(Arrival::PassedOver);
        }
        let spilled = len.saturating_sub(buf.len());
        if spilled > 0 {
            // In front of what spilled belongs what fit.
            self.hold.copy_within(..spilled, buf.len());
            if let Some(front) = self.hold.get_mut(..buf.len()) {
                front.copy_from_slice(buf);
            }
        }
        let frame = if spilled > 0 { &self.hold } else { &*buf };
        let passes = Header::parse(frame).is_some_and(|h| self.filter.passes(h.destination, self.mac_address));
        Ok(if !passes {
            self.stats.rx_filtered = self.stats.rx_filtered.wrapping_add(1);
            Arrival::PassedOver
        } else if spilled > 0 {
            self.held = Some(len);
            Arrival::Held(len)
        } else {
            Arrival::Delivered(len)
        })
    }

    /// Throws away what the kernel has queued, and what is held, counted in `rx_reset`.
    pub(crate) fn drain(&mut self) -> Result<(), TapError> {
        self.lose_held();
        let mut buf = vec![0; self.hold.len()];
        for _ in 0..self.overruns.one_pass() {
            match self.read(&mut buf)? {
                Arrival::Nothing => break,
                Arrival::PassedOver => {}
                Arrival::Delivered(_) | Arrival::Held(_) => {
                    self.stats.rx_reset = self.stats.rx_reset.wrapping_add(1);
                }
            }
        }
        Ok(())
    }

    /// The held frame is lost by a reset.
    pub(crate) fn lose_held(&mut self) {
        if self.held.take().is_some() {
            self.stats.rx_reset = self.stats.rx_reset.wrapping_add(1);
        }
    }

    /// Asks the kernel how many frames it dropped. `counted`: they are ours to count.
    pub(crate) fn look_for_overruns(&mut self, counted: bool) {
        self.watch.ask();
        let dropped = self.overruns.look(self.watch.dropped);
        if counted {
            self.stats.rx_overrun = self.stats.rx_overrun.wrapping_add(dropped);
        }
    }

    /// One write(2) or writev(2).
    fn write(&self, parts: &[&[u8]]) -> io::Result<usize> {
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

/// Without the buffers, which are long.
impl fmt::Debug for Tap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tap")
            .field("name", &self.name)
            .field("fd", &self.io.as_fd())
            .field("link_fd", &self.watch.fd())
            .field("state", &self.state)
            .field("mac_address", &self.mac_address)
            .field("link", &self.link)
            .field("held", &self.held)
            .field("stats", &self.stats)
            .finish_non_exhaustive()
    }
}

impl ErrorType for Tap {
    type Error = TapError;
}

impl EthernetDevice for Tap {
    /// The address of our end. The kernel's interface has another.
    fn mac_address(&self) -> MacAddress {
        self.mac_address
    }

    /// As the interface was set when it was opened, or last [recovered](ethdev::Control::recover).
    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    /// Up: the interface is administratively up and has carrier.
    fn link(&self) -> Link {
        self.link
    }

    fn stats(&self) -> Stats {
        self.stats
    }

    fn recv_frame(&mut self, buf: &mut [u8]) -> Result<Option<RxMeta>, TapError> {
        if let Some(len) = self.held {
            let (Some(buf), Some(frame)) = (buf.get_mut(..len), self.hold.get(..len)) else {
                return Err(TapError::BufferTooSmall { needed: len });
            };
            buf.copy_from_slice(frame);
            self.held = None;
            self.stats.count_rx(len);
            return Ok(Some(RxMeta::new(len)));
        }
        match self.state {
            State::Running => {}
            State::Stopped => return Ok(None),
            State::InterfaceRemoved => return Err(self.gone(None)),
        }
        for _ in 0..MAX_PASSED_OVER {
            match self.read(buf)? {
                Arrival::Nothing => break,
                Arrival::Delivered(len) => {
                    self.stats.count_rx(len);
                    return Ok(Some(RxMeta::new(len)));
                }
                Arrival::Held(needed) => return Err(TapError::BufferTooSmall { needed }),
                Arrival::PassedOver => {}
            }
        }
        Ok(None)
    }

    fn discard_frame(&mut self) -> Result<bool, TapError> {
        // Into no buffer at all: the frame ends up held, or there is none.
        match self.recv_frame(&mut []) {
            Err(TapError::BufferTooSmall { .. }) => {}
            Err(e) => return Err(e),
            Ok(_) => return Ok(false),
        }
        self.held = None;
        self.stats.rx_discarded = self.stats.rx_discarded.wrapping_add(1);
        Ok(true)
    }

    fn tx_ready(&mut self) -> Result<bool, TapError> {
        let seen = self.look(Interest::TX, Some(core::time::Duration::ZERO))?;
        Ok(seen.tx && self.link.is_up())
    }

    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), TapError> {
        if self.state == State::InterfaceRemoved {
            return Err(self.gone(None));
        }
        let len = validate_tx_len(parts, &self.capabilities).map_err(TapError::of_frame)?;
        if self.state == State::Stopped {
            return Err(TapError::Stopped);
        }
        if !self.link.is_up() {
            return Err(TapError::LinkDown { source: None });
        }
        let source = match self.write(parts) {
            Ok(sent) if sent == len => {
                self.stats.count_tx(len);
                return Ok(());
            }
            // The kernel takes a frame whole or not at all.
            Ok(_) => io::ErrorKind::WriteZero.into(),
            Err(e) => e,
        };
        Err(match source.raw_os_error() {
            Some(EAGAIN | EINTR | ENOBUFS | ENOMEM) => TapError::Busy { source },
            Some(EIO) => {
                // Down since the last look. The announcement is on its way, perhaps with another after it.
                self.watch.up = false;
                self.set_link(Link::Down);
                TapError::LinkDown { source: Some(source) }
            }
            Some(EBADFD | ENODEV) => self.gone(Some(source)),
            _ => TapError::Io {
                what: "writing a frame",
                source,
            },
        })
    }

    /// One poll(2) as long as nothing changed.
    ///
    /// `rx_pending` means that the kernel has a frame; the receive filter may yet refuse it.
    fn service(&mut self) -> Result<Events, TapError> {
        let seen = self.look(Interest::ALL, Some(core::time::Duration::ZERO))?;
        let lost = self
            .stats
            .rx_overrun
            .wrapping_add(self.stats.rx_bad_length)
            .wrapping_add(self.stats.rx_reset);
        let now = Told {
            link: self.link,
            tx_frames: self.stats.tx_frames,
            rx_dropped: lost,
            ..self.told
        };
        let told = core::mem::replace(&mut self.told, now);
        let mut events = Events::NONE;
        events.link_changed = told.link != self.link;
        events.rx_pending = seen.rx;
        events.rx_dropped = told.rx_dropped != lost;
        events.tx_ready = seen.tx && self.link.is_up();
        // A frame that was written is with the kernel: there is nothing to wait for.
        events.tx_completed = u16::try_from(self.stats.tx_frames.wrapping_sub(told.tx_frames)).unwrap_or(u16::MAX);
        Ok(events)
    }
}

/// Readable: a frame is pending. Writable: there is room for one. Both are level-triggered. See also [`Tap::link_fd`].
///
/// The descriptor becomes another one with [`recover`](ethdev::Control::recover).
impl AsFd for Tap {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.io.as_fd()
    }
}
