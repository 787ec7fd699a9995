//! The transmit side of an adapter: the reply buffer and the state of transmission.

use core::fmt;

use ethdev::{Error, ErrorKind, EthernetDevice};

use super::stats::{DropStats, ErrorLog, increment};

/// What is between a stack and the transmit side of the device.
///
/// ```text
///            refused: link down                  no free transmit buffer
/// LinkDown <----------------------- Ready ---------------------------> Pending
///    |     -----------------------> ^   ^ <----------------------------  |
///    |          link is up               pending frame sent or refused   |
///    ^------------------------ refused: link down -----------------------|
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TxState {
    /// Frames go to the device.
    Ready,
    /// A frame of `len` bytes is in the reply buffer and waits for the device.
    Pending {
        /// Length of the frame in bytes.
        len: usize,
        /// Where it comes from.
        origin: FrameOrigin,
    },
    /// The link was down or the device stopped when it was last checked, or the buffers are too
    /// short.
    LinkDown,
}

/// Where a frame to send comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameOrigin {
    /// The stack answers a received frame, whether or not the device is ready.
    Reply,
    /// A socket sends, after the device reported that it is ready.
    Socket,
}

/// The transmit side of an adapter.
///
/// Receiving never depends on transmit capacity: a reply for which the device has no free buffer
/// waits in the reply buffer of the caller. A later reply takes its place, and the earlier one is
/// counted.
pub struct TxPath<'b, E> {
    /// As long as the longest frame of the stack.
    buf: &'b mut [u8],
    /// Where frames go now.
    pub state: TxState,
    /// Where the frame of the last transmit token comes from.
    pub origin: FrameOrigin,
    /// The frames that were lost here.
    pub drops: DropStats,
    /// The errors of the device while it sent.
    pub errors: ErrorLog<E>,
}

impl<'b, E> TxPath<'b, E> {
    /// Creates the transmit side with `buf` for a reply that waits.
    #[must_use]
    pub const fn new(buf: &'b mut [u8]) -> Self {
        Self {
            buf,
            state: TxState::LinkDown,
            origin: FrameOrigin::Reply,
            drops: DropStats::ZERO,
            errors: ErrorLog::new(),
        }
    }

    /// Returns the length of the reply buffer in bytes.
    #[must_use]
    pub const fn buffer_len(&self) -> usize {
        self.buf.len()
    }

    /// Returns whether a frame is in the reply buffer and waits for the device.
    #[inline]
    #[must_use]
    pub const fn is_pending(&self) -> bool {
        matches!(self.state, TxState::Pending { .. })
    }

    /// Returns whether this is the address of the reply buffer.
    #[inline]
    #[must_use]
    pub fn is_reply_buffer(&self, place: *const u8) -> bool {
        core::ptr::eq(self.buf.as_ptr(), place)
    }

    /// Returns `len` bytes of the reply buffer; all of it if it is shorter, which the adapter
    /// excludes by the frame length that it reports to the stack.
    #[inline]
    pub fn buffer(&mut self, len: usize) -> &mut [u8] {
        let len = len.min(self.buf.len());
        self.buf.get_mut(..len).unwrap_or_default()
    }

    /// Drops the pending frame because a later reply takes its place.
    #[cold]
    pub const fn drop_pending(&mut self) {
        if let TxState::Pending { origin, .. } = self.state {
            increment(match origin {
                FrameOrigin::Reply => &mut self.drops.tx_replies_dropped,
                FrameOrigin::Socket => &mut self.drops.tx_busy_dropped,
            });
            self.state = TxState::Ready;
        }
    }

    /// Drops the pending frame because the device was stopped.
    pub const fn reset(&mut self) {
        if self.is_pending() {
            increment(&mut self.drops.tx_reset);
        }
        self.state = TxState::LinkDown;
    }
}

impl<E: Error> TxPath<'_, E> {
    /// Sends the pending frame. Returns whether the reply buffer is free then.
    #[cold]
    pub fn flush<D: EthernetDevice<Error = E>>(&mut self, device: &mut D) -> bool {
        if let TxState::Pending { len, origin } = self.state {
            self.state = TxState::Ready;
            if let Err(e) = device.send_frame(self.buffer(len)) {
                self.not_sent(len, origin, e);
            }
        }
        !self.is_pending()
    }

    /// The device did not accept the frame of `len` bytes in the reply buffer: it stays there if
    /// the device is busy.
    #[cold]
    pub fn not_sent(&mut self, len: usize, origin: FrameOrigin, error: E) {
        if error.kind() == ErrorKind::Busy {
            self.state = TxState::Pending { len, origin };
        } else {
            self.refused(error);
        }
    }

    /// Returns memory for a frame of `len` bytes for which the device lent none: that of the reply
    /// buffer.
    #[cold]
    pub fn instead(&mut self, len: usize, error: Option<E>) -> &mut [u8] {
        match error {
            Some(e) if e.kind() != ErrorKind::Busy => self.refused(e),
            _ => {
                self.drop_pending();
                let origin = self.origin;
                self.state = TxState::Pending { len, origin };
            }
        }
        self.buffer(len)
    }

    /// Counts a frame that the device did not accept.
    #[cold]
    pub fn refused(&mut self, error: E) {
        if is_down(error.kind()) {
            increment(&mut self.drops.tx_link_down);
            self.state = TxState::LinkDown;
        } else {
            increment(&mut self.drops.tx_refused);
            self.errors.latch(error);
        }
    }

    /// The device is busy, or did not report whether it is. Returns `false`, for the caller to
    /// return.
    #[cold]
    #[inline(never)]
    pub fn not_ready(&mut self, error: Option<E>) -> bool {
        match error {
            Some(e) if is_down(e.kind()) => self.state = TxState::LinkDown,
            Some(e) => self.errors.latch(e),
            None => {}
        }
        false
    }
}

/// The kinds that are no failure: the link is down, or the device is stopped.
const fn is_down(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::LinkDown | ErrorKind::Stopped)
}

impl<E> fmt::Debug for TxPath<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TxPath")
            .field("state", &self.state)
            .field("drops", &self.drops)
            .field("errors", &self.errors)
            .finish_non_exhaustive()
    }
}
