//! Delays on virtual time.

use core::cell::RefCell;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::rc::Rc;

use crate::Clock;
use crate::clock::EventId;

/// Delays on virtual time, for drivers: embedded-hal's `DelayNs` in both forms.
///
/// The blocking form advances the clock, and so runs every event that is due meanwhile. The async
/// form schedules a wake-up and leaves the clock to the code that runs the executor, for instance
/// [`block_on`](crate::block_on).
#[derive(Debug, Clone)]
pub struct SimDelay(Clock);

impl SimDelay {
    /// Delays on `clock`.
    #[must_use]
    pub fn new(clock: &Clock) -> Self {
        Self(clock.clone())
    }

    /// Waits until the clock shows `at`.
    ///
    /// # Cancellation
    ///
    /// Safe: the wake-up is cancelled.
    pub fn until(&self, at: Duration) -> Sleep {
        Sleep {
            clock: self.0.clone(),
            at,
            alarm: None,
        }
    }
}

impl embedded_hal::delay::DelayNs for SimDelay {
    fn delay_ns(&mut self, ns: u32) {
        self.0.advance(Duration::from_nanos(ns.into()));
    }

    fn delay_us(&mut self, us: u32) {
        self.0.advance(Duration::from_micros(us.into()));
    }

    fn delay_ms(&mut self, ms: u32) {
        self.0.advance(Duration::from_millis(ms.into()));
    }
}

impl embedded_hal_async::delay::DelayNs for SimDelay {
    async fn delay_ns(&mut self, ns: u32) {
        self.until(self.0.now() + Duration::from_nanos(ns.into())).await;
    }

    async fn delay_us(&mut self, us: u32) {
        self.until(self.0.now() + Duration::from_micros(us.into())).await;
    }

    async fn delay_ms(&mut self, ms: u32) {
        self.until(self.0.now() + Duration::from_millis(ms.into())).await;
    }
}

/// The future of [`SimDelay::until`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct Sleep {
    clock: Clock,
    at: Duration,
    alarm: Option<Alarm>,
}

#[derive(Debug)]
struct Alarm {
    event: EventId,
    sleeper: Rc<RefCell<Waker>>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.clock.now() >= self.at {
            return Poll::Ready(());
        }
        if let Some(alarm) = &self.alarm {
            alarm.sleeper.borrow_mut().clone_from(cx.waker());
        } else {
            let sleeper = Rc::new(RefCell::new(cx.waker().clone()));
            let event = self.clock.schedule_at(self.at, {
                let sleeper = sleeper.clone();
                move || {
                    // Cloned out: waking may run the sleeper at once.
                    let waker = sleeper.borrow().clone();
                    waker.wake();
                }
            });
            self.alarm = Some(Alarm { event, sleeper });
        }
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(alarm) = self.alarm.take() {
            self.clock.cancel(alarm.event);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block_on;

    #[test]
    fn delay_blocking_advances_clock() {
        use embedded_hal::delay::DelayNs;
        let clock = Clock::new();
        let mut delay = SimDelay::new(&clock);
        delay.delay_ns(1);
        delay.delay_us(2);
        delay.delay_ms(u32::MAX);
        assert_eq!(
            clock.now(),
            Duration::from_nanos(2_001) + Duration::from_millis(u32::MAX.into())
        );
    }

    #[test]
    fn delay_async_waits_for_clock() {
        use embedded_hal_async::delay::DelayNs;
        let clock = Clock::new();
        let mut delay = SimDelay::new(&clock);
        block_on(&clock, async { delay.delay_us(5).await }).unwrap();
        assert_eq!(clock.now(), Duration::from_micros(5));
        assert_eq!(clock.next_event(), None);
    }

    #[test]
    fn delay_dropped_event_cancelled() {
        let clock = Clock::new();
        let mut sleep = Box::pin(SimDelay::new(&clock).until(Duration::from_secs(1)));
        assert!(
            sleep
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()))
                .is_pending()
        );
        assert!(clock.next_event().is_some());
        drop(sleep);
        assert_eq!(clock.next_event(), None);
    }
}
