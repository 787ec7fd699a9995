//! Direct access to the chip, for tests.

use core::cell::RefCell;
use std::rc::Rc;

use ethdev::RxMeta;

use super::chip::Chip;

/// Direct access to the chip of a [`RingNic`](super::RingNic), for tests and benchmarks. Clones
/// access the same chip.
///
/// The ring operations are those that ethdev's own driver uses. They check no state and count
/// nothing: frames taken here are missing in the [`RingNic`](super::RingNic).
#[derive(Debug, Clone)]
pub struct RingHandle {
    hw: Rc<RefCell<Chip>>,
}

impl RingHandle {
    pub(super) const fn new(hw: Rc<RefCell<Chip>>) -> Self {
        Self { hw }
    }

    /// The chip hangs: it does not respond until it is reset, and frames that arrive are lost,
    /// counted in `rx_reset`. A frame in transmission is completed. Every unmasked source causes an
    /// interrupt.
    pub fn inject_fault(&self) {
        Chip::fail(&self.hw);
    }

    /// Sets whether resets fail, so that a fault is permanent.
    pub fn set_dead(&self, dead: bool) {
        self.hw.borrow_mut().dead = dead;
    }

    /// Sets whether the transmitter stalls: frames stay in their descriptors until all are in use
    /// and the device is busy.
    pub fn stall_tx(&self, stalled: bool) {
        self.hw.borrow_mut().stall_tx(stalled);
    }

    /// Receives a frame without FCS, as if it had arrived intact over the wire.
    pub fn inject_rx(&self, frame: &[u8]) {
        Chip::inject(&self.hw, frame);
    }

    /// The chip reports this length for the next frame that it receives, instead of the true one.
    pub fn override_rx_len(&self, len: usize) {
        self.hw.borrow_mut().forged_len = Some(len);
    }

    /// Calls `watcher` before each access of the driver to the chip's registers: to count them, or
    /// to let something happen between two. The last one given counts.
    ///
    /// The pull API, management and interrupts access registers. The halves access descriptors
    /// only, which lie in the host's memory, as the counters of the chip do.
    pub fn watch_accesses(&self, watcher: impl FnMut() + 'static) {
        self.hw.borrow_mut().watch(Box::new(watcher));
    }

    /// Frames that wait in receive descriptors.
    #[inline]
    #[must_use]
    pub fn rx_pending(&self) -> usize {
        self.hw.borrow().rx.pending()
    }

    /// Frames in transmit descriptors.
    #[must_use]
    pub fn tx_queued(&self) -> usize {
        self.hw.borrow().tx.queued()
    }

    /// Takes the next received frame with its buffer: the first [`RxMeta::len`] bytes are the
    /// frame.
    #[inline]
    #[must_use]
    pub fn rx_take(&self) -> Option<(Box<[u8]>, RxMeta)> {
        self.hw.borrow_mut().rx.take()
    }

    /// Returns a receive buffer to the ring.
    ///
    /// # Errors
    ///
    /// Returns the buffer if none is missing or if it is too short.
    #[inline]
    pub fn rx_give(&self, buffer: Box<[u8]>) -> Result<(), Box<[u8]>> {
        self.hw.borrow_mut().rx.give(buffer)
    }

    /// Takes a free transmit buffer; `None` if every descriptor is in use.
    #[inline]
    #[must_use]
    pub fn tx_take(&self) -> Option<Box<[u8]>> {
        self.hw.borrow_mut().tx.take()
    }

    /// Whether [`tx_take`](Self::tx_take) would find a buffer.
    #[inline]
    #[must_use]
    pub fn tx_has_room(&self) -> bool {
        self.hw.borrow().tx.has_free()
    }

    /// Sends the first `len` bytes of a buffer from [`tx_take`](Self::tx_take). While the link is
    /// down the frame stays in its descriptor.
    ///
    /// # Errors
    ///
    /// Returns the buffer if none is missing, if it is too short, or if `len` exceeds its length.
    #[inline]
    pub fn tx_submit(&self, buffer: Box<[u8]>, len: usize) -> Result<(), Box<[u8]>> {
        self.hw.borrow_mut().submit(buffer, len)
    }
}
