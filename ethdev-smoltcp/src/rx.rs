//! The receive side: the budget of one poll, and the counters.

use ethdev::Error;
use ethdev_util::stack::{ErrorLog, increment};

/// How many frames one [`poll`](smoltcp::iface::Interface::poll) receives at most, unless
/// [`with_rx_budget`](crate::SmoltcpDevice::with_rx_budget) sets another number.
pub const DEFAULT_RX_BUDGET: u16 = 64;

/// The receive side.
#[derive(Debug)]
pub struct RxPath<E> {
    /// Frames that may still be received in this poll.
    left: u16,
    budget: u16,
    /// The last poll ended because the budget was used up, and not because nothing was pending.
    pub(crate) exhausted: bool,
    /// Frames dropped because they were shorter than a header.
    pub(crate) too_short: u32,
    pub(crate) errors: ErrorLog<E>,
}

impl<E> RxPath<E> {
    pub(crate) const fn new() -> Self {
        Self {
            left: 0,
            budget: 0,
            exhausted: false,
            too_short: 0,
            errors: ErrorLog::new(),
        }
    }

    pub(crate) const fn set_budget(&mut self, frames: u16) {
        self.left = frames;
        self.budget = frames;
    }

    /// Takes one frame off the budget. Returns `false` if it is used up.
    #[inline]
    pub(crate) const fn take_budget(&mut self) -> bool {
        let (left, exhausted) = self.left.overflowing_sub(1);
        self.left = left;
        !exhausted
    }

    /// Ends a poll because its budget is used up.
    #[cold]
    pub(crate) const fn budget_used_up(&mut self) {
        self.left = self.budget;
        self.exhausted = true;
    }

    #[cold]
    pub(crate) const fn count_too_short(&mut self) {
        increment(&mut self.too_short);
    }
}

impl<E: Error> RxPath<E> {
    /// Ends a poll because nothing is pending, or because of an error.
    #[cold]
    pub(crate) fn end_poll(&mut self, error: Option<E>) {
        self.left = self.budget;
        self.exhausted = false;
        if let Some(e) = error {
            self.errors.latch(e);
        }
    }
}
