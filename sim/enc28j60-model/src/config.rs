//! Configuration of the chip and its host.

use core::time::Duration;

use crate::errata::{Errata, Revision};
use crate::faults::ChipFaults;
use crate::violations::ViolationKind;

/// The chip, and the timing of its host on the bus.
///
/// The default host is fast: it raises chip select 50 ns after the last bit, as SPI controllers do
/// that drive chip select themselves. That is too early for MAC and MII registers.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ChipConfig {
    /// The silicon revision.
    pub revision: Revision,
    /// Its errata. Default: all of its revision.
    pub errata: Errata,
    /// The clock of the SPI bus in Hz.
    pub sck_hz: u32,
    /// From the falling edge of chip select to the first bit, where the SPI controller drives it.
    pub cs_setup: Duration,
    /// From the last bit to the rising edge of chip select, where the SPI controller drives it.
    /// `Operation::DelayNs` at the end of a transaction adds to it.
    pub cs_hold: Duration,
    /// Minimum time of chip select high between transactions.
    pub cs_gap: Duration,
    /// Time that the host spends on each transaction before it asserts chip select: function calls,
    /// locks, DMA set-up.
    pub overhead: Duration,
    /// Seed of all random faults.
    pub seed: u64,
    /// Random faults.
    pub faults: ChipFaults,
    /// Kinds of protocol violations that are not reported.
    pub allowed_violations: Vec<ViolationKind>,
    /// Whether the LED strap selects full duplex: the reset value of PHCON1.PDPXMD.
    pub full_duplex_strap: bool,
    /// Whether the buffered low byte of ERXRDPT is cleared when it takes effect, so that it must be
    /// written each time. The data sheet does not say; by default it keeps the last value.
    pub clears_erxrdptl: bool,
    /// Time that the PHY takes to find its link partner: after a reset, after sleep, and when the
    /// cable is plugged in. The data sheet says "many milliseconds".
    pub link_time: Duration,
}

impl ChipConfig {
    /// Creates the configuration of a chip of this revision with all its errata; 20 MHz SPI; a host
    /// without overhead; seed 0.
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
            allowed_violations: Vec::new(),
            full_duplex_strap: false,
            clears_erxrdptl: false,
            link_time: Duration::from_millis(20),
        }
    }

    /// Sets the errata.
    #[must_use]
    pub const fn with_errata(mut self, errata: Errata) -> Self {
        self.errata = errata;
        self
    }

    /// Sets the SPI clock in Hz.
    ///
    /// # Panics
    ///
    /// At 0 Hz.
    #[must_use]
    pub const fn with_sck_hz(mut self, hz: u32) -> Self {
        assert!(hz > 0, "the SPI clock must not be 0 Hz");
        self.sck_hz = hz;
        self
    }

    /// Sets the time from the last bit to the rising edge of chip select.
    #[must_use]
    pub const fn with_cs_hold(mut self, hold: Duration) -> Self {
        self.cs_hold = hold;
        self
    }

    /// Sets the minimum time of chip select high between transactions.
    #[must_use]
    pub const fn with_cs_gap(mut self, gap: Duration) -> Self {
        self.cs_gap = gap;
        self
    }

    /// Sets the overhead per transaction.
    #[must_use]
    pub const fn with_overhead(mut self, overhead: Duration) -> Self {
        self.overhead = overhead;
        self
    }

    /// Sets the seed of all random faults.
    #[must_use]
    pub const fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Sets the random faults.
    #[must_use]
    pub fn with_faults(mut self, faults: ChipFaults) -> Self {
        self.faults = faults;
        self
    }

    /// Sets a kind of protocol violation that is not reported. May be repeated.
    #[must_use]
    pub fn with_allowed_violation(mut self, kind: ViolationKind) -> Self {
        self.allowed_violations.push(kind);
        self
    }

    /// Sets the time that the PHY takes to find its link partner.
    #[must_use]
    pub const fn with_link_time(mut self, time: Duration) -> Self {
        self.link_time = time;
        self
    }

    /// Sets the buffered low byte of ERXRDPT to be cleared when it takes effect.
    #[must_use]
    pub const fn with_erxrdptl_cleared(mut self) -> Self {
        self.clears_erxrdptl = true;
        self
    }

    /// Sets the LED strap to full duplex.
    #[must_use]
    pub const fn with_full_duplex_strap(mut self) -> Self {
        self.full_duplex_strap = true;
        self
    }
}
