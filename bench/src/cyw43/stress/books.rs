//! What is counted in a run.

use core::time::Duration;
use std::collections::BTreeMap;

use cyw43439_model::ModelStats;
use ethdev::Stats;

use super::host::Longest;
use super::knobs::Knob;

/// How traffic got over one kind of fault: from its end until frames that were sent after it had arrived, both ways.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Healing {
    /// How often it happened.
    pub times: u64,
    /// All of its recoveries.
    pub total: Duration,
    /// The longest.
    pub worst: Duration,
    /// In how many of them the link went down.
    pub link_lost: u64,
}

impl Healing {
    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            times: self.times + other.times,
            total: self.total + other.total,
            worst: self.worst.max(other.worst),
            link_lost: self.link_lost + other.link_lost,
        }
    }

    /// Of each.
    #[must_use]
    pub fn mean(&self) -> Duration {
        self.total / u32::try_from(self.times.max(1)).unwrap_or(u32::MAX)
    }
}

/// What became of a run.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Books {
    /// Frames that the station sent to the chip.
    pub rx_sent: u64,
    /// Those that the caller got, each once, intact.
    pub rx_delivered: u64,
    /// Those that the caller got again.
    pub rx_twice: u64,
    /// What the caller got and was no frame of the station's: damaged ones, events from the air, noise.
    pub rx_altered: u64,
    /// Frames that the driver took.
    pub tx_taken: u64,
    /// Frames that went over a bus that failed: nobody knows what the chip made of them.
    pub tx_doubtful: u64,
    /// Frames that arrived at the station, each once.
    pub tx_arrived: u64,
    /// Of those, how many the driver had not said that it took.
    pub tx_unexpected: u64,
    /// Those that arrived again.
    pub tx_twice: u64,
    /// Those that arrived damaged.
    pub tx_altered: u64,
    /// What the model knows.
    pub truth: ModelStats,
    /// What the driver counted.
    pub stats: Stats,
    /// Transactions on the bus.
    pub transactions: u64,
    /// What went wrong, and how it was got over.
    pub healing: BTreeMap<Knob, Healing>,
    /// Power cycles or joins in the run, each of which is a fault as well.
    pub power_cycles: u64,
    /// Times that the caller had to join again itself.
    pub joins: u64,
    /// Recoveries that failed and had to be tried again.
    pub failed_recoveries: u64,
    /// The longest calls of the driver.
    pub longest: Longest,
    /// The longest time between two deliveries with frames offered.
    pub longest_silence: Duration,
    /// How long all of it took.
    pub elapsed: Duration,
    /// Errors that calls returned, by what they say, without numbers.
    pub errors: BTreeMap<String, u64>,
    /// What must not be, in words.
    pub violations: Vec<String>,
}

impl Books {
    /// How often a fault happened.
    #[must_use]
    pub fn times(&self, knob: Knob) -> u64 {
        self.healing.get(&knob).map_or(0, |healing| healing.times)
    }

    /// Faults in all.
    #[must_use]
    pub fn faults(&self) -> u64 {
        self.healing.values().map(|healing| healing.times).sum()
    }

    /// Frames that the host read from the chip and that the caller neither got nor finds under a reason. Below zero where the driver counts more than there were:
    /// noise taken for a frame.
    #[must_use]
    pub fn rx_unaccounted(&self) -> i64 {
        let read = self.truth.delivered + self.truth.delivered_spoiled;
        let told = u64::from(self.stats.rx_frames) + u64::from(self.stats.rx_lost());
        read as i64 - told as i64
    }

    /// Frames that the model says were lost before the host could read them, by its books.
    #[must_use]
    pub fn rx_lost_in_chip(&self) -> u64 {
        let truth = &self.truth;
        truth.overflowed + truth.lost_by_fault + truth.lost_in_reset + truth.aborted
    }

    /// Frames that the driver took and that the chip then lost: it confirms nothing.
    #[must_use]
    pub fn tx_lost_in_chip(&self) -> u64 {
        let truth = &self.truth;
        truth.tx_not_joined + truth.tx_lost_in_reset + truth.tx_no_credit + truth.tx_bad_length
    }

    pub(super) fn error(&mut self, error: &impl core::fmt::Debug) {
        let text: String = format!("{error:?}");
        let kind = text.split(['{', '(']).next().unwrap_or_default().trim();
        let detail = text.split_once('(').map(|(_, detail)| detail).unwrap_or_default();
        let inner = detail.split(['{', '(', ')']).next().unwrap_or_default().trim();
        *self
            .errors
            .entry(format!("{kind} {inner}").trim().to_owned())
            .or_default() += 1;
    }

    pub(super) fn violate(&mut self, what: String) {
        // The first ones tell the story.
        if self.violations.len() < 20 {
            self.violations.push(what);
        }
    }
}
