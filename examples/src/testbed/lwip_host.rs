//! The host on lwIP.

use core::cell::RefCell;
use core::time::Duration;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ethdev::{Control, Coverage, ErrorKind, ErrorType, EthernetDevice, Link, Stats};
use lwip_node::LwipNode;

use super::failure::Failure;
use super::host::Host;

/// Waits until no other thread runs lwIP: its state is global.
pub(super) fn exclusive() -> MutexGuard<'static, ()> {
    static LWIP: Mutex<()> = Mutex::new(());
    // A test that failed has dropped its node.
    LWIP.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A [`LwipNode`], and the device that it shares.
pub(super) struct LwipHost<'a, D> {
    pub(super) node: LwipNode<'a>,
    pub(super) device: &'a RefCell<D>,
    /// The last poll left a frame in the device, because lwIP has no buffer.
    starved: bool,
}

impl<'a, D: EthernetDevice<Error = ErrorKind>> LwipHost<'a, D> {
    /// `node` is on a [`Shared`] device, this one.
    pub(super) const fn new(node: LwipNode<'a>, device: &'a RefCell<D>) -> Self {
        Self {
            node,
            device,
            starved: false,
        }
    }

    /// Returns whether a frame is pending that lwIP has a buffer for.
    fn is_pending(&self) -> bool {
        let result = self.device.borrow_mut().recv_frame(&mut []);
        !self.starved && matches!(result, Err(ErrorKind::BufferTooSmall { .. }))
    }
}

impl<D: EthernetDevice<Error = ErrorKind>> Host for LwipHost<'_, D> {
    fn poll(&mut self, now: Duration) -> Result<(), Failure> {
        let before = self.node.stats().rx_no_pbuf;
        let result = self.node.poll(now);
        self.starved = self.node.stats().rx_no_pbuf != before;
        result.map_err(|e| Failure::device(&e))
    }

    fn poll_at(&mut self, now: Duration) -> Option<Duration> {
        if self.is_pending() {
            return Some(now);
        }
        self.node.poll_at()
    }

    fn link(&self) -> Link {
        self.device.borrow().link()
    }

    fn stats(&self) -> Stats {
        self.device.borrow().stats()
    }

    fn coverage(&self) -> Coverage {
        self.device.borrow().capabilities().coverage
    }

    fn dropped(&self) -> u32 {
        self.node.stats().lost()
    }

    fn copied(&self) -> u32 {
        let stats = self.node.stats();
        stats.tx_copied + stats.rx_copied
    }
}

/// A device that a node shares with the testbed, which reads its counters.
pub(super) struct Shared<'a, D>(pub(super) &'a RefCell<D>);

impl<D: EthernetDevice> ErrorType for Shared<'_, D> {
    type Error = D::Error;
}

impl<D: EthernetDevice> EthernetDevice for Shared<'_, D> {
    ethdev::forward_ethernet_device!(|this| *this.0.borrow_mut());
}

/// A channel has no functions of this trait, so no device has any here: it keeps the filter with
/// which it was built.
impl<D: EthernetDevice> Control for Shared<'_, D> {}
