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
/// [`Deadlock`] where the future waits and nothing is scheduled: nobody would ever wake it. On real hardware that is a hang; here it is a result.
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
/// [`Deadlock`] where the future has not ended by `deadline`. The clock then shows the deadline, unless nothing was scheduled at all.
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

/// The future waits, and nothing that is scheduled (in time) wakes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Deadlock {
    /// What the clock shows.
    pub at: Duration,
}

impl fmt::Display for Deadlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "stalled at {:?}: the future waits for something that is not scheduled",
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
    fn a_deadline_ends_what_would_take_too_long() {
        let clock = Clock::new();
        let sleep = SimDelay::new(&clock).until(Duration::from_secs(10));
        let stalled = block_on_until(&clock, Duration::from_secs(3), sleep).unwrap_err();
        assert_eq!(stalled.at, Duration::from_secs(3));
    }

    #[test]
    fn events_that_wake_nobody_are_no_progress_but_time() {
        let clock = Clock::new();
        clock.schedule_in(Duration::from_secs(1), || {});
        let stalled = block_on(&clock, core::future::pending::<()>()).unwrap_err();
        assert_eq!(stalled.at, Duration::from_secs(1));
    }
}
