//! What is counted in a run.

use core::time::Duration;
use std::collections::BTreeMap;

use enc28j60_model::ModelStats;
use ethdev::Stats;

/// What became of a run.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Books {
    /// Frames put on the wire towards the chip.
    pub rx_sent: u64,
    /// Those that the caller got, each once.
    pub rx_delivered: u64,
    /// Those that the caller got again.
    pub rx_twice: u64,
    /// Those that the caller got damaged from a chip that had not been reset: none may be.
    pub rx_damaged: u64,
    /// Those that the wire cut while the link was down.
    pub rx_cut: u64,
    /// Those that the caller got damaged after a brown-out or reset of the chip that the driver had
    /// not noticed yet: at most as many as brown-outs and resets.
    pub rx_damaged_in_reset: u64,
    /// Those in the FIFO when a reset was injected: no driver can count them exactly.
    pub rx_vanished: u64,
    /// Frames that the driver accepted.
    pub tx_accepted: u64,
    /// Those that arrived at the station, each once.
    pub tx_arrived: u64,
    /// Those that arrived again.
    pub tx_twice: u64,
    /// Those that arrived with a right FCS and damaged contents.
    pub tx_damaged: u64,
    /// Those that the driver counts as sent, that did not arrive, and that met no fault on their way: none may be.
    pub tx_falsely_sent: u64,
    /// The same with a link that was gone for a moment meanwhile: the chip does not know.
    pub tx_sent_unheard: u64,
    /// Those that the driver counts as lost, that arrived, and that met no fault on their way: none may be.
    pub tx_falsely_lost: u64,
    /// The same with a link that was gone, or a chip that was reset meanwhile: how far the frame was, nobody knows.
    pub tx_lost_arrived: u64,
    /// Those of which the driver says nothing.
    pub tx_forgotten: u64,
    /// Those that the wire cut while the link was down.
    pub tx_cut: u64,
    /// Frames that the station refused for their FCS.
    pub tx_bad_fcs: u64,
    /// What the model knows.
    pub truth: ModelStats,
    /// What the driver counted.
    pub stats: Stats,
    /// SPI transactions.
    pub transactions: u64,
    /// Link flaps, brown-outs and chip resets that were injected.
    pub flaps: u64,
    /// See there.
    pub brown_outs: u64,
    /// See there.
    pub resets: u64,
    /// From the end of a fault until a frame that was sent after it had arrived, both ways: the longest.
    pub slowest_recovery: Duration,
    /// The longest time in which frames for the chip were on the wire and none was delivered.
    pub longest_silence: Duration,
    /// The longest call of the driver.
    pub longest_call: Duration,
    /// How long all of it took.
    pub elapsed: Duration,
    /// Errors that calls returned, by what they say, without numbers.
    pub errors: BTreeMap<String, u64>,
    /// What must not be, in words.
    pub violations: Vec<String>,
}

impl Books {
    /// Frames that arrived at the chip in working order and that neither the caller got nor the driver counted under a reason.
    #[must_use]
    pub fn rx_unaccounted(&self) -> i64 {
        let stats = &self.stats;
        let counted = u64::from(stats.rx_reset)
            + u64::from(stats.rx_bad_length)
            + u64::from(stats.rx_bad_fcs)
            + u64::from(stats.rx_error);
        self.truth.received as i64 - self.rx_delivered as i64 - counted as i64
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
