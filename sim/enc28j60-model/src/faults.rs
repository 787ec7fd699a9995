//! Faults other than the errata.

use ethdev_sim::random::probability;

/// The state of the MISO line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MisoFault {
    /// The output of the chip.
    #[default]
    Connected,
    /// Always this byte, 0x00 or 0xFF where there is no chip. Writes do not reach the chip either.
    Stuck(u8),
    /// Random bytes. Writes do not reach the chip either.
    Random,
}

/// Probabilities of random faults. Default: none.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct ChipFaults {
    /// Per byte on the bus: one bit flips, in one of the two directions.
    pub spi_bit_error: f64,
    /// Per transaction: one bit flips in it, in one of the two directions.
    pub spi_corruption: f64,
    /// Per byte on the bus: the host's SPI controller reports an error.
    pub spi_failure: f64,
    /// Per falling edge of the INT pin: the host does not notice it. The level is right.
    pub lost_edge: f64,
    /// Per frame sent in half duplex: it collides one to five times and is then transmitted.
    pub collision: f64,
    /// Per frame sent in half duplex: it collides late and is aborted.
    pub late_collision: f64,
    /// Per frame sent in half duplex: it collides until the limit of retries, and is aborted.
    pub excessive_collision: f64,
}

impl ChipFaults {
    /// No faults.
    pub const NONE: Self = Self {
        spi_bit_error: 0.0,
        spi_corruption: 0.0,
        spi_failure: 0.0,
        lost_edge: 0.0,
        collision: 0.0,
        late_collision: 0.0,
        excessive_collision: 0.0,
    };

    /// Sets the probability of a bit error, per byte.
    ///
    /// # Panics
    ///
    /// Where `p` is not between 0 and 1. The same holds for the other methods.
    #[must_use]
    pub fn with_spi_bit_error(mut self, p: f64) -> Self {
        self.spi_bit_error = probability(p);
        self
    }

    /// Sets the probability of a bit error, per transaction.
    #[must_use]
    pub fn with_spi_corruption(mut self, p: f64) -> Self {
        self.spi_corruption = probability(p);
        self
    }

    /// Sets the probability of an SPI error, per byte.
    #[must_use]
    pub fn with_spi_failure(mut self, p: f64) -> Self {
        self.spi_failure = probability(p);
        self
    }

    /// Sets the probability that the host misses a falling edge of INT.
    #[must_use]
    pub fn with_lost_edge(mut self, p: f64) -> Self {
        self.lost_edge = probability(p);
        self
    }

    /// Sets the probabilities of collisions, late collisions, and excessive collisions, per frame.
    #[must_use]
    pub fn with_collisions(mut self, normal: f64, late: f64, excessive: f64) -> Self {
        self.collision = probability(normal);
        self.late_collision = probability(late);
        self.excessive_collision = probability(excessive);
        self
    }
}

impl Default for ChipFaults {
    fn default() -> Self {
        Self::NONE
    }
}

/// The outcome of a transmission in half duplex.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TxOutcome {
    /// Transmitted after this many collisions.
    Collided(u8),
    /// A collision after the collision window: aborted.
    LateCollision,
    /// Collisions up to the limit of retries: aborted.
    ExcessiveCollisions,
    /// The medium stays busy: aborted, or transmitted late where MACON4.DEFER is set.
    ExcessiveDeferral,
    /// Erratum 13, ending with TXIF and TXERIF.
    FalseLateCollision,
    /// Erratum 13, ending with TXERIF alone and TXRTS stuck.
    FalseLateCollisionStuck,
    /// Erratum 13, ending with TXRTS stuck and no flag at all.
    FalseLateCollisionSilent,
}
