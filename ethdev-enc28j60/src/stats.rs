//! The counters of the driver: those of [`Stats`] that this chip reports.

use ethdev::Stats;

macro_rules! counters {
    ($($name:ident,)*) => {
        /// As in [`Stats`], without `rx_filtered` and `rx_bad_fcs`: the chip does not report frames
        /// that its filter rejects or whose FCS is wrong.
        #[derive(Debug)]
        pub(crate) struct Counters {
            $(pub(crate) $name: u32,)*
        }

        impl Counters {
            pub(crate) const ZERO: Self = Self { $($name: 0,)* };

            pub(crate) const fn stats(&self) -> Stats {
                let mut stats = Stats::ZERO;
                $(stats.$name = self.$name;)*
                stats
            }
        }
    };
}

counters! {
    rx_frames,
    rx_bytes,
    rx_overrun,
    rx_bad_length,
    rx_error,
    rx_discarded,
    rx_reset,
    tx_frames,
    tx_bytes,
    tx_aborted,
    tx_reset,
    faults,
    recoveries,
    link_changes,
}

impl Counters {
    /// Counts one frame delivered to the caller.
    pub(crate) const fn count_rx(&mut self, len: usize) {
        self.rx_frames = self.rx_frames.wrapping_add(1);
        self.rx_bytes = self.rx_bytes.wrapping_add(len as u32);
    }

    /// Counts one frame sent.
    pub(crate) const fn count_tx(&mut self, len: u16) {
        self.tx_frames = self.tx_frames.wrapping_add(1);
        self.tx_bytes = self.tx_bytes.wrapping_add(len as u32);
    }
}

/// Adds one to a counter.
pub(crate) const fn count(counter: &mut u32) {
    *counter = counter.wrapping_add(1);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stats_unreported_reasons_stay_zero() {
        let ones = Counters {
            rx_frames: 1,
            rx_bytes: 1,
            rx_overrun: 1,
            rx_bad_length: 1,
            rx_error: 1,
            rx_discarded: 1,
            rx_reset: 1,
            tx_frames: 1,
            tx_bytes: 1,
            tx_aborted: 1,
            tx_reset: 1,
            faults: 1,
            recoveries: 1,
            link_changes: 1,
        };
        let stats = ones.stats();
        let zeros = stats.iter().filter(|(_, n)| *n == 0).map(|(name, _)| name);
        assert!(zeros.eq(["rx_bad_fcs", "rx_filtered"]));
        assert_eq!(size_of::<Counters>(), size_of::<Stats>() - 2 * size_of::<u32>());
    }
}
