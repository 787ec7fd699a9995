//! How a port is built, and what it does wrong.

use core::time::Duration;

use ethdev_sim::random::probability;

use crate::violations::ViolationKind;

/// What a receiver does that is started while a frame is coming in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum MidFrame {
    /// It waits for the carrier to end. Only that frame is lost.
    #[default]
    Waits,
    /// It waits for carrier and for the first dibit that looks like the end of a start-of-frame
    /// delimiter, and finds both in the middle of the frame. It receives the rest of the frame,
    /// shifted by some dibits.
    ReceivesPartial,
}

/// What a receiver does on carrier that brings no frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum FalseCarrier {
    /// It stops, with nothing received.
    #[default]
    Ends,
    /// It continues to wait for a frame.
    Ignores,
    /// It waits for the start-of-frame delimiter indefinitely: nothing is received until it is
    /// stopped and started again.
    Hangs,
}

/// How a port is built, and what it does wrong.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct RmiiPortConfig {
    /// A receiver that is started late.
    pub mid_frame: MidFrame,
    /// Carrier without a frame.
    pub false_carrier: FalseCarrier,
    /// Longest time from the last bit of a received frame to its event, which is random: the
    /// receiver checks for a dibit or so whether that was the end, and the data has to reach
    /// memory. 80 ns, a byte time, by default.
    pub end_latency: Duration,
    /// Probability that a random byte follows the frame in the buffer: the dibits after the end of
    /// the carrier. 0 by default.
    pub stray_byte: f64,
    /// Capacity of the transmit FIFO in bytes: how far ahead of the wire data is fetched from
    /// memory. 36 by default: eight words of FIFO, and one in the shift register.
    pub tx_fifo: usize,
    /// Seed of everything random.
    pub seed: u64,
    /// Kinds of protocol violations that are not reported.
    pub allowed_violations: Vec<ViolationKind>,
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
            allowed_violations: Vec::new(),
        }
    }
}

impl RmiiPortConfig {
    /// Sets what a receiver does that is started while a frame is coming in.
    #[must_use]
    pub const fn with_mid_frame(mut self, mid_frame: MidFrame) -> Self {
        self.mid_frame = mid_frame;
        self
    }

    /// Sets what a receiver does on carrier that brings no frame.
    #[must_use]
    pub const fn with_false_carrier(mut self, false_carrier: FalseCarrier) -> Self {
        self.false_carrier = false_carrier;
        self
    }

    /// Sets the longest time from the last bit of a received frame to its event.
    #[must_use]
    pub const fn with_end_latency(mut self, latency: Duration) -> Self {
        self.end_latency = latency;
        self
    }

    /// Sets the probability of a stray byte after a frame.
    ///
    /// # Panics
    ///
    /// Where `p` is not between 0 and 1.
    #[must_use]
    pub fn with_stray_byte(mut self, p: f64) -> Self {
        self.stray_byte = probability(p);
        self
    }

    /// Sets the seed of everything random.
    #[must_use]
    pub const fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Sets a kind of protocol violation that is not reported. May be repeated.
    #[must_use]
    pub fn with_allowed_violation(mut self, kind: ViolationKind) -> Self {
        self.allowed_violations.push(kind);
        self
    }
}
