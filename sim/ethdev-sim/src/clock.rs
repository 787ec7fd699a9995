//! Virtual time: a clock that moves only on request, and its scheduled events.

use core::cell::{Cell, RefCell};
use core::fmt;
use core::time::Duration;
use std::collections::BTreeMap;
use std::rc::Rc;

/// A virtual clock with a queue of events. Clones are the same clock.
///
/// Time starts at zero and moves only by [`step`](Self::step), [`advance`](Self::advance) and
/// [`advance_to`](Self::advance_to), which run what falls due on the way: in order of time, and
/// among equals in the order of scheduling. The same program therefore sees the same times, run
/// after run.
///
/// ```
/// use ethdev_sim::Clock;
/// use std::{cell::Cell, rc::Rc, time::Duration};
///
/// let clock = Clock::new();
/// let rang_at = Rc::new(Cell::new(None));
/// clock.schedule_in(Duration::from_millis(3), {
///     let (clock, rang_at) = (clock.clone(), rang_at.clone());
///     move || rang_at.set(Some(clock.now()))
/// });
/// clock.advance(Duration::from_millis(2));
/// assert_eq!(rang_at.get(), None);
/// clock.advance(Duration::from_millis(2));
/// assert_eq!(rang_at.get(), Some(Duration::from_millis(3)));
/// assert_eq!(clock.now(), Duration::from_millis(4));
/// ```
///
/// # Re-entrancy
///
/// Nothing is borrowed while an event runs: it may schedule, cancel, and even advance the clock (a
/// driver that busy-waits inside an event does). Time never runs backwards: where an event has
/// moved the clock beyond its caller's target, the clock stays there.
///
/// An event that schedules itself again without any delay keeps `advance` busy indefinitely.
#[derive(Clone, Default)]
pub struct Clock(Rc<Inner>);

#[derive(Default)]
struct Inner {
    now: Cell<Duration>,
    scheduled: Cell<u64>,
    queue: RefCell<BTreeMap<EventId, Event>>,
}

type Event = Box<dyn FnOnce()>;

/// One scheduled event, to [`cancel`](Clock::cancel) it by.
///
/// Ordered as events run: by time, then by the order of scheduling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId {
    at: Duration,
    number: u64,
}

impl EventId {
    /// When the event is due.
    #[must_use]
    pub const fn at(self) -> Duration {
        self.at
    }
}

impl Clock {
    /// A clock at zero with nothing scheduled.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The time since the clock was made.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.0.now.get()
    }

    /// Runs `event` at the time `at`; as soon as the clock moves or [`step`](Self::step)s where
    /// `at` has passed.
    pub fn schedule_at(&self, at: Duration, event: impl FnOnce() + 'static) -> EventId {
        let number = self.0.scheduled.get();
        self.0.scheduled.set(number + 1);
        let id = EventId {
            at: at.max(self.now()),
            number,
        };
        self.0.queue.borrow_mut().insert(id, Box::new(event));
        id
    }

    /// Runs `event` when `delay` has passed.
    pub fn schedule_in(&self, delay: Duration, event: impl FnOnce() + 'static) -> EventId {
        self.schedule_at(self.now().saturating_add(delay), event)
    }

    /// Drops an event that has not run yet; whether there was one.
    pub fn cancel(&self, id: EventId) -> bool {
        // Bound to a name, so that what the event owns is dropped after the queue was let go.
        let event = self.0.queue.borrow_mut().remove(&id);
        event.is_some()
    }

    /// When the next event is due; `None` when nothing is scheduled.
    #[must_use]
    pub fn next_event(&self) -> Option<Duration> {
        self.0.queue.borrow().first_key_value().map(|(id, _)| id.at)
    }

    /// Moves to the next event and runs it; `false` when nothing is scheduled.
    pub fn step(&self) -> bool {
        self.step_until(Duration::MAX)
    }

    /// Moves by `duration` and runs everything that falls due, up to and including the moment of
    /// arrival.
    pub fn advance(&self, duration: Duration) {
        self.advance_to(self.now().saturating_add(duration));
    }

    /// Moves to the time `at` and runs everything that falls due, up to and including that moment.
    /// Where `at` has passed, it runs what is due now.
    pub fn advance_to(&self, at: Duration) {
        while self.step_until(at) {}
        self.move_to(at);
    }

    /// Moves to the next event and runs it if it is due by `at`; whether there was one.
    fn step_until(&self, at: Duration) -> bool {
        let due = {
            let mut queue = self.0.queue.borrow_mut();
            match queue.first_entry() {
                Some(entry) if entry.key().at <= at.max(self.now()) => Some(entry.remove_entry()),
                _ => None,
            }
        };
        let Some((id, event)) = due else { return false };
        self.move_to(id.at);
        event();
        true
    }

    fn move_to(&self, at: Duration) {
        self.0.now.set(self.now().max(at));
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clock")
            .field("now", &self.now())
            .field("scheduled", &self.0.queue.borrow().len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    /// A log that events write to.
    #[derive(Clone, Default)]
    struct Log(Rc<RefCell<Vec<u64>>>);

    impl Log {
        fn note(&self, n: u64) -> impl FnOnce() + 'static {
            let log = self.0.clone();
            move || log.borrow_mut().push(n)
        }

        fn read(&self) -> Vec<u64> {
            self.0.borrow().clone()
        }
    }

    #[test]
    fn advance_equal_times_run_in_order_of_scheduling() {
        let clock = Clock::new();
        let log = Log::default();
        for n in [3, 1, 2] {
            clock.schedule_at(ms(5), log.note(n));
        }
        clock.advance(ms(5));
        assert_eq!(log.read(), [3, 1, 2]);
    }

    #[test]
    fn advance_event_may_schedule_cancel_and_advance() {
        let clock = Clock::new();
        let log = Log::default();
        let victim = clock.schedule_at(ms(3), log.note(99));
        clock.schedule_at(ms(1), {
            let clock = clock.clone();
            let (a, b) = (log.note(1), log.note(2));
            move || {
                assert!(clock.cancel(victim));
                clock.schedule_in(ms(1), b);
                a();
                clock.advance(ms(10));
                assert_eq!(clock.now(), ms(11));
            }
        });
        clock.advance(ms(4));
        assert_eq!(log.read(), [1, 2]);
        assert_eq!(clock.now(), ms(11), "time never runs backwards");
    }

    #[test]
    fn schedule_at_past_time_runs_now() {
        let clock = Clock::new();
        let log = Log::default();
        clock.advance(ms(7));
        let id = clock.schedule_at(ms(1), log.note(1));
        assert_eq!(id.at(), ms(7));
        assert_eq!(clock.next_event(), Some(ms(7)));
        clock.advance_to(ms(2));
        assert_eq!(log.read(), [1]);
        assert_eq!(clock.now(), ms(7));
    }

    #[test]
    fn step_moves_to_next_event() {
        let clock = Clock::new();
        let log = Log::default();
        clock.schedule_in(ms(2), log.note(0));
        let ran = clock.schedule_in(ms(5), log.note(0));
        assert!(clock.step());
        assert_eq!(clock.now(), ms(2));
        assert!(clock.step());
        assert!(!clock.step() && !clock.cancel(ran));
        assert_eq!(clock.now(), ms(5));
        assert_eq!(clock.next_event(), None);
    }

    #[test]
    fn cancel_drop_of_event_may_use_clock() {
        struct Bomb(Clock);
        impl Drop for Bomb {
            fn drop(&mut self) {
                self.0.schedule_in(Duration::ZERO, || {});
            }
        }
        let clock = Clock::new();
        let bomb = Bomb(clock.clone());
        let id = clock.schedule_in(ms(1), move || drop(bomb));
        assert!(clock.cancel(id));
        assert_eq!(clock.next_event(), Some(Duration::ZERO));
    }

    proptest! {
        #[test]
        fn advance_any_schedule_sorted_and_stable(times in proptest::collection::vec(0_u64..20, 0..50), stops in proptest::collection::vec(0_u64..10, 0..10)) {
            let clock = Clock::new();
            let log = Log::default();
            for (n, time) in times.iter().enumerate() {
                clock.schedule_at(ms(*time), log.note(time * 1000 + n as u64));
            }
            for stop in stops {
                clock.advance(ms(stop));
                let due = times.iter().filter(|t| ms(**t) <= clock.now()).count();
                if clock.now() > Duration::ZERO {
                    prop_assert_eq!(log.read().len(), due);
                }
            }
            while clock.step() {}
            let mut sorted = log.read();
            sorted.sort_unstable();
            prop_assert_eq!(&log.read(), &sorted);
            prop_assert_eq!(sorted.len(), times.len());
        }
    }
}
