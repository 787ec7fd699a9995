//! The counters of a run.

use core::time::Duration;
use std::collections::BTreeMap;

use enc28j60_model::ModelStats;
use ethdev::Stats;

/// The counters of a run.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct RunStats {
    /// Frames that the peer sent to the chip.
    pub rx_sent: u64,
    /// Frames that the driver delivered, each counted once.
    pub rx_delivered: u64,
    /// Repeated deliveries of a frame.
    pub rx_duplicates: u64,
    /// Corrupt frames delivered by a chip that had not been reset: none is allowed.
    pub rx_corrupt: u64,
    /// Frames that the wire cut while the link was down.
    pub rx_cut: u64,
    /// Corrupt frames delivered after a brownout or reset of the chip that the driver had not
    /// detected yet: at most one for each.
    pub rx_corrupt_in_reset: u64,
    /// Frames that an injected reset removed from the FIFO: no driver can count them exactly.
    pub rx_lost_in_reset: u64,
    /// Frames that the driver accepted.
    pub tx_accepted: u64,
    /// Frames that arrived at the peer, each counted once.
    pub tx_arrived: u64,
    /// Repeated arrivals of a frame.
    pub tx_duplicates: u64,
    /// Frames that arrived with a valid FCS and corrupt contents.
    pub tx_corrupt: u64,
    /// Frames counted as sent that did not arrive, without a fault: none is allowed.
    pub tx_falsely_sent: u64,
    /// Frames counted as sent that did not arrive, with the link down meanwhile, which the chip
    /// does not report.
    pub tx_sent_link_down: u64,
    /// Frames counted as lost that arrived, without a fault: none is allowed.
    pub tx_falsely_lost: u64,
    /// Frames counted as lost that arrived, with the link down or the chip reset meanwhile, after
    /// which the progress of a frame is unknown.
    pub tx_lost_arrived: u64,
    /// Accepted frames that the driver did not count.
    pub tx_uncounted: u64,
    /// Frames that the wire cut while the link was down.
    pub tx_cut: u64,
    /// Frames that arrived with a wrong FCS.
    pub tx_bad_fcs: u64,
    /// The counters of the model.
    pub model: ModelStats,
    /// The counters of the driver.
    pub driver: Stats,
    /// SPI transactions.
    pub transactions: u64,
    /// Injected link flaps.
    pub flaps: u64,
    /// Injected brownouts.
    pub brownouts: u64,
    /// Injected resets of the chip.
    pub resets: u64,
    /// The longest time from the end of a fault until frames that were sent after it had arrived in
    /// both directions.
    pub max_recovery: Duration,
    /// The longest time between two deliveries while frames were sent.
    pub max_silence: Duration,
    /// The longest call of the driver.
    pub max_call: Duration,
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

    /// Valid frames that arrived at the chip and that the driver neither delivered nor counted as
    /// dropped.
    #[must_use]
    pub fn rx_unaccounted(&self) -> i64 {
        let driver = &self.driver;
        let counted = u64::from(driver.rx_reset)
            + u64::from(driver.rx_bad_length)
            + u64::from(driver.rx_bad_fcs)
            + u64::from(driver.rx_error);
        self.model.received as i64 - self.rx_delivered as i64 - counted as i64
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
