//! Many frames both ways through the driver and the model of its chip, while everything goes wrong that may.
//!
//! Each frame says its number and has contents that follow from it. What arrives damaged or twice is a violation, and so is a book that does not balance: the
//! model knows what became of every frame, and the driver's counters have to agree with it. What the driver says of each frame that it sent is held against
//! whether just that one arrived.
//!
//! One exception: a frame in flight when the chip is reset (a brown-out, or a reset by itself) may
//! be delivered damaged, because the driver hands a frame over as soon as it is read and its header
//! is validated. Such frames are counted. More of them than brown-outs and resets are a violation.

mod audit;
mod books;
mod host;
mod ledger;
mod run;

use core::fmt;

use enc28j60_model::Revision;
use ethdev::Duplex;

pub use books::Books;
pub use run::run;

/// What goes wrong besides the errata, which all are on, bursts that overrun the FIFO, and collisions, with and without a good end; and who drives the chip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scenario {
    /// The link comes and goes.
    Flaps,
    /// The same in full duplex, where the host sleeps until an edge of the INT line.
    FlapsByEdge,
    /// The same in half duplex, with the async driver, which sleeps until the INT line is low.
    FlapsAwaited,
    /// The link comes and goes, the supply fails for a moment, the chip resets itself: at any instant, in the middle of a transaction too.
    Resets,
    /// The same with the async driver, in full duplex.
    ResetsAwaited,
    /// The same with the blocking driver, in half duplex, told by edges.
    ResetsByEdge,
    /// The same with the async driver.
    ResetsAwaitedByEdge,
}

impl Scenario {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Flaps,
        Self::FlapsByEdge,
        Self::FlapsAwaited,
        Self::Resets,
        Self::ResetsAwaited,
        Self::ResetsByEdge,
        Self::ResetsAwaitedByEdge,
    ];

    const fn resets(self) -> bool {
        matches!(
            self,
            Self::Resets | Self::ResetsAwaited | Self::ResetsByEdge | Self::ResetsAwaitedByEdge
        )
    }

    const fn duplex(self) -> Duplex {
        match self {
            Self::FlapsByEdge | Self::ResetsAwaited => Duplex::Full,
            _ => Duplex::Half,
        }
    }

    const fn host(self) -> HostKind {
        match self {
            Self::Flaps | Self::Resets => HostKind::Polling,
            Self::FlapsByEdge | Self::ResetsByEdge => HostKind::Edge,
            Self::FlapsAwaited | Self::ResetsAwaited => HostKind::AwaitsLevel,
            Self::ResetsAwaitedByEdge => HostKind::AwaitsEdge,
        }
    }
}

/// How the host learns that the chip wants something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum HostKind {
    /// The blocking driver; the host looks.
    Polling,
    /// The blocking driver; the host sleeps until an interrupt.
    Edge,
    /// The async driver.
    AwaitsLevel,
    AwaitsEdge,
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let duplex = match self.duplex() {
            Duplex::Full => "full duplex",
            Duplex::Half => "half duplex",
        };
        let host = match self.host() {
            HostKind::Polling => "blocking, polled",
            HostKind::Edge => "blocking, told by edges of INT",
            HostKind::AwaitsLevel => "async, told by the level of INT",
            HostKind::AwaitsEdge => "async, told by edges of INT",
        };
        let what = match self {
            _ if self.resets() => "bursts, link flaps, brown-outs and chip resets",
            _ => "bursts and link flaps",
        };
        write!(f, "{what}; {duplex}; {host}")
    }
}

/// One run.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Of the chip.
    pub revision: Revision,
    /// What goes wrong.
    pub scenario: Scenario,
    /// How many frames are offered: half of them each way.
    pub frames: u64,
    /// Of everything random.
    pub seed: u64,
}
