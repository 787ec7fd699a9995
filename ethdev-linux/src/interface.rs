//! The state of the device.

use core::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use ethdev::{Capabilities, ErrorType, Link, LinkMode, MacAddress, MaxFrameLen, Stats};

#[cfg(feature = "async-io")]
use crate::async_io::Registration;
use crate::drop_detector::DropDetector;
use crate::error::InterfaceError;
use crate::link_monitor::LinkMonitor;
use crate::port::{Opened, Port, Settings, TAG_LEN};
use crate::rx_filter::Filter;

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
    pub(crate) hold: Vec<u8>,
    pub(crate) held: Option<usize>,
    /// A frame that the kernel did not take; empty if there is none.
    pub(crate) unsent: Vec<u8>,
    pub(crate) drop_detector: DropDetector,
    pub(crate) drain_limit: u32,
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
            unsent: Vec::new(),
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
