//! The faults of a device, and when they occur.

use crate::random::{Rng, probability};

/// On which of its opportunities a fault occurs.
///
/// An opportunity is an occasion on which the fault has an effect: for the loss of a frame, a
/// frame.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[non_exhaustive]
pub enum When {
    /// On no opportunity.
    #[default]
    Never,
    /// On each opportunity, with this probability.
    Chance(f64),
    /// On the N-th opportunity only, counted from 1.
    Nth(u64),
    /// On every N-th opportunity.
    Every(u64),
}

/// The faults that [`Faulty`](super::Faulty) injects. The default: none.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[non_exhaustive]
pub struct FaultPlan {
    /// Seed of every random decision.
    pub seed: u64,
    /// A call fails with [`Bus`](ethdev::ErrorKind::Bus) before it has any effect: the call can be
    /// repeated. Opportunities: every call that may touch the bus.
    pub bus_error: When,
    /// The chip hangs: every call fails with [`Fault`](ethdev::ErrorKind::Fault) until
    /// [`recover`](ethdev::Control::recover). Opportunities: every call that may touch the bus.
    pub hang: When,
    /// The device reports a full transmit queue, [`busy_calls`](Self::busy_calls) times in a row.
    /// Opportunities: calls of `tx_ready`, and sends without a preceding `tx_ready`. A send
    /// that returns `Busy` is not a loss.
    pub busy: When,
    /// How many times in a row.
    pub busy_calls: u32,
    /// The device reports no pending frame although one is pending. It is delivered later.
    /// Opportunities: received frames.
    pub spurious_none: When,
    /// A received frame is lost, and counted in `rx_error`.
    pub rx_loss: When,
    /// A received frame is delivered twice.
    pub rx_duplication: When,
    /// One bit of a received frame is flipped, after the device has delivered it.
    pub rx_corruption: When,
    /// The end of a received frame is cut off, down to a header at the least.
    pub rx_truncation: When,
    /// A frame that was accepted for sending is lost, and counted in `tx_aborted`.
    pub tx_loss: When,
    /// A frame is sent twice, if the transmit queue is not full.
    pub tx_duplication: When,
    /// One bit of a sent frame is flipped.
    pub tx_corruption: When,
    /// The link goes down for [`flap_services`](Self::flap_services) calls of `service`.
    /// Opportunities: calls of `service` with the link up.
    pub link_flap: When,
    /// For how many calls of `service`.
    pub flap_services: u32,
}

macro_rules! knobs {
    ($($(#[$doc:meta])* $with:ident $field:ident;)*) => {
        impl FaultPlan {
            $($(#[$doc])*
            ///
            /// # Panics
            ///
            /// If a chance is not a probability, or a count is 0.
            #[must_use]
            #[track_caller]
            pub fn $with(mut self, when: When) -> Self {
                self.$field = when.checked();
                self
            })*
        }
    };
}

knobs! {
    /// Sets [`bus_error`](Self::bus_error).
    with_bus_error bus_error;
    /// Sets [`hang`](Self::hang).
    with_hang hang;
    /// Sets [`spurious_none`](Self::spurious_none).
    with_spurious_none spurious_none;
    /// Sets [`rx_loss`](Self::rx_loss).
    with_rx_loss rx_loss;
    /// Sets [`rx_duplication`](Self::rx_duplication).
    with_rx_duplication rx_duplication;
    /// Sets [`rx_corruption`](Self::rx_corruption).
    with_rx_corruption rx_corruption;
    /// Sets [`rx_truncation`](Self::rx_truncation).
    with_rx_truncation rx_truncation;
    /// Sets [`tx_loss`](Self::tx_loss).
    with_tx_loss tx_loss;
    /// Sets [`tx_duplication`](Self::tx_duplication).
    with_tx_duplication tx_duplication;
    /// Sets [`tx_corruption`](Self::tx_corruption).
    with_tx_corruption tx_corruption;
}

impl FaultPlan {
    /// Creates a plan without faults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the seed.
    #[must_use]
    pub const fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Sets bursts of `Busy`, each `calls` long.
    ///
    /// # Panics
    ///
    /// If a chance is not a probability, or a count is 0.
    #[must_use]
    #[track_caller]
    pub fn with_busy(mut self, when: When, calls: u32) -> Self {
        assert!(calls > 0, "a storm lasts at least one call");
        (self.busy, self.busy_calls) = (when.checked(), calls);
        self
    }

    /// Sets how often the link goes down, each time for `services` calls of `service`.
    ///
    /// # Panics
    ///
    /// If a chance is not a probability, or a count is 0.
    #[must_use]
    #[track_caller]
    pub fn with_link_flap(mut self, when: When, services: u32) -> Self {
        assert!(services > 0, "a flap lasts at least one call of service");
        (self.link_flap, self.flap_services) = (when.checked(), services);
        self
    }
}

impl When {
    #[track_caller]
    fn checked(self) -> Self {
        match self {
            Self::Chance(p) => {
                probability(p);
            }
            Self::Nth(n) | Self::Every(n) => assert!(n > 0, "opportunities are counted from 1"),
            Self::Never => {}
        }
        self
    }
}

/// How often each fault has struck.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Injected {
    /// Calls that failed with `Bus`.
    pub bus_errors: u64,
    /// Hangs.
    pub hangs: u64,
    /// Reports of a full transmit queue.
    pub busy: u64,
    /// Answers "nothing pending" that were wrong.
    pub spurious_none: u64,
    /// Received frames lost.
    pub rx_dropped: u64,
    /// Received frames that were, or will be, delivered twice.
    pub rx_duplicated: u64,
    /// Received frames with a flipped bit.
    pub rx_corrupted: u64,
    /// Received frames cut short.
    pub rx_truncated: u64,
    /// Accepted frames lost.
    pub tx_lost: u64,
    /// Frames sent twice.
    pub tx_duplicated: u64,
    /// Sent frames with a flipped bit.
    pub tx_corrupted: u64,
    /// Losses of the link.
    pub link_flaps: u64,
}

/// One fault: when it strikes, and its opportunities so far.
#[derive(Debug)]
pub(super) struct Knob {
    when: When,
    rng: Rng,
    opportunities: u64,
}

impl Knob {
    pub(super) fn new(when: When, seed: u64, number: u64) -> Self {
        Self {
            when: when.checked(),
            rng: Rng::new(seed, number),
            opportunities: 0,
        }
    }

    /// An opportunity: whether the fault strikes.
    pub(super) fn strikes(&mut self) -> bool {
        self.opportunities += 1;
        match self.when {
            When::Never => false,
            When::Chance(p) => self.rng.chance(p),
            When::Nth(n) => self.opportunities == n,
            When::Every(n) => self.opportunities % n == 0,
        }
    }

    /// Flips one bit of `frame`; `false` where it has none.
    pub(super) fn flip(&mut self, frame: &mut [u8]) -> bool {
        if frame.is_empty() {
            return false;
        }
        let bit = self.rng.below(frame.len() * 8);
        frame[bit / 8] ^= 1 << (bit % 8);
        true
    }

    /// A length between `least` and less than `len`; `None` where there is none.
    pub(super) fn shorter(&mut self, least: usize, len: usize) -> Option<usize> {
        (len > least).then(|| least + self.rng.below(len - least))
    }
}
