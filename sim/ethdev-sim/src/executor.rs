//! Futures on virtual time.

use core::fmt;
use core::future::Future;
use core::pin::pin;
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::sync::Arc;
use std::task::Wake;

use crate::Clock;

/// Runs one future to its end, moving the clock from event to event while it waits.
///
/// # Errors
///
/// [`Deadlock`] if the future waits and no event is scheduled that could wake it.
///
/// ```
/// use ethdev_sim::{Clock, SimDelay, block_on};
/// use embedded_hal_async::delay::DelayNs;
/// use std::time::Duration;
///
/// let clock = Clock::new();
/// let mut delay = SimDelay::new(&clock);
/// assert_eq!(block_on(&clock, async { delay.delay_ms(20).await; "done" }), Ok("done"));
/// assert_eq!(clock.now(), Duration::from_millis(20));
/// assert!(block_on(&clock, std::future::pending::<()>()).is_err());
/// ```
pub fn block_on<F: Future>(clock: &Clock, future: F) -> Result<F::Output, Deadlock> {
    block_on_until(clock, Duration::MAX, future)
}

/// As [`block_on`], giving up when the clock would move beyond `deadline`.
///
/// # Errors
///
/// [`Deadlock`] where the future has not ended by `deadline`. The clock then shows the deadline,
/// unless nothing was scheduled at all.
pub fn block_on_until<F: Future>(clock: &Clock, deadline: Duration, future: F) -> Result<F::Output, Deadlock> {
    let mut future = pin!(future);
    let woken = Arc::new(Woken(AtomicBool::new(true)));
    let waker = Waker::from(woken.clone());
    let mut cx = Context::from_waker(&waker);
    loop {
        if woken.0.swap(false, Ordering::Relaxed) {
            if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
                return Ok(output);
            }
            continue;
        }
        match clock.next_event() {
            Some(at) if at <= deadline => {
                clock.step();
            }
            next => {
                if next.is_some() {
                    clock.advance_to(deadline);
                }
                return Err(Deadlock { at: clock.now() });
            }
        }
    }
}

/// The future waits, and no scheduled event wakes it in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Deadlock {
    /// The time of the clock.
    pub at: Duration,
}

impl fmt::Display for Deadlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "deadlock at {:?}: the future waits and no event is scheduled",
            self.at
        )
    }
}

impl core::error::Error for Deadlock {}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SimDelay;

    #[test]
    fn block_on_until_deadline_passed_is_deadlock() {
        let clock = Clock::new();
        let sleep = SimDelay::new(&clock).until(Duration::from_secs(10));
        let deadlock = block_on_until(&clock, Duration::from_secs(3), sleep).unwrap_err();
        assert_eq!(deadlock.at, Duration::from_secs(3));
    }

    #[test]
    fn block_on_event_without_wake_is_deadlock() {
        let clock = Clock::new();
        clock.schedule_in(Duration::from_secs(1), || {});
        let deadlock = block_on(&clock, core::future::pending::<()>()).unwrap_err();
        assert_eq!(deadlock.at, Duration::from_secs(1));
    }
}
