//! Buffers in front of a device that has no memory to lend.

use core::cell::RefCell;

use crate::trace::warning;
use ethdev::frame::HEADER_LEN;
use ethdev::lending::{LendingDevice, RxHalf, TxHalf, recv_by_copy};
use ethdev::{
    Capabilities, Control, ControlError, Error, ErrorKind, ErrorType, EthernetDevice, Events, Interest, LayerError,
    Link, MacAddress, MaxFrameLen, Rearm, RearmOutcome, RxFrame, RxMeta, Stats, validate_tx_len,
};

/// How many frames that do not fit the buffer are thrown away in one call before it returns.
const MAX_OVERSIZE_PER_CALL: usize = 8;

/// Makes any device lend: one buffer of `N` bytes for receiving, one for sending.
///
/// A received frame is read from the device straight into the buffer that is lent, so there is exactly one copy, the one over the bus. A frame that is
/// sent while the device is busy waits in the other buffer and goes out when [`service`](EthernetDevice::service) or any send finds room: this layer adds
/// room for one frame.
///
/// Frames longer than `N` are thrown away and counted in [`rx_discarded`](Stats::rx_discarded); [`capabilities`](EthernetDevice::capabilities) tells
/// the stack the smaller limit.
///
/// ```
/// # use ethdev::*;
/// # fn f<D: EthernetDevice>(driver: D) {
/// let mut device: Buffered<D, 1514> = Buffered::new(driver);
/// let (mut rx, mut tx) = device.split();
/// if let Ok(Some(frame)) = rx.peek() {
///     // Both halves at once: answer while the frame is still being read.
///     if let Ok(Some(memory)) = tx.reserve(frame.len()) {
///         memory.copy_from_slice(&frame);
///         tx.commit(frame.len()).ok();
///     }
/// }
/// # }
/// ```
///
/// # Panics
///
/// Never. Both halves reach the device through a `RefCell` that is borrowed only while a method of the device runs; the device cannot call back, and the
/// borrow never outlives the call, so there is nothing to collide with. (Were it to happen all the same, the call would answer "nothing now".)
#[derive(Debug)]
pub struct Buffered<D, const N: usize> {
    device: RefCell<D>,
    rx: RxSlot<N>,
    tx: TxSlot<N>,
}

#[derive(Debug)]
struct RxSlot<const N: usize> {
    buf: [u8; N],
    lent: Option<RxMeta>,
    // Frames that the device counted as delivered and that nobody got. Each counter is here once and no whole `Stats`: these are bytes of a microcontroller.
    /// Thrown away by the reader.
    discarded: u32,
    /// Lost by a stop.
    reset: u32,
    /// Bytes of both.
    undelivered_bytes: u32,
}

#[derive(Debug)]
struct TxSlot<const N: usize> {
    buf: [u8; N],
    /// Length of the accepted frame that waits for the device.
    parked: Option<usize>,
    /// Accepted frames that the device refused in the end.
    aborted: u32,
    /// Accepted frames lost by a stop.
    reset: u32,
}

impl<D, const N: usize> Buffered<D, N> {
    /// Puts the buffers in front of `device`.
    #[must_use]
    pub const fn new(device: D) -> Self {
        Self {
            device: RefCell::new(device),
            rx: RxSlot {
                buf: [0; N],
                lent: None,
                discarded: 0,
                reset: 0,
                undelivered_bytes: 0,
            },
            tx: TxSlot {
                buf: [0; N],
                parked: None,
                aborted: 0,
                reset: 0,
            },
        }
    }

    /// The device, for what is specific to it. Frames taken from it directly are not seen here.
    pub fn inner_mut(&mut self) -> &mut D {
        self.device.get_mut()
    }

    /// Gives the device back. A frame that waits in either buffer is dropped.
    pub fn into_inner(self) -> D {
        self.device.into_inner()
    }

    /// A stop loses what is pending.
    fn drop_pending(&mut self) {
        if let Some(meta) = self.rx.lent.take() {
            self.rx.undelivered_bytes = self.rx.undelivered_bytes.wrapping_add(meta.len as u32);
            self.rx.reset = self.rx.reset.wrapping_add(1);
        }
        if self.tx.parked.take().is_some() {
            self.tx.reset = self.tx.reset.wrapping_add(1);
        }
    }
}

impl<const N: usize> TxSlot<N> {
    /// Hands the parked frame to the device. `Ok(true)`: the slot is free.
    fn flush<D: EthernetDevice>(&mut self, device: &mut D) -> Result<bool, D::Error> {
        let Some(frame) = self.parked.and_then(|len| self.buf.get(..len)) else {
            return Ok(true);
        };
        match device.send_frame(frame) {
            Err(e) if e.kind().is_busy() => Ok(false),
            result => {
                self.parked = None;
                if let Err(e) = &result {
                    warning!("an accepted frame could not be sent: {:?}", e.kind());
                    self.aborted = self.aborted.wrapping_add(1);
                }
                result.map(|()| true)
            }
        }
    }
}

/// The receiving half of a [`Buffered`] device.
#[derive(Debug)]
pub struct BufferedRx<'a, D, const N: usize> {
    device: &'a RefCell<D>,
    slot: &'a mut RxSlot<N>,
}

impl<D: EthernetDevice, const N: usize> BufferedRx<'_, D, N> {
    /// Reads the next frame that fits into the slot.
    #[inline]
    fn fill(&mut self) -> Result<(), LayerError<D::Error>> {
        let Ok(mut device) = self.device.try_borrow_mut() else {
            return Ok(());
        };
        for _ in 0..MAX_OVERSIZE_PER_CALL {
            match device.recv_frame(&mut self.slot.buf) {
                Ok(None) => break,
                Ok(Some(meta)) if meta.len <= N => {
                    self.slot.lent = Some(meta);
                    break;
                }
                other => Self::skip(&mut *device, other)?,
            }
        }
        Ok(())
    }

    /// The same for those who look without having asked whether there is anything: so that [`fill`](Self::fill) is put where they ask, and nowhere else.
    #[inline(never)]
    fn fill_unasked(&mut self) -> Result<(), LayerError<D::Error>> {
        self.fill()
    }

    /// Gets past a frame that is too long.
    #[cold]
    fn skip(device: &mut D, received: Result<Option<RxMeta>, D::Error>) -> Result<(), LayerError<D::Error>> {
        match received {
            // A device that claims to have written more than there is room for.
            Ok(claimed) => {
                let len = claimed.map_or(0, |meta| meta.len);
                warning!("the device claims {} bytes in a buffer of {}", len, N);
                Err(LayerError::Layer(ErrorKind::BadFrame))
            }
            Err(e) => match e.kind() {
                ErrorKind::BufferTooSmall { needed } if needed > N => {
                    warning!("frame of {} bytes is longer than the buffer, discarded", needed);
                    device.discard_frame().map(|_| ()).map_err(LayerError::Device)
                }
                _ => Err(LayerError::Device(e)),
            },
        }
    }

    fn give_back(&mut self, delivered: bool) {
        if let Some(meta) = self.slot.lent.take() {
            if !delivered {
                self.slot.undelivered_bytes = self.slot.undelivered_bytes.wrapping_add(meta.len as u32);
                self.slot.discarded = self.slot.discarded.wrapping_add(1);
            }
        }
    }
}

impl<D: EthernetDevice, const N: usize> RxHalf for BufferedRx<'_, D, N> {
    type Error = LayerError<D::Error>;

    #[inline]
    fn peek(&mut self) -> Result<Option<RxFrame<'_>>, Self::Error> {
        if self.slot.lent.is_none() {
            self.fill_unasked()?;
        }
        Ok(self.slot.lent.and_then(|meta| RxFrame::new(&mut self.slot.buf, meta)))
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
        self.give_back(true);
        Ok(())
    }

    fn discard(&mut self) -> Result<(), Self::Error> {
        self.give_back(false);
        Ok(())
    }
}

/// The sending half of a [`Buffered`] device.
#[derive(Debug)]
pub struct BufferedTx<'a, D, const N: usize> {
    device: &'a RefCell<D>,
    slot: &'a mut TxSlot<N>,
    reserved: Option<usize>,
}

impl<D: EthernetDevice, const N: usize> BufferedTx<'_, D, N> {
    /// Asks the device when there is a frame to send, not each time that the halves are taken: capabilities are many words.
    #[inline]
    fn check_len(&self, len: usize) -> Result<(), LayerError<D::Error>> {
        let max = tx_max::<D, N>(self.device).bytes();
        if len > max {
            return Err(LayerError::Layer(ErrorKind::FrameTooLong { max }));
        }
        if len < HEADER_LEN {
            return Err(LayerError::Layer(ErrorKind::FrameTooShort));
        }
        Ok(())
    }
}

impl<D: EthernetDevice, const N: usize> TxHalf for BufferedTx<'_, D, N> {
    type Error = LayerError<D::Error>;

    #[inline]
    fn ready(&mut self) -> Result<bool, Self::Error> {
        if self.slot.parked.is_none() {
            return Ok(true);
        }
        let Ok(mut device) = self.device.try_borrow_mut() else {
            return Ok(false);
        };
        self.slot.flush(&mut *device).map_err(LayerError::Device)
    }

    #[inline]
    fn reserve(&mut self, len: usize) -> Result<Option<&mut [u8]>, Self::Error> {
        self.reserved = None;
        self.check_len(len)?;
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
            return Err(LayerError::Layer(ErrorKind::FrameTooLong { max }));
        }
        if len < HEADER_LEN {
            return Err(LayerError::Layer(ErrorKind::FrameTooShort));
        }
        let Some(frame) = self.slot.buf.get(..len) else {
            return Err(LayerError::Layer(ErrorKind::FrameTooLong { max: N }));
        };
        let Ok(mut device) = self.device.try_borrow_mut() else {
            self.slot.parked = Some(len);
            return Ok(());
        };
        match device.send_frame(frame) {
            Err(e) if e.kind().is_busy() => {
                self.slot.parked = Some(len);
                Ok(())
            }
            result => result.map_err(LayerError::Device),
        }
    }

    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<bool, Self::Error> {
        self.reserved = None;
        // As `reserve` does: an illegal frame is one whether there is room or not.
        self.check_len(ethdev::frame::vectored_len(parts).unwrap_or(usize::MAX))?;
        let Ok(mut device) = self.device.try_borrow_mut() else {
            return Ok(false);
        };
        send(self.slot, &mut *device, parts).map_err(LayerError::Device)
    }
}

/// Sends from the caller's memory, or parks a copy where the device is busy. `Ok(false)`: no room.
fn send<D: EthernetDevice, const N: usize>(
    slot: &mut TxSlot<N>,
    device: &mut D,
    parts: &[&[u8]],
) -> Result<bool, D::Error> {
    if !slot.flush(device)? {
        return Ok(false);
    }
    match device.send_vectored(parts) {
        Err(e) if e.kind().is_busy() => {
            slot.parked = ethdev::frame::copy_vectored(parts, &mut slot.buf);
            Ok(slot.parked.is_some())
        }
        result => result.map(|()| true),
    }
}

impl<D: EthernetDevice, const N: usize> LendingDevice for Buffered<D, N> {
    type Rx<'a>
        = BufferedRx<'a, D, N>
    where
        Self: 'a;
    type Tx<'a>
        = BufferedTx<'a, D, N>
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

/// The shorter of the buffer and what the device sends.
#[inline]
fn tx_max<D: EthernetDevice, const N: usize>(device: &RefCell<D>) -> MaxFrameLen {
    shorter::<N>(cached(device, Capabilities::ETHERNET, D::capabilities).tx_max_frame_len)
}

const fn shorter<const N: usize>(len: MaxFrameLen) -> MaxFrameLen {
    if len.bytes() > N { MaxFrameLen::new(N) } else { len }
}

/// Reads a cached value. The borrow cannot fail: no half is alive while `&self` is.
#[inline]
fn cached<D, T>(device: &RefCell<D>, fallback: T, read: impl FnOnce(&D) -> T) -> T {
    device.try_borrow().map_or(fallback, |device| read(&device))
}

impl<D: ErrorType, const N: usize> ErrorType for Buffered<D, N> {
    type Error = LayerError<D::Error>;
}

impl<D: EthernetDevice, const N: usize> EthernetDevice for Buffered<D, N> {
    #[inline]
    fn mac_address(&self) -> MacAddress {
        cached(&self.device, MacAddress::UNSPECIFIED, D::mac_address)
    }

    fn capabilities(&self) -> Capabilities {
        let inner = cached(&self.device, Capabilities::ETHERNET, D::capabilities);
        inner
            .with_rx_max_frame_len(shorter::<N>(inner.rx_max_frame_len))
            .with_tx_max_frame_len(shorter::<N>(inner.tx_max_frame_len))
    }

    #[inline]
    fn link(&self) -> Link {
        cached(&self.device, Link::Down, D::link)
    }

    fn stats(&self) -> Stats {
        let mut stats = cached(&self.device, Stats::ZERO, D::stats);
        // The device counts a frame as delivered when it reaches the buffer; the reader has it when it is released.
        let (waiting, waiting_bytes) = self.rx.lent.map_or((0, 0), |meta| (1, meta.len as u32));
        let undelivered = self.rx.discarded.wrapping_add(self.rx.reset).wrapping_add(waiting);
        stats.rx_frames = stats.rx_frames.wrapping_sub(undelivered);
        stats.rx_bytes = stats
            .rx_bytes
            .wrapping_sub(self.rx.undelivered_bytes.wrapping_add(waiting_bytes));
        stats.rx_discarded = stats.rx_discarded.wrapping_add(self.rx.discarded);
        stats.rx_reset = stats.rx_reset.wrapping_add(self.rx.reset);
        stats.tx_aborted = stats.tx_aborted.wrapping_add(self.tx.aborted);
        stats.tx_reset = stats.tx_reset.wrapping_add(self.tx.reset);
        stats
    }

    fn recv_frame(&mut self, buf: &mut [u8]) -> Result<Option<RxMeta>, Self::Error> {
        if self.rx.lent.is_none() {
            // Nothing waits in the slot: straight into the caller's buffer.
            return self.device.get_mut().recv_frame(buf).map_err(LayerError::Device);
        }
        recv_by_copy(self.split().0, buf, |needed| {
            LayerError::Layer(ErrorKind::BufferTooSmall { needed })
        })
    }

    fn discard_frame(&mut self) -> Result<bool, Self::Error> {
        if self.rx.lent.is_none() {
            return self.device.get_mut().discard_frame().map_err(LayerError::Device);
        }
        ethdev::lending::discard(self.split().0)
    }

    fn tx_ready(&mut self) -> Result<bool, Self::Error> {
        let device = self.device.get_mut();
        if !self.tx.flush(device).map_err(LayerError::Device)? {
            return Ok(false);
        }
        // A busy device with its link up leaves the slot to be filled; with the link down nothing is taken.
        Ok(device.tx_ready().map_err(LayerError::Device)? || device.link().is_up())
    }

    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), Self::Error> {
        validate_tx_len(parts, &self.capabilities()).map_err(LayerError::Layer)?;
        match send(&mut self.tx, self.device.get_mut(), parts) {
            Ok(true) => Ok(()),
            Ok(false) => Err(LayerError::Layer(ErrorKind::Busy)),
            Err(e) => Err(LayerError::Device(e)),
        }
    }

    fn service(&mut self) -> Result<Events, Self::Error> {
        let device = self.device.get_mut();
        let mut events = device.service().map_err(LayerError::Device)?;
        let parked = self.tx.parked.is_some();
        match self.tx.flush(device) {
            Ok(free) => events.tx_ready = free && (events.tx_ready || device.link().is_up()),
            // The frame is counted as aborted; the device itself is fine, or says so at the next call.
            Err(_) if parked => events.tx_failed = events.tx_failed.saturating_add(1),
            Err(e) => return Err(LayerError::Device(e)),
        }
        events.rx_pending |= self.rx.lent.is_some();
        Ok(events)
    }
}

impl<D: Control, const N: usize> Control for Buffered<D, N> {
    ethdev::forward_control!(
        |this| this.device.get_mut(),
        LayerError::Device,
        start,
        set_mac_address,
        set_rx_filter,
        recover,
        wake
    );

    /// Frames in the buffers are lost and counted, as the device's own are.
    fn stop(&mut self) -> Result<(), ControlError<Self::Error>> {
        self.inner_mut().stop().map_err(|e| e.map(LayerError::Device))?;
        self.drop_pending();
        Ok(())
    }

    /// Frames in the buffers are lost and counted, as the device's own are.
    fn sleep(&mut self) -> Result<(), ControlError<Self::Error>> {
        self.inner_mut().sleep().map_err(|e| e.map(LayerError::Device))?;
        self.drop_pending();
        Ok(())
    }
}

impl<D: EthernetDevice + Rearm, const N: usize> Rearm for Buffered<D, N> {
    fn disarm(&mut self) -> Result<(), Self::Error> {
        self.inner_mut().disarm().map_err(LayerError::Device)
    }

    /// A frame that waits in the receive buffer is work too, and a free transmit buffer is room.
    fn rearm(&mut self, interest: Interest) -> Result<RearmOutcome, Self::Error> {
        let free = self.tx.parked.is_none();
        let device = self.device.get_mut();
        let outcome = device.rearm(interest).map_err(LayerError::Device)?;
        let pending = (interest.rx && self.rx.lent.is_some()) || (interest.tx && free && device.link().is_up());
        Ok(if pending { RearmOutcome::WorkPending } else { outcome })
    }
}
