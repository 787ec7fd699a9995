//! The times that must pass between accesses (tables 6.1 and 6.2).

use core::time::Duration;

use crate::context::Context;
use crate::registers::{Entry, GAP_AFTER_POP, GAP_RX_DROP, RX_FIFO_INF, TX_FIFO_INF};
use crate::violations::ViolationKind;

/// When the accesses ended that others must keep a distance from.
#[derive(Debug, Default)]
pub(crate) struct BusTiming {
    written: Option<Duration>,
    rx_popped: Option<Duration>,
    tx_popped: Option<Duration>,
    drop_read: Option<Duration>,
}

impl BusTiming {
    /// A write ends now.
    pub(crate) fn write(&mut self, context: &Context) {
        self.written = Some(context.now());
    }

    /// A read of a receive FIFO ends now.
    pub(crate) fn pop_rx(&mut self, context: &Context) {
        self.rx_popped = Some(context.now());
    }

    /// A read of the transmit status FIFO ends now.
    pub(crate) fn pop_tx(&mut self, context: &Context) {
        self.tx_popped = Some(context.now());
    }

    /// Checks a read of this register that began at `began`.
    pub(crate) fn check_read(&self, context: &mut Context, entry: &Entry, began: Duration) {
        let after_pop = match entry.offset {
            RX_FIFO_INF => self.rx_popped,
            TX_FIFO_INF => self.tx_popped,
            _ => None,
        };
        for (since, gap, what) in [
            (self.written, entry.gap, "a write"),
            (after_pop, GAP_AFTER_POP, "a read from its FIFO"),
        ] {
            let Some(since) = since else { continue };
            let (passed, gap) = (began.saturating_sub(since), gap_of(context, gap));
            if passed < gap {
                let detail = format!("{} {passed:?} after {what}, less than {gap:?}", entry.name);
                context.violation(ViolationKind::TooSoon, detail);
            }
        }
    }

    /// A read of `RX_DROP` that began at `began` ends now.
    pub(crate) fn read_drop(&mut self, context: &mut Context, began: Duration) {
        let gap = gap_of(context, GAP_RX_DROP);
        if self.drop_read.is_some_and(|at| began < at + gap) {
            context.violation(ViolationKind::TooSoon, "RX_DROP after RX_DROP");
        }
        self.drop_read = Some(context.now());
    }
}

fn gap_of(context: &Context, gap: [u64; 2]) -> Duration {
    Duration::from_nanos(gap[usize::from(context.config.part.is_slow())])
}
