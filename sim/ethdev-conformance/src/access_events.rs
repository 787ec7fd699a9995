//! What happens just before an access of the driver to the chip.

use std::cell::{Cell, RefCell};

/// What arrives before an access, for the closure of [`AccessEvents::next`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arrival {
    /// This frame, without FCS, arrives at the chip.
    Frame(Vec<u8>),
    /// The link is connected (`true`) or disconnected.
    Link(bool),
}

/// An access that fails by [`fail_bus`](crate::LinkPeer::fail_bus) or
/// [`fail_bus_at`](crate::LinkPeer::fail_bus_at): the bus returns its error without access to the
/// chip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InjectedFailure;

/// Counts the accesses of a driver to its chip, makes them fail, and times arrivals to them: for the
/// hooks of a fixture whose bus and link peer share it.
///
/// ```
/// use ethdev_conformance::{AccessEvents, Arrival, InjectedFailure};
/// # fn inject(_: &[u8]) {}
/// # fn set_link(_: bool) {}
/// # fn transfer() {}
/// /// The bus of the fixture.
/// fn transaction(events: &AccessEvents) -> Result<(), InjectedFailure> {
///     events.next(|arrival| match arrival {
///         Arrival::Frame(frame) => inject(&frame),
///         Arrival::Link(up) => set_link(up),
///     })?;
///     transfer();
///     Ok(())
/// }
///
/// let events = AccessEvents::default();
/// events.fail_at(1);
/// assert_eq!(transaction(&events), Ok(()));
/// assert_eq!(transaction(&events), Err(InjectedFailure));
/// assert_eq!(transaction(&events), Ok(()));
/// assert_eq!(events.accesses(), 3);
/// ```
#[derive(Debug, Default)]
pub struct AccessEvents {
    accesses: Cell<u64>,
    failing: Cell<bool>,
    failures: RefCell<Vec<u64>>,
    arrivals: RefCell<Vec<(u64, Arrival)>>,
}

impl AccessEvents {
    /// Counts an access, and calls `arrive` for what arrives before it: call it before each access.
    ///
    /// # Errors
    ///
    /// The access is to fail.
    pub fn next(&self, mut arrive: impl FnMut(Arrival)) -> Result<(), InjectedFailure> {
        let nth = self.accesses.get();
        self.accesses.set(nth + 1);
        // Not borrowed while `arrive` runs: an arrival may cause further accesses.
        loop {
            let mut arrivals = self.arrivals.borrow_mut();
            let Some(due) = arrivals.iter().position(|(at, _)| *at <= nth) else {
                break;
            };
            let (_, arrival) = arrivals.remove(due);
            drop(arrivals);
            arrive(arrival);
        }
        let mut failures = self.failures.borrow_mut();
        let due = failures
            .iter()
            .position(|at| *at == nth)
            .map(|due| failures.remove(due));
        if due.is_some() || self.failing.get() {
            return Err(InjectedFailure);
        }
        Ok(())
    }

    /// For [`accesses`](crate::LinkPeer::accesses).
    pub fn accesses(&self) -> u64 {
        self.accesses.get()
    }

    /// For [`fail_bus`](crate::LinkPeer::fail_bus).
    pub fn fail(&self, failing: bool) {
        self.failing.set(failing);
    }

    /// For [`fail_bus_at`](crate::LinkPeer::fail_bus_at).
    pub fn fail_at(&self, nth: u32) {
        self.failures.borrow_mut().push(self.accesses() + u64::from(nth));
    }

    /// For [`peer_send_before_access`](crate::LinkPeer::peer_send_before_access) and
    /// [`set_link_before_access`](crate::LinkPeer::set_link_before_access).
    pub fn arrive_before(&self, nth: u32, arrival: Arrival) {
        let at = self.accesses() + u64::from(nth);
        self.arrivals.borrow_mut().push((at, arrival));
    }

    /// For [`cancel_access_events`](crate::LinkPeer::cancel_access_events).
    pub fn cancel(&self) {
        self.failures.borrow_mut().clear();
        self.arrivals.borrow_mut().clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn next_arrivals_of_one_access_in_order() {
        let events = AccessEvents::default();
        for byte in [1, 2] {
            events.arrive_before(1, Arrival::Frame(vec![byte]));
        }
        events.arrive_before(2, Arrival::Link(false));
        let mut seen = vec![];
        for nth in 0..4 {
            assert_eq!(events.next(|arrival| seen.push((nth, arrival))), Ok(()));
        }
        let expected = [
            (1, Arrival::Frame(vec![1])),
            (1, Arrival::Frame(vec![2])),
            (2, Arrival::Link(false)),
        ];
        assert_eq!(seen, expected);
    }

    #[test]
    fn next_after_fail_at_only_that_access_fails() {
        let events = AccessEvents::default();
        events.fail_at(0);
        events.fail_at(2);
        let results = [(); 4].map(|()| events.next(|_| {}).is_ok());
        assert_eq!(results, [false, true, false, true]);
    }

    #[test]
    fn cancel_scheduled_events_none_happen() {
        let events = AccessEvents::default();
        events.fail_at(0);
        events.arrive_before(0, Arrival::Link(true));
        events.cancel();
        assert_eq!(events.next(|_| panic!("it was canceled")), Ok(()));
    }

    #[test]
    fn next_while_failing_fails_and_counts() {
        let events = AccessEvents::default();
        events.fail(true);
        assert_eq!(events.next(|_| {}), Err(InjectedFailure));
        events.fail(false);
        assert_eq!(events.next(|_| {}), Ok(()));
        assert_eq!(events.accesses(), 2);
    }
}
