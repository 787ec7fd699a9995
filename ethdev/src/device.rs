//! The pull API: the trait that every driver implements.

use crate::{Capabilities, ErrorKind, ErrorType, Events, Link, MacAddress, MaxFrameLen, RxMeta, Stats, frame};

/// An Ethernet device that is polled for frames: the pull API, and the base of all other APIs.
///
/// A frame is destination MAC to end of payload: no preamble, no FCS. The trait is dyn-compatible,
/// and every method is forwarded for `&mut T`.
///
/// ```
/// use ethdev::{EthernetDevice, ErrorKind, Error};
///
/// /// Returns every pending frame to its sender. Knows no chip and no stack.
/// fn reflect<D: EthernetDevice + ?Sized>(device: &mut D, buf: &mut [u8]) -> Result<usize, D::Error> {
///     let mut reflected = 0;
///     while let Some(meta) = device.recv_frame(buf)? {
///         let (header, payload) = buf[..meta.len].split_at(14);
///         let (addresses, ethertype) = header.split_at(12);
///         // The new header is composed from parts; nothing is copied here.
///         match device.send_vectored(&[&addresses[6..], &device.mac_address().octets(), ethertype, payload]) {
///             Ok(()) => reflected += 1,
///             Err(e) if e.kind() == ErrorKind::Busy => {} // queue full: this frame is not reflected
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
/// The checks of `ethdev-conformance` name these numbers.
///
/// 1. [`recv_frame`](Self::recv_frame) never waits for a frame: `Ok(None)` when nothing is pending.
/// 2. A frame is delivered exactly once, in order of arrival, byte for byte, without FCS.
/// 3. If the buffer is too small, the result is
///    [`BufferTooSmall`](crate::ErrorKind::BufferTooSmall) with the required length. Nothing is
///    lost: the frame stays next. [`discard_frame`](Self::discard_frame) skips a frame that the
///    caller cannot take.
/// 4. If the transmit queue is full, the result is [`Busy`](crate::ErrorKind::Busy): nothing was
///    sent, nothing was lost, and the call may be repeated later. After `tx_ready() == Ok(true)`
///    the next send of a legal frame is not `Busy`.
/// 5. Receiving never depends on transmit capacity, nor transmitting on received frames being read.
/// 6. A frame longer than `tx_max_frame_len` is [`FrameTooLong`](crate::ErrorKind::FrameTooLong),
///    one shorter than a header [`FrameTooShort`](crate::ErrorKind::FrameTooShort), and nothing is
///    sent. Where the medium has a minimum, a shorter frame is padded to it with zeros; received
///    padding is passed on unchanged.
/// 7. [`mac_address`](Self::mac_address), [`capabilities`](Self::capabilities),
///    [`link`](Self::link) and [`stats`](Self::stats) are cached values and never access a bus.
///    Sending while the link is down is [`LinkDown`](crate::ErrorKind::LinkDown), and nothing is
///    queued.
/// 8. No input from the wire or the chip can panic the driver, hang it, or make it read or write
///    outside its buffers. Every wait is bounded.
/// 9. Every frame is delivered, or counted under one reason in [`Stats`].
///    [`Capabilities::coverage`] declares the reasons that the hardware does not report exactly.
/// 10. A fault of the bus or the chip is a typed error that keeps its cause. After
///     [`Fault`](crate::ErrorKind::Fault), [`recover`](crate::Control::recover) resets the chip and
///     restores address, filter and mode.
///
/// # Edge cases
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
/// Depend on this trait, or on [`LendingDevice`](crate::LendingDevice) to read frames in place, and
/// on no driver. Call [`service`](Self::service) periodically, at least every
/// [`Capabilities::max_service_interval`]: it refreshes the link state.
///
/// # For driver authors
///
/// Implement the required methods; the other APIs follow from them. Validate every length that
/// comes from hardware. Override `send_frame` only if that is cheaper. For one source of blocking
/// and async logic see [`asynch`](crate::asynch).
pub trait EthernetDevice: ErrorType {
    /// Returns the address that the device receives on. Cached.
    fn mac_address(&self) -> MacAddress;

    /// Returns what the device can do. Cached.
    fn capabilities(&self) -> Capabilities;

    /// Returns the longest frame that the device sends. Equivalent to
    /// `capabilities().tx_max_frame_len`, for callers that need it for each frame: an override
    /// copies one word instead of the whole struct.
    #[inline]
    fn tx_max_frame_len(&self) -> MaxFrameLen {
        self.capabilities().tx_max_frame_len
    }

    /// Returns the link state as of the last [`service`](Self::service), `recv_frame` or `send_*`.
    /// Cached.
    fn link(&self) -> Link;

    /// Returns the counters. Cached.
    fn stats(&self) -> Stats;

    /// Reads the next received frame into the start of `buf`; `Ok(None)` if nothing is pending.
    /// Never waits for a frame.
    ///
    /// # Errors
    ///
    /// - `BufferTooSmall { needed }`: the frame is longer than `buf` and stays next. The content of
    ///   `buf` is unspecified.
    /// - `Bus`, `Timeout`, `Fault`, `NotPresent`: the device failed. A frame lost by that is
    ///   counted.
    fn recv_frame(&mut self, buf: &mut [u8]) -> Result<Option<RxMeta>, Self::Error>;

    /// Drops the next received frame, counted in [`rx_discarded`](Stats::rx_discarded); `Ok(false)`
    /// if nothing is pending.
    ///
    /// # Errors
    ///
    /// As [`recv_frame`](Self::recv_frame), without `BufferTooSmall`.
    fn discard_frame(&mut self) -> Result<bool, Self::Error>;

    /// Returns whether the device accepts a legal frame now.
    ///
    /// # Errors
    ///
    /// The device failed.
    fn tx_ready(&mut self) -> Result<bool, Self::Error>;

    /// Sends one frame that consists of `parts`, one after another. Empty parts and an empty list
    /// of parts are allowed.
    ///
    /// On return the device holds a copy of the bytes; the frame may still be queued.
    ///
    /// # Errors
    ///
    /// On any error the frame was not accepted.
    ///
    /// - `FrameTooLong`, `FrameTooShort`: not a legal frame.
    /// - `Busy`: the transmit queue is full.
    /// - `LinkDown`, `Stopped`: the device does not send now.
    /// - `Bus`, `Timeout`, `Fault`, `NotPresent`: the device failed.
    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), Self::Error>;

    /// Sends one frame. Equivalent to `send_vectored(&[frame])`.
    ///
    /// # Errors
    ///
    /// As [`send_vectored`](Self::send_vectored).
    #[inline]
    fn send_frame(&mut self, frame: &[u8]) -> Result<(), Self::Error> {
        self.send_vectored(&[frame])
    }

    /// Does housekeeping: refreshes the link state, completes transmissions, recovers from known
    /// errata of the chip.
    ///
    /// Bounded, and cheap enough for every iteration of an idle loop.
    ///
    /// # Errors
    ///
    /// The device failed.
    fn service(&mut self) -> Result<Events, Self::Error>;
}

/// Validates the length of a frame from the caller, as line 6 of the contract requires, and returns
/// it.
///
/// # Errors
///
/// `FrameTooShort` below a header (14 bytes), `FrameTooLong` above `max`.
///
/// ```
/// use ethdev::{ErrorKind, MaxFrameLen, validate_tx_len};
/// let max = MaxFrameLen::ETHERNET;
/// assert_eq!(validate_tx_len(&[&[0; 14], &[0; 46]], max), Ok(60));
/// assert_eq!(validate_tx_len(&[&[0; 13]], max), Err(ErrorKind::FrameTooShort));
/// assert_eq!(validate_tx_len(&[&[0; 1515]], max), Err(ErrorKind::FrameTooLong { max: 1514 }));
/// ```
#[inline]
pub fn validate_tx_len(parts: &[&[u8]], max: MaxFrameLen) -> Result<usize, ErrorKind> {
    let max = max.bytes();
    match frame::vectored_len(parts) {
        Some(len) if len < frame::HEADER_LEN => Err(ErrorKind::FrameTooShort),
        Some(len) if len <= max => Ok(len),
        _ => Err(ErrorKind::FrameTooLong { max }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn validate_tx_len_accepts_header_to_maximum() {
        let max = MaxFrameLen::new(100);
        let too_long = Err(ErrorKind::FrameTooLong { max: 100 });
        for (len, expected) in [
            (0, Err(ErrorKind::FrameTooShort)),
            (13, Err(ErrorKind::FrameTooShort)),
            (14, Ok(14)),
            (15, Ok(15)),
            (100, Ok(100)),
            (101, too_long),
        ] {
            let (first, second) = [0; 101].split_at(len / 2);
            assert_eq!(
                validate_tx_len(&[first, &second[..len - len / 2]], max),
                expected,
                "{len}"
            );
        }
    }
}
