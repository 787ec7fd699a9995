//! Frames from the kernel.

use std::io;

use ethdev::frame::{HEADER_LEN, Header};

use crate::error::InterfaceError;
use crate::interface::Interface;
use crate::port::{Failure, Port, Received};

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

    /// Reads one frame, by one system call or from the ring.
    pub(crate) fn read(&mut self, buf: &mut [u8]) -> Result<Read, InterfaceError> {
        let mut result = self.read_once(buf);
        if matches!(&result, Err(e) if P::classify(e) == Failure::Down) {
            // The interface may be up again, and frames pending.
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
}
