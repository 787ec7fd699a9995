//! How exactly a device counts the frames that it loses.

/// A reason for the loss of a frame inside a device: one counter of [`Stats`](crate::Stats).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum LossReason {
    /// [`rx_overrun`](crate::Stats::rx_overrun).
    RxOverrun,
    /// [`rx_bad_fcs`](crate::Stats::rx_bad_fcs).
    RxBadFcs,
    /// [`rx_bad_length`](crate::Stats::rx_bad_length).
    RxBadLength,
    /// [`rx_error`](crate::Stats::rx_error).
    RxError,
    /// [`rx_filtered`](crate::Stats::rx_filtered).
    RxFiltered,
    /// [`rx_reset`](crate::Stats::rx_reset).
    RxReset,
    /// [`tx_aborted`](crate::Stats::tx_aborted). Not reported by hardware that only learns that a
    /// frame was accepted.
    TxAborted,
    /// [`tx_reset`](crate::Stats::tx_reset).
    TxReset,
}

/// How exactly a device counts one [`LossReason`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Counted {
    /// Every frame is counted.
    Exactly,
    /// The hardware reports that frames were lost, not how many: the counter is a lower bound that
    /// grows with each report.
    AtLeastOne,
    /// The hardware does not report such losses.
    NotReported,
}

/// How exactly a device counts each [`LossReason`]. Everything is exact unless declared otherwise.
///
/// ```
/// use ethdev::{Counted, Coverage, LossReason};
///
/// const COVERAGE: Coverage = Coverage::EXACT
///     .with(LossReason::RxOverrun, Counted::AtLeastOne)
///     .with(LossReason::RxFiltered, Counted::NotReported);
/// assert_eq!(COVERAGE.of(LossReason::RxFiltered), Counted::NotReported);
/// assert_eq!(COVERAGE.of(LossReason::RxBadFcs), Counted::Exactly);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Coverage {
    // One bit for each reason.
    at_least_one: u8,
    not_reported: u8,
}

impl Coverage {
    /// Every reason is counted exactly.
    pub const EXACT: Self = Self {
        at_least_one: 0,
        not_reported: 0,
    };

    /// Sets how exactly `reason` is counted.
    #[must_use]
    pub const fn with(mut self, reason: LossReason, counted: Counted) -> Self {
        let bit = 1 << reason as u8;
        self.at_least_one &= !bit;
        self.not_reported &= !bit;
        match counted {
            Counted::Exactly => {}
            Counted::AtLeastOne => self.at_least_one |= bit,
            Counted::NotReported => self.not_reported |= bit,
        }
        self
    }

    /// Returns how exactly `reason` is counted.
    #[must_use]
    pub const fn of(self, reason: LossReason) -> Counted {
        let bit = 1 << reason as u8;
        if self.not_reported & bit != 0 {
            Counted::NotReported
        } else if self.at_least_one & bit != 0 {
            Counted::AtLeastOne
        } else {
            Counted::Exactly
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REASONS: [LossReason; 8] = [
        LossReason::RxOverrun,
        LossReason::RxBadFcs,
        LossReason::RxBadLength,
        LossReason::RxError,
        LossReason::RxFiltered,
        LossReason::RxReset,
        LossReason::TxAborted,
        LossReason::TxReset,
    ];

    #[test]
    fn of_each_reason_is_what_was_set_last() {
        let all = [Counted::Exactly, Counted::AtLeastOne, Counted::NotReported];
        for reason in REASONS {
            for (first, last) in all.iter().flat_map(|a| all.map(|b| (*a, b))) {
                let others = REASONS.into_iter().filter(|&other| other != reason);
                // Another reason, set before and after it.
                for other in others {
                    let coverage = Coverage::EXACT
                        .with(other, Counted::NotReported)
                        .with(reason, first)
                        .with(reason, last);
                    assert_eq!(coverage.of(reason), last, "{reason:?} {first:?}");
                    assert_eq!(coverage.of(other), Counted::NotReported, "{other:?}");
                    let coverage = coverage.with(other, Counted::AtLeastOne);
                    assert_eq!(coverage.of(reason), last, "{reason:?} {first:?}");
                    assert_eq!(coverage.of(other), Counted::AtLeastOne, "{other:?}");
                }
            }
        }
    }
}
