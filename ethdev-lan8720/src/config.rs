//! What a user may choose about the PHY.

use core::time::Duration;

use ethdev::{Duplex, Speed};

/// How the PHY is set up. Start from [`new`](Self::new).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct PhyConfig {
    /// A mode to be forced, instead of auto-negotiation. The partner has to be set to the same by hand: one that negotiates takes this end for half duplex.
    /// Forced 10 Mbit/s is known not to notice that the cable was pulled; to advertise less is the better way.
    pub forced: Option<(Speed, Duplex)>,
    /// Which pair sends and which receives.
    pub mdix: Mdix,
    /// Whether nINT is wired, to the MAC or to the host. Then there is no MDIO traffic at all while nothing happens. The pin is an interrupt only in `REF_CLK`
    /// In mode (strap nINTSEL high); otherwise it is the 50 MHz output.
    pub interrupt: bool,
    /// Whether the PHY may sleep while there is no signal on the cable. Off unless the milliwatts matter: with sleepers at both ends the link can take seconds
    /// more, and some chips fail to notice a signal, which is why the driver wakes them from time to time.
    pub energy_detect: bool,
    /// How often the link is looked at without an interrupt: a loss is seen within it. A look takes three reads, 77 µs of a bus at 2.5 MHz.
    pub poll_interval: Duration,
    /// How often the link is looked at in spite of an interrupt; [`Duration::MAX`], the default, is never. A PHY that lost its interrupt mask in a dip of its
    /// supply raises no interrupt.
    pub idle_check: Duration,
    /// Whether to allow more time for the crossover to be found (register 16, bit 0), which some cables with a LAN8720A at their other end need.
    pub extended_crossover: bool,
}

impl PhyConfig {
    /// Auto-negotiation, automatic MDI-X, no interrupt, no energy-detect power-down, looked at every 100 ms.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            forced: None,
            mdix: Mdix::Auto,
            interrupt: false,
            energy_detect: false,
            poll_interval: Duration::from_millis(100),
            idle_check: Duration::MAX,
            extended_crossover: false,
        }
    }

    /// The same without auto-negotiation, in this mode: 10 or 100 Mbit/s.
    #[must_use]
    pub const fn with_forced_mode(mut self, speed: Speed, duplex: Duplex) -> Self {
        self.forced = Some((speed, duplex));
        self
    }

    /// The same with this MDI-X.
    #[must_use]
    pub const fn with_mdix(mut self, mdix: Mdix) -> Self {
        self.mdix = mdix;
        self
    }

    /// The same with or without nINT wired.
    #[must_use]
    pub const fn with_interrupt(mut self, interrupt: bool) -> Self {
        self.interrupt = interrupt;
        self
    }

    /// The same with or without energy-detect power-down.
    #[must_use]
    pub const fn with_energy_detect(mut self, energy_detect: bool) -> Self {
        self.energy_detect = energy_detect;
        self
    }

    /// The same with this interval between two looks at the link.
    #[must_use]
    pub const fn with_poll_interval(mut self, interval: Duration) -> Self {
        self.poll_interval = interval;
        self
    }

    /// The same with this interval between two looks in spite of an interrupt.
    #[must_use]
    pub const fn with_idle_check(mut self, interval: Duration) -> Self {
        self.idle_check = interval;
        self
    }

    /// The same with or without more time for the crossover.
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

/// Which pair of the cable sends and which receives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Mdix {
    /// Found out (HP Auto-MDIX). Models without it stay as they are.
    #[default]
    Auto,
    /// As a station (MDI).
    Straight,
    /// As a switch (MDI-X).
    Crossed,
}
