//! What the two sides of a pump share.

use heapless::Deque;

use ethdev::{Interest, Link, MacAddress, RxMeta, Stats};

/// A frame buffer: it wanders through the queues by reference, so that no frame is copied on its way.
pub(super) type Buffer<'b> = &'b mut [u8];

/// The queues, and what each side tells the other. Each buffer is in one queue or in one side's hands, so that no queue can overflow.
pub(super) struct State<'b, const RX: usize, const TX: usize> {
    pub(super) rx_free: Deque<Buffer<'b>, RX>,
    pub(super) rx_full: Deque<(Buffer<'b>, RxMeta), RX>,
    pub(super) tx_free: Deque<Buffer<'b>, TX>,
    pub(super) tx_full: Deque<(Buffer<'b>, usize), TX>,
    /// What the runner sleeps for: a free receive buffer (`rx`), a frame to send (`tx`).
    pub(super) runner_wants: Interest,
    /// What the stack side sleeps for.
    pub(super) stack_wants: Interest,
    /// The stack side asks for housekeeping.
    pub(super) service_wanted: bool,
    pub(super) report: Report,
}

/// What the runner last told of the device.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Report {
    pub(super) mac_address: MacAddress,
    pub(super) link: Link,
    /// The device's counters, without the frames that the runner took from it and with those that the runner dropped.
    pub(super) stats: Stats,
}

impl Report {
    pub(super) const NOTHING: Self = Self {
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
        runner_wants: Interest::NONE,
        stack_wants: Interest::NONE,
        service_wanted: false,
        report: Report::NOTHING,
    };

    /// The stack side sleeps for some of `found`. It is told once.
    pub(super) fn stack_is_to_wake(&mut self, found: Interest) -> bool {
        let wake = !(self.stack_wants & found).is_none();
        if wake {
            self.stack_wants = Interest::NONE;
        }
        wake
    }

    /// The runner sleeps for some of `found`. It is told once.
    pub(super) fn runner_is_to_wake(&mut self, found: Interest) -> bool {
        let wake = !(self.runner_wants & found).is_none();
        if wake {
            self.runner_wants = Interest::NONE;
        }
        wake
    }

    /// What of `interest` the stack side finds now. `link_told` is the link that it knows.
    pub(super) fn stack_finds(&self, interest: Interest, link_told: Link) -> Interest {
        Interest {
            rx: !self.rx_full.is_empty(),
            tx: self.report.link.is_up() && !self.tx_free.is_empty(),
            link: self.report.link != link_told,
        } & interest
    }
}

/// Puts `item` into a queue that has a place for every item there is.
pub(super) fn put<T, const N: usize>(queue: &mut Deque<T, N>, item: T) {
    let put = queue.push_back(item);
    debug_assert!(put.is_ok(), "more buffers than places");
}
