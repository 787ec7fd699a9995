//! Counters: every frame is delivered, or counted under one named reason.

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// What became of every frame, since the device was constructed.
        ///
        /// Counters are 32 bits wide, wrap, and survive [`recover`](crate::Control::recover): look at differences with [`delta_since`](Self::delta_since).
        ///
        /// # The books balance
        ///
        /// - Received: each frame that ended on the wire towards this device while it was started is in `rx_frames` (the caller has it), in exactly one
        ///   of `rx_overrun`, `rx_bad_fcs`, `rx_bad_length`, `rx_error`, `rx_filtered`, `rx_discarded`, `rx_reset`, or still pending.
        ///   Devices whose chip does not report one of these say so in their documentation;
        ///   [`rx_overrun_exact`](crate::Capabilities::rx_overrun_exact) says it for overruns.
        /// - Sent: each frame that `send_*` accepted is in `tx_frames` (it is on the wire), in exactly one of `tx_aborted`, `tx_reset`, or still queued.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
        #[cfg_attr(feature = "defmt", derive(defmt::Format))]
        #[non_exhaustive]
        pub struct Stats {
            $($(#[$doc])* pub $name: u32,)*
        }

        impl Stats {
            /// All zero.
            pub const ZERO: Self = Self { $($name: 0,)* };

            /// What was counted between `earlier` and `self`, right across a wrap.
            #[must_use]
            pub const fn delta_since(&self, earlier: &Self) -> Self {
                Self { $($name: self.$name.wrapping_sub(earlier.$name),)* }
            }

            /// The sum of two devices' counters, or of a device's and of a layer's in front of it.
            #[must_use]
            pub const fn wrapping_add(&self, other: &Self) -> Self {
                Self { $($name: self.$name.wrapping_add(other.$name),)* }
            }

            /// Each counter with its name, in the order of declaration: for tables and exporters.
            pub fn iter(&self) -> impl Iterator<Item = (&'static str, u32)> {
                // Read one by one: an array of them all would be the largest thing on a small stack.
                const COUNTERS: &[(&str, fn(&Stats) -> u32)] = &[$((stringify!($name), |stats| stats.$name),)*];
                COUNTERS.iter().map(|(name, read)| (*name, read(self)))
            }
        }
    };
}

counters! {
    /// Frames handed to the caller.
    rx_frames,
    /// Bytes of the frames in `rx_frames`, without FCS.
    rx_bytes,
    /// Frames lost because nobody fetched the ones before them.
    rx_overrun,
    /// Frames whose FCS was wrong.
    rx_bad_fcs,
    /// Runts, giants, and frames with lengths that the chip cannot mean.
    rx_bad_length,
    /// Frames with other errors of the medium (symbol error, dribble, decryption).
    rx_error,
    /// Good frames that the receive filter refused.
    rx_filtered,
    /// Good frames that the caller, or a layer in front of the device, threw away (`discard_frame`).
    rx_discarded,
    /// Good frames lost inside the device by a reset, a stop or a recovery.
    rx_reset,
    /// Frames sent.
    tx_frames,
    /// Bytes of the frames in `tx_frames` as the caller gave them: without padding and FCS.
    tx_bytes,
    /// Accepted frames that the device gave up on (collisions, link lost while queued, refused by the chip).
    tx_aborted,
    /// Accepted frames lost inside the device by a reset, a stop or a recovery.
    tx_reset,
    /// Faults noticed, whether or not the device got over them by itself.
    faults,
    /// Completed recoveries, the device's own and the caller's.
    recoveries,
    /// Changes of the link state, both ways.
    link_changes,
}

impl Stats {
    /// Frames that arrived and were not handed to the caller, whatever the reason.
    #[must_use]
    pub const fn rx_lost(&self) -> u32 {
        self.rx_overrun
            .wrapping_add(self.rx_bad_fcs)
            .wrapping_add(self.rx_bad_length)
            .wrapping_add(self.rx_error)
            .wrapping_add(self.rx_filtered)
            .wrapping_add(self.rx_discarded)
            .wrapping_add(self.rx_reset)
    }

    /// Frames that were accepted for sending and will never be on the wire, whatever the reason.
    #[must_use]
    pub const fn tx_lost(&self) -> u32 {
        self.tx_aborted.wrapping_add(self.tx_reset)
    }

    /// Counts one frame handed to the caller.
    pub const fn count_rx(&mut self, len: usize) {
        self.rx_frames = self.rx_frames.wrapping_add(1);
        self.rx_bytes = self.rx_bytes.wrapping_add(len as u32);
    }

    /// Counts one frame sent.
    pub const fn count_tx(&mut self, len: usize) {
        self.tx_frames = self.tx_frames.wrapping_add(1);
        self.tx_bytes = self.tx_bytes.wrapping_add(len as u32);
    }
}

/// What [`service`](crate::EthernetDevice::service) found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Events {
    /// [`link`](crate::EthernetDevice::link) now answers something else than before.
    pub link_changed: bool,
    /// At least one frame is pending.
    pub rx_pending: bool,
    /// Frames were lost since the last call; [`Stats`] says why.
    pub rx_dropped: bool,
    /// Room to transmit: the next legal frame is not `Busy`.
    pub tx_ready: bool,
    /// How many sent frames were confirmed since the last call.
    pub tx_completed: u16,
    /// How many accepted frames failed since the last call.
    pub tx_failed: u16,
    /// The device got over a fault by itself, with its address, filters and mode replayed.
    pub recovered: bool,
}

impl Events {
    /// Nothing happened.
    pub const NONE: Self = Self {
        link_changed: false,
        rx_pending: false,
        rx_dropped: false,
        tx_ready: false,
        tx_completed: 0,
        tx_failed: 0,
        recovered: false,
    };

    /// Both: the flags of either, the sums of the counts (saturating).
    #[must_use]
    pub const fn merge(self, other: Self) -> Self {
        Self {
            link_changed: self.link_changed | other.link_changed,
            rx_pending: self.rx_pending | other.rx_pending,
            rx_dropped: self.rx_dropped | other.rx_dropped,
            tx_ready: self.tx_ready | other.tx_ready,
            tx_completed: self.tx_completed.saturating_add(other.tx_completed),
            tx_failed: self.tx_failed.saturating_add(other.tx_failed),
            recovered: self.recovered | other.recovered,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn differences_survive_a_wrap(start: u32, frames in 0_u32..100, len in 0_usize..2000) {
            let earlier = Stats { rx_frames: start, rx_bytes: start, ..Stats::ZERO };
            let mut later = earlier;
            for _ in 0..frames {
                later.count_rx(len);
            }
            let difference = later.delta_since(&earlier);
            prop_assert_eq!(difference.rx_frames, frames);
            prop_assert_eq!(difference.rx_bytes, frames * len as u32);
        }

        #[test]
        fn plus_undoes_since(a: u32, b: u32) {
            let x = Stats { tx_frames: a, ..Stats::ZERO };
            let y = Stats { tx_frames: b, ..Stats::ZERO };
            prop_assert_eq!(x.delta_since(&y).wrapping_add(&y), x);
        }
    }

    #[test]
    fn every_loss_is_in_the_sum() {
        let all = Stats {
            rx_overrun: 1,
            rx_bad_fcs: 1,
            rx_bad_length: 1,
            rx_error: 1,
            rx_filtered: 1,
            rx_discarded: 1,
            rx_reset: 1,
            ..Stats::ZERO
        };
        assert_eq!(all.rx_lost(), 7);
        assert_eq!(
            all.iter()
                .filter(|(name, n)| name.starts_with("rx_") && *n == 1)
                .count(),
            7
        );
        assert_eq!(
            Stats {
                tx_aborted: 1,
                tx_reset: 1,
                ..Stats::ZERO
            }
            .tx_lost(),
            2
        );
    }
}
