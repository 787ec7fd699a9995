//! smoltcp's tokens.

use core::fmt;

use ethdev::EthernetDevice;
use ethdev_util::stack::TxPath;
use smoltcp::phy;

use crate::mode::Mode;
use crate::rx::RxPath;

/// The right to read one received frame.
///
/// Dropped unconsumed, it leaves the frame pending: the next token reads it.
pub struct RxToken<'a, D: EthernetDevice + 'a, M: Mode<D> + 'a> {
    pub(crate) rx: M::Rx<'a>,
    pub(crate) path: &'a mut RxPath<D::Error>,
}

impl<D: EthernetDevice, M: Mode<D>> phy::RxToken for RxToken<'_, D, M> {
    #[inline]
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        M::consume_rx(self.rx, self.path, f)
    }
}

/// The right to send one frame. It is written to the memory that the device lends, or to the reply
/// buffer.
///
/// Dropped unconsumed, it sends nothing and holds no memory of the device.
pub struct TxToken<'a, 'b, D: EthernetDevice + 'a, M: Mode<D> + 'a> {
    pub(crate) tx: M::Tx<'a>,
    pub(crate) path: &'a mut TxPath<'b, D::Error>,
}

impl<D: EthernetDevice, M: Mode<D>> phy::TxToken for TxToken<'_, '_, D, M> {
    #[inline]
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, f: F) -> R {
        M::consume_tx(self.tx, self.path, len, f)
    }
}

impl<D: EthernetDevice, M: Mode<D>> fmt::Debug for RxToken<'_, D, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RxToken").finish_non_exhaustive()
    }
}

impl<D: EthernetDevice, M: Mode<D>> fmt::Debug for TxToken<'_, '_, D, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TxToken")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}
