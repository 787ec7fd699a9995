//! When to poll again: what an idle loop sleeps on.

use ethdev::Interest;
use smoltcp::time::{Duration, Instant};

/// When to call [`poll`](smoltcp::iface::Interface::poll) again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "polling without a pause keeps the processor busy"]
pub enum PollAt {
    /// At once: work is pending and can be done.
    Now,
    /// When the device interrupts, and no later than `until`.
    Wait {
        /// When to poll without an interrupt; `None` if only an interrupt brings work.
        until: Option<Instant>,
        /// What to [`rearm`](ethdev::Rearm::rearm) the device for. It always contains reception; a
        /// device without an interrupt line must be polled for it, at an interval that the
        /// application chooses.
        interest: Interest,
    },
}

impl PollAt {
    /// Returns how long to wait from `now` on; `None` until the device interrupts.
    #[must_use]
    pub fn delay(self, now: Instant) -> Option<Duration> {
        match self {
            Self::Now => Some(Duration::ZERO),
            Self::Wait { until: None, .. } => None,
            Self::Wait { until: Some(until), .. } if until > now => Some(until - now),
            Self::Wait { .. } => Some(Duration::ZERO),
        }
    }

    /// Limits the wait to `at`.
    pub(crate) fn not_after(self, at: Instant) -> Self {
        match self {
            Self::Now => Self::Now,
            Self::Wait { until, interest } => Self::Wait {
                until: Some(until.map_or(at, |until| until.min(at))),
                interest,
            },
        }
    }
}

/// How long to wait while something is to be sent and cannot be sent, if no interrupt comes before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Backoff {
    /// While the link is down or the device fails. A shorter time finds the link sooner if the
    /// device does not signal it by an interrupt.
    pub link_down: Duration,
    /// While the transmit queue is full. About the time of one frame on the medium; longer if the
    /// device signals a free transmit buffer by an interrupt.
    pub queue_full: Duration,
}

impl Backoff {
    /// 250 ms while the link is down, 1 ms while the transmit queue is full (a frame takes 1.2 ms
    /// at 10 Mbit/s).
    pub const DEFAULT: Self = Self {
        link_down: Duration::from_millis(250),
        queue_full: Duration::from_millis(1),
    };

    /// Sets how long to wait while the link is down or the device fails.
    #[must_use]
    pub const fn with_link_down(mut self, time: Duration) -> Self {
        self.link_down = time;
        self
    }

    /// Sets how long to wait while the transmit queue is full.
    #[must_use]
    pub const fn with_queue_full(mut self, time: Duration) -> Self {
        self.queue_full = time;
        self
    }
}

impl Default for Backoff {
    fn default() -> Self {
        Self::DEFAULT
    }
}

// Not derived: smoltcp's times implement `Format` only with its feature `defmt`, which excludes its
// `log`.
#[cfg(feature = "defmt")]
impl defmt::Format for PollAt {
    fn format(&self, f: defmt::Formatter<'_>) {
        match self {
            Self::Now => defmt::write!(f, "Now"),
            Self::Wait { until, interest } => defmt::write!(
                f,
                "Wait {{ until: {=?} us, interest: {} }}",
                until.map(|at| at.total_micros()),
                interest
            ),
        }
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Backoff {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(
            f,
            "Backoff {{ link_down: {} us, queue_full: {} us }}",
            self.link_down.total_micros(),
            self.queue_full.total_micros()
        );
    }
}
