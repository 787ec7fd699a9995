//! The state that both ends of a channel share.

use heapless::Deque;

use crate::IrqSignal;
use crate::shared::Shared;
use ethdev::{Interest, Link, MacAddress, RxMeta, Stats};

/// A frame buffer. It moves through the queues by reference: no frame is copied.
pub(super) type Buffer<'b> = &'b mut [u8];

/// The queues and the reports of each end. Each buffer is in one queue or held by one end, so that
/// no queue can overflow.
pub(super) struct State<'b, const RX: usize, const TX: usize> {
    pub(super) rx_free: Deque<Buffer<'b>, RX>,
    pub(super) rx_full: Deque<(Buffer<'b>, RxMeta), RX>,
    pub(super) tx_free: Deque<Buffer<'b>, TX>,
    pub(super) tx_full: Deque<(Buffer<'b>, usize), TX>,
    /// What the runner waits for: a free receive buffer (`rx`), a frame to send (`tx`).
    pub(super) runner_interest: Interest,
    /// What the endpoint waits for.
    pub(super) endpoint_interest: Interest,
    /// The endpoint requests housekeeping.
    pub(super) service_requested: bool,
    pub(super) report: Report,
}

/// The last report of the runner.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Report {
    pub(super) mac_address: MacAddress,
    pub(super) link: Link,
    /// The counters of the device, without the frames that the runner read and with those that it
    /// dropped.
    pub(super) stats: Stats,
}

impl Report {
    pub(super) const NONE: Self = Self {
        mac_address: MacAddress::UNSPECIFIED,
        link: Link::Down,
        stats: Stats::ZERO,
    };
}

impl<const RX: usize, const TX: usize> State<'_, RX, TX> {
    pub(super) const EMPTY: Self = Self {
        rx_free: Deque::new(),
        rx_full: Deque::new(),
        tx_free: Deque::new(),
        tx_full: Deque::new(),
        runner_interest: Interest::NONE,
        endpoint_interest: Interest::NONE,
        service_requested: false,
        report: Report::NONE,
    };

    /// Returns whether the endpoint waits for some of `found`; true once.
    pub(super) fn take_endpoint_wake(&mut self, found: Interest) -> bool {
        let wake = !(self.endpoint_interest & found).is_none();
        if wake {
            self.endpoint_interest = Interest::NONE;
        }
        wake
    }

    /// Returns whether the runner waits for some of `found`; true once.
    pub(super) fn take_runner_wake(&mut self, found: Interest) -> bool {
        let wake = !(self.runner_interest & found).is_none();
        if wake {
            self.runner_interest = Interest::NONE;
        }
        wake
    }

    /// Returns what of `interest` holds for the endpoint. `link_reported` is the link that it
    /// knows.
    pub(super) fn endpoint_ready(&self, interest: Interest, link_reported: Link) -> Interest {
        Interest {
            rx: !self.rx_full.is_empty(),
            tx: self.report.link.is_up() && !self.tx_free.is_empty(),
            link: self.report.link != link_reported,
        } & interest
    }
}

/// Puts `item` into a queue that has a place for every item.
pub(super) fn put<T, const N: usize>(queue: &mut Deque<T, N>, item: T) {
    let put = queue.push_back(item);
    debug_assert!(put.is_ok(), "more buffers than places");
}

/// The queues and the signals of both ends.
pub(super) struct Queues<'b, const RX: usize, const TX: usize> {
    pub(super) state: Shared<State<'b, RX, TX>>,
    pub(super) to_runner: IrqSignal,
    pub(super) to_stack: IrqSignal,
}
