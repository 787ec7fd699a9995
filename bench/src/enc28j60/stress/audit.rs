//! The requirements at the end of a run.

use core::time::Duration;

use super::frame_log::{FrameLog, Outcome};
use super::scenario::Scenario;
use super::stats::RunStats;

/// Limit of a call.
const MAX_CALL: Duration = Duration::from_millis(100);
/// Limit of the time without a delivery while a frame waits: that of a recovery.
const MAX_SILENCE: Duration = Duration::from_millis(100);

/// When the link was down, and when the chip was reset.
#[derive(Debug, Default)]
pub(super) struct Faults {
    link_down: Vec<(Duration, Duration)>,
    pub(super) resets: Vec<Duration>,
}

impl Faults {
    pub(super) fn record_link_down(&mut self, at: Duration) {
        self.link_down.push((at, Duration::MAX));
    }

    pub(super) fn record_link_up(&mut self, at: Duration) {
        if let Some((_, up)) = self.link_down.last_mut() {
            *up = at;
        }
    }

    fn was_link_down_in(&self, from: Duration, to: Duration) -> bool {
        self.link_down.iter().any(|(down, up)| *down <= to && from <= *up)
    }

    fn was_reset_in(&self, from: Duration, to: Duration) -> bool {
        self.resets.iter().any(|at| from <= *at && *at <= to)
    }
}

impl RunStats {
    /// Compares the outcome of each frame according to the driver with whether it arrived.
    pub(super) fn classify(&mut self, tx: &FrameLog, faults: &Faults) {
        for frame in &tx.frames {
            let Some((outcome, at)) = frame.outcome else {
                self.tx_uncounted += 1;
                continue;
            };
            let link_down = faults.was_link_down_in(frame.sent_at, at);
            let reset = faults.was_reset_in(frame.sent_at, at);
            let counter = match (outcome, frame.arrived) {
                (Outcome::Sent, true) | (Outcome::Lost, false) => continue,
                (Outcome::Sent, false) if link_down => &mut self.tx_sent_link_down,
                (Outcome::Sent, false) => &mut self.tx_falsely_sent,
                (Outcome::Lost, true) if link_down || reset => &mut self.tx_lost_arrived,
                (Outcome::Lost, true) => &mut self.tx_falsely_lost,
            };
            *counter += 1;
        }
    }

    pub(super) fn audit(&mut self, scenario: Scenario) {
        let (driver, model) = (self.driver, self.model);
        let mut violations = Vec::new();
        let mut check = |holds: bool, what: &str, figures: String| {
            if !holds {
                violations.push(format!("{what}: {figures}"));
            }
        };
        let injected = self.brownouts + self.resets;
        check(
            self.rx_duplicates == 0,
            "frames delivered twice",
            self.rx_duplicates.to_string(),
        );
        check(
            self.rx_corrupt == 0,
            "corrupt frames delivered",
            self.rx_corrupt.to_string(),
        );
        check(
            self.rx_corrupt_in_reset <= injected,
            "more corrupt frames delivered than resets",
            format!("{}, {injected} resets", self.rx_corrupt_in_reset),
        );
        check(
            self.tx_duplicates == 0,
            "frames sent twice",
            self.tx_duplicates.to_string(),
        );
        check(
            self.tx_corrupt == 0,
            "corrupt frames sent with a valid FCS",
            self.tx_corrupt.to_string(),
        );
        check(
            self.max_call <= MAX_CALL,
            "call too long",
            format!("{:?}", self.max_call),
        );
        check(
            model.balanced(),
            "counters of the model do not balance",
            format!("{model:?}"),
        );
        check(
            self.rx_sent == model.arrived + self.rx_cut,
            "frames lost by the wire",
            format!("{} sent, {} arrived, {} cut", self.rx_sent, model.arrived, self.rx_cut),
        );
        check(
            u64::from(driver.rx_frames)
                == self.rx_delivered + self.rx_duplicates + self.rx_corrupt + self.rx_corrupt_in_reset,
            "rx_frames differs from the number of deliveries",
            format!("{}, {} delivered once", driver.rx_frames, self.rx_delivered),
        );
        check(
            self.tx_uncounted == 0 && u64::from(driver.tx_frames + driver.tx_lost()) == self.tx_accepted,
            "accepted frames not accounted for",
            format!(
                "{} accepted, {} not counted, {driver:?}",
                self.tx_accepted, self.tx_uncounted
            ),
        );
        check(
            self.tx_falsely_sent == 0,
            "frames counted as sent that did not arrive",
            self.tx_falsely_sent.to_string(),
        );
        check(
            self.tx_falsely_lost == 0,
            "frames counted as lost that arrived",
            self.tx_falsely_lost.to_string(),
        );
        let flaps = self.flaps;
        check(
            self.tx_sent_link_down <= model.tx_without_link + self.tx_cut,
            "more frames counted as sent around link losses than the chip sent into them",
            format!(
                "{}, {} sent without a link, {} cut",
                self.tx_sent_link_down, model.tx_without_link, self.tx_cut
            ),
        );
        check(
            self.tx_lost_arrived <= flaps + injected,
            "more than one frame for each link loss or reset counted as lost that arrived",
            format!("{}, {flaps} link losses, {injected} resets", self.tx_lost_arrived),
        );
        check(
            self.max_silence <= MAX_SILENCE,
            "frames waited too long",
            format!("{:?}", self.max_silence),
        );
        let lost = model.overflowed + model.packet_count_full + model.lost_to_errata;
        check(
            u64::from(driver.rx_overrun) <= lost && (lost == 0 || driver.rx_overrun > 0),
            "wrong number of overruns",
            format!("{lost} frames lost, rx_overrun is {}", driver.rx_overrun),
        );
        let unaccounted = self.rx_unaccounted();
        check(
            (-(injected as i64)..=self.rx_lost_in_reset as i64).contains(&unaccounted),
            "received frames not accounted for",
            format!("{unaccounted}, {} lost in resets", self.rx_lost_in_reset),
        );
        check(
            u64::from(driver.rx_reset) >= injected,
            "resets not counted",
            format!("{injected} resets, rx_reset is {}", driver.rx_reset),
        );
        check(
            scenario.has_resets() || self.errors.is_empty(),
            "calls returned errors",
            format!("{:?}", self.errors),
        );
        self.violations.extend(violations);
    }
}
