//! Buffers in front of a device that has no memory to lend.

use core::cell::RefCell;
use core::task::{Context, Poll};

use ethdev::frame::{HEADER_LEN, copy_vectored};
use ethdev::lending::{self, recv_by_copy};
use ethdev::{
    Capabilities, Control, Error, ErrorKind, ErrorType, EthernetDevice, Events, Interest, LendingDevice, Link,
    MacAddress, MaxFrameLen, PollReady, Rearm, RearmOutcome, RxFrame, RxHalf, RxMeta, Stats, TxHalf, validate_tx_len,
};

use crate::trace::warning;

/// Number of frames too long for the buffer that one call drops before it returns.
const MAX_OVERSIZE_PER_CALL: usize = 8;

/// Makes any device a lending device, with one buffer for reception and one for transmission.
///
/// A received frame is read from the device straight into the buffer that is lent: the only copy is
/// the one over the bus. A frame sent while the device is busy is held in the other buffer and sent
/// by the next [`service`](EthernetDevice::service) or send: this layer adds capacity for one
/// frame.
///
/// The buffers may have any length. Frames longer than the receive buffer are dropped, counted in
/// [`rx_discarded`](Stats::rx_discarded); [`capabilities`](EthernetDevice::capabilities) reports
/// the lower limits.
///
/// ```
/// # use ethdev::*;
/// # fn f<D: EthernetDevice>(driver: D) -> Result<(), D::Error> {
/// use ethdev_util::Buffered;
///
/// let (mut rx, mut tx) = ([0; 1514], [0; 1514]);
/// let mut device = Buffered::new(driver, &mut rx, &mut tx);
/// let (mut rx, mut tx) = device.split();
/// if let Some(frame) = rx.peek()? {
///     // Both halves at once: the reply is written while the frame is still lent.
///     if let Some(memory) = tx.reserve(frame.len())? {
///         memory.copy_from_slice(&frame);
///         tx.commit(frame.len())?;
///     }
///     rx.release()?;
/// }
/// # Ok(()) }
/// ```
///
/// # Panics
///
/// Never. Both halves access the device through a `RefCell` that is borrowed only while a method of
/// the device runs. The device cannot call back, and the borrow never outlives the call, so no two
/// borrows overlap.
#[derive(Debug)]
pub struct Buffered<'b, D> {
    device: RefCell<D>,
    rx: RxSlot<'b>,
    tx: TxSlot<'b>,
}

#[derive(Debug)]
struct RxSlot<'b> {
    buf: &'b mut [u8],
    lent: Option<RxMeta>,
    // Frames that the device counted as delivered and that the reader did not get. Single counters,
    // not a whole `Stats`, to save RAM.
    /// Dropped by the reader.
    discarded: u32,
    /// Lost by a stop.
    reset: u32,
    /// Bytes of both.
    undelivered_bytes: u32,
}

#[derive(Debug)]
struct TxSlot<'b> {
    buf: &'b mut [u8],
    /// Length of the accepted frame that the device has not taken yet.
    pending: Option<usize>,
    /// Accepted frames that the device rejected in the end.
    aborted: u32,
    /// Accepted frames lost by a stop.
    reset: u32,
}

impl<'b, D> Buffered<'b, D> {
    /// Puts the buffers in front of `device`. 1514 bytes each hold every frame without a VLAN tag.
    #[must_use]
    pub const fn new(device: D, rx: &'b mut [u8], tx: &'b mut [u8]) -> Self {
        Self {
            device: RefCell::new(device),
            rx: RxSlot {
                buf: rx,
                lent: None,
                discarded: 0,
                reset: 0,
                undelivered_bytes: 0,
            },
            tx: TxSlot {
                buf: tx,
                pending: None,
                aborted: 0,
                reset: 0,
            },
        }
    }

    /// Returns the device, for its specific functions. Frames read from it directly are not seen
    /// here.
    pub fn inner_mut(&mut self) -> &mut D {
        self.device.get_mut()
    }

    /// Returns the device. A frame held in either buffer is dropped.
    pub fn into_inner(self) -> D {
        self.device.into_inner()
    }

    /// Drops and counts what the buffers hold.
    fn drop_held(&mut self) {
        if let Some(meta) = self.rx.lent.take() {
            self.rx.undelivered_bytes = self.rx.undelivered_bytes.wrapping_add(meta.len as u32);
            self.rx.reset = self.rx.reset.wrapping_add(1);
        }
        if self.tx.pending.take().is_some() {
            self.tx.reset = self.tx.reset.wrapping_add(1);
        }
    }
}

impl<D: EthernetDevice> Buffered<'_, D> {
    /// What the buffers hold: a frame, free capacity.
    fn held(&mut self) -> Interest {
        Interest {
            rx: self.rx.lent.is_some(),
            tx: self.tx.pending.is_none() && self.device.get_mut().link().is_up(),
            link: false,
        }
    }
}

impl TxSlot<'_> {
    /// Passes the held frame to the device. `Ok(true)`: the buffer is free.
    fn flush<D: EthernetDevice>(&mut self, device: &mut D) -> Result<bool, D::Error> {
        let Some(frame) = self.pending.and_then(|len| self.buf.get(..len)) else {
            return Ok(true);
        };
        match device.send_frame(frame) {
            Err(e) if e.kind() == ErrorKind::Busy => Ok(false),
            result => {
                self.pending = None;
                if let Err(e) = &result {
                    warning!("accepted frame not sent: {:?}", e.kind());
                    self.aborted = self.aborted.wrapping_add(1);
                }
                result.map(|()| true)
            }
        }
    }

    /// Sends from the caller's memory, or holds a copy while the device is busy.
    fn send<D: EthernetDevice>(&mut self, device: &mut D, parts: &[&[u8]]) -> Result<(), D::Error> {
        if !self.flush(device)? {
            return Err(ErrorKind::Busy.into());
        }
        match device.send_vectored(parts) {
            Err(e) if e.kind() == ErrorKind::Busy => {
                self.pending = copy_vectored(parts, self.buf);
                if self.pending.is_some() { Ok(()) } else { Err(e) }
            }
            result => result,
        }
    }
}

/// The receive half of [`Buffered`].
#[derive(Debug)]
pub struct BufferedRx<'a, 'b, D> {
    device: &'a RefCell<D>,
    slot: &'a mut RxSlot<'b>,
}

impl<D: EthernetDevice> BufferedRx<'_, '_, D> {
    /// Reads the next frame that fits into the buffer.
    #[inline]
    fn fill(&mut self) -> Result<(), D::Error> {
        let Ok(mut device) = self.device.try_borrow_mut() else {
            return Ok(());
        };
        for _ in 0..MAX_OVERSIZE_PER_CALL {
            match device.recv_frame(self.slot.buf) {
                Ok(None) => break,
                Ok(Some(meta)) if meta.len <= self.slot.buf.len() => {
                    self.slot.lent = Some(meta);
                    break;
                }
                other => Self::skip(&mut *device, self.slot.buf.len(), other)?,
            }
        }
        Ok(())
    }

    /// [`fill`](Self::fill) for callers that did not ask `pending` first: out of line, so that it
    /// is inlined only there.
    #[inline(never)]
    fn fill_unasked(&mut self) -> Result<(), D::Error> {
        self.fill()
    }

    /// Skips a frame that is too long.
    #[cold]
    fn skip(device: &mut D, buf_len: usize, received: Result<Option<RxMeta>, D::Error>) -> Result<(), D::Error> {
        match received {
            // The device reports more bytes than the buffer holds.
            Ok(reported) => {
                let len = reported.map_or(0, |meta| meta.len);
                warning!("device reported {} bytes in a buffer of {}", len, buf_len);
                Err(ErrorKind::BadFrame.into())
            }
            Err(e) => match e.kind() {
                ErrorKind::BufferTooSmall { needed } if needed > buf_len => {
                    warning!("frame of {} bytes exceeds the buffer, dropped", needed);
                    device.discard_frame().map(|_| ())
                }
                _ => Err(e),
            },
        }
    }

    fn finish(&mut self, delivered: bool) {
        if let Some(meta) = self.slot.lent.take() {
            if !delivered {
                self.slot.undelivered_bytes = self.slot.undelivered_bytes.wrapping_add(meta.len as u32);
                self.slot.discarded = self.slot.discarded.wrapping_add(1);
            }
        }
    }
}

impl<D: EthernetDevice> RxHalf for BufferedRx<'_, '_, D> {
    type Error = D::Error;

    #[inline]
    fn peek(&mut self) -> Result<Option<RxFrame<'_>>, Self::Error> {
        if self.slot.lent.is_none() {
            self.fill_unasked()?;
        }
        Ok(self.slot.lent.and_then(|meta| RxFrame::new(self.slot.buf, meta)))
    }

    #[inline]
    fn pending(&mut self) -> Result<bool, Self::Error> {
        if self.slot.lent.is_none() {
            self.fill()?;
        }
        Ok(self.slot.lent.is_some())
    }

    #[inline]
    fn release(&mut self) -> Result<(), Self::Error> {
        self.finish(true);
        Ok(())
    }

    fn discard(&mut self) -> Result<(), Self::Error> {
        self.finish(false);
        Ok(())
    }
}

/// The transmit half of [`Buffered`].
#[derive(Debug)]
pub struct BufferedTx<'a, 'b, D> {
    device: &'a RefCell<D>,
    slot: &'a mut TxSlot<'b>,
    reserved: Option<usize>,
}

impl<D: EthernetDevice> TxHalf for BufferedTx<'_, '_, D> {
    type Error = D::Error;

    #[inline]
    fn ready(&mut self) -> Result<bool, Self::Error> {
        if self.slot.pending.is_none() {
            return Ok(true);
        }
        let Ok(mut device) = self.device.try_borrow_mut() else {
            return Ok(false);
        };
        self.slot.flush(&mut *device)
    }

    #[inline]
    fn reserve(&mut self, len: usize) -> Result<Option<&mut [u8]>, Self::Error> {
        self.reserved = None;
        let max = tx_max(self.device, self.slot).bytes();
        if len > max {
            return Err(ErrorKind::FrameTooLong { max }.into());
        }
        if len < HEADER_LEN {
            return Err(ErrorKind::FrameTooShort.into());
        }
        if !self.ready()? {
            return Ok(None);
        }
        self.reserved = Some(len);
        Ok(self.slot.buf.get_mut(..len))
    }

    #[inline]
    fn commit(&mut self, len: usize) -> Result<(), Self::Error> {
        let max = self.reserved.take().unwrap_or(0);
        if len > max {
            return Err(ErrorKind::FrameTooLong { max }.into());
        }
        if len < HEADER_LEN {
            return Err(ErrorKind::FrameTooShort.into());
        }
        let frame = self.slot.buf.get(..len).ok_or(ErrorKind::FrameTooLong { max })?;
        let Ok(mut device) = self.device.try_borrow_mut() else {
            self.slot.pending = Some(len);
            return Ok(());
        };
        match device.send_frame(frame) {
            Err(e) if e.kind() == ErrorKind::Busy => {
                self.slot.pending = Some(len);
                Ok(())
            }
            result => result,
        }
    }

    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), Self::Error> {
        self.reserved = None;
        // As in `reserve`: an illegal frame is rejected whether a buffer is free or not.
        validate_tx_len(parts, tx_max(self.device, self.slot))?;
        let Ok(mut device) = self.device.try_borrow_mut() else {
            return Err(ErrorKind::Busy.into());
        };
        self.slot.send(&mut *device, parts)
    }
}

impl<'b, D: EthernetDevice> LendingDevice for Buffered<'b, D> {
    type Rx<'a>
        = BufferedRx<'a, 'b, D>
    where
        Self: 'a;
    type Tx<'a>
        = BufferedTx<'a, 'b, D>
    where
        Self: 'a;

    #[inline]
    fn split(&mut self) -> (Self::Rx<'_>, Self::Tx<'_>) {
        (
            BufferedRx {
                device: &self.device,
                slot: &mut self.rx,
            },
            BufferedTx {
                device: &self.device,
                slot: &mut self.tx,
                reserved: None,
            },
        )
    }
}

/// The longest frame that both the device and the transmit buffer take.
#[inline]
fn tx_max<D: EthernetDevice>(device: &RefCell<D>, slot: &TxSlot<'_>) -> MaxFrameLen {
    limit(
        cached(device, MaxFrameLen::ETHERNET, D::tx_max_frame_len),
        slot.buf.len(),
    )
}

const fn limit(len: MaxFrameLen, buf_len: usize) -> MaxFrameLen {
    if len.bytes() > buf_len {
        MaxFrameLen::new(buf_len)
    } else {
        len
    }
}

/// Reads a cached value. The borrow cannot fail: no half exists while `&self` does.
#[inline]
fn cached<D, T>(device: &RefCell<D>, fallback: T, read: impl FnOnce(&D) -> T) -> T {
    device.try_borrow().map_or(fallback, |device| read(&device))
}

impl<D: ErrorType> ErrorType for Buffered<'_, D> {
    type Error = D::Error;
}

impl<D: EthernetDevice> EthernetDevice for Buffered<'_, D> {
    #[inline]
    fn mac_address(&self) -> MacAddress {
        cached(&self.device, MacAddress::UNSPECIFIED, D::mac_address)
    }

    fn capabilities(&self) -> Capabilities {
        let inner = cached(&self.device, Capabilities::ETHERNET, D::capabilities);
        inner
            .with_rx_max_frame_len(limit(inner.rx_max_frame_len, self.rx.buf.len()))
            .with_tx_max_frame_len(limit(inner.tx_max_frame_len, self.tx.buf.len()))
    }

    #[inline]
    fn tx_max_frame_len(&self) -> MaxFrameLen {
        tx_max(&self.device, &self.tx)
    }

    #[inline]
    fn link(&self) -> Link {
        cached(&self.device, Link::Down, D::link)
    }

    fn stats(&self) -> Stats {
        let mut stats = cached(&self.device, Stats::ZERO, D::stats);
        // The device counts a frame as delivered when it reaches the buffer; the reader has it when
        // it is released.
        let (held, held_bytes) = self.rx.lent.map_or((0, 0), |meta| (1, meta.len as u32));
        let undelivered = self.rx.discarded.wrapping_add(self.rx.reset).wrapping_add(held);
        stats.rx_frames = stats.rx_frames.wrapping_sub(undelivered);
        stats.rx_bytes = stats
            .rx_bytes
            .wrapping_sub(self.rx.undelivered_bytes.wrapping_add(held_bytes));
        stats.rx_discarded = stats.rx_discarded.wrapping_add(self.rx.discarded);
        stats.rx_reset = stats.rx_reset.wrapping_add(self.rx.reset);
        stats.tx_aborted = stats.tx_aborted.wrapping_add(self.tx.aborted);
        stats.tx_reset = stats.tx_reset.wrapping_add(self.tx.reset);
        stats
    }

    fn recv_frame(&mut self, buf: &mut [u8]) -> Result<Option<RxMeta>, Self::Error> {
        if self.rx.lent.is_none() {
            // The buffer is empty: straight into the caller's.
            return self.device.get_mut().recv_frame(buf);
        }
        recv_by_copy(self.split().0, buf)
    }

    fn discard_frame(&mut self) -> Result<bool, Self::Error> {
        if self.rx.lent.is_none() {
            return self.device.get_mut().discard_frame();
        }
        lending::discard(self.split().0)
    }

    fn tx_ready(&mut self) -> Result<bool, Self::Error> {
        let device = self.device.get_mut();
        if !self.tx.flush(device)? {
            return Ok(false);
        }
        // A busy device whose link is up leaves the buffer to hold the frame; with the link down
        // nothing is accepted.
        Ok(device.tx_ready()? || device.link().is_up())
    }

    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), Self::Error> {
        validate_tx_len(parts, self.tx_max_frame_len())?;
        self.tx.send(self.device.get_mut(), parts)
    }

    fn service(&mut self) -> Result<Events, Self::Error> {
        let device = self.device.get_mut();
        let mut events = device.service()?;
        let held = self.tx.pending.is_some();
        match self.tx.flush(device) {
            Ok(free) => events.tx_ready = free && (events.tx_ready || device.link().is_up()),
            // The frame is counted as aborted; if the device itself failed, its next call reports
            // it.
            Err(_) if held => events.tx_failed = events.tx_failed.saturating_add(1),
            Err(e) => return Err(e),
        }
        events.rx_pending |= self.rx.lent.is_some();
        Ok(events)
    }
}

impl<D: Control> Control for Buffered<'_, D> {
    ethdev::forward_control!(|this| *this.device.get_mut(); start, set_mac_address, set_rx_filter, recover, wake);

    /// Frames held in the buffers are dropped and counted, as those of the device are.
    fn stop(&mut self) -> Result<(), Self::Error> {
        self.inner_mut().stop()?;
        self.drop_held();
        Ok(())
    }

    /// Frames held in the buffers are dropped and counted, as those of the device are.
    fn sleep(&mut self) -> Result<(), Self::Error> {
        self.inner_mut().sleep()?;
        self.drop_held();
        Ok(())
    }
}

impl<D: EthernetDevice + Rearm> Rearm for Buffered<'_, D> {
    fn disarm(&mut self) -> Result<(), Self::Error> {
        self.inner_mut().disarm()
    }

    /// A frame held in the receive buffer is pending work, and a free transmit buffer is capacity.
    fn rearm(&mut self, interest: Interest) -> Result<RearmOutcome, Self::Error> {
        let outcome = self.inner_mut().rearm(interest)?;
        Ok(if (self.held() & interest).is_none() {
            outcome
        } else {
            RearmOutcome::WorkPending
        })
    }
}

impl<D: EthernetDevice + PollReady> PollReady for Buffered<'_, D> {
    /// A frame held in the receive buffer is pending, and a free transmit buffer is capacity.
    fn poll_ready(&mut self, interest: Interest, cx: &mut Context<'_>) -> Poll<Result<Interest, Self::Error>> {
        let polled = self.inner_mut().poll_ready(interest, cx);
        let held = self.held() & interest;
        match polled {
            Poll::Pending if !held.is_none() => Poll::Ready(Ok(held)),
            polled => polled.map_ok(|found| found | held),
        }
    }
}
