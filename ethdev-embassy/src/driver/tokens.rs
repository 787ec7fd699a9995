//! The tokens of embassy-net.

use core::fmt;

use ethdev::LendingDevice;
use ethdev_util::stack::{self, TxPath};

use super::state::RxPath;

/// The right to read one received frame, in the memory of the device.
///
/// Dropped unconsumed, it leaves the frame pending: the next token reads it.
pub struct RxToken<'a, D: LendingDevice + 'a> {
    pub(super) half: D::Rx<'a>,
    pub(super) path: &'a mut RxPath<D::Error>,
}

impl<D: LendingDevice> embassy_net_driver::RxToken for RxToken<'_, D> {
    // The stack does nothing with an empty frame.
    #[inline]
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, f: F) -> R {
        stack::read_frame(self.half, &mut self.path.too_short, &mut self.path.errors, f)
    }
}

/// The right to send one frame. It is written to the memory that the device lends, or to the reply
/// buffer.
///
/// Dropped unconsumed, it sends nothing and holds no memory of the device.
pub struct TxToken<'a, 'b, D: LendingDevice + 'a> {
    half: D::Tx<'a>,
    path: &'a mut TxPath<'b, D::Error>,
    /// Why the frame is dropped.
    refusal: Option<D::Error>,
}

impl<'a, 'b, D: LendingDevice> TxToken<'a, 'b, D> {
    #[inline]
    pub(super) fn new(half: D::Tx<'a>, path: &'a mut TxPath<'b, D::Error>, refusal: Option<D::Error>) -> Self {
        Self { half, path, refusal }
    }
}

impl<D: LendingDevice> embassy_net_driver::TxToken for TxToken<'_, '_, D> {
    #[inline]
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, f: F) -> R {
        stack::write_frame(self.half, self.path, self.refusal, len, f)
    }
}

impl<D: LendingDevice> fmt::Debug for RxToken<'_, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RxToken").finish_non_exhaustive()
    }
}

impl<D: LendingDevice> fmt::Debug for TxToken<'_, '_, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TxToken").finish_non_exhaustive()
    }
}
