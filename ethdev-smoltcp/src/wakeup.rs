//! When to look again: what an idle loop sleeps on.

use ethdev::Interest;
use smoltcp::time::{Duration, Instant};

/// When [`poll`](smoltcp::iface::Interface::poll) is worth calling again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "polling without a pause costs all of the processor"]
pub enum PollAt {
    /// At once: there is something to do, and nothing in its way.
    Now,
    /// Not before the device interrupts, or the time comes.
    Wait {
        /// When to look again whatever the device says; `None` = not before it says something.
        until: Option<Instant>,
        /// What to [`rearm`](ethdev::Rearm::rearm) the device for. Receiving is always in it; a device without an interrupt line is polled for it as often
        /// as the application wants it to be.
        interest: Interest,
    },
}

impl PollAt {
    /// How long to wait from `now` on; `None` = until the device interrupts.
    #[must_use]
    pub fn delay(self, now: Instant) -> Option<Duration> {
        match self {
            Self::Now => Some(Duration::ZERO),
            Self::Wait { until: None, .. } => None,
            Self::Wait { until: Some(until), .. } if until > now => Some(until - now),
            Self::Wait { .. } => Some(Duration::ZERO),
        }
    }

    /// The same, or `at` where that is sooner.
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

/// How long to pause where something is to be sent and cannot be, and no interrupt may tell that it can.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// While the link is down, or the device fails. Shorter finds the link sooner where no interrupt tells of it.
    pub blocked: Duration,
    /// While there is no room. About the time of one frame on the medium; longer where room is told by interrupt.
    pub full: Duration,
}

impl Backoff {
    /// 250 ms while the link is down, 1 ms while there is no room (a frame takes 1.2 ms at 10 Mbit/s).
    pub const DEFAULT: Self = Self {
        blocked: Duration::from_millis(250),
        full: Duration::from_millis(1),
    };
}

impl Default for Backoff {
    fn default() -> Self {
        Self::DEFAULT
    }
}

// By hand: smoltcp's times have a format only with its own feature, which excludes its `log`.
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
            "Backoff {{ blocked: {} us, full: {} us }}",
            self.blocked.total_micros(),
            self.full.total_micros()
        );
    }
}
