//! The frames of one direction, by number.

use core::time::Duration;

#[derive(Debug, Clone, Copy)]
struct Entry {
    sent_at: Duration,
    /// Whether the sender reported success.
    accepted: bool,
    arrived: bool,
}

/// The frames of one direction.
#[derive(Debug, Default)]
pub(super) struct FrameLog {
    entries: Vec<Entry>,
    /// Frames that were accepted.
    pub(super) accepted: u64,
    /// Frames that arrived, each counted once.
    pub(super) unique: u64,
    /// Frames that arrived although the sender reported an error.
    pub(super) unexpected: u64,
    /// Arrivals of a frame that had arrived before.
    pub(super) duplicates: u64,
    /// Arrivals whose contents differ from every frame that was sent.
    pub(super) corrupt: u64,
}

impl FrameLog {
    /// The number of the next frame.
    pub(super) fn next(&self) -> u64 {
        self.entries.len() as u64
    }

    /// Records a frame that was sent at this time, and whether it was accepted.
    pub(super) fn record(&mut self, sent_at: Duration, accepted: bool) {
        self.accepted += u64::from(accepted);
        self.entries.push(Entry {
            sent_at,
            accepted,
            arrived: false,
        });
    }

    /// The counters.
    pub(super) fn summary(&self) -> String {
        let Self {
            accepted,
            unique,
            unexpected,
            duplicates,
            corrupt,
            ..
        } = self;
        format!("{accepted} accepted, {unique} arrived, {unexpected} unexpected, {duplicates} twice, {corrupt} corrupt")
    }

    /// Records an arrival: the number of the frame, `None` if it is corrupt. Returns when the frame
    /// was sent if this is its first arrival.
    pub(super) fn arrive(&mut self, number: Option<u64>) -> Option<Duration> {
        let entry = number
            .and_then(|number| usize::try_from(number).ok())
            .and_then(|at| self.entries.get_mut(at));
        let Some(entry) = entry else {
            self.corrupt += 1;
            return None;
        };
        if core::mem::replace(&mut entry.arrived, true) {
            self.duplicates += 1;
            return None;
        }
        self.unique += 1;
        self.unexpected += u64::from(!entry.accepted);
        Some(entry.sent_at)
    }
}
