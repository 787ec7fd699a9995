//! What goes wrong beyond the errata.

use ethdev_sim::random::probability;

/// What the host reads from the chip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MisoFault {
    /// What the chip says.
    #[default]
    Connected,
    /// Always this byte, 0x00 or 0xFF where there is no chip. What the host says does not reach one either.
    Stuck(u8),
    /// Noise. What the host says reaches no chip.
    Random,
}

/// Random faults, each with a probability. The default: none.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct ChipFaults {
    /// Per byte on the bus: one bit is flipped, in one of the two directions.
    pub spi_bit_error: f64,
    /// Per transaction: one bit is flipped somewhere in it, in one of the two directions.
    pub spi_corruption: f64,
    /// Per byte on the bus: the host's SPI reports an error.
    pub spi_failure: f64,
    /// Per falling edge of the INT pin: the host does not notice it. The level is right.
    pub lost_edge: f64,
    /// Per frame sent in half duplex: it collides once to five times and goes out after that.
    pub collision: f64,
    /// Per frame sent in half duplex: it collides late and is aborted.
    pub late_collision: f64,
    /// Per frame sent in half duplex: it collides until the limit of retries, and is aborted.
    pub excessive_collision: f64,
}

impl ChipFaults {
    /// None.
    pub const NONE: Self = Self {
        spi_bit_error: 0.0,
        spi_corruption: 0.0,
        spi_failure: 0.0,
        lost_edge: 0.0,
        collision: 0.0,
        late_collision: 0.0,
        excessive_collision: 0.0,
    };

    /// The same with this probability of a flipped bit, per byte.
    ///
    /// # Panics
    ///
    /// Where the number is no probability; so for the others.
    #[must_use]
    pub fn with_spi_bit_error(mut self, p: f64) -> Self {
        self.spi_bit_error = probability(p);
        self
    }

    /// The same with this probability of a flipped bit, per transaction.
    #[must_use]
    pub fn with_spi_corruption(mut self, p: f64) -> Self {
        self.spi_corruption = probability(p);
        self
    }

    /// The same with this probability of a failing bus, per byte.
    #[must_use]
    pub fn with_spi_failure(mut self, p: f64) -> Self {
        self.spi_failure = probability(p);
        self
    }

    /// The same with this probability of an edge that the host misses.
    #[must_use]
    pub fn with_lost_edge(mut self, p: f64) -> Self {
        self.lost_edge = probability(p);
        self
    }

    /// The same with these probabilities of collisions that end well, late ones, and those without end.
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

/// What becomes of one transmission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TxFate {
    /// It goes out, after this many collisions.
    Collided(u8),
    /// A collision after the collision window: aborted.
    LateCollision,
    /// Collisions up to the limit of retries: aborted.
    ExcessiveCollisions,
    /// The medium stays busy: aborted, unless MACON4.DEFER is set. Then it goes out late.
    ExcessiveDeferral,
    /// Erratum 13, ending with TXIF and TXERIF.
    FalseLateCollision,
    /// Erratum 13, ending with TXERIF alone and TXRTS stuck.
    FalseLateCollisionStuck,
    /// Erratum 13, ending with TXRTS stuck and no flag at all.
    FalseLateCollisionSilent,
}
