//! What has to be true at the end of a run.

use core::time::Duration;

use super::Scenario;
use super::books::Books;
use super::ledger::{Ledger, Verdict};
use super::run::SERVICE;

/// A call that takes longer hangs.
const LONGEST_CALL: Duration = Duration::from_millis(100);
/// After so many thorough looks the driver compares the MAC's settings with what they should be: a wrong one lasts no longer.
const LOOKS: u32 = 32;
/// One run in so many may exceed what is expected by chance.
const RARE: f64 = 1e6;

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

/// The least number that a Poisson variable of this mean exceeds with a probability below one in a million.
fn at_most(mean: f64) -> u64 {
    let (mut n, mut term, mut below) = (0_u64, (-mean).exp(), 0.0);
    loop {
        below += term;
        if 1.0 - below < 1.0 / RARE || n as f64 > mean + 100.0 * (mean.sqrt() + 1.0) {
            return n;
        }
        n += 1;
        term *= mean / n as f64;
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

    /// How many may be, of frames that went out again, that went out altered, and that came again: what follows from the rate of damage and the bits that matter.
    #[must_use]
    pub fn expected(&self) -> [u64; 3] {
        let per_second = self.tx_accepted as f64 / self.elapsed.as_secs_f64();
        // A setting of the MAC that is wrong alters each frame until it is looked at.
        let each = per_second * (SERVICE * LOOKS).as_secs_f64();
        [
            at_most(self.noise.starts),
            (at_most(self.noise.strays) as f64 * each).ceil() as u64,
            at_most(self.noise.stale),
        ]
    }

    pub(super) fn audit(&mut self, scenario: Scenario) {
        let (stats, truth) = (self.stats, self.truth);
        let mut wrong = Vec::new();
        let mut check = |holds: bool, what: &str, figures: String| {
            if !holds {
                wrong.push(format!("{what}: {figures}"));
            }
        };
        let noisy = scenario.is_noisy();
        let [again, altered, stale] = if noisy { self.expected() } else { [0; 3] };
        let of = |n: u64, most: u64| format!("{n}, {most} at most");
        check(self.rx_twice <= stale, "delivered twice", of(self.rx_twice, stale));
        check(self.rx_damaged == 0, "delivered damaged", self.rx_damaged.to_string());
        check(self.tx_twice <= again, "sent twice", of(self.tx_twice, again));
        let damaged = of(self.tx_damaged, altered);
        check(self.tx_damaged <= altered, "sent altered, with a right FCS", damaged);
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
        if noisy {
            // Damaged instructions make the chip do what nobody asked for: only what the caller sees is claimed.
            self.violations.extend(wrong);
            return;
        }
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
        let injected = self.brown_outs + self.resets;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chance_has_its_bounds() {
        // Poisson with a mean of 1 exceeds 9 with a probability of 1.1e-7, and 8 with one of 1.1e-6; with a mean of 0, it never exceeds 0.
        assert_eq!((at_most(0.0), at_most(1.0)), (0, 9));
        assert!((150..170).contains(&at_most(100.0)));
    }
}
