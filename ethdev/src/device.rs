//! The one trait that every driver implements.

use crate::{Capabilities, ErrorType, Events, Link, MacAddress, RxMeta, Stats};

/// An Ethernet-like device that is asked for frames (the *pull* surface), and the base of all other surfaces.
///
/// A frame is destination MAC to end of payload: no preamble, no FCS. The trait is dyn-compatible, and every method is forwarded for `&mut T`.
///
/// ```
/// use ethdev::{EthernetDevice, ErrorKind, Error};
///
/// /// Sends back what it receives, to whoever sent it, until nothing is pending. Knows no chip and no stack.
/// fn reflect<D: EthernetDevice + ?Sized>(device: &mut D, buf: &mut [u8]) -> Result<usize, D::Error> {
///     let mut reflected = 0;
///     while let Some(meta) = device.recv_frame(buf)? {
///         let (header, payload) = buf[..meta.len].split_at(14);
///         let (addresses, ethertype) = header.split_at(12);
///         // Gather: the new header is put together from parts; nothing is copied here.
///         match device.send_vectored(&[&addresses[6..], &device.mac_address().octets(), ethertype, payload]) {
///             Ok(()) => reflected += 1,
///             Err(e) if e.kind() == ErrorKind::Busy => {} // full: this one is not reflected
///             Err(e) => return Err(e),
///         }
///     }
///     Ok(reflected)
/// }
/// # use ethdev::*;
/// # struct One(Option<Vec<u8>>, Vec<Vec<u8>>);
/// # impl ErrorType for One { type Error = ErrorKind; }
/// # impl EthernetDevice for One {
/// #     fn mac_address(&self) -> MacAddress { MacAddress::new([2, 0, 0, 0, 0, 1]) }
/// #     fn capabilities(&self) -> Capabilities { Capabilities::ETHERNET }
/// #     fn link(&self) -> Link { Link::UP }
/// #     fn stats(&self) -> Stats { Stats::ZERO }
/// #     fn recv_frame(&mut self, buf: &mut [u8]) -> Result<Option<RxMeta>, ErrorKind> {
/// #         Ok(self.0.take().map(|f| { buf[..f.len()].copy_from_slice(&f); RxMeta::new(f.len()) }))
/// #     }
/// #     fn discard_frame(&mut self) -> Result<bool, ErrorKind> { Ok(self.0.take().is_some()) }
/// #     fn tx_ready(&mut self) -> Result<bool, ErrorKind> { Ok(true) }
/// #     fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), ErrorKind> { self.1.push(parts.concat()); Ok(()) }
/// #     fn service(&mut self) -> Result<Events, ErrorKind> { Ok(Events::NONE) }
/// # }
/// # let mut device = One(Some(b"\x02\0\0\0\0\x01\x02\0\0\0\0\x02\x88\xb5hello".to_vec()), vec![]);
/// # assert_eq!(reflect(&mut device, &mut [0; 1514]), Ok(1));
/// # assert_eq!(device.1, [b"\x02\0\0\0\0\x02\x02\0\0\0\0\x01\x88\xb5hello"]);
/// ```
///
/// # Contract
///
/// The numbers are those of the checks in `ethdev-sim`'s conformance suite.
///
/// 1. [`recv_frame`](Self::recv_frame) never waits for a frame: `Ok(None)` when nothing is pending.
/// 2. A frame is delivered exactly once, in order of arrival, byte for byte, without FCS.
/// 3. Too small a buffer is [`BufferTooSmall`](crate::ErrorKind::BufferTooSmall) with the length that is needed. Nothing is lost: the frame is still
///    next. [`discard_frame`](Self::discard_frame) is the way past a frame that the caller cannot take.
/// 4. Transmit without room is [`Busy`](crate::ErrorKind::Busy): nothing was sent, nothing was lost, the same call later is right. After
///    `tx_ready() == Ok(true)` the next send of a legal frame is not `Busy`.
/// 5. Receiving never depends on room to transmit, nor transmitting on received frames being fetched.
/// 6. A frame longer than `tx_max_frame_len` is [`FrameTooLong`](crate::ErrorKind::FrameTooLong), one shorter than a header
///    [`FrameTooShort`](crate::ErrorKind::FrameTooShort), and nothing goes out. Where the medium has a minimum, a shorter frame is padded to it with
///    zeros on its way out; padding that was received is passed on as it came.
/// 7. [`mac_address`](Self::mac_address), [`capabilities`](Self::capabilities), [`link`](Self::link) and [`stats`](Self::stats) are cached values and
///    never touch a bus. Sending while the link is down is [`LinkDown`](crate::ErrorKind::LinkDown) and nothing is queued.
/// 8. Nothing that the wire or the chip says can panic the driver, hang it, or make it read or write outside its buffers. Every wait has a bound.
/// 9. Every frame is delivered or counted under one reason in [`Stats`].
/// 10. A fault of the bus or the chip is a typed error that keeps its cause. After [`Fault`](crate::ErrorKind::Fault),
///     [`recover`](crate::Control::recover) resets the chip and replays address, filters and mode.
///
/// # The edges
///
/// | state | `recv_frame` | `send_*` | `tx_ready` |
/// |---|---|---|---|
/// | nothing pending, any buffer, even an empty one | `Ok(None)` | | |
/// | frame pending, buffer shorter, even an empty one | `Err(BufferTooSmall)` | | |
/// | link down | frames that had arrived, then `Ok(None)` | `Err(LinkDown)` | `Ok(false)` |
/// | stopped, asleep, not yet started | `Ok(None)` | `Err(Stopped)` | `Ok(false)` |
/// | fault | `Err(Fault)` | `Err(Fault)` | `Err(Fault)` |
///
/// An illegal frame is reported as such in every state but a fault.
///
/// # For stack authors
///
/// Depend on this trait (or on [`LendingDevice`](crate::LendingDevice), to read frames where they lie) and on nothing of a driver. Call
/// [`service`](Self::service) from time to time, at least when something was awaited and did not come: link changes are seen there.
///
/// # For driver authors
///
/// Implement the required methods; every other surface follows from them. Accept from hardware only lengths that you have checked. Do not
/// override `send_frame` unless it becomes cheaper. Blocking and async drivers come from one source: see [`asynch`](crate::asynch).
pub trait EthernetDevice: ErrorType {
    /// The address that the device receives on. Cached.
    fn mac_address(&self) -> MacAddress;

    /// What the device can do. Cached.
    fn capabilities(&self) -> Capabilities;

    /// The link as last seen by [`service`](Self::service), `recv_frame` or `send_*`. Cached.
    fn link(&self) -> Link;

    /// What became of every frame so far. Cached.
    fn stats(&self) -> Stats;

    /// Moves the next received frame to the start of `buf`; `Ok(None)` when nothing is pending. Never waits for a frame.
    ///
    /// # Errors
    ///
    /// - `BufferTooSmall { needed }`: the frame is longer than `buf` and still next. What `buf` then holds is not specified.
    /// - `Bus`, `Timeout`, `Fault`, `NotPresent`: the device failed. A frame that was lost by it is counted.
    fn recv_frame(&mut self, buf: &mut [u8]) -> Result<Option<RxMeta>, Self::Error>;

    /// Throws the next received frame away, counted in [`rx_discarded`](Stats::rx_discarded); `Ok(false)` when nothing is pending.
    ///
    /// # Errors
    ///
    /// As [`recv_frame`](Self::recv_frame), without `BufferTooSmall`.
    fn discard_frame(&mut self) -> Result<bool, Self::Error>;

    /// Whether the next send of a legal frame finds room.
    ///
    /// # Errors
    ///
    /// The device failed.
    fn tx_ready(&mut self) -> Result<bool, Self::Error>;

    /// Sends one frame that lies in parts, one after another. Empty parts and an empty list of parts are allowed.
    ///
    /// On return the bytes are the device's own; the frame may still be on its way.
    ///
    /// # Errors
    ///
    /// Whatever the error, the frame was not accepted.
    ///
    /// - `FrameTooLong`, `FrameTooShort`: not a legal frame.
    /// - `Busy`: no room now.
    /// - `LinkDown`, `Stopped`: not now, and waiting for room does not help.
    /// - `Bus`, `Timeout`, `Fault`, `NotPresent`: the device failed.
    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), Self::Error>;

    /// Sends one frame. Equivalent to `send_vectored(&[frame])`.
    ///
    /// # Errors
    ///
    /// As [`send_vectored`](Self::send_vectored).
    fn send_frame(&mut self, frame: &[u8]) -> Result<(), Self::Error> {
        self.send_vectored(&[frame])
    }

    /// Housekeeping: refreshes the link, collects completed transmissions, gets over faults that the chip is known for.
    ///
    /// Bounded, and cheap enough for every turn of an idle loop.
    ///
    /// # Errors
    ///
    /// The device failed.
    fn service(&mut self) -> Result<Events, Self::Error>;
}

/// Checks a frame from the caller against a device's limits, as contract line 6 asks: its length, or the error to return.
///
/// # Errors
///
/// `FrameTooShort` below a header, `FrameTooLong` above `tx_max_frame_len`.
///
/// ```
/// use ethdev::{Capabilities, ErrorKind, validate_tx_len};
/// assert_eq!(validate_tx_len(&[&[0; 14], &[0; 46]], &Capabilities::ETHERNET), Ok(60));
/// assert_eq!(validate_tx_len(&[&[0; 13]], &Capabilities::ETHERNET), Err(ErrorKind::FrameTooShort));
/// assert_eq!(validate_tx_len(&[&[0; 1515]], &Capabilities::ETHERNET), Err(ErrorKind::FrameTooLong { max: 1514 }));
/// ```
pub fn validate_tx_len(parts: &[&[u8]], capabilities: &Capabilities) -> Result<usize, crate::ErrorKind> {
    let max = capabilities.tx_max_frame_len.bytes();
    match crate::frame::vectored_len(parts) {
        Some(len) if len < crate::frame::HEADER_LEN => Err(crate::ErrorKind::FrameTooShort),
        Some(len) if len <= max => Ok(len),
        _ => Err(crate::ErrorKind::FrameTooLong { max }),
    }
}
