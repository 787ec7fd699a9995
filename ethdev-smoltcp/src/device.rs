//! The adapter: a device on one side, smoltcp's `phy::Device` on the other.

use core::fmt;

use ethdev::{Error, ErrorKind, ErrorType, EthernetDevice, Events, Interest, LendingDevice, Link, MaxFrameLen, Stats};
use ethdev_util::stack::{DropStats, ErrorCounts, FrameOrigin, MIN_BUFFER_LEN, TxPath, TxState};
use smoltcp::iface::{Interface, SocketSet};
use smoltcp::phy::{self, DeviceCapabilities};
use smoltcp::time::Instant;
use smoltcp::wire::{EthernetAddress, HardwareAddress};

use crate::capabilities;
use crate::lending::Lending;
use crate::mode::Mode;
use crate::poll_at::{Backoff, PollAt};
use crate::pull::Pull;
use crate::rx::{DEFAULT_RX_BUDGET, RxPath};
use crate::tokens::{RxToken, TxToken};

/// An `ethdev` device as smoltcp's `phy::Device`.
///
/// `M` is the mode: [`Pull`] for devices with the pull API, [`Lending`] for devices that lend their
/// memory. See the [crate documentation](crate) for its use and behaviour.
///
/// # Panics
///
/// No input from the device or the wire makes it panic, or makes smoltcp panic. smoltcp itself
/// panics if an `Interface` that was created with a device of longer frames is polled with this
/// one: create the interface and poll it with the same adapter.
pub struct SmoltcpDevice<'b, D: ErrorType, M = Pull<'b>> {
    pub(crate) device: D,
    pub(crate) mode: M,
    tx: TxPath<'b, D::Error>,
    rx: RxPath<D::Error>,
    capabilities: DeviceCapabilities,
    backoff: Backoff,
    /// What was found while smoltcp was polling, for the next [`service`](Self::service).
    events: Events,
}

impl<'b, D: EthernetDevice> SmoltcpDevice<'b, D> {
    /// Creates an adapter for a device with the pull API: a bus device, or any other.
    ///
    /// `rx` holds the received frame while smoltcp reads it, `reply` the frame that is being sent,
    /// or a reply that waits because the device is busy. smoltcp uses frames as long as both
    /// buffers and the device allow; 1514 bytes each are right for Ethernet. Longer received
    /// frames are discarded and counted in [`rx_discarded`](ethdev::Stats::rx_discarded).
    ///
    /// A buffer may have any length. With one shorter than [`MIN_BUFFER_LEN`] nothing is received
    /// or sent, and each poll ends with the error
    /// [`BufferTooSmall`](ErrorKind::BufferTooSmall): see [`take_error`](Self::take_error).
    #[must_use]
    pub fn new(device: D, rx: &'b mut [u8], reply: &'b mut [u8]) -> Self {
        Self::build(device, Pull::new(rx), reply)
    }
}

impl<'b, D: LendingDevice> SmoltcpDevice<'b, D, Lending> {
    /// Creates an adapter for a device with the zero-copy API: frames are read and written in the
    /// memory of the device.
    ///
    /// `reply` holds the reply that waits because the device has no free transmit buffer. Its
    /// length is as in [`new`](SmoltcpDevice::new).
    #[must_use]
    pub fn lending(device: D, reply: &'b mut [u8]) -> Self {
        Self::build(device, Lending, reply)
    }
}

impl<'b, D: EthernetDevice, M: Mode<D>> SmoltcpDevice<'b, D, M> {
    fn build(device: D, mode: M, reply: &'b mut [u8]) -> Self {
        let buffer_len = mode.rx_buffer_len().map_or(reply.len(), |len| len.min(reply.len()));
        let capabilities = capabilities::of(&device.capabilities(), buffer_len);
        let mut this = Self {
            device,
            mode,
            tx: TxPath::new(reply),
            rx: RxPath::new(),
            capabilities,
            backoff: Backoff::DEFAULT,
            events: Events::NONE,
        };
        this.update_tx_state();
        this.with_rx_budget(DEFAULT_RX_BUDGET)
    }

    /// Sets the longest frame that smoltcp uses, for networks with a smaller IP MTU. It is neither
    /// raised above what device and buffers allow nor lowered below [`MIN_BUFFER_LEN`].
    ///
    /// smoltcp reads it when the interface is created.
    #[must_use]
    pub fn with_max_frame_len(mut self, len: MaxFrameLen) -> Self {
        let longest = self.capabilities.max_transmission_unit;
        self.capabilities.max_transmission_unit = len.bytes().min(longest).max(MIN_BUFFER_LEN);
        self
    }

    /// Sets the limit of the TCP receive window in frames of the longest length; `None` leaves it
    /// to the buffer of the socket.
    ///
    /// smoltcp reads it when the interface is created.
    #[must_use]
    pub fn with_max_burst_size(mut self, frames: Option<usize>) -> Self {
        self.capabilities.max_burst_size = frames;
        self
    }

    /// Sets how many frames one `poll` receives at most; 0 counts as 1.
    #[must_use]
    pub fn with_rx_budget(mut self, frames: u16) -> Self {
        // Without a usable buffer no frame is received.
        let frames = if self.buffers_too_small() { 0 } else { frames.max(1) };
        self.rx.set_budget(frames);
        self
    }

    /// Sets how long to wait while nothing can be sent.
    #[must_use]
    pub fn with_backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// Returns the address of the device, as an interface takes it.
    pub fn hardware_address(&self) -> HardwareAddress {
        HardwareAddress::Ethernet(EthernetAddress(self.device.mac_address().octets()))
    }

    /// Returns the link state as of the last [`service`](Self::service), or of a frame received or
    /// sent since. Cached.
    pub fn link(&self) -> Link {
        self.device.link()
    }

    /// Returns the counters of the device. A frame is counted as delivered when smoltcp has read
    /// it, not when it is read into the receive buffer.
    pub fn stats(&self) -> Stats {
        let mut stats = self.device.stats();
        self.mode.correct(&mut stats, self.rx.too_short);
        stats
    }

    /// Returns the frames lost between the device and smoltcp.
    pub fn drops(&self) -> DropStats {
        let mut drops = self.tx.drops;
        drops.rx_too_short = self.rx.too_short;
        drops
    }

    /// Returns the number of errors of the device while smoltcp used it, by kind.
    pub fn errors(&self) -> ErrorCounts {
        self.rx.errors.counts.wrapping_add(&self.tx.errors.counts)
    }

    /// Takes the first error since the last call, with its cause: of receiving or, if there is
    /// none, of sending. smoltcp's `phy` traits cannot return it.
    pub fn take_error(&mut self) -> Option<D::Error> {
        self.rx.errors.take().or_else(|| self.tx.errors.take())
    }

    /// Returns whether a frame is in the reply buffer and waits for the device.
    pub const fn has_pending_reply(&self) -> bool {
        self.tx.is_pending()
    }

    /// Borrows the device, for what is specific to it.
    pub const fn inner(&self) -> &D {
        &self.device
    }

    /// Borrows the device, for what is specific to it. Frames read from it directly do not reach
    /// smoltcp.
    pub const fn inner_mut(&mut self) -> &mut D {
        &mut self.device
    }

    /// Returns the device. Frames in the buffers are dropped.
    pub fn into_inner(self) -> D {
        self.device
    }

    /// Does housekeeping, to be called once in each iteration of the loop: refreshes the link
    /// state, completes transmissions, sends the pending reply.
    ///
    /// The events include what was found since the last call while smoltcp was polling.
    ///
    /// # Errors
    ///
    /// The device failed. The error is counted in [`errors`](Self::errors) and is not returned by
    /// [`take_error`](Self::take_error).
    pub fn service(&mut self) -> Result<Events, D::Error> {
        let mut events = match self.device.service() {
            Ok(events) => events,
            Err(e) => {
                self.tx.errors.count(e.kind());
                return Err(e);
            }
        };
        if self.has_pending_reply() {
            self.flush();
            // It took, or waits for, the free buffer that the event reports.
            events.tx_ready = false;
        } else {
            self.update_tx_state();
        }
        events.rx_pending |= self.mode.holds_frame();
        Ok(core::mem::take(&mut self.events).merge(events))
    }

    /// Returns when to poll again, from the timers of smoltcp and the state of the device.
    ///
    /// smoltcp's own `poll_at` returns "now" for as long as something is to be sent. While the link
    /// is down or the transmit queue is full that keeps the processor busy for nothing; this
    /// returns what to wait for instead.
    ///
    /// Between this call and sleeping, [`rearm`](ethdev::Rearm::rearm) the device for the
    /// `interest`, or a frame that arrives in between stays pending until the next one.
    ///
    /// It is never later than the next [`service`](ethdev::Capabilities::max_service_interval) is
    /// due.
    pub fn poll_at(&mut self, interface: &mut Interface, sockets: &SocketSet<'_>, now: Instant) -> PollAt {
        let at = self.next_work(interface, sockets, now);
        match self.device.capabilities().max_service_interval {
            Some(interval) => at.not_after(now + interval.into()),
            None => at,
        }
    }

    fn next_work(&mut self, interface: &mut Interface, sockets: &SocketSet<'_>, now: Instant) -> PollAt {
        let idle = Interest::RX | Interest::LINK;
        let wait = |until, interest| PollAt::Wait { until, interest };
        if self.buffers_too_small() {
            return wait(Some(now + self.backoff.link_down), idle);
        }
        if self.rx.exhausted {
            return PollAt::Now;
        }
        let due = interface.poll_at(now, sockets);
        let nothing_to_send = due.is_none_or(|at| at > now);
        if !self.has_pending_reply() && nothing_to_send {
            return wait(due, idle);
        }
        if !self.device.link().is_up() {
            return wait(Some(now + self.backoff.link_down), idle);
        }
        let ready = if self.has_pending_reply() {
            Ok(self.flush())
        } else {
            self.device.tx_ready()
        };
        match ready {
            Ok(true) if nothing_to_send => wait(due, idle),
            Ok(true) => PollAt::Now,
            Ok(false) => wait(Some(now + self.backoff.queue_full), Interest::ALL),
            Err(e) => {
                self.tx.errors.latch(e);
                wait(Some(now + self.backoff.link_down), Interest::ALL)
            }
        }
    }

    /// Drops the frames in the buffers, because the device was stopped.
    pub(crate) fn drop_held(&mut self) {
        self.mode.drop_frame();
        self.tx.reset();
    }

    /// Sends the pending reply. Returns whether the reply buffer is free then.
    #[cold]
    fn flush(&mut self) -> bool {
        self.tx.flush(&mut self.device)
    }

    /// Returns whether smoltcp may send and the device accepts a frame.
    // Not inlined: smoltcp's closure that calls `transmit` would be too large to be inlined itself.
    #[inline(never)]
    fn is_tx_ready(&mut self) -> bool {
        (self.tx.state == TxState::Ready || self.unblock()) && M::is_tx_ready(&mut self.device, &mut self.tx)
    }

    /// Resolves what prevents smoltcp from sending. Returns whether it may send.
    #[cold]
    fn unblock(&mut self) -> bool {
        if !self.flush() {
            return false;
        }
        // Sending the pending reply may have shown that the link is down.
        if !self.device.link().is_up() {
            match self.device.service() {
                Ok(events) => self.events = self.events.merge(events),
                Err(e) => self.tx.errors.latch(e),
            }
        }
        self.update_tx_state()
    }

    /// Follows the link while no reply is pending. Returns whether smoltcp may send.
    fn update_tx_state(&mut self) -> bool {
        let ready = self.device.link().is_up() && !self.buffers_too_small();
        self.tx.state = if ready { TxState::Ready } else { TxState::LinkDown };
        ready
    }

    fn buffers_too_small(&self) -> bool {
        let short = |len| len < MIN_BUFFER_LEN;
        short(self.tx.buffer_len()) || self.mode.rx_buffer_len().is_some_and(short)
    }

    /// Ends a poll whose budget is used up, or which has none.
    #[cold]
    fn budget_used_up(&mut self) {
        if self.buffers_too_small() {
            let needed = MIN_BUFFER_LEN;
            self.rx.errors.latch(ErrorKind::BufferTooSmall { needed }.into());
        }
        self.rx.budget_used_up();
    }
}

impl<'b, D: EthernetDevice, M: Mode<D>> phy::Device for SmoltcpDevice<'b, D, M> {
    type RxToken<'a>
        = RxToken<'a, D, M>
    where
        Self: 'a;
    type TxToken<'a>
        = TxToken<'a, 'b, D, M>
    where
        Self: 'a;

    /// Returns a received frame and the right to answer it, whether or not the device can send.
    #[inline]
    fn receive(&mut self, _now: Instant) -> Option<(Self::RxToken<'_>, Self::TxToken<'_>)> {
        if !self.rx.take_budget() {
            self.budget_used_up();
            return None;
        }
        if self.has_pending_reply() {
            self.flush();
        }
        let error = match self.mode.receive(&mut self.device, &mut self.rx) {
            Ok(Some((rx, tx))) => {
                self.tx.origin = FrameOrigin::Reply;
                let (rx_path, tx_path) = (&mut self.rx, &mut self.tx);
                return Some((RxToken { rx, path: rx_path }, TxToken { tx, path: tx_path }));
            }
            Ok(None) => None,
            Err(e) => Some(e),
        };
        self.rx.end_poll(error);
        None
    }

    /// Returns the right to send one frame; `None` while the device is busy, the link is down, or a
    /// reply is pending.
    #[inline]
    fn transmit(&mut self, _now: Instant) -> Option<Self::TxToken<'_>> {
        if !self.is_tx_ready() {
            return None;
        }
        self.tx.origin = FrameOrigin::Socket;
        Some(TxToken {
            tx: M::transmit(&mut self.device),
            path: &mut self.tx,
        })
    }

    fn capabilities(&self) -> DeviceCapabilities {
        self.capabilities.clone()
    }
}

impl<D: ErrorType + fmt::Debug, M: fmt::Debug> fmt::Debug for SmoltcpDevice<'_, D, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmoltcpDevice")
            .field("device", &self.device)
            .field("mode", &self.mode)
            .field("rx", &self.rx)
            .field("tx", &self.tx)
            .finish_non_exhaustive()
    }
}

impl<D: ErrorType, M> ErrorType for SmoltcpDevice<'_, D, M> {
    type Error = D::Error;
}
