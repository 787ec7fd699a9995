//! Frames by their numbers.

use core::time::Duration;

/// What the harness knows of a frame.
#[derive(Debug, Clone, Copy)]
struct Entry {
    handed: Duration,
    /// Whether it was taken, as far as who handed it over was told.
    taken: bool,
    arrived: bool,
}

/// The frames of one direction.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    entries: Vec<Entry>,
    /// How many were taken.
    pub(super) taken: u64,
    /// How many arrived once.
    pub(super) unique: u64,
    /// Of those, how many nobody had said that they were taken.
    pub(super) unexpected: u64,
    /// How many times a frame came again.
    pub(super) twice: u64,
    /// How many were not as they were sent.
    pub(super) damaged: u64,
}

impl Ledger {
    /// The number of the next frame.
    pub(super) fn next(&self) -> u64 {
        self.entries.len() as u64
    }

    /// A frame was handed over at this time; whether it was taken.
    pub(super) fn hand_over(&mut self, handed: Duration, taken: bool) {
        self.taken += u64::from(taken);
        self.entries.push(Entry {
            handed,
            taken,
            arrived: false,
        });
    }

    /// Takes note of a frame that arrived; when it was handed over, if it is what it should be.
    pub(super) fn arrive(&mut self, number: Option<u64>) -> Option<Duration> {
        let entry = number
            .and_then(|number| usize::try_from(number).ok())
            .and_then(|at| self.entries.get_mut(at));
        let Some(entry) = entry else {
            self.damaged += 1;
            return None;
        };
        if core::mem::replace(&mut entry.arrived, true) {
            self.twice += 1;
            return None;
        }
        self.unique += 1;
        self.unexpected += u64::from(!entry.taken);
        Some(entry.handed)
    }
}
