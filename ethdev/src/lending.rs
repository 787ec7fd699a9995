//! Lending: frames read and written where they lie.

use crate::{EthernetDevice, RxFrame, RxMeta, Stats, frame};

/// A device that lends its own memory: the zero-copy surface, for stacks that borrow.
///
/// Memory devices (DMA rings, loopback) implement it themselves; [`Buffered`](crate::Buffered) puts buffers in front of any other device and so makes it
/// lend. The two halves are usable at the same time, because stacks answer a frame while they still read it.
///
/// # Contract
///
/// Besides that of [`EthernetDevice`], which looks at the same frames in the same order:
///
/// - A frame that was lent and not [released](RxHalf::release) is lent again; dropping the half releases nothing.
/// - The halves are independent: neither needs anything of the other, in any order of calls.
/// - Memory that was [reserved](TxHalf::reserve) and not committed costs nothing: dropping the half gives it back, unsent.
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
/// let question = rx.peek()?.expect("a frame");
/// // Room for the answer, while the question is still being read where it lies.
/// let answer = tx.reserve(question.len())?.expect("room");
/// answer.copy_from_slice(&question);
/// answer[..6].copy_from_slice(&question[6..12]);
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
/// Write the adapter against this trait, once. [`transmit room`](TxHalf::ready) is no precondition of receiving.
///
/// # For driver authors
///
/// Implement the halves, then write the pull surface with [`recv_by_copy`], [`discard`] and [`send_by_copy`].
pub trait LendingDevice: EthernetDevice {
    /// The half that lends received frames.
    type Rx<'a>: RxHalf<Error = Self::Error>
    where
        Self: 'a;
    /// The half that lends memory for frames to send.
    type Tx<'a>: TxHalf<Error = Self::Error>
    where
        Self: 'a;

    /// Both halves, until both are dropped.
    fn split(&mut self) -> (Self::Rx<'_>, Self::Tx<'_>);
}

/// The half of a [`LendingDevice`] that lends received frames.
pub trait RxHalf {
    /// What can go wrong.
    type Error: crate::Error;

    /// Lends the next frame; `Ok(None)` when nothing is pending. The same frame again until it is [released](Self::release).
    ///
    /// # Errors
    ///
    /// The device failed.
    fn peek(&mut self) -> Result<Option<RxFrame<'_>>, Self::Error>;

    /// Whether [`peek`](Self::peek) would lend a frame. Equivalent to `peek`; devices that can tell without lending are spared the trouble.
    ///
    /// # Errors
    ///
    /// As `peek`.
    #[inline]
    fn pending(&mut self) -> Result<bool, Self::Error> {
        Ok(self.peek()?.is_some())
    }

    /// Gives the lent frame back, delivered; counted in `rx_frames`. Does nothing when none is lent.
    ///
    /// # Errors
    ///
    /// The device failed. The frame is given back all the same and not lent again.
    fn release(&mut self) -> Result<(), Self::Error>;

    /// Gives the lent frame back, unused; counted in `rx_discarded`. Does nothing when none is lent.
    ///
    /// # Errors
    ///
    /// The device failed.
    fn discard(&mut self) -> Result<(), Self::Error>;
}

/// The half of a [`LendingDevice`] that lends memory for frames to send.
pub trait TxHalf {
    /// What can go wrong.
    type Error: crate::Error;

    /// Whether [`reserve`](Self::reserve) of a legal length finds memory now.
    ///
    /// It does not look at the link: while that is down, memory is lent and [`commit`](Self::commit) refuses.
    ///
    /// # Errors
    ///
    /// The device failed.
    fn ready(&mut self) -> Result<bool, Self::Error>;

    /// Lends memory for a frame of `len` bytes; `Ok(None)` when there is no room now. The content is not specified.
    ///
    /// # Errors
    ///
    /// `FrameTooLong`, `FrameTooShort`, or the device failed.
    fn reserve(&mut self, len: usize) -> Result<Option<&mut [u8]>, Self::Error>;

    /// Sends the first `len` bytes of the memory lent last. Whatever the outcome, the reservation is used up.
    ///
    /// # Errors
    ///
    /// `LinkDown`, `Stopped`, `FrameTooShort`; `FrameTooLong` where `len` is more than was reserved; or the device failed. The frame was not accepted.
    fn commit(&mut self, len: usize) -> Result<(), Self::Error>;

    /// Sends one frame that lies in parts; `Ok(false)` when there is no room now. Uses up a reservation.
    ///
    /// Equivalent to `reserve`, copying, and `commit`. Devices that can write the parts where they belong do that instead.
    ///
    /// # Errors
    ///
    /// As [`reserve`](Self::reserve) and [`commit`](Self::commit). The frame was not accepted.
    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<bool, Self::Error> {
        // A sum that overflows is longer than any frame: `reserve` refuses it.
        let len = frame::vectored_len(parts).unwrap_or(usize::MAX);
        let Some(memory) = self.reserve(len)? else {
            return Ok(false);
        };
        match frame::copy_vectored(parts, memory) {
            Some(len) => self.commit(len).map(|()| true),
            // Less was lent than asked for: no room for this frame.
            None => Ok(false),
        }
    }
}

/// [`EthernetDevice::recv_frame`] of a lending device.
///
/// `too_small` makes the device's error for a buffer that is too small from the length that is needed.
///
/// # Errors
///
/// As `recv_frame`.
pub fn recv_by_copy<R: RxHalf>(
    mut rx: R,
    buf: &mut [u8],
    too_small: impl FnOnce(usize) -> R::Error,
) -> Result<Option<RxMeta>, R::Error> {
    let Some(lent) = rx.peek()? else { return Ok(None) };
    let meta = lent.meta();
    let Some(buf) = buf.get_mut(..meta.len) else {
        return Err(too_small(meta.len));
    };
    buf.copy_from_slice(&lent);
    rx.release()?;
    Ok(Some(meta))
}

/// [`EthernetDevice::discard_frame`] of a lending device.
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

/// [`EthernetDevice::send_vectored`] of a lending device, for a frame that [`validate_tx_len`](crate::validate_tx_len) has passed.
///
/// `busy` makes the device's error for no room.
///
/// # Errors
///
/// As `send_vectored`.
pub fn send_by_copy<T: TxHalf>(mut tx: T, parts: &[&[u8]], busy: impl FnOnce() -> T::Error) -> Result<(), T::Error> {
    if tx.send_vectored(parts)? { Ok(()) } else { Err(busy()) }
}

/// The counters of a lending device after one frame was released or discarded: what every implementor counts alike.
pub const fn count_release(stats: &mut Stats, len: usize, delivered: bool) {
    if delivered {
        stats.count_rx(len);
    } else {
        stats.rx_discarded = stats.rx_discarded.wrapping_add(1);
    }
}
