//! How a port is built.

use core::time::Duration;

use super::ViolationKind;
use ethdev_sim::random::probability;

/// What a receiver does that is started while a frame is coming in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum MidFrame {
    /// It waits for the carrier to end first: that frame is lost, and nothing else.
    #[default]
    Waits,
    /// It waits for carrier and for the first dibit that looks like the end of a start-of-frame delimiter, and finds both in the middle of the frame: what is
    /// received is the rest of it, shifted by some dibits.
    TakesTheRest,
}

/// What a receiver does about carrier that brings no frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum FalseCarrier {
    /// It is done, with nothing received.
    #[default]
    Ends,
    /// It goes on waiting for a frame.
    Ignores,
    /// It waits for the start-of-frame delimiter for ever: nothing is received until it is stopped and started again.
    Hangs,
}

/// How a port is built, and what goes wrong with it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct RmiiPortConfig {
    /// A receiver that is started late.
    pub mid_frame: MidFrame,
    /// Carrier without a frame.
    pub false_carrier: FalseCarrier,
    /// The event of a received frame comes up to this long after its last bit, at random: the receiver looks for a dibit or so whether it really was the end,
    /// and the data has to get to memory. A byte, 80 ns, by default.
    pub end_latency: Duration,
    /// The probability that a byte of garbage follows the frame in the buffer: the dibits after the end of the carrier.
    pub stray_byte: f64,
    /// What the transmitter buffers, in bytes: its data is fetched from memory ahead of the wire by so much. 36 by default: eight words of FIFO, and one in
    /// the shift register.
    pub tx_fifo: usize,
    /// Seed of everything random.
    pub seed: u64,
    /// Kinds of misuse that are not reported.
    pub allowed: Vec<ViolationKind>,
}

impl Default for RmiiPortConfig {
    fn default() -> Self {
        Self {
            mid_frame: MidFrame::Waits,
            false_carrier: FalseCarrier::Ends,
            end_latency: Duration::from_nanos(80),
            stray_byte: 0.0,
            tx_fifo: 36,
            seed: 0,
            allowed: Vec::new(),
        }
    }
}

impl RmiiPortConfig {
    /// The same with a receiver that does this when it is started late.
    #[must_use]
    pub const fn with_mid_frame(mut self, mid_frame: MidFrame) -> Self {
        self.mid_frame = mid_frame;
        self
    }

    /// The same with a receiver that does this about false carriers.
    #[must_use]
    pub const fn with_false_carrier(mut self, false_carrier: FalseCarrier) -> Self {
        self.false_carrier = false_carrier;
        self
    }

    /// The same with events up to this long after the last bit.
    #[must_use]
    pub const fn with_end_latency(mut self, latency: Duration) -> Self {
        self.end_latency = latency;
        self
    }

    /// The same with this probability of a stray byte after each frame.
    ///
    /// # Panics
    ///
    /// Where the number is no probability.
    #[must_use]
    pub fn with_stray_byte(mut self, p: f64) -> Self {
        self.stray_byte = probability(p);
        self
    }

    /// The same with this seed.
    #[must_use]
    pub const fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The same, not reporting this kind of misuse.
    #[must_use]
    pub fn allowing(mut self, kind: ViolationKind) -> Self {
        self.allowed.push(kind);
        self
    }
}
