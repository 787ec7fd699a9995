//! How frames pass between a device and smoltcp.

use ethdev::{EthernetDevice, Stats};
use ethdev_util::stack::TxPath;

use crate::rx::RxPath;

/// How frames pass between a device and smoltcp: [`Pull`](crate::Pull) or
/// [`Lending`](crate::Lending).
///
/// Code that serves both takes `&mut SmoltcpDevice<'_, D, M>` with `D: EthernetDevice, M: Mode<D>`.
/// The trait is sealed.
pub trait Mode<D: EthernetDevice>: Transfer<D> {}

impl<D: EthernetDevice, M: Transfer<D>> Mode<D> for M {}

/// What the two tokens of a received frame hold.
pub(crate) type Sides<'a, D, M> = (<M as Transfer<D>>::Rx<'a>, <M as Transfer<D>>::Tx<'a>);

/// What the modes do differently. It cannot be named outside this crate, which seals [`Mode`].
pub trait Transfer<D: EthernetDevice>: Sized {
    /// What a receive token holds.
    type Rx<'a>
    where
        Self: 'a,
        D: 'a;
    /// What a transmit token holds.
    type Tx<'a>
    where
        D: 'a;

    /// Returns both if a frame is pending.
    fn receive<'a>(
        &'a mut self,
        device: &'a mut D,
        path: &mut RxPath<D::Error>,
    ) -> Result<Option<Sides<'a, D, Self>>, D::Error>;

    /// Returns whether the device accepts a frame.
    fn is_tx_ready(device: &mut D, path: &mut TxPath<'_, D::Error>) -> bool;

    /// Returns the transmit side.
    fn transmit(device: &mut D) -> Self::Tx<'_>;

    /// Passes the pending frame to `read` and releases it.
    fn consume_rx<R>(rx: Self::Rx<'_>, path: &mut RxPath<D::Error>, read: impl FnOnce(&[u8]) -> R) -> R;

    /// Passes memory for a frame of `len` bytes to `write` and sends the frame, or keeps it in the
    /// reply buffer.
    fn consume_tx<R>(
        tx: Self::Tx<'_>,
        path: &mut TxPath<'_, D::Error>,
        len: usize,
        write: impl FnOnce(&mut [u8]) -> R,
    ) -> R;

    /// Returns the length of the receive buffer in bytes; `None` if the mode has none.
    fn rx_buffer_len(&self) -> Option<usize>;

    /// Returns whether a frame is in the receive buffer.
    fn holds_frame(&self) -> bool;

    /// Drops the frame in the receive buffer and counts it as lost by a stop.
    fn drop_frame(&mut self);

    /// Turns the counters of the device into those of smoltcp: a frame is delivered when smoltcp
    /// has read it. `too_short` frames were dropped by the adapter.
    fn correct(&self, stats: &mut Stats, too_short: u32);
}
