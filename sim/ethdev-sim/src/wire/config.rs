//! What a wire is like.

use core::time::Duration;

use ethdev::Speed;

use super::side::Side;
use crate::random::probability;

/// What a wire is like. The default: 100 Mbit/s, no latency, no faults, link up, seed 0.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct WireConfig {
    /// Bits per second, each way.
    pub speed: Speed,
    /// From the last bit in at one end to the last bit out at the other: 5 ns per metre of copper,
    /// or the latency of a network in between.
    pub latency: Duration,
    /// What happens to frames that the first port sends, and to those of the second.
    pub faults: [WireFaults; 2],
    /// Seed of every random decision of this wire.
    pub seed: u64,
    /// Whether the link is up from the start.
    pub link_up: bool,
    /// Name of the interface in captures.
    pub name: String,
}

impl Default for WireConfig {
    fn default() -> Self {
        Self {
            speed: Speed::MBPS_100,
            latency: Duration::ZERO,
            faults: [WireFaults::NONE; 2],
            seed: 0,
            link_up: true,
            name: String::from("wire"),
        }
    }
}

impl WireConfig {
    /// Sets the speed.
    #[must_use]
    pub const fn with_speed(mut self, speed: Speed) -> Self {
        self.speed = speed;
        self
    }

    /// Sets the latency.
    #[must_use]
    pub const fn with_latency(mut self, latency: Duration) -> Self {
        self.latency = latency;
        self
    }

    /// Sets the faults of both directions.
    #[must_use]
    pub const fn with_faults(mut self, faults: WireFaults) -> Self {
        self.faults = [faults; 2];
        self
    }

    /// Sets the faults of the frames that `side` sends.
    #[must_use]
    pub const fn with_faults_from(mut self, side: Side, faults: WireFaults) -> Self {
        self.faults[side.index()] = faults;
        self
    }

    /// Sets the seed.
    #[must_use]
    pub const fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Sets whether the link is up at the start.
    #[must_use]
    pub const fn with_link_up(mut self, up: bool) -> Self {
        self.link_up = up;
        self
    }

    /// Sets the name.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }
}

/// What happens to frames on their way, each with a probability per frame. The default: nothing.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct WireFaults {
    /// The frame never arrives.
    pub loss: f64,
    /// The frame arrives twice, one right after the other.
    pub duplication: f64,
    /// The frame is held back by [`reorder_delay`](Self::reorder_delay), so that later ones
    /// overtake it.
    pub reorder: f64,
    /// How long a frame is held back.
    pub reorder_delay: Duration,
    /// One to three bits of the frame are flipped. The FCS stays as sent, so that the receiver
    /// finds it wrong: CRC-32 detects up to three flipped bits in every frame that Ethernet
    /// allows.
    pub corruption: f64,
}

impl WireFaults {
    /// No faults.
    pub const NONE: Self = Self {
        loss: 0.0,
        duplication: 0.0,
        reorder: 0.0,
        reorder_delay: Duration::from_millis(1),
        corruption: 0.0,
    };

    /// Sets the probability of loss.
    ///
    /// # Panics
    ///
    /// Where the number is no probability.
    #[must_use]
    pub fn with_loss(mut self, p: f64) -> Self {
        self.loss = probability(p);
        self
    }

    /// Sets the probability of duplication.
    ///
    /// # Panics
    ///
    /// Where the number is no probability.
    #[must_use]
    pub fn with_duplication(mut self, p: f64) -> Self {
        self.duplication = probability(p);
        self
    }

    /// Sets the probability that a frame is delayed by `delay`, behind later ones.
    ///
    /// # Panics
    ///
    /// Where the number is no probability.
    #[must_use]
    pub fn with_reorder(mut self, p: f64, delay: Duration) -> Self {
        self.reorder = probability(p);
        self.reorder_delay = delay;
        self
    }

    /// Sets the probability of corruption.
    ///
    /// # Panics
    ///
    /// Where the number is no probability.
    #[must_use]
    pub fn with_corruption(mut self, p: f64) -> Self {
        self.corruption = probability(p);
        self
    }
}

impl Default for WireFaults {
    fn default() -> Self {
        Self::NONE
    }
}
