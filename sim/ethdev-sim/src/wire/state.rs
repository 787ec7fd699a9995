//! The state of a wire.

use core::cell::{Cell, RefCell};
use core::time::Duration;
use std::collections::{BTreeSet, VecDeque};

use ethdev::{Link, LinkMode, Speed};

use super::config::WireFaults;
use super::handlers::{CableWatcher, LinkWatcher, Receiver};
use super::stats::WireStats;
use crate::capture::CaptureInterface;
use crate::clock::Clock;
use crate::random::Rng;

/// Preamble and start-of-frame delimiter in bytes (IEEE 802.3 clause 3.2.1 and 3.2.2).
pub const PREAMBLE_LEN: usize = 8;
/// Silence between two frames in byte times (IEEE 802.3 clause 4.4.2: 96 bit times).
pub const INTER_FRAME_GAP: usize = 12;

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) clock: Clock,
    /// That of the link, or of the latest one. It changes only while the link is down.
    pub(super) speed: Cell<Speed>,
    pub(super) latency: Duration,
    pub(super) name: String,
    pub(super) state: RefCell<State>,
}

#[derive(Debug)]
pub(super) struct State {
    /// Up where the cable is in and there is a mode.
    pub(super) link: Link,
    pub(super) plugged: bool,
    /// What the two ends agreed on.
    pub(super) mode: Option<LinkMode>,
    /// By side: whether the end there sends only while nothing arrives.
    pub(super) half_duplex: [bool; 2],
    /// Counts losses of the link: what was sent in an earlier era never arrives.
    pub(super) era: u64,
    /// By sending side.
    pub(super) lanes: [Lane; 2],
    /// By side.
    pub(super) ends: [End; 2],
    pub(super) capture: Option<CaptureInterface>,
}

/// One direction.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) idle_at: Duration,
    pub(super) faults: WireFaults,
    pub(super) loss: Rng,
    pub(super) duplication: Rng,
    pub(super) reorder: Rng,
    pub(super) corruption: Rng,
    pub(super) stats: WireStats,
    /// One more than the number of the latest frame that arrived, in the order of sending.
    pub(super) arrived: u64,
    /// First and last bit of each frame that is going out or waits for its turn.
    pub(super) slots: VecDeque<(Duration, Duration)>,
    /// The latest frame that was broken off: its number, and how much of it did not go out.
    pub(super) broken_off: Option<(u64, usize)>,
    /// The frames on their way that met one of the other direction where that must not be.
    pub(super) collided: BTreeSet<u64>,
}

/// The handlers attached to one side.
#[derive(Default)]
pub(super) struct End {
    pub(super) receiver: Option<Receiver>,
    pub(super) link_watcher: Option<LinkWatcher>,
    pub(super) cable_watcher: Option<CableWatcher>,
    /// Counts replacements of the handlers, so that one which is running is not put back in the
    /// place of its successor.
    pub(super) receivers: u64,
    pub(super) link_watchers: u64,
    pub(super) cable_watchers: u64,
    /// Frames that arrive while the receiver runs (because it advances the clock) wait for it to
    /// end.
    pub(super) inbox: VecDeque<Vec<u8>>,
    pub(super) delivering: bool,
    pub(super) reported: Link,
    pub(super) notifying: bool,
    pub(super) reported_cable: bool,
    pub(super) notifying_cable: bool,
}

impl core::fmt::Debug for End {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("End")
            .field("receiver", &self.receiver.is_some())
            .field("inbox", &self.inbox.len())
            .field("reported", &self.reported)
            .finish_non_exhaustive()
    }
}

/// What the wire does to one frame, decided when it is sent.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Fate {
    pub(super) lost: bool,
    pub(super) copies: u32,
    pub(super) held_back: bool,
    pub(super) corrupted: bool,
}
