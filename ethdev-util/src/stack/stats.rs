//! Counters: errors by kind, and frames lost between the device and the stack.

use core::fmt;

use ethdev::{Error, ErrorKind};

/// A struct of counters that can be iterated over.
macro_rules! counters {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
        #[cfg_attr(feature = "defmt", derive(defmt::Format))]
        #[non_exhaustive]
        pub struct $name {
            $($(#[$field_doc])* pub $field: u32,)*
        }

        impl $name {
            /// All zero.
            pub const ZERO: Self = Self { $($field: 0,)* };

            /// Returns the sum, counter by counter, modulo 2^32.
            #[must_use]
            pub const fn wrapping_add(&self, other: &Self) -> Self {
                Self { $($field: self.$field.wrapping_add(other.$field),)* }
            }

            /// Iterates over the counters with their names, in the order of declaration.
            pub fn iter(&self) -> impl Iterator<Item = (&'static str, u32)> {
                // Read one by one: an array of all counters would be the largest object on a small
                // stack.
                const COUNTERS: &[(&str, fn(&$name) -> u32)] = &[$((stringify!($field), |counters| counters.$field),)*];
                COUNTERS.iter().map(|(name, read)| (*name, read(self)))
            }
        }
    };
}

counters! {
    /// Number of errors of each kind that the device returned to the adapter. Counters wrap.
    ErrorCounts {
        /// The bus failed.
        bus,
        /// The device did not answer in time.
        timeout,
        /// The device needs [`recover`](ethdev::Control::recover).
        fault,
        /// There is no such device.
        not_present,
        /// The user of the host may not use the device.
        permission_denied,
        /// The device delivered an invalid frame.
        bad_frame,
        /// A buffer of the caller is shorter than the stack needs.
        buffer_too_small,
        /// The device rejected a frame of the stack as too long.
        frame_too_long,
        /// The device rejected a frame of the stack as too short.
        frame_too_short,
        /// The device returned `Busy` for a frame that it had lent memory for.
        busy,
        /// Any other kind.
        other,
    }
}

impl ErrorCounts {
    /// Returns the sum of all counters.
    #[must_use]
    pub fn total(&self) -> u32 {
        self.iter().fold(0, |sum, (_, n)| sum.wrapping_add(n))
    }

    const fn of(&mut self, kind: ErrorKind) -> &mut u32 {
        match kind {
            ErrorKind::Bus => &mut self.bus,
            ErrorKind::Timeout => &mut self.timeout,
            ErrorKind::Fault => &mut self.fault,
            ErrorKind::NotPresent => &mut self.not_present,
            ErrorKind::PermissionDenied => &mut self.permission_denied,
            ErrorKind::BadFrame => &mut self.bad_frame,
            ErrorKind::BufferTooSmall { .. } => &mut self.buffer_too_small,
            ErrorKind::FrameTooLong { .. } => &mut self.frame_too_long,
            ErrorKind::FrameTooShort => &mut self.frame_too_short,
            ErrorKind::Busy => &mut self.busy,
            _ => &mut self.other,
        }
    }
}

counters! {
    /// Frames lost between the device and the stack. Counters wrap.
    ///
    /// Together with the counters of the device they account for every frame. What the stack sent
    /// is the sum of what the device accepted, of the `tx_` counters here, and of the frame that is
    /// [pending](crate::stack::TxPath::is_pending).
    DropStats {
        /// Received frames shorter than an Ethernet header. They are in
        /// [`rx_discarded`](ethdev::Stats::rx_discarded) too.
        rx_too_short,
        /// Replies that were pending when a later reply took their place.
        tx_replies_dropped,
        /// Frames of sockets that a later reply replaced. They were pending because the device was
        /// busy although it had reported that it was ready; a device that keeps its contract has
        /// none.
        tx_busy_dropped,
        /// Frames rejected because the link was down or the device stopped.
        tx_link_down,
        /// Frames rejected with an error; [`ErrorCounts`] has its kind.
        tx_refused,
        /// Frames that were pending when the device was stopped or put to sleep.
        tx_reset,
    }
}

impl DropStats {
    /// Returns the number of frames that the stack sent and the device did not accept, for any
    /// reason.
    #[must_use]
    pub const fn tx_lost(&self) -> u32 {
        self.tx_replies_dropped
            .wrapping_add(self.tx_busy_dropped)
            .wrapping_add(self.tx_link_down)
            .wrapping_add(self.tx_refused)
            .wrapping_add(self.tx_reset)
    }
}

/// The first error of one direction, and the number of all. The tokens of both directions are used
/// at the same time, so each direction has its own.
pub struct ErrorLog<E> {
    first: Option<E>,
    /// The number of errors by kind.
    pub counts: ErrorCounts,
}

impl<E> ErrorLog<E> {
    /// Creates an empty log.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            first: None,
            counts: ErrorCounts::ZERO,
        }
    }

    /// Takes the first error since the last call.
    pub const fn take(&mut self) -> Option<E> {
        self.first.take()
    }

    /// Counts an error that its caller has been given.
    pub const fn count(&mut self, kind: ErrorKind) {
        increment(self.counts.of(kind));
    }
}

impl<E> Default for ErrorLog<E> {
    fn default() -> Self {
        Self::new()
    }
}

impl<E: Error> ErrorLog<E> {
    /// Counts an error, and keeps it if none is kept yet: later ones are most often its
    /// consequences.
    #[cold]
    pub fn latch(&mut self, error: E) {
        self.count(error.kind());
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

/// Adds one, modulo 2^32.
pub const fn increment(counter: &mut u32) {
    *counter = counter.wrapping_add(1);
}

impl<E> fmt::Debug for ErrorLog<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.counts.fmt(f)
    }
}
