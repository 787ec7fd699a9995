//! Lending mode: frames are read and written in the memory of the device.

use ethdev::{LendingDevice, RxHalf, Stats};
use ethdev_util::stack::{self, TxPath};

use crate::mode::{Sides, Transfer};
use crate::rx::RxPath;

/// For devices with the zero-copy API: [`SmoltcpDevice::lending`](crate::SmoltcpDevice::lending).
///
/// Nothing is copied. The reply buffer is used only while the device has no free transmit buffer.
#[derive(Debug)]
pub struct Lending;

impl<D: LendingDevice> Transfer<D> for Lending {
    type Rx<'a>
        = D::Rx<'a>
    where
        D: 'a;
    type Tx<'a>
        = D::Tx<'a>
    where
        D: 'a;

    #[inline]
    fn receive<'a>(
        &'a mut self,
        device: &'a mut D,
        _path: &mut RxPath<D::Error>,
    ) -> Result<Option<Sides<'a, D, Self>>, D::Error> {
        let (mut rx, tx) = device.split();
        Ok(rx.pending()?.then_some((rx, tx)))
    }

    #[inline]
    fn is_tx_ready(device: &mut D, path: &mut TxPath<'_, D::Error>) -> bool {
        stack::is_tx_ready(device.split().1, path)
    }

    #[inline]
    fn transmit(device: &mut D) -> Self::Tx<'_> {
        device.split().1
    }

    // smoltcp does nothing with an empty frame.
    #[inline]
    fn consume_rx<R>(rx: Self::Rx<'_>, path: &mut RxPath<D::Error>, read: impl FnOnce(&[u8]) -> R) -> R {
        stack::read_frame(rx, &mut path.too_short, &mut path.errors, |frame| read(frame))
    }

    #[inline]
    fn consume_tx<R>(
        tx: Self::Tx<'_>,
        path: &mut TxPath<'_, D::Error>,
        len: usize,
        write: impl FnOnce(&mut [u8]) -> R,
    ) -> R {
        stack::write_frame(tx, path, None, len, write)
    }

    fn rx_buffer_len(&self) -> Option<usize> {
        None
    }

    fn holds_frame(&self) -> bool {
        false
    }

    fn drop_frame(&mut self) {}

    fn correct(&self, _stats: &mut Stats, _too_short: u32) {}
}
