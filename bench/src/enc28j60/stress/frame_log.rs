//! The frames of one direction, by number.

use core::time::Duration;
use std::collections::VecDeque;

use ethdev::Stats;

/// The frames of one direction.
#[derive(Debug, Default)]
pub(super) struct FrameLog {
    /// The frames, by number.
    pub(super) frames: Vec<Frame>,
    /// Frames that arrived, each counted once.
    pub(super) unique: u64,
    /// Arrivals of a frame that had arrived before.
    pub(super) duplicates: u64,
    /// Arrivals whose contents differ from every frame that was sent.
    pub(super) corrupt: u64,
    /// Frames without an outcome, in the order in which the driver accepted them.
    open: VecDeque<usize>,
}

/// One frame.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    /// When the driver accepted it, or when its last bit was on the wire.
    pub(super) sent_at: Duration,
    len: usize,
    pub(super) arrived: bool,
    /// The outcome according to the driver, and when it was counted.
    pub(super) outcome: Option<(Outcome, Duration)>,
}

/// The outcome of a frame according to the counters of the driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Counted in `tx_frames`.
    Sent,
    /// Counted in `tx_aborted` or `tx_reset`.
    Lost,
}

impl FrameLog {
    /// The number of the next frame.
    pub(super) fn next(&self) -> u64 {
        self.frames.len() as u64
    }

    /// Records a frame that was sent at this time.
    pub(super) fn record(&mut self, sent_at: Duration, len: usize) {
        self.open.push_back(self.frames.len());
        self.frames.push(Frame {
            sent_at,
            len,
            arrived: false,
            outcome: None,
        });
    }

    /// Records an arrival: the number of the frame, `None` if it is corrupt. Returns when the frame
    /// was sent if this is its first arrival.
    pub(super) fn arrive(&mut self, number: Option<u64>) -> Option<Duration> {
        let Some(frame) = number.and_then(|number| self.frames.get_mut(number as usize)) else {
            self.corrupt += 1;
            return None;
        };
        if core::mem::replace(&mut frame.arrived, true) {
            self.duplicates += 1;
            return None;
        }
        self.unique += 1;
        Some(frame.sent_at)
    }

    /// Records the outcomes that were counted since `before`. The driver counts frames in the order
    /// in which it accepted them; the sum of the bytes identifies the ones that were sent.
    pub(super) fn classify(&mut self, before: &Stats, now: &Stats, at: Duration) {
        let new = now.delta_since(before);
        let counted: Vec<usize> = (0..new.tx_frames + new.tx_lost())
            .map_while(|_| self.open.pop_front())
            .collect();
        let sent = self.select(&counted, new.tx_frames as usize, new.tx_bytes as usize);
        for (n, number) in counted.iter().enumerate() {
            let outcome = if sent & 1 << n != 0 {
                Outcome::Sent
            } else {
                Outcome::Lost
            };
            self.frames[*number].outcome = Some((outcome, at));
        }
    }

    /// Selects `sent` of these frames with `bytes` bytes in all, the earliest first. Returns one
    /// bit for each.
    fn select(&self, counted: &[usize], sent: usize, bytes: usize) -> u32 {
        let sum = |selected: u32| -> usize {
            let frames = counted.iter().enumerate().filter(|(n, _)| selected & 1 << n != 0);
            frames.map(|(_, number)| self.frames[*number].len).sum()
        };
        (0_u32..1 << counted.len().min(16))
            .find(|selected| selected.count_ones() as usize == sent && sum(*selected) == bytes)
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classify_one_of_two_sent_identified_by_bytes() {
        let mut log = FrameLog::default();
        for len in [100, 200, 300] {
            log.record(Duration::ZERO, len);
        }
        let mut stats = Stats::ZERO;
        stats.count_tx(200);
        stats.tx_aborted = 1;
        log.classify(&Stats::ZERO, &stats, Duration::ZERO);
        let outcomes: Vec<_> = log
            .frames
            .iter()
            .map(|frame| frame.outcome.map(|(outcome, _)| outcome))
            .collect();
        assert_eq!(outcomes, [Some(Outcome::Lost), Some(Outcome::Sent), None]);
    }
}
