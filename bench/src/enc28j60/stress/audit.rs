//! What has to be true at the end of a run.

use core::time::Duration;

use super::Scenario;
use super::books::Books;
use super::ledger::{Ledger, Verdict};

/// A call that takes longer hangs.
const LONGEST_CALL: Duration = Duration::from_millis(100);

/// When the link was gone, and when the chip was reset.
#[derive(Debug, Default)]
pub(super) struct Faults {
    gone: Vec<(Duration, Duration)>,
    pub(super) resets: Vec<Duration>,
}

impl Faults {
    pub(super) fn link_is_gone(&mut self, at: Duration) {
        self.gone.push((at, Duration::MAX));
    }

    pub(super) fn link_is_back(&mut self, at: Duration) {
        if let Some((_, back)) = self.gone.last_mut() {
            *back = at;
        }
    }

    fn was_gone_in(&self, from: Duration, to: Duration) -> bool {
        self.gone.iter().any(|(gone, back)| *gone <= to && from <= *back)
    }

    fn was_reset_in(&self, from: Duration, to: Duration) -> bool {
        self.resets.iter().any(|at| from <= *at && *at <= to)
    }
}

impl Books {
    /// Holds what the driver says of each frame against whether it arrived.
    pub(super) fn judge(&mut self, tx: &Ledger, faults: &Faults) {
        for frame in &tx.frames {
            let Some((verdict, at)) = frame.verdict else {
                self.tx_forgotten += 1;
                continue;
            };
            let gone = faults.was_gone_in(frame.handed, at);
            let counter = match (verdict, frame.arrived) {
                (Verdict::Sent, true) | (Verdict::Lost, false) => continue,
                (Verdict::Sent, false) if gone => &mut self.tx_sent_unheard,
                (Verdict::Sent, false) => &mut self.tx_falsely_sent,
                (Verdict::Lost, true) if gone || faults.was_reset_in(frame.handed, at) => &mut self.tx_lost_arrived,
                (Verdict::Lost, true) => &mut self.tx_falsely_lost,
            };
            *counter += 1;
        }
    }

    pub(super) fn audit(&mut self, scenario: Scenario) {
        let (stats, truth) = (self.stats, self.truth);
        let mut wrong = Vec::new();
        let mut check = |holds: bool, what: &str, figures: String| {
            if !holds {
                wrong.push(format!("{what}: {figures}"));
            }
        };
        check(self.rx_twice == 0, "delivered twice", self.rx_twice.to_string());
        check(self.rx_damaged == 0, "delivered damaged", self.rx_damaged.to_string());
        let injected = self.brown_outs + self.resets;
        check(
            self.rx_damaged_in_reset <= injected,
            "delivered damaged, more often than the chip was reset",
            format!("{}, {injected} resets", self.rx_damaged_in_reset),
        );
        check(self.tx_twice == 0, "sent twice", self.tx_twice.to_string());
        let damaged = self.tx_damaged.to_string();
        check(self.tx_damaged == 0, "sent altered, with a right FCS", damaged);
        let longest = format!("{:?}", self.longest_call);
        check(self.longest_call <= LONGEST_CALL, "a call hung", longest);
        check(truth.balanced(), "the model's books", format!("{truth:?}"));
        check(
            self.rx_sent == truth.arrived + self.rx_cut,
            "frames that the wire lost",
            format!("{} sent, {} arrived, {} cut", self.rx_sent, truth.arrived, self.rx_cut),
        );
        check(
            u64::from(stats.rx_frames)
                == self.rx_delivered + self.rx_twice + self.rx_damaged + self.rx_damaged_in_reset,
            "rx_frames is not what was delivered",
            format!("{} and {}", stats.rx_frames, self.rx_delivered),
        );
        check(
            self.tx_forgotten == 0 && u64::from(stats.tx_frames + stats.tx_lost()) == self.tx_accepted,
            "frames accepted and not accounted for",
            format!(
                "{} accepted, {} forgotten, {stats:?}",
                self.tx_accepted, self.tx_forgotten
            ),
        );
        let falsely = self.tx_falsely_sent.to_string();
        check(
            self.tx_falsely_sent == 0,
            "said to be sent, and did not arrive",
            falsely,
        );
        let falsely = self.tx_falsely_lost.to_string();
        check(self.tx_falsely_lost == 0, "said to be lost, and arrived", falsely);
        let lost = truth.overflowed + truth.packet_count_full + truth.killed;
        check(
            u64::from(stats.rx_overrun) <= lost && (lost == 0 || stats.rx_overrun > 0),
            "overruns",
            format!("{lost} frames, {} noticed", stats.rx_overrun),
        );
        let unaccounted = self.rx_unaccounted();
        check(
            (-(injected as i64)..=self.rx_vanished as i64).contains(&unaccounted),
            "frames received and not accounted for",
            format!("{unaccounted}, {} vanished in resets", self.rx_vanished),
        );
        check(
            u64::from(stats.rx_reset) >= injected,
            "resets that nobody counted",
            format!("{injected}, rx_reset is {}", stats.rx_reset),
        );
        check(
            scenario.resets() || self.errors.is_empty(),
            "errors of calls",
            format!("{:?}", self.errors),
        );
        self.violations.extend(wrong);
    }
}
