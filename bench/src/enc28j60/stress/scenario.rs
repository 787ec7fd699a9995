//! The scenarios: kinds of faults, duplex mode, and how the host waits for the chip.

use core::fmt;

use enc28j60_model::Revision;
use ethdev::Duplex;

/// A kind of faults and a kind of host.
///
/// All errata are on in every scenario, and so are bursts that overrun the FIFO and collisions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scenario {
    /// Link flaps; half duplex, blocking driver, polling.
    Flaps,
    /// Link flaps; full duplex, blocking driver, edges of INT.
    FlapsEdge,
    /// Link flaps; half duplex, async driver, level of INT.
    FlapsAsync,
    /// Link flaps, brownouts and resets of the chip at any time, also in the middle of a
    /// transaction; half duplex, blocking driver, polling.
    Resets,
    /// The faults of [`Resets`](Self::Resets); full duplex, async driver, level of INT.
    ResetsAsync,
    /// The faults of [`Resets`](Self::Resets); half duplex, blocking driver, edges of INT.
    ResetsEdge,
    /// The faults of [`Resets`](Self::Resets); half duplex, async driver, edges of INT.
    ResetsAsyncEdge,
}

impl Scenario {
    /// All scenarios.
    pub const ALL: [Self; 7] = [
        Self::Flaps,
        Self::FlapsEdge,
        Self::FlapsAsync,
        Self::Resets,
        Self::ResetsAsync,
        Self::ResetsEdge,
        Self::ResetsAsyncEdge,
    ];

    pub(super) const fn has_resets(self) -> bool {
        matches!(
            self,
            Self::Resets | Self::ResetsAsync | Self::ResetsEdge | Self::ResetsAsyncEdge
        )
    }

    pub(super) const fn duplex(self) -> Duplex {
        match self {
            Self::FlapsEdge | Self::ResetsAsync => Duplex::Full,
            _ => Duplex::Half,
        }
    }

    pub(super) const fn host(self) -> HostKind {
        match self {
            Self::Flaps | Self::Resets => HostKind::Polling,
            Self::FlapsEdge | Self::ResetsEdge => HostKind::Edge,
            Self::FlapsAsync | Self::ResetsAsync => HostKind::AsyncLevel,
            Self::ResetsAsyncEdge => HostKind::AsyncEdge,
        }
    }
}

/// How the host waits for the chip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HostKind {
    /// The blocking driver, polled.
    Polling,
    /// The blocking driver; the host sleeps until an edge of INT.
    Edge,
    /// The async driver, which waits for the level of INT.
    AsyncLevel,
    /// The async driver, which waits for an edge of INT.
    AsyncEdge,
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let duplex = match self.duplex() {
            Duplex::Full => "full duplex",
            Duplex::Half => "half duplex",
        };
        let host = match self.host() {
            HostKind::Polling => "blocking, polled",
            HostKind::Edge => "blocking, edges of INT",
            HostKind::AsyncLevel => "async, level of INT",
            HostKind::AsyncEdge => "async, edges of INT",
        };
        let faults = if self.has_resets() {
            "bursts, link flaps, brownouts and chip resets"
        } else {
            "bursts and link flaps"
        };
        write!(f, "{faults}; {duplex}; {host}")
    }
}

/// One run.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// The revision of the chip.
    pub revision: Revision,
    /// The scenario.
    pub scenario: Scenario,
    /// The total number of frames, half of them in each direction.
    pub frames: u64,
    /// The random seed.
    pub seed: u64,
}
