//! Frames both ways, a few at a time.

use core::time::Duration;

use super::super::Lab;
use super::books::Books;
use super::host::Host;
use super::ledger::Ledger;
use super::power::take_error;
use crate::enc28j60::{build, number};

/// The frames of one chip, whatever becomes of its driver.
pub(super) struct Exchange<'l> {
    lab: &'l Lab,
    random: fastrand::Rng,
    rx: Ledger,
    tx: Ledger,
    doubtful: u64,
    /// From when on frames count for these two.
    since: Duration,
    rx_came: bool,
    tx_came: bool,
}

impl<'l> Exchange<'l> {
    pub(super) fn new(lab: &'l Lab, seed: u64) -> Self {
        Self {
            lab,
            random: fastrand::Rng::with_seed(seed ^ 0xe4c4),
            rx: Ledger::default(),
            tx: Ledger::default(),
            doubtful: 0,
            since: Duration::ZERO,
            rx_came: false,
            tx_came: false,
        }
    }

    /// Waits for a frame each way that was sent after this time.
    pub(super) fn expect_both(&mut self, since: Duration) {
        (self.since, self.rx_came, self.tx_came) = (since, false, false);
    }

    pub(super) fn both_came(&self) -> bool {
        self.rx_came && self.tx_came
    }

    /// Sends so many frames each way.
    pub(super) fn offer(&mut self, host: &mut Host<'_>, frames: usize) {
        for _ in 0..frames {
            let len = self.random.usize(60..=1514);
            let at = self.lab.station.send(&build(self.rx.next(), true, len));
            self.rx.hand_over(at, true);
            if !matches!(host.tx_ready(), Ok(true)) {
                continue;
            }
            let frame = build(self.tx.next(), false, len);
            let now = self.lab.clock.now();
            let sent = host.send(&frame);
            // What failed may be in the chip all the same: its number is used up.
            self.doubtful += u64::from(sent.is_err());
            self.tx.hand_over(now, sent.is_ok());
        }
    }

    /// Takes what the driver has.
    pub(super) fn receive(&mut self, host: &mut Host<'_>, books: &mut Books) {
        let mut buf = [0; 1514];
        for _ in 0..100 {
            match host.recv(&mut buf) {
                Ok(Some(len)) => {
                    let sent = self.rx.arrive(buf.get(..len).and_then(|frame| number(frame, true)));
                    self.rx_came |= sent.is_some_and(|sent| sent >= self.since);
                }
                Ok(None) => return,
                Err(e) => return take_error(host, Some(e), books),
            }
        }
    }

    /// Takes what has arrived at the station.
    pub(super) fn listen(&mut self) {
        while let Some(frame) = self.lab.station.recv() {
            let sent = self.tx.arrive(number(&frame, false));
            self.tx_came |= sent.is_some_and(|sent| sent >= self.since);
        }
    }

    /// What became of them.
    pub(super) fn close(self, books: &mut Books) {
        books.rx_sent = self.rx.next();
        books.rx_delivered = self.rx.unique;
        books.rx_twice = self.rx.twice;
        books.rx_altered = self.rx.damaged;
        books.tx_taken = self.tx.taken;
        books.tx_doubtful = self.doubtful;
        books.tx_arrived = self.tx.unique;
        books.tx_unexpected = self.tx.unexpected;
        books.tx_twice = self.tx.twice;
        books.tx_altered = self.tx.damaged;
        books.truth = self.lab.chip.stats();
        books.transactions = self.lab.chip.bus().transactions;
    }
}
