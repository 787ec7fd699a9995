//! The pull API.

use core::time::Duration;

use ethdev::{
    Capabilities, Counted, Error, ErrorKind, EthernetDevice, Events, Interest, Link, LossReason, MacAddress,
    MaxFrameLen, RxMeta, Stats, validate_tx_len,
};

use crate::error::InterfaceError;
use crate::interface::Interface;
use crate::port::Port;
use crate::rx::Read;
use crate::wait::UNANNOUNCED_INTERVAL;

/// Limit of frames that one call of `recv_frame` drops (filtered, of invalid length) before it
/// returns `None`.
const MAX_DROPPED: usize = 64;

impl<P: Port> EthernetDevice for Interface<P> {
    /// Returns the address of this device.
    fn mac_address(&self) -> MacAddress {
        self.mac_address
    }

    /// Returns the capabilities by the settings that the interface had when it was opened or last
    /// [recovered](ethdev::Control::recover).
    ///
    /// If the kernel does not announce changes of the link (see [`Interface::link_fd`]), overruns
    /// are not reported, and `service` must be called at an interval.
    fn capabilities(&self) -> Capabilities {
        if self.link_monitor.fd().is_some() {
            return self.capabilities;
        }
        let coverage = self
            .capabilities
            .coverage
            .with(LossReason::RxOverrun, Counted::NotReported);
        self.capabilities
            .with_coverage(coverage)
            .with_max_service_interval(UNANNOUNCED_INTERVAL)
    }

    fn tx_max_frame_len(&self) -> MaxFrameLen {
        self.capabilities.tx_max_frame_len
    }

    /// Returns the link state. Up: the interface is administratively up and has carrier.
    fn link(&self) -> Link {
        self.link
    }

    fn stats(&self) -> Stats {
        self.stats
    }

    fn recv_frame(&mut self, buf: &mut [u8]) -> Result<Option<RxMeta>, InterfaceError> {
        if let Some(held) = self.take_held(buf) {
            let len = held?;
            self.stats.count_rx(len);
            return Ok(Some(RxMeta::new(len)));
        }
        self.check_present()?;
        if !self.running {
            return Ok(None);
        }
        for _ in 0..MAX_DROPPED {
            match self.read(buf)? {
                Read::Empty => break,
                Read::Delivered(len) => {
                    self.stats.count_rx(len);
                    return Ok(Some(RxMeta::new(len)));
                }
                Read::Held(needed) => return Err(ErrorKind::BufferTooSmall { needed }.into()),
                Read::Dropped => {}
            }
        }
        Ok(None)
    }

    fn discard_frame(&mut self) -> Result<bool, InterfaceError> {
        // With an empty buffer, a frame that is pending is held afterwards.
        match self.recv_frame(&mut []) {
            Err(e) if matches!(e.kind(), ErrorKind::BufferTooSmall { .. }) => {}
            Err(e) => return Err(e),
            Ok(_) => return Ok(false),
        }
        self.drop_held();
        self.stats.rx_discarded = self.stats.rx_discarded.wrapping_add(1);
        Ok(true)
    }

    /// Without a system call, unless the kernel did not take the last frame.
    fn tx_ready(&mut self) -> Result<bool, InterfaceError> {
        self.check_present()?;
        if self.running && self.is_unsent() {
            self.poll_interface(Interest::TX, Some(Duration::ZERO))?;
        }
        Ok(self.running && self.link.is_up() && !self.is_unsent())
    }

    /// A frame that the kernel does not take now is kept, and sent by a later call. Until then the
    /// device is busy.
    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), InterfaceError> {
        self.check_present()?;
        let len = validate_tx_len(parts, self.capabilities.tx_max_frame_len)?;
        if !self.running {
            return Err(ErrorKind::Stopped.into());
        }
        if !self.link.is_up() {
            return Err(ErrorKind::LinkDown.into());
        }
        if let Some(source) = self.flush()? {
            return Err(InterfaceError::Busy { source });
        }
        if self.transmit(parts, len)?.is_some() {
            self.keep(parts);
        }
        Ok(())
    }

    /// Polls the interface: one poll(2) while nothing changes.
    ///
    /// `rx_pending` means that the kernel has a frame, which the receive filter may still reject.
    fn service(&mut self) -> Result<Events, InterfaceError> {
        let found = self.poll_interface(Interest::ALL, Some(Duration::ZERO))?;
        let dropped = self
            .stats
            .rx_overrun
            .wrapping_add(self.stats.rx_bad_length)
            .wrapping_add(self.stats.rx_reset);
        let sent = self.stats.tx_frames.wrapping_sub(self.reported.tx_frames);
        let mut events = Events::NONE;
        events.link_changed = self.reported.link != self.link;
        events.rx_pending = found.rx;
        events.rx_dropped = self.reported.rx_dropped != dropped;
        events.tx_ready = found.tx && self.link.is_up();
        // A frame is sent when write(2) returns.
        events.tx_completed = u16::try_from(sent).unwrap_or(u16::MAX);
        self.reported.link = self.link;
        self.reported.rx_dropped = dropped;
        self.reported.tx_frames = self.stats.tx_frames;
        Ok(events)
    }
}
