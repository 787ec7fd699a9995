//! Counters: every frame is delivered, or counted under one reason.

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// Counters of frames, since the device was constructed.
        ///
        /// Counters are 32 bits wide, wrap, and survive [`recover`](crate::Control::recover): use
        /// [`delta_since`](Self::delta_since).
        ///
        /// # Frame accounting
        ///
        /// - Received: each frame that ended on the wire towards this device while it was running
        ///   is in `rx_frames` (the caller has it), in exactly one of the other `rx_` counters, or
        ///   still pending.
        /// - Sent: each frame that `send_*` accepted is in `tx_frames` (it is on the wire), in
        ///   exactly one of `tx_aborted` and `tx_reset`, or still queued.
        ///
        /// [`Capabilities::coverage`](crate::Capabilities::coverage) declares the reasons that the
        /// hardware reports inexactly or not at all.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
        #[cfg_attr(feature = "defmt", derive(defmt::Format))]
        #[non_exhaustive]
        pub struct Stats {
            $($(#[$doc])* pub $name: u32,)*
        }

        impl Stats {
            /// All zero.
            pub const ZERO: Self = Self { $($name: 0,)* };

            /// Returns the difference to an `earlier` reading, correct across a wrap.
            #[must_use]
            pub const fn delta_since(&self, earlier: &Self) -> Self {
                Self { $($name: self.$name.wrapping_sub(earlier.$name),)* }
            }

            /// Returns the sum, counter by counter, modulo 2^32.
            #[must_use]
            pub const fn wrapping_add(&self, other: &Self) -> Self {
                Self { $($name: self.$name.wrapping_add(other.$name),)* }
            }

            /// Iterates over the counters with their names, in the order of declaration.
            pub fn iter(&self) -> impl Iterator<Item = (&'static str, u32)> {
                // Read one by one: an array of all counters would be the largest object on a small
                // stack.
                const COUNTERS: &[(&str, fn(&Stats) -> u32)] = &[$((stringify!($name), |stats| stats.$name),)*];
                COUNTERS.iter().map(|(name, read)| (*name, read(self)))
            }
        }
    };
}

counters! {
    /// Frames delivered to the caller.
    rx_frames,
    /// Bytes of the frames in `rx_frames`, without FCS.
    rx_bytes,
    /// Frames lost because the receive queue was full.
    rx_overrun,
    /// Frames with a wrong FCS.
    rx_bad_fcs,
    /// Runts, giants, and frames whose reported length is invalid.
    rx_bad_length,
    /// Frames with other errors of the medium (symbol error, dribble, decryption).
    rx_error,
    /// Good frames that the receive filter rejected.
    rx_filtered,
    /// Good frames that the caller, or a layer in front of the device, dropped (`discard_frame`).
    rx_discarded,
    /// Good frames lost inside the device by a reset, a stop or a recovery.
    rx_reset,
    /// Frames sent.
    tx_frames,
    /// Bytes of the frames in `tx_frames` as passed by the caller: without padding and FCS.
    tx_bytes,
    /// Accepted frames that the device gave up (collisions, link lost while queued, rejected by the
    /// chip).
    tx_aborted,
    /// Accepted frames lost inside the device by a reset, a stop or a recovery.
    tx_reset,
    /// Faults, whether or not the device recovered from them by itself.
    faults,
    /// Completed recoveries, automatic and requested.
    recoveries,
    /// Changes of the link state, in both directions.
    link_changes,
}

impl Stats {
    /// Returns the number of received frames that were not delivered, for any reason.
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

    /// Returns the number of accepted frames that will not be sent, for any reason.
    #[must_use]
    pub const fn tx_lost(&self) -> u32 {
        self.tx_aborted.wrapping_add(self.tx_reset)
    }

    /// Counts one frame of `len` bytes delivered to the caller.
    #[inline]
    pub const fn count_rx(&mut self, len: usize) {
        self.rx_frames = self.rx_frames.wrapping_add(1);
        self.rx_bytes = self.rx_bytes.wrapping_add(len as u32);
    }

    /// Counts one frame of `len` bytes sent.
    #[inline]
    pub const fn count_tx(&mut self, len: usize) {
        self.tx_frames = self.tx_frames.wrapping_add(1);
        self.tx_bytes = self.tx_bytes.wrapping_add(len as u32);
    }
}

/// The events that [`service`](crate::EthernetDevice::service) found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Events {
    /// [`link`](crate::EthernetDevice::link) differs from its value when the last `service`
    /// returned, whichever call noticed the change.
    pub link_changed: bool,
    /// At least one frame is pending.
    pub rx_pending: bool,
    /// Received frames were lost since the last call; [`Stats`] has the reasons.
    pub rx_dropped: bool,
    /// The next legal frame is not `Busy`.
    pub tx_ready: bool,
    /// Number of sent frames confirmed since the last call.
    pub tx_completed: u16,
    /// Number of accepted frames that failed since the last call.
    pub tx_failed: u16,
    /// The device recovered from a fault by itself and restored address, filter and mode.
    pub recovered: bool,
}

impl Events {
    /// No event.
    pub const NONE: Self = Self {
        link_changed: false,
        rx_pending: false,
        rx_dropped: false,
        tx_ready: false,
        tx_completed: 0,
        tx_failed: 0,
        recovered: false,
    };

    /// Merges two reports: the flags of either, the sums of the counts (saturating).
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
        fn delta_since_across_wrap_is_exact(start: u32, frames in 0_u32..100, len in 0_usize..2000) {
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
        fn wrapping_add_of_delta_restores(a: u32, b: u32) {
            let x = Stats { tx_frames: a, ..Stats::ZERO };
            let y = Stats { tx_frames: b, ..Stats::ZERO };
            prop_assert_eq!(x.delta_since(&y).wrapping_add(&y), x);
        }
    }

    #[test]
    fn count_tx_adds_frame_and_bytes() {
        let mut stats = Stats {
            tx_frames: u32::MAX,
            ..Stats::ZERO
        };
        stats.count_tx(60);
        stats.count_tx(1514);
        assert_eq!((stats.tx_frames, stats.tx_bytes), (1, 1574));
        assert_eq!((stats.rx_frames, stats.rx_bytes), (0, 0));
    }

    #[test]
    fn merge_is_flags_of_either_and_sums() {
        let flags = |n: u8| Events {
            link_changed: n & 1 != 0,
            rx_pending: n & 2 != 0,
            rx_dropped: n & 4 != 0,
            tx_ready: n & 8 != 0,
            recovered: n & 16 != 0,
            ..Events::NONE
        };
        for (a, b) in (0..32).flat_map(|a| (0..32).map(move |b| (a, b))) {
            assert_eq!(flags(a).merge(flags(b)), flags(a | b), "{a} {b}");
        }
        let counts = |tx_completed, tx_failed| Events {
            tx_completed,
            tx_failed,
            ..Events::NONE
        };
        assert_eq!(counts(1, 2).merge(counts(3, 5)), counts(4, 7));
        assert_eq!(
            counts(u16::MAX, 0).merge(counts(1, u16::MAX)),
            counts(u16::MAX, u16::MAX)
        );
    }

    #[test]
    fn rx_lost_sums_every_reason() {
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
