//! The callback + poll API: frames are delivered to a handler, only from inside `poll`.

use crate::{ErrorType, Events, MacAddress, RxFrame};

/// Receives frames. Closures are handlers.
///
/// `E` is the error of the device.
///
/// # Contract
///
/// - Each frame is delivered once, in order of arrival. When `on_frame` returns, the frame is
///   released.
/// - `tx` may be used any number of times. It returns `Busy` while the transmit queue is full;
///   reception continues.
///
/// # For stack authors
///
/// Keep the state that the handler needs in the handler: the device cannot be reached from inside.
pub trait FrameHandler<E> {
    /// Called with one received frame, which may be modified in place, and with a way to send
    /// replies.
    ///
    /// Runs inside [`poll`](CallbackDevice::poll), never in an interrupt.
    fn on_frame(&mut self, frame: RxFrame<'_>, tx: &mut dyn Transmit<Error = E>);
}

impl<E, F: FnMut(RxFrame<'_>, &mut dyn Transmit<Error = E>)> FrameHandler<E> for F {
    fn on_frame(&mut self, frame: RxFrame<'_>, tx: &mut dyn Transmit<Error = E>) {
        self(frame, tx);
    }
}

/// Sends frames from inside a handler.
pub trait Transmit {
    /// The error of the device.
    type Error;

    /// Returns the address of the device.
    fn mac_address(&self) -> MacAddress;

    /// Sends one frame that consists of `parts`.
    ///
    /// # Errors
    ///
    /// As [`EthernetDevice::send_vectored`](crate::EthernetDevice::send_vectored). On any error the
    /// frame was not accepted.
    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), Self::Error>;

    /// Sends one frame. Equivalent to `send_vectored(&[frame])`.
    ///
    /// # Errors
    ///
    /// As [`send_vectored`](Self::send_vectored).
    fn send_frame(&mut self, frame: &[u8]) -> Result<(), Self::Error> {
        self.send_vectored(&[frame])
    }
}

/// The result of [`poll`](CallbackDevice::poll).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Polled {
    /// Number of frames delivered to the handler.
    pub frames: usize,
    /// Whether frames are still pending. Re-arm the interrupt only if not.
    pub more: bool,
    /// The events that housekeeping found.
    pub events: Events,
}

impl Polled {
    /// Creates the result of a `poll` that delivered `frames` frames.
    #[must_use]
    pub const fn new(frames: usize, more: bool, events: Events) -> Self {
        Self { frames, more, events }
    }
}

/// A device that delivers frames to a handler: the callback + poll API.
///
/// `H` is the type of handlers. `dyn FrameHandler<E>` takes any handler, `dyn FrameHandler<E> +
/// Send` keeps the device `Send`, a concrete type saves the virtual call. It is unbounded here so
/// that the trait stays dyn-compatible; implementations require `H: FrameHandler<Self::Error>`.
///
/// # Contract
///
/// - *Exclusive*: frames are delivered through the handler or not at all.
/// - *Quiescent*: after `set_handler` or `clear_handler` returned, the former handler, which is
///   returned, never runs again.
/// - *Budgeted*: `poll` delivers at most `budget` frames; with 0 it only does housekeeping.
/// - Without a handler `poll` does housekeeping and leaves frames pending: none is lost.
/// - The handler runs inside `poll` only, never in an interrupt.
///
/// ```
/// use ethdev_util::Callback;
/// use ethdev::{CallbackDevice, EthernetDevice, MacAddress, RxFrame, Transmit};
/// # use ethdev_sim::{Clock, RingConfig, RingError, RingNic, WireConfig};
/// # let clock = Clock::new();
/// # let [a, b] = [1, 2].map(|n| RingConfig::new(MacAddress::new([2, 0, 0, 0, 0, n])));
/// # let (_wire, mut peer, nic) = RingNic::pair(&clock, WireConfig::default(), a, b);
/// // `nic` and `peer` are the two ends of a wire.
/// let mut handler = |frame: RxFrame<'_>, tx: &mut dyn Transmit<Error = RingError>| {
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
/// let meta = peer.recv_frame(&mut buf)?.expect("the reply");
/// assert_eq!((meta.len, &buf[..6], &buf[14..19]), (60, &peer.mac_address().octets()[..], &b"hello"[..]));
/// # Ok::<(), RingError>(())
/// ```
///
/// # For stack authors
///
/// Use this API for event-driven stacks: everything that a frame causes happens inside one call,
/// and the budget keeps a flood from starving other tasks. Poll until `more` is false, then
/// [`rearm`](crate::Rearm::rearm) and sleep.
///
/// # For driver authors
///
/// Do not implement it: `ethdev_util::Callback` gives it to every device.
pub trait CallbackDevice<'h, H: ?Sized + 'h>: ErrorType {
    /// Sets the handler that frames are delivered to from the next `poll` on. Returns the former
    /// one.
    fn set_handler(&mut self, handler: &'h mut H) -> Option<&'h mut H>;

    /// Removes the handler and returns it.
    fn clear_handler(&mut self) -> Option<&'h mut H>;

    /// Does housekeeping, then delivers at most `budget` frames.
    ///
    /// # Errors
    ///
    /// The device failed. Frames delivered before that are counted in
    /// [`Stats::rx_frames`](crate::Stats::rx_frames).
    fn poll(&mut self, budget: usize) -> Result<Polled, Self::Error>;
}

/// The traits of this module are dyn-compatible.
const _: fn(&mut dyn CallbackDevice<'_, (), Error = crate::ErrorKind>, &mut dyn Transmit<Error = ()>) = |_, _| {};
