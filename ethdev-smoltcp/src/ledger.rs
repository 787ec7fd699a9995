//! What went wrong: the first error kept, all of them counted.

use core::fmt;

use ethdev::{Error, ErrorKind};

macro_rules! error_counts {
    ($($(#[$doc:meta])* $name:ident: $kind:pat,)*) => {
        /// How many errors of each kind the device returned to the adapter. Counters wrap.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
        #[cfg_attr(feature = "defmt", derive(defmt::Format))]
        #[non_exhaustive]
        pub struct ErrorCounts {
            $($(#[$doc])* pub $name: u32,)*
            /// Any other kind.
            pub other: u32,
        }

        impl ErrorCounts {
            const ZERO: Self = Self { $($name: 0,)* other: 0 };

            /// The sums, counter by counter.
            pub(crate) const fn plus(&self, other: &Self) -> Self {
                Self {
                    $($name: self.$name.wrapping_add(other.$name),)*
                    other: self.other.wrapping_add(other.other),
                }
            }

            const fn of(&mut self, kind: ErrorKind) -> &mut u32 {
                match kind {
                    $($kind => &mut self.$name,)*
                    _ => &mut self.other,
                }
            }

            /// Each counter with its name, in the order of declaration: for tables and exporters.
            pub fn iter(&self) -> impl Iterator<Item = (&'static str, u32)> {
                // Read one by one: an array of them all would be the largest thing on a small stack.
                const COUNTERS: &[(&str, fn(&ErrorCounts) -> u32)] =
                    &[$((stringify!($name), |counts| counts.$name),)* ("other", |counts| counts.other)];
                COUNTERS.iter().map(|(name, read)| (*name, read(self)))
            }
        }
    };
}

error_counts! {
    /// The bus failed.
    bus: ErrorKind::Bus,
    /// The device did not answer in time.
    timeout: ErrorKind::Timeout,
    /// The device needs [`recover`](ethdev::Control::recover).
    fault: ErrorKind::Fault,
    /// There is no such device, or no more.
    not_present: ErrorKind::NotPresent,
    /// The host's user may not use the device.
    permission_denied: ErrorKind::PermissionDenied,
    /// The device delivered something that is no frame.
    bad_frame: ErrorKind::BadFrame,
    /// The device called a frame of smoltcp's too long.
    frame_too_long: ErrorKind::FrameTooLong { .. },
    /// The device called a frame of smoltcp's too short.
    frame_too_short: ErrorKind::FrameTooShort,
    /// The device was busy after it had said that it was not.
    busy: ErrorKind::Busy,
}

impl ErrorCounts {
    /// The sum of all.
    #[must_use]
    pub fn total(&self) -> u32 {
        self.iter().fold(0, |sum, (_, n)| sum.wrapping_add(n))
    }
}

/// Frames that the device counted as delivered but smoltcp never saw, or that smoltcp sent and the device never took. Counters wrap.
///
/// Together with the device's [`Stats`](ethdev::Stats) they account for every frame: what smoltcp sent is what the device accepted, the sum of the `tx_`
/// counters, and the one that [waits](crate::SmoltcpDevice::has_pending_reply) in the spare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct DropStats {
    /// Received frames shorter than an Ethernet header.
    pub rx_too_short: u32,
    /// Replies that waited in the spare when a later one took their place.
    pub tx_replies_dropped: u32,
    /// Frames refused because the link was down or the device stopped.
    pub tx_link_down: u32,
    /// Frames refused with an error; [`ErrorCounts`] says with which.
    pub tx_refused: u32,
}

impl DropStats {
    const ZERO: Self = Self {
        rx_too_short: 0,
        tx_replies_dropped: 0,
        tx_link_down: 0,
        tx_refused: 0,
    };

    /// Those of a direction each, put together: the counters of the other are zero.
    pub(crate) const fn both(rx: &Self, tx: &Self) -> Self {
        Self {
            rx_too_short: rx.rx_too_short,
            ..*tx
        }
    }

    /// Frames that smoltcp sent and the device never took, whatever the reason.
    #[must_use]
    pub const fn tx_lost(&self) -> u32 {
        self.tx_replies_dropped
            .wrapping_add(self.tx_link_down)
            .wrapping_add(self.tx_refused)
    }
}

/// The books of one direction.
pub(crate) struct Ledger<E> {
    first: Option<E>,
    errors: ErrorCounts,
    drops: DropStats,
}

impl<E> Ledger<E> {
    pub(crate) const fn new() -> Self {
        Self {
            first: None,
            errors: ErrorCounts::ZERO,
            drops: DropStats::ZERO,
        }
    }

    pub(crate) const fn take_error(&mut self) -> Option<E> {
        self.first.take()
    }

    pub(crate) const fn errors(&self) -> &ErrorCounts {
        &self.errors
    }

    pub(crate) const fn drops(&self) -> &DropStats {
        &self.drops
    }

    #[cold]
    pub(crate) fn count_drop(&mut self, counter: impl FnOnce(&mut DropStats) -> &mut u32) {
        let counter = counter(&mut self.drops);
        *counter = counter.wrapping_add(1);
    }

    pub(crate) const fn count_error(&mut self, kind: ErrorKind) {
        let counter = self.errors.of(kind);
        *counter = counter.wrapping_add(1);
    }
}

impl<E: Error> Ledger<E> {
    /// Counts an error, and keeps it where none is kept yet: what follows is most often its consequence.
    #[cold]
    pub(crate) fn latch(&mut self, error: E) {
        self.count_error(error.kind());
        if self.first.is_some() {
            return;
        }
        #[cfg(feature = "log")]
        log::warn!("device failed: {error:?}");
        #[cfg(feature = "defmt")]
        defmt::warn!("device failed: {}", error.kind());
        self.first = Some(error);
    }
}

impl<E> fmt::Debug for Ledger<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ledger")
            .field("errors", &self.errors)
            .field("drops", &self.drops)
            .finish_non_exhaustive()
    }
}
