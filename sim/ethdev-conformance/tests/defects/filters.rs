//! Defects of receive filters.

use ethdev::{Control, ErrorKind, FilterOutcome, Multicast, RxFilter};

use crate::broken::Defect;
use crate::mem::Mem;

type Managed<T = ()> = Result<T, ErrorKind>;

/// Filters by a hash of six bits, and answers `Exact`.
#[derive(Default)]
pub(crate) struct HashesGroups;
impl Defect for HashesGroups {
    fn set_rx_filter(&mut self, nic: &mut Mem, filter: RxFilter<'_>) -> Managed<FilterOutcome> {
        let outcome = nic.set_rx_filter(filter)?;
        nic.chip.borrow_mut().filter.hashed = true;
        Ok(outcome)
    }
}

/// Drops the groups for which its table has no entry, and answers `Exact`.
#[derive(Default)]
pub(crate) struct TruncatesTheList;
impl Defect for TruncatesTheList {
    fn set_rx_filter(&mut self, nic: &mut Mem, filter: RxFilter<'_>) -> Managed<FilterOutcome> {
        match filter.multicast {
            Multicast::List(groups) => {
                nic.set_rx_filter(filter.with_multicast(Multicast::List(groups.get(..16).unwrap_or(groups))))
            }
            _ => nic.set_rx_filter(filter),
        }
    }
}

/// Leaves promiscuous mode only for the default filter.
#[derive(Default)]
pub(crate) struct StaysPromiscuous(bool);
impl Defect for StaysPromiscuous {
    fn set_rx_filter(&mut self, nic: &mut Mem, filter: RxFilter<'_>) -> Managed<FilterOutcome> {
        self.0 = filter.promiscuous || (self.0 && matches!(filter.multicast, Multicast::List(_)));
        let mut applied = filter;
        applied.promiscuous = self.0;
        nic.set_rx_filter(applied)
    }
}

/// Empties the receive queue for a change of the filter without counting.
#[derive(Default)]
pub(crate) struct DropsPendingFramesForTheFilter;
impl Defect for DropsPendingFramesForTheFilter {
    fn set_rx_filter(&mut self, nic: &mut Mem, filter: RxFilter<'_>) -> Managed<FilterOutcome> {
        nic.chip.borrow_mut().rx.clear();
        nic.set_rx_filter(filter)
    }
}
