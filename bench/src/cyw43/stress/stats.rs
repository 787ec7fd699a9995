//! The counters of a run.

use core::time::Duration;
use std::collections::BTreeMap;

use cyw43439_model::ModelStats;
use ethdev::Stats;

use super::faults::FaultKind;

/// Recovery times after one kind of fault: from its end until frames that were sent after it had
/// arrived in both directions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecoveryTimes {
    /// The number of faults.
    pub count: u64,
    /// The sum of the recovery times.
    pub total: Duration,
    /// The longest recovery time.
    pub max: Duration,
    /// The number of faults after which the link went down.
    pub link_lost: u64,
}

impl RecoveryTimes {
    /// Adds a fault.
    pub(super) fn add(&mut self, time: Duration, link_lost: bool) {
        self.count += 1;
        self.total += time;
        self.max = self.max.max(time);
        self.link_lost += u64::from(link_lost);
    }

    /// Combines two sets of faults.
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        Self {
            count: self.count + other.count,
            total: self.total + other.total,
            max: self.max.max(other.max),
            link_lost: self.link_lost + other.link_lost,
        }
    }

    /// The mean recovery time.
    #[must_use]
    pub fn mean(&self) -> Duration {
        self.total / u32::try_from(self.count.max(1)).unwrap_or(u32::MAX)
    }
}

/// The longest calls of the driver, by kind of call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MaxDurations {
    /// `recv_frame`, `tx_ready` and `send_vectored`, which send no request to the firmware.
    pub data: Duration,
    /// `service` and other calls with one or two requests to the firmware.
    pub service: Duration,
    /// `join`.
    pub join: Duration,
    /// `start`, `stop`, `sleep`, `wake` and `recover`, which boot the chip at most once.
    pub control: Duration,
}

impl MaxDurations {
    /// The maximum of each kind of call.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Self {
            data: self.data.max(other.data),
            service: self.service.max(other.service),
            join: self.join.max(other.join),
            control: self.control.max(other.control),
        }
    }
}

/// The counters of a run.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct RunStats {
    /// Frames that the peer sent to the chip.
    pub rx_sent: u64,
    /// Frames that the driver delivered intact, each counted once.
    pub rx_delivered: u64,
    /// Repeated deliveries of a frame.
    pub rx_duplicates: u64,
    /// Deliveries whose contents differ from every frame of the peer: corrupted frames, events from
    /// the air, noise.
    pub rx_corrupt: u64,
    /// Frames that the driver accepted.
    pub tx_accepted: u64,
    /// Frames whose bus transaction failed: whether the chip has them is unknown.
    pub tx_unknown: u64,
    /// Frames that arrived at the peer, each counted once.
    pub tx_arrived: u64,
    /// Frames that arrived although the driver reported an error.
    pub tx_unexpected: u64,
    /// Repeated arrivals of a frame.
    pub tx_duplicates: u64,
    /// Corrupt frames that arrived.
    pub tx_corrupt: u64,
    /// The counters of the model.
    pub model: ModelStats,
    /// The counters of the driver.
    pub driver: Stats,
    /// Bus transactions.
    pub transactions: u64,
    /// Injected faults and the recovery times after them.
    pub recoveries: BTreeMap<FaultKind, RecoveryTimes>,
    /// The fault from which the driver had not recovered at the end.
    pub pending_fault: Option<FaultKind>,
    /// Faults that touch a frame, outside `recoveries`.
    pub other_faults: u64,
    /// Joins by the application after the driver did not rejoin by itself.
    pub joins: u64,
    /// Calls of `recover` that failed.
    pub failed_recoveries: u64,
    /// The longest calls of the driver.
    pub max_durations: MaxDurations,
    /// The longest time between two deliveries while frames were sent.
    pub max_silence: Duration,
    /// The simulated time of the run.
    pub elapsed: Duration,
    /// The number of errors by variant.
    pub errors: BTreeMap<String, u64>,
    /// Violated requirements, at most [`MAX_VIOLATIONS`](Self::MAX_VIOLATIONS) before the final
    /// audit.
    pub violations: Vec<String>,
}

impl RunStats {
    /// The number of violations that are kept during a run.
    pub const MAX_VIOLATIONS: usize = 20;

    /// The number of faults of one kind.
    #[must_use]
    pub fn fault_count(&self, kind: FaultKind) -> u64 {
        self.recoveries.get(&kind).map_or(0, |times| times.count)
    }

    /// The number of all faults.
    #[must_use]
    pub fn faults(&self) -> u64 {
        self.recoveries.values().map(|times| times.count).sum()
    }

    /// Frames that the host read from the chip and that the driver neither delivered nor counted as
    /// dropped. Negative if the driver counted noise as frames.
    #[must_use]
    pub fn rx_unaccounted(&self) -> i64 {
        let read = self.model.delivered + self.model.delivered_corrupted;
        let counted = u64::from(self.driver.rx_frames) + u64::from(self.driver.rx_lost());
        read as i64 - counted as i64
    }

    /// Frames that were lost before the host could read them, according to the model.
    #[must_use]
    pub fn rx_lost_in_chip(&self) -> u64 {
        let model = &self.model;
        model.overflowed + model.lost_by_fault + model.lost_in_reset + model.aborted
    }

    /// Frames that the driver accepted and that the chip lost. The chip confirms no frame.
    #[must_use]
    pub fn tx_lost_in_chip(&self) -> u64 {
        let model = &self.model;
        model.tx_not_joined + model.tx_lost_in_reset + model.tx_no_credit + model.tx_bad_length
    }

    pub(super) fn count_error(&mut self, error: &impl core::fmt::Debug) {
        let text: String = format!("{error:?}");
        let kind = text.split(['{', '(']).next().unwrap_or_default().trim();
        let detail = text.split_once('(').map(|(_, detail)| detail).unwrap_or_default();
        let inner = detail.split(['{', '(', ')']).next().unwrap_or_default().trim();
        *self
            .errors
            .entry(format!("{kind} {inner}").trim().to_owned())
            .or_default() += 1;
    }

    pub(super) fn violation(&mut self, what: String) {
        if self.violations.len() < Self::MAX_VIOLATIONS {
            self.violations.push(what);
        }
    }
}
