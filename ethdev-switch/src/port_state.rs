//! What the switch knows of one port.

use core::task::Waker;

use crate::filter::Filter;
use crate::queue::{Pushed, Queue};
use ethdev::{FilterOutcome, Interest, MacAddress, RxFilter, RxMeta, Stats};

pub(crate) struct PortState<'b, const Q: usize> {
    pub(crate) address: MacAddress,
    filter: Filter,
    pub(crate) queue: Queue<'b, Q>,
    started: bool,
    asleep: bool,
    /// The counters of this port alone.
    pub(crate) stats: Stats,
    /// The losses of the device when the port began to run.
    losses_at_start: Stats,
    /// What a waiting client waits for.
    pub(crate) waiting: Interest,
    pub(crate) waker: Option<Waker>,
    /// Whether the client is to be woken.
    woken: bool,
}

impl<'b, const Q: usize> PortState<'b, Q> {
    pub(crate) fn new(address: MacAddress, queue: Queue<'b, Q>, device_losses: Stats) -> Self {
        Self {
            address,
            filter: Filter::DEFAULT,
            queue,
            started: true,
            asleep: false,
            stats: Stats::ZERO,
            losses_at_start: device_losses,
            waiting: Interest::NONE,
            waker: None,
            woken: false,
        }
    }

    pub(crate) fn set_filter(&mut self, filter: RxFilter<'_>) -> FilterOutcome {
        self.filter.set(filter)
    }

    pub(crate) const fn is_running(&self) -> bool {
        self.started && !self.asleep
    }

    pub(crate) const fn is_started(&self) -> bool {
        self.started
    }

    /// Enters a state of the table of `Control`. Frames in the queue of a port that does not run
    /// any more are dropped.
    pub(crate) fn set_state(&mut self, started: bool, asleep: bool, device_losses: Stats) {
        let was_running = self.is_running();
        (self.started, self.asleep) = (started, asleep);
        match (was_running, self.is_running()) {
            (true, false) => {
                self.stats = self
                    .stats
                    .wrapping_add(&device_losses.delta_since(&self.losses_at_start));
                self.reset_queue();
            }
            (false, true) => self.losses_at_start = device_losses,
            _ => {}
        }
    }

    /// Drops the frames in the queue.
    pub(crate) const fn reset_queue(&mut self) {
        self.stats.rx_reset = self.stats.rx_reset.wrapping_add(self.queue.clear() as u32);
    }

    pub(crate) const fn count_link_change(&mut self) {
        self.stats.link_changes = self.stats.link_changes.wrapping_add(1);
    }

    /// The counters of the port, with the losses of the device while the port was running.
    pub(crate) fn stats_with(&self, device_losses: Stats) -> Stats {
        if self.is_running() {
            self.stats
                .wrapping_add(&device_losses.delta_since(&self.losses_at_start))
        } else {
            self.stats
        }
    }

    /// Returns whether the filter passes frames for `destination`.
    pub(crate) fn passes(&self, destination: MacAddress) -> bool {
        self.filter.passes(destination, self.address)
    }

    /// Counts a frame without a header.
    pub(crate) const fn count_bad_length(&mut self) {
        if self.is_running() {
            self.stats.rx_bad_length = self.stats.rx_bad_length.wrapping_add(1);
        }
    }

    /// Offers a frame to the port. Returns whether it took the last free buffer.
    pub(crate) fn offer(&mut self, passes: bool, parts: &[&[u8]], meta: RxMeta) -> bool {
        if !self.is_running() {
            return false;
        }
        let counter = if passes {
            match self.queue.push(parts, meta) {
                pushed @ (Pushed::Queued | Pushed::QueuedLast) => {
                    self.notify(Interest::RX);
                    return pushed == Pushed::QueuedLast;
                }
                Pushed::QueueFull => &mut self.stats.rx_overrun,
                Pushed::TooLong => &mut self.stats.rx_discarded,
            }
        } else {
            &mut self.stats.rx_filtered
        };
        *counter = counter.wrapping_add(1);
        false
    }

    /// Wakes the client if it waits for some of `found`.
    pub(crate) fn notify(&mut self, found: Interest) {
        if !(self.waiting & found).is_none() {
            self.waiting = Interest::NONE;
            self.woken = true;
        }
    }

    pub(crate) const fn take_woken(&mut self) -> Option<Waker> {
        if core::mem::replace(&mut self.woken, false) {
            self.waker.take()
        } else {
            None
        }
    }
}
