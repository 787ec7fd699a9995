//! Configuration of the PHY.

use core::time::Duration;

use ethdev::{Duplex, Speed};

/// Configuration of the PHY. Start from [`new`](Self::new).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct PhyConfig {
    /// A forced mode instead of auto-negotiation. The link partner must be forced to the same mode:
    /// one that negotiates assumes half duplex here. A forced 10 Mbit/s link is known not to
    /// detect a removed cable; a restricted advertisement is the better way.
    pub forced: Option<(Speed, Duplex)>,
    /// Assignment of the pairs of the cable.
    pub mdix: Mdix,
    /// Whether nINT is connected, to the MAC or to the host. With it, the driver does not access
    /// MDIO while nothing changes. The pin is an interrupt only in `REF_CLK` In mode (strap
    /// nINTSEL high); otherwise it is the 50 MHz output.
    pub interrupt: bool,
    /// Whether the PHY may power down while it detects no signal on the cable. Saves power. If both
    /// ends do so, the link can take seconds longer, and some chips do not detect every signal,
    /// so that the driver wakes the PHY periodically.
    pub energy_detect: bool,
    /// Interval of polling the link without an interrupt: a loss is noticed within it. A poll takes
    /// three reads, 77 µs on a bus at 2.5 MHz.
    pub poll_interval: Duration,
    /// Interval of polling the link in spite of an interrupt; [`Duration::MAX`], the default, is
    /// never. It covers a PHY that lost its interrupt mask in a brownout.
    pub watchdog_interval: Duration,
    /// Whether the PHY allows more time for crossover detection (register 16, bit 0). Some cables
    /// to another LAN8720A need it.
    pub extended_crossover: bool,
}

impl PhyConfig {
    /// Creates the default configuration: auto-negotiation, HP Auto-MDIX, no interrupt, no
    /// energy-detect power-down, polled every 100 ms.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            forced: None,
            mdix: Mdix::Auto,
            interrupt: false,
            energy_detect: false,
            poll_interval: Duration::from_millis(100),
            watchdog_interval: Duration::MAX,
            extended_crossover: false,
        }
    }

    /// Sets a forced mode of 10 or 100 Mbit/s instead of auto-negotiation.
    #[must_use]
    pub const fn with_forced_mode(mut self, speed: Speed, duplex: Duplex) -> Self {
        self.forced = Some((speed, duplex));
        self
    }

    /// Sets the assignment of the pairs.
    #[must_use]
    pub const fn with_mdix(mut self, mdix: Mdix) -> Self {
        self.mdix = mdix;
        self
    }

    /// Sets whether nINT is connected.
    #[must_use]
    pub const fn with_interrupt(mut self, interrupt: bool) -> Self {
        self.interrupt = interrupt;
        self
    }

    /// Sets whether energy-detect power-down is used.
    #[must_use]
    pub const fn with_energy_detect(mut self, energy_detect: bool) -> Self {
        self.energy_detect = energy_detect;
        self
    }

    /// Sets the interval of polling the link without an interrupt.
    #[must_use]
    pub const fn with_poll_interval(mut self, interval: Duration) -> Self {
        self.poll_interval = interval;
        self
    }

    /// Sets the interval of polling the link in spite of an interrupt.
    #[must_use]
    pub const fn with_watchdog_interval(mut self, interval: Duration) -> Self {
        self.watchdog_interval = interval;
        self
    }

    /// Sets whether crossover detection gets more time.
    #[must_use]
    pub const fn with_extended_crossover(mut self, extended: bool) -> Self {
        self.extended_crossover = extended;
        self
    }
}

impl Default for PhyConfig {
    fn default() -> Self {
        Self::new()
    }
}

/// Which pair of the cable transmits and which receives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Mdix {
    /// Detected automatically (HP Auto-MDIX). Models without it ignore the setting.
    #[default]
    Auto,
    /// MDI, as a host.
    Mdi,
    /// MDI-X, as a switch.
    MdiX,
}
