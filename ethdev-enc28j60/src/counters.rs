//! The counters that this chip can move: [`Stats`] without those that it cannot.

use ethdev::Stats;

macro_rules! counters {
    ($($name:ident,)*) => {
        /// As in [`Stats`], by the same names. A frame that the chip's filter refuses, or whose FCS it finds wrong, leaves no trace: those two are missing.
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
    /// One frame handed to the caller.
    pub(crate) const fn count_rx(&mut self, len: usize) {
        self.rx_frames = self.rx_frames.wrapping_add(1);
        self.rx_bytes = self.rx_bytes.wrapping_add(len as u32);
    }

    /// One frame sent.
    pub(crate) const fn count_tx(&mut self, len: u16) {
        self.tx_frames = self.tx_frames.wrapping_add(1);
        self.tx_bytes = self.tx_bytes.wrapping_add(len as u32);
    }
}

/// One more.
pub(crate) const fn count(counter: &mut u32) {
    *counter = counter.wrapping_add(1);
}
