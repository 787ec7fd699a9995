//! Frames by their numbers.

use core::time::Duration;
use std::collections::VecDeque;

use ethdev::Stats;

/// The frames of one direction.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// By number.
    pub(super) frames: Vec<Frame>,
    /// How many arrived once.
    pub(super) unique: u64,
    /// How many times a frame came again.
    pub(super) twice: u64,
    /// How many were not as they were sent.
    pub(super) damaged: u64,
    /// Those of which the driver has not said what became of them, in the order in which it took them.
    open: VecDeque<usize>,
}

/// One frame.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    /// When it was handed over: to the driver, or with its last bit to the wire.
    pub(super) handed: Duration,
    len: usize,
    pub(super) arrived: bool,
    /// What the driver says of one that it was given, and when it did.
    pub(super) verdict: Option<(Verdict, Duration)>,
}

/// What a driver's counters say of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// In `tx_frames`.
    Sent,
    /// In `tx_aborted` or `tx_reset`.
    Lost,
}

impl Ledger {
    pub(super) fn next(&self) -> u64 {
        self.frames.len() as u64
    }

    pub(super) fn hand_over(&mut self, at: Duration, len: usize) {
        self.open.push_back(self.frames.len());
        self.frames.push(Frame {
            handed: at,
            len,
            arrived: false,
            verdict: None,
        });
    }

    /// Takes note of a frame that arrived; when it was handed over, if it is what it should be.
    pub(super) fn arrive(&mut self, number: Option<u64>) -> Option<Duration> {
        let Some(frame) = number.and_then(|number| self.frames.get_mut(number as usize)) else {
            self.damaged += 1;
            return None;
        };
        if core::mem::replace(&mut frame.arrived, true) {
            self.twice += 1;
            return None;
        }
        self.unique += 1;
        Some(frame.handed)
    }

    /// Takes note of what the counters say since `before`. A driver decides in the order in which it took the frames; which of several were sent, the sum of
    /// their bytes tells.
    pub(super) fn judge(&mut self, before: &Stats, now: &Stats, at: Duration) {
        let new = now.delta_since(before);
        let decided: Vec<usize> = (0..new.tx_frames + new.tx_lost())
            .map_while(|_| self.open.pop_front())
            .collect();
        let (sent, bytes) = (new.tx_frames as usize, new.tx_bytes as usize);
        let chosen = self.choose(&decided, sent, bytes);
        for (n, number) in decided.iter().enumerate() {
            let verdict = if chosen & 1 << n != 0 {
                Verdict::Sent
            } else {
                Verdict::Lost
            };
            self.frames[*number].verdict = Some((verdict, at));
        }
    }

    /// Which `sent` of these have `bytes` bytes together, the earliest first: a bit for each.
    fn choose(&self, decided: &[usize], sent: usize, bytes: usize) -> u32 {
        let sum = |chosen: u32| -> usize {
            let of = decided.iter().enumerate().filter(|(n, _)| chosen & 1 << n != 0);
            of.map(|(_, number)| self.frames[*number].len).sum()
        };
        (0_u32..1 << decided.len().min(16))
            .find(|chosen| chosen.count_ones() as usize == sent && sum(*chosen) == bytes)
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_tell_which_frame_was_sent() {
        let mut ledger = Ledger::default();
        for len in [100, 200, 300] {
            ledger.hand_over(Duration::ZERO, len);
        }
        let mut stats = Stats::ZERO;
        stats.count_tx(200);
        stats.tx_aborted = 1;
        ledger.judge(&Stats::ZERO, &stats, Duration::ZERO);
        let verdicts: Vec<_> = ledger
            .frames
            .iter()
            .map(|frame| frame.verdict.map(|(v, _)| v))
            .collect();
        assert_eq!(verdicts, [Some(Verdict::Lost), Some(Verdict::Sent), None]);
    }
}
