//! Callback + poll: frames are handed to a handler, only ever from inside `poll`.

use crate::{ErrorKind, ErrorType, Events, MacAddress, RxFrame};

/// Takes frames as they come. Closures do, too.
///
/// # Contract
///
/// - Each frame is handed over once, in order of arrival. When `on_frame` returns, the frame is released.
/// - `tx` may be used or not, any number of times; it says `Busy` where there is no room, and receiving goes on all the same.
///
/// # For stack authors
///
/// Keep what the handler needs to know in the handler: the device cannot be reached from inside.
pub trait FrameHandler {
    /// One received frame, which may be changed in place, and a way to answer at once.
    ///
    /// Runs inside [`poll`](CallbackDevice::poll), never in an interrupt.
    fn on_frame(&mut self, frame: RxFrame<'_>, tx: &mut dyn Transmit);
}

/// A closure is a handler.
impl<F: FnMut(RxFrame<'_>, &mut dyn Transmit)> FrameHandler for F {
    fn on_frame(&mut self, frame: RxFrame<'_>, tx: &mut dyn Transmit) {
        self(frame, tx);
    }
}

/// A way to send from inside a handler, while the device is lent to it otherwise.
pub trait Transmit {
    /// The device's own address.
    fn mac_address(&self) -> MacAddress;

    /// Sends one frame that lies in parts.
    ///
    /// # Errors
    ///
    /// The kind of the error; the error itself is kept for [`Callback::take_tx_error`]. Whatever it is, the frame was not accepted.
    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), ErrorKind>;

    /// Sends one frame. Equivalent to `send_vectored(&[frame])`.
    ///
    /// # Errors
    ///
    /// As [`send_vectored`](Self::send_vectored).
    fn send_frame(&mut self, frame: &[u8]) -> Result<(), ErrorKind> {
        self.send_vectored(&[frame])
    }
}

/// What a [`poll`](CallbackDevice::poll) did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Polled {
    /// Frames delivered to the handler.
    pub frames: usize,
    /// Frames are pending still. Re-arm the interrupt only when this is false.
    pub more: bool,
    /// What housekeeping found.
    pub events: Events,
}

impl Polled {
    /// A `poll` that delivered `frames` frames, and leaves some behind if `more`.
    #[must_use]
    pub const fn new(frames: usize, more: bool, events: Events) -> Self {
        Self { frames, more, events }
    }
}

/// A device that delivers into a handler.
///
/// `H` is what handlers are: `dyn FrameHandler` unless said otherwise. `dyn FrameHandler + Send` makes the whole thing `Send` where the device is; a
/// concrete type saves the virtual call.
///
/// # Contract
///
/// - *Exclusive*: frames are delivered through the handler or not at all.
/// - *Quiescent*: once `set_handler` or `clear_handler` returns, the former handler never runs again. It is returned.
/// - *Budgeted*: a `poll` delivers at most `budget` frames; with 0 it does housekeeping alone.
/// - Without a handler `poll` does housekeeping and leaves frames where they are: none is lost by that.
/// - Never from an interrupt: the handler runs inside `poll` only.
///
/// ```
/// use ethdev_util::Callback;
/// use ethdev::{CallbackDevice, EthernetDevice, MacAddress, RxFrame, Transmit};
/// # use ethdev_sim::{Clock, RingConfig, RingError, RingNic, WireConfig};
/// # let clock = Clock::new();
/// # let [a, b] = [1, 2].map(|n| RingConfig::new(MacAddress::new([2, 0, 0, 0, 0, n])));
/// # let (_wire, mut peer, nic) = RingNic::pair(&clock, WireConfig::default(), a, b);
/// // `nic` and `peer` are the two ends of a wire.
/// let mut handler = |frame: RxFrame<'_>, tx: &mut dyn Transmit| {
///     let [to, from] = [&frame[6..12], &frame[..6]];
///     tx.send_vectored(&[to, from, &frame[12..]]).ok(); // back to the sender
/// };
/// let mut device = Callback::new(nic);
/// device.set_handler(&mut handler);
///
/// peer.send_vectored(&[&[2, 0, 0, 0, 0, 2], &peer.mac_address().octets(), b"\x88\xb5hello"])?;
/// clock.advance(core::time::Duration::from_micros(10));
/// assert_eq!(device.poll(16)?.frames, 1);
///
/// clock.advance(core::time::Duration::from_micros(10));
/// let mut buf = [0; 1514];
/// let meta = peer.recv_frame(&mut buf)?.expect("the answer");
/// assert_eq!((meta.len, &buf[..6], &buf[14..19]), (60, &peer.mac_address().octets()[..], &b"hello"[..]));
/// # Ok::<(), RingError>(())
/// ```
///
/// # For stack authors
///
/// Take this surface where the stack is driven by events: everything that a frame causes happens inside one call, and a budget keeps a flood from starving
/// the rest. Poll until `more` is false, then [`rearm`](crate::Rearm::rearm) and sleep.
///
/// # For driver authors
///
/// There is nothing to do: [`Callback`] gives this surface to every device.
pub trait CallbackDevice<'h, H: FrameHandler + ?Sized + 'h = dyn FrameHandler + 'h>: ErrorType {
    /// Delivers to `handler` from the next `poll` on. Returns the one before.
    fn set_handler(&mut self, handler: &'h mut H) -> Option<&'h mut H>;

    /// Delivers to nobody. Returns the handler.
    fn clear_handler(&mut self) -> Option<&'h mut H>;

    /// Housekeeping, then at most `budget` frames.
    ///
    /// # Errors
    ///
    /// The device failed. Frames delivered before that are in [`Stats::rx_frames`].
    fn poll(&mut self, budget: usize) -> Result<Polled, Self::Error>;
}
