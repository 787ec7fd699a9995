//! Lending mode: frames are read and written in the memory of the device.

use ethdev::frame::HEADER_LEN;
use ethdev::{LendingDevice, RxHalf, Stats, TxHalf};

use crate::mode::{Sides, Transfer};
use crate::rx::RxPath;
use crate::tx::TxPath;

/// For devices with the zero-copy API: [`SmoltcpDevice::lending`](crate::SmoltcpDevice::lending).
///
/// Nothing is copied. The reply buffer is used only while the device has no free transmit buffer.
#[derive(Debug)]
pub struct Lending;

/// How a frame that was lent ends.
enum End {
    Release,
    Discard,
    /// There was none.
    Nothing,
}

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
        match device.split().1.ready() {
            Ok(true) => true,
            other => path.not_ready(other.err()),
        }
    }

    #[inline]
    fn transmit(device: &mut D) -> Self::Tx<'_> {
        device.split().1
    }

    #[inline]
    fn consume_rx<R>(mut rx: Self::Rx<'_>, path: &mut RxPath<D::Error>, read: impl FnOnce(&[u8]) -> R) -> R {
        // smoltcp does nothing with an empty frame.
        let nothing: &[u8] = &[];
        let (frame, end) = match rx.peek() {
            Ok(Some(frame)) if frame.len() >= HEADER_LEN => (&*frame.into_data(), End::Release),
            Ok(Some(_)) => (nothing, End::Discard),
            Ok(None) => (nothing, End::Nothing),
            Err(e) => {
                path.errors.latch(e);
                (nothing, End::Nothing)
            }
        };
        // Called in one place only, so that the compiler inlines it.
        let result = read(frame);
        match end {
            End::Release => {
                if let Err(e) = rx.release() {
                    path.errors.latch(e);
                }
            }
            End::Discard => discard(&mut rx, path),
            End::Nothing => {}
        }
        result
    }

    #[inline]
    fn consume_tx<R>(
        mut tx: Self::Tx<'_>,
        path: &mut TxPath<'_, D::Error>,
        len: usize,
        write: impl FnOnce(&mut [u8]) -> R,
    ) -> R {
        let memory = 'lent: {
            // The pending frame is older and must not be overtaken.
            if !path.is_pending() {
                match tx.reserve(len) {
                    Ok(Some(memory)) if memory.len() == len => break 'lent memory,
                    // Another length than requested counts as no free buffer.
                    Ok(_) => {}
                    Err(e) => break 'lent path.instead(len, Some(e)),
                }
            }
            path.instead(len, None)
        };
        // Compared by address and not by a flag: with a flag the compiler makes two copies of the call and
        // inlines neither.
        let place = memory.as_ptr();
        let result = write(memory);
        if !path.is_reply_buffer(place)
            && let Err(e) = tx.commit(len)
        {
            path.refused(e);
        }
        result
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

/// Drops a frame that is shorter than a header.
#[cold]
fn discard<R: RxHalf>(rx: &mut R, path: &mut RxPath<R::Error>) {
    path.count_too_short();
    if let Err(e) = rx.discard() {
        path.errors.latch(e);
    }
}
