//! The zero-copy API: frames are read and written in place.

use crate::{Error, ErrorKind, EthernetDevice, RxFrame, RxMeta, Stats, frame};

/// A device that lends its own memory: the zero-copy API, for stacks that borrow frames.
///
/// Memory devices (DMA rings, loopback) implement it; `ethdev_util::Buffered` puts buffers in front
/// of any other device. Both halves can be used at the same time, because stacks answer a frame
/// while they still read it.
///
/// # Contract
///
/// In addition to the contract of [`EthernetDevice`], which sees the same frames in the same order:
///
/// - A frame that was lent and not [released](RxHalf::release) is lent again. Dropping the half
///   releases nothing.
/// - The halves are independent of each other, in any order of calls.
/// - Memory that was [reserved](TxHalf::reserve) and not committed is free again when the half is
///   dropped. Nothing is sent.
///
/// ```
/// use ethdev::{EthernetDevice, LendingDevice, MacAddress, RxHalf, TxHalf};
/// # use ethdev_sim::{Clock, RingConfig, RingError, RingNic, WireConfig};
/// # let clock = Clock::new();
/// # let [a, b] = [1, 2].map(|n| RingConfig::new(MacAddress::new([2, 0, 0, 0, 0, n])));
/// # let (_wire, mut peer, mut nic) = RingNic::pair(&clock, WireConfig::default(), a, b);
/// // `nic` and `peer` are the two ends of a wire.
/// peer.send_vectored(&[&[2, 0, 0, 0, 0, 2], &peer.mac_address().octets(), b"\x88\xb5hello"])?;
/// clock.advance(core::time::Duration::from_micros(10));
///
/// let (mut rx, mut tx) = nic.split();
/// let request = rx.peek()?.expect("a frame");
/// // The reply is written while the request is still read in place.
/// let reply = tx.reserve(request.len())?.expect("a free buffer");
/// reply.copy_from_slice(&request);
/// reply[..6].copy_from_slice(&request[6..12]);
/// tx.commit(60)?;
/// rx.release()?;
/// assert!(rx.peek()?.is_none());
///
/// clock.advance(core::time::Duration::from_micros(10));
/// assert_eq!(peer.recv_frame(&mut [0; 1514])?.map(|meta| meta.len), Some(60));
/// # Ok::<(), RingError>(())
/// ```
///
/// # For stack authors
///
/// Write the adapter against this trait, once. Do not make [transmit capacity](TxHalf::ready) a
/// precondition of receiving.
///
/// # For driver authors
///
/// Implement the halves, then the pull API with [`recv_by_copy`], [`discard`] and
/// [`TxHalf::send_vectored`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not lend its memory",
    note = "put buffers in front of a device that implements `EthernetDevice` only: `ethdev_util::Buffered::new(device, &mut rx, &mut tx)`"
)]
pub trait LendingDevice: EthernetDevice {
    /// The half that lends received frames.
    type Rx<'a>: RxHalf<Error = Self::Error>
    where
        Self: 'a;
    /// The half that lends memory for frames to send.
    type Tx<'a>: TxHalf<Error = Self::Error>
    where
        Self: 'a;

    /// Returns both halves.
    fn split(&mut self) -> (Self::Rx<'_>, Self::Tx<'_>);
}

/// The half of a [`LendingDevice`] that lends received frames.
pub trait RxHalf {
    /// The error of the device.
    type Error: Error + From<ErrorKind>;

    /// Lends the next frame; `Ok(None)` if nothing is pending. Lends the same frame until it is
    /// [released](Self::release).
    ///
    /// # Errors
    ///
    /// The device failed.
    fn peek(&mut self) -> Result<Option<RxFrame<'_>>, Self::Error>;

    /// Returns whether [`peek`](Self::peek) would lend a frame. Override it where that is cheaper
    /// than lending.
    ///
    /// # Errors
    ///
    /// As `peek`.
    #[inline]
    fn pending(&mut self) -> Result<bool, Self::Error> {
        Ok(self.peek()?.is_some())
    }

    /// Releases the lent frame as delivered, counted in `rx_frames`. Does nothing if none is lent.
    ///
    /// # Errors
    ///
    /// The device failed. The frame is released all the same and not lent again.
    fn release(&mut self) -> Result<(), Self::Error>;

    /// Releases the lent frame as dropped, counted in `rx_discarded`. Does nothing if none is lent.
    ///
    /// # Errors
    ///
    /// The device failed.
    fn discard(&mut self) -> Result<(), Self::Error>;
}

/// The half of a [`LendingDevice`] that lends memory for frames to send.
pub trait TxHalf {
    /// The error of the device.
    type Error: Error + From<ErrorKind>;

    /// Returns whether [`reserve`](Self::reserve) of a legal length finds a free buffer now.
    ///
    /// It does not check the link: while the link is down, memory is lent and
    /// [`commit`](Self::commit) fails.
    ///
    /// # Errors
    ///
    /// The device failed.
    fn ready(&mut self) -> Result<bool, Self::Error>;

    /// Lends memory for a frame of `len` bytes; `Ok(None)` if no buffer is free. The content is
    /// unspecified.
    ///
    /// # Errors
    ///
    /// `FrameTooLong`, `FrameTooShort`, or the device failed.
    fn reserve(&mut self, len: usize) -> Result<Option<&mut [u8]>, Self::Error>;

    /// Sends the first `len` bytes of the memory lent last. The reservation ends, whatever the
    /// result.
    ///
    /// # Errors
    ///
    /// `LinkDown`, `Stopped`, `FrameTooShort`; `FrameTooLong` if `len` exceeds the reservation; or
    /// the device failed. On any error the frame was not accepted.
    fn commit(&mut self, len: usize) -> Result<(), Self::Error>;

    /// Sends one frame that consists of `parts`. Ends a reservation.
    ///
    /// Equivalent to `reserve`, copying, and `commit`. Devices that can write the parts to their
    /// place override it.
    ///
    /// # Errors
    ///
    /// `Busy` if no buffer is free; otherwise as [`reserve`](Self::reserve) and
    /// [`commit`](Self::commit). On any error the frame was not accepted.
    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), Self::Error> {
        // A sum that overflows is longer than any frame: `reserve` rejects it.
        let len = frame::vectored_len(parts).unwrap_or(usize::MAX);
        let memory = self.reserve(len)?.ok_or(ErrorKind::Busy)?;
        // Less memory than requested is no buffer for this frame.
        let len = frame::copy_vectored(parts, memory).ok_or(ErrorKind::Busy)?;
        self.commit(len)
    }
}

/// Implements [`EthernetDevice::recv_frame`] for a lending device.
///
/// # Errors
///
/// As `recv_frame`.
#[inline]
pub fn recv_by_copy<R: RxHalf>(mut rx: R, buf: &mut [u8]) -> Result<Option<RxMeta>, R::Error> {
    let Some(lent) = rx.peek()? else { return Ok(None) };
    let meta = lent.meta();
    let buf = buf
        .get_mut(..meta.len)
        .ok_or(ErrorKind::BufferTooSmall { needed: meta.len })?;
    buf.copy_from_slice(&lent);
    rx.release()?;
    Ok(Some(meta))
}

/// Implements [`EthernetDevice::discard_frame`] for a lending device.
///
/// # Errors
///
/// As `discard_frame`.
pub fn discard<R: RxHalf>(mut rx: R) -> Result<bool, R::Error> {
    if rx.peek()?.is_none() {
        return Ok(false);
    }
    rx.discard()?;
    Ok(true)
}

/// Counts a frame of `len` bytes that a lending device released or discarded.
pub const fn count_release(stats: &mut Stats, len: usize, delivered: bool) {
    if delivered {
        stats.count_rx(len);
    } else {
        stats.rx_discarded = stats.rx_discarded.wrapping_add(1);
    }
}
