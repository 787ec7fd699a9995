//! Frames in both directions, a few at a time.

use core::time::Duration;

use super::super::Testbed;
use super::frame_log::FrameLog;
use super::host::Host;
use super::stats::RunStats;
use crate::enc28j60::{build, number};

/// The frames of one chip, across any number of drivers.
pub(super) struct Exchange<'l> {
    testbed: &'l Testbed,
    random: fastrand::Rng,
    rx: FrameLog,
    tx: FrameLog,
    tx_unknown: u64,
    /// Frames that were sent from this time on count for `rx_arrived` and `tx_arrived`.
    since: Duration,
    rx_arrived: bool,
    tx_arrived: bool,
}

impl<'l> Exchange<'l> {
    pub(super) fn new(testbed: &'l Testbed, seed: u64) -> Self {
        Self {
            testbed,
            random: fastrand::Rng::with_seed(seed ^ 0xe4c4),
            rx: FrameLog::default(),
            tx: FrameLog::default(),
            tx_unknown: 0,
            since: Duration::ZERO,
            rx_arrived: false,
            tx_arrived: false,
        }
    }

    /// Starts to wait for a frame in each direction that is sent from this time on.
    pub(super) fn expect_both(&mut self, since: Duration) {
        (self.since, self.rx_arrived, self.tx_arrived) = (since, false, false);
    }

    pub(super) fn both_arrived(&self) -> bool {
        self.rx_arrived && self.tx_arrived
    }

    /// Sends this number of frames in each direction.
    pub(super) fn send(&mut self, host: &mut Host<'_>, frames: usize) {
        for _ in 0..frames {
            let len = self.random.usize(60..=1514);
            let at = self.testbed.peer.send(&build(self.rx.next(), true, len));
            self.rx.record(at, true);
            if !matches!(host.tx_ready(), Ok(true)) {
                continue;
            }
            let frame = build(self.tx.next(), false, len);
            let now = self.testbed.clock.now();
            let sent = host.send(&frame);
            // The chip may have the frame despite an error: its number is not used again.
            self.tx_unknown += u64::from(sent.is_err());
            self.tx.record(now, sent.is_ok());
        }
    }

    /// Receives what the driver has.
    pub(super) fn recv_from_driver(&mut self, host: &mut Host<'_>, stats: &mut RunStats) {
        let mut buf = [0; 1514];
        for _ in 0..100 {
            match host.recv(&mut buf) {
                Ok(Some(len)) => {
                    let sent = self.rx.arrive(buf.get(..len).and_then(|frame| number(frame, true)));
                    self.rx_arrived |= sent.is_some_and(|sent| sent >= self.since);
                }
                Ok(None) => return,
                Err(e) => return host.handle_error(&e, stats),
            }
        }
    }

    /// Receives what has arrived at the peer.
    pub(super) fn recv_from_peer(&mut self) {
        while let Some(frame) = self.testbed.peer.recv() {
            let sent = self.tx.arrive(number(&frame, false));
            self.tx_arrived |= sent.is_some_and(|sent| sent >= self.since);
        }
    }

    /// Adds the counters of the frames and of the model.
    pub(super) fn finish(self, stats: &mut RunStats) {
        stats.rx_sent = self.rx.next();
        stats.rx_delivered = self.rx.unique;
        stats.rx_duplicates = self.rx.duplicates;
        stats.rx_corrupt = self.rx.corrupt;
        stats.tx_accepted = self.tx.accepted;
        stats.tx_unknown = self.tx_unknown;
        stats.tx_arrived = self.tx.unique;
        stats.tx_unexpected = self.tx.unexpected;
        stats.tx_duplicates = self.tx.duplicates;
        stats.tx_corrupt = self.tx.corrupt;
        stats.model = self.testbed.chip.stats();
        stats.transactions = self.testbed.chip.bus().transactions;
    }
}
