//! How a chip is built and wired.

use core::time::Duration;

use super::{ChipFaults, Errata, ViolationKind};

/// A silicon revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Revision {
    /// The first on sale.
    B1,
    /// As B1, for what is modelled here.
    B4,
    /// The first with erratum 13, and without erratum 1.
    B5,
    /// The one on sale today.
    B7,
}

impl Revision {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::B1, Self::B4, Self::B5, Self::B7];

    /// What EREVID reads.
    #[must_use]
    pub const fn id(self) -> u8 {
        match self {
            Self::B1 => 0x02,
            Self::B4 => 0x04,
            Self::B5 => 0x05,
            Self::B7 => 0x06,
        }
    }
}

/// How a chip is built, and how its host drives the bus.
///
/// The default host is a fast one: it raises chip select 50 ns after the last bit, which is too early for MAC and MII registers, as on real hosts with an SPI
/// block that drives chip select itself.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ChipConfig {
    /// The silicon.
    pub revision: Revision,
    /// Which errata it has. All of its revision, unless said otherwise.
    pub errata: Errata,
    /// The clock of the SPI bus in Hz.
    pub sck_hz: u32,
    /// From the falling edge of chip select to the first bit, where the host's SPI device drives it.
    pub cs_setup: Duration,
    /// From the last bit to the rising edge of chip select, where the host's SPI device drives it. `Operation::DelayNs` at the end of a transaction adds to it.
    pub cs_hold: Duration,
    /// How long chip select is high between transactions at least.
    pub cs_gap: Duration,
    /// What the host spends on each transaction before it asserts chip select: function calls, locks, setting up DMA.
    pub overhead: Duration,
    /// Seed of everything random.
    pub seed: u64,
    /// What else goes wrong, from the start.
    pub faults: ChipFaults,
    /// Kinds of misuse that are not reported.
    pub allowed: Vec<ViolationKind>,
    /// The duplex mode that the LED strap asks for: the reset value of PHCON1.PDPXMD.
    pub full_duplex_strap: bool,
    /// Whether the low byte of ERXRDPT has to be written each time: its hidden register is 0 once it took effect. The data sheet does not say; by default it keeps
    /// what was written last.
    pub forgets_read_pointer_low: bool,
    /// How long the PHY takes to find its partner: after a reset, after sleep, and when the cable is plugged in. The data sheet says "many milliseconds".
    pub link_time: Duration,
}

impl ChipConfig {
    /// A chip of this revision with all its errata; 20 MHz SPI; a host without overhead; seed 0.
    #[must_use]
    pub fn new(revision: Revision) -> Self {
        Self {
            revision,
            errata: Errata::of(revision),
            sck_hz: 20_000_000,
            cs_setup: Duration::from_nanos(50),
            cs_hold: Duration::from_nanos(50),
            cs_gap: Duration::from_nanos(50),
            overhead: Duration::ZERO,
            seed: 0,
            faults: ChipFaults::NONE,
            allowed: Vec::new(),
            full_duplex_strap: false,
            forgets_read_pointer_low: false,
            link_time: Duration::from_millis(20),
        }
    }

    /// The same with these errata.
    #[must_use]
    pub const fn with_errata(mut self, errata: Errata) -> Self {
        self.errata = errata;
        self
    }

    /// The same with this SPI clock.
    ///
    /// # Panics
    ///
    /// At 0 Hz.
    #[must_use]
    pub const fn with_sck_hz(mut self, hz: u32) -> Self {
        assert!(hz > 0, "a clock that stands still moves no bits");
        self.sck_hz = hz;
        self
    }

    /// The same with chip select rising this long after the last bit.
    #[must_use]
    pub const fn with_cs_hold(mut self, hold: Duration) -> Self {
        self.cs_hold = hold;
        self
    }

    /// The same with chip select high for at least this long between transactions.
    #[must_use]
    pub const fn with_cs_gap(mut self, gap: Duration) -> Self {
        self.cs_gap = gap;
        self
    }

    /// The same with this overhead per transaction.
    #[must_use]
    pub const fn with_overhead(mut self, overhead: Duration) -> Self {
        self.overhead = overhead;
        self
    }

    /// The same with this seed.
    #[must_use]
    pub const fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The same with these faults from the start.
    #[must_use]
    pub fn with_faults(mut self, faults: ChipFaults) -> Self {
        self.faults = faults;
        self
    }

    /// The same, not reporting this kind of misuse.
    #[must_use]
    pub fn allowing(mut self, kind: ViolationKind) -> Self {
        self.allowed.push(kind);
        self
    }

    /// The same with the PHY taking this long to find its partner.
    #[must_use]
    pub const fn with_link_time(mut self, time: Duration) -> Self {
        self.link_time = time;
        self
    }

    /// The same with a hidden register of ERXRDPT that forgets.
    #[must_use]
    pub const fn with_forgotten_read_pointer_low(mut self) -> Self {
        self.forgets_read_pointer_low = true;
        self
    }

    /// The same with the LED strap asking for full duplex.
    #[must_use]
    pub const fn with_full_duplex_strap(mut self) -> Self {
        self.full_duplex_strap = true;
        self
    }
}
