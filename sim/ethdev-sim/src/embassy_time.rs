//! embassy-time on the virtual clock.
//!
//! With the feature `embassy-time` this crate is the time driver of the binary, in place of
//! embassy-time's `std` feature or a HAL: `Instant::now()` and timers of embassy-time, and so of
//! embassy-net, follow the [`Clock`] of their thread. **A binary has one time driver**: a second
//! one is a link error.
//!
//! ```
//! use embassy_time::{Instant, Timer};
//! use ethdev_sim::{Clock, block_on, embassy_time::set_clock};
//! use std::time::Duration;
//!
//! let clock = Clock::new();
//! set_clock(&clock);
//! block_on(&clock, Timer::after_secs(3600)).expect("the timer ends");
//! assert_eq!(clock.now(), Duration::from_secs(3600));
//! assert_eq!(Instant::now().as_secs(), 3600);
//! ```
//!
//! A reading of the time that was read last takes 1 µs, so that a loop which polls the time ends.
//! The events that are due run inside of it.

// `time_driver_impl!` exports the functions of the driver by name.
#![allow(unsafe_code)]

use core::cell::RefCell;
use core::task::Waker;
use core::time::Duration;

use embassy_time_driver::{Driver, TICK_HZ};

use crate::Clock;
use crate::clock::EventId;

const NANOS_PER_SEC: u128 = 1_000_000_000;
const READ_TIME: Duration = Duration::from_micros(1);

thread_local! {
    static THREAD: RefCell<Option<Time>> = const { RefCell::new(None) };
}

struct Time {
    clock: Clock,
    /// The time that was read last.
    read: Option<Duration>,
    /// The next wake-up of each task.
    alarms: Vec<(Waker, EventId)>,
}

/// Sets the clock of embassy-time in this thread. Timers that run on another clock keep it.
pub fn set_clock(clock: &Clock) {
    THREAD.set(Some(Time {
        clock: clock.clone(),
        read: None,
        alarms: Vec::new(),
    }));
}

/// Accesses the time of this thread.
///
/// # Panics
///
/// No clock is set.
fn with_time<R>(access: impl FnOnce(&mut Time) -> R) -> R {
    THREAD.with_borrow_mut(|time| {
        access(
            time.as_mut()
                .expect("no clock for embassy-time in this thread: call ethdev_sim::embassy_time::set_clock"),
        )
    })
}

struct ThreadClock;

embassy_time_driver::time_driver_impl!(static DRIVER: ThreadClock = ThreadClock);

impl Driver for ThreadClock {
    fn now(&self) -> u64 {
        let (clock, read) = with_time(|time| (time.clock.clone(), time.read));
        if read == Some(clock.now()) {
            clock.advance(READ_TIME);
        }
        let now = clock.now();
        with_time(|time| time.read = Some(now));
        u64::try_from(now.as_nanos() * u128::from(TICK_HZ) / NANOS_PER_SEC).unwrap_or(u64::MAX)
    }

    /// As the timer queues of embassy: each task has one wake-up, the earliest that it asked for.
    fn schedule_wake(&self, at: u64, waker: &Waker) {
        let nanos = (u128::from(at) * NANOS_PER_SEC).div_ceil(u128::from(TICK_HZ));
        let at = u64::try_from(nanos).map_or(Duration::MAX, Duration::from_nanos);
        let (clock, replaced) = with_time(|time| {
            let entry = time.alarms.iter().position(|(task, _)| task.will_wake(waker));
            if entry.is_some_and(|entry| time.alarms[entry].1.at() <= at) {
                return (None, None);
            }
            let replaced = entry.map(|entry| time.alarms.swap_remove(entry));
            (Some(time.clock.clone()), replaced)
        });
        let Some(clock) = clock else { return };
        if let Some((_, event)) = replaced {
            clock.cancel(event);
        }
        let event = clock.schedule_at(at, {
            let waker = waker.clone();
            move || {
                let rung = with_time(|time| {
                    let entry = time.alarms.iter().position(|(task, _)| task.will_wake(&waker));
                    entry.map(|entry| time.alarms.swap_remove(entry))
                });
                drop(rung);
                waker.wake();
            }
        });
        with_time(|time| time.alarms.push((waker.clone(), event)));
    }
}

#[cfg(test)]
mod tests {
    use core::future::Future as _;
    use core::pin::pin;
    use core::sync::atomic::{AtomicUsize, Ordering};
    use core::task::Context;
    use std::sync::Arc;
    use std::task::Wake;

    use embassy_time::{Instant, Timer};

    use super::*;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn now_polled_in_loop_advances() {
        let clock = Clock::new();
        set_clock(&clock);
        clock.advance(Duration::from_millis(5));
        assert_eq!(Instant::now().as_micros(), 5_000);
        let end = Instant::from_micros(5_010);
        while Instant::now() < end {}
        assert_eq!(clock.now(), Duration::from_micros(5_010));
    }

    #[test]
    fn timer_of_one_task_earliest_wakes_once() {
        let clock = Clock::new();
        set_clock(&clock);
        let count = Arc::new(Count::default());
        let waker = Waker::from(count.clone());
        for ms in [30, 10, 20, 10] {
            let timer = pin!(Timer::at(Instant::from_millis(ms)));
            assert!(timer.poll(&mut Context::from_waker(&waker)).is_pending());
        }
        assert_eq!(clock.next_event(), Some(Duration::from_millis(10)));
        clock.advance(Duration::from_millis(100));
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn timers_of_two_tasks_wake_both() {
        let clock = Clock::new();
        set_clock(&clock);
        let counts = [Arc::new(Count::default()), Arc::new(Count::default())];
        for (count, ms) in counts.iter().zip([20, 10]) {
            let timer = pin!(Timer::at(Instant::from_millis(ms)));
            let waker = Waker::from(count.clone());
            assert!(timer.poll(&mut Context::from_waker(&waker)).is_pending());
        }
        clock.advance(Duration::from_millis(10));
        assert_eq!(counts.each_ref().map(|count| count.0.load(Ordering::Relaxed)), [0, 1]);
        clock.advance(Duration::from_millis(10));
        assert_eq!(counts.each_ref().map(|count| count.0.load(Ordering::Relaxed)), [1, 1]);
    }

    #[test]
    fn schedule_wake_beyond_any_time_is_kept() {
        set_clock(&Clock::new());
        ThreadClock.schedule_wake(u64::MAX, Waker::noop());
        assert_eq!(with_time(|time| time.alarms.len()), 1);
    }
}
