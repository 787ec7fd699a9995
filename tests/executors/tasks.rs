//! The end of a scenario, and the task that advances time.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::Duration;

use ethdev_sim::Clock;
use futures_lite::future;

use crate::hosts::Task;

/// Limit of a scenario in simulated time.
const LIMIT: Duration = Duration::from_secs(10);
/// Limit of turns of the executor without an event: with more, the scenario is stalled.
const MAX_IDLE_TURNS: usize = 1_000;

/// The end of a scenario, for which every task waits.
#[derive(Clone, Default)]
pub(crate) struct End(Rc<EndState>);

#[derive(Default)]
struct EndState {
    signaled: Cell<bool>,
    waiting: RefCell<Vec<Waker>>,
}

impl End {
    /// Ends the scenario.
    pub(crate) fn signal(&self) {
        self.0.signaled.set(true);
        for waker in self.0.waiting.take() {
            waker.wake();
        }
    }

    pub(crate) fn is_signaled(&self) -> bool {
        self.0.signaled.get()
    }

    async fn wait(&self) {
        poll_fn(|cx| {
            if self.is_signaled() {
                return Poll::Ready(());
            }
            self.0.waiting.borrow_mut().push(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// Creates a task that works until the end.
    pub(crate) fn until<F: Future<Output = ()> + 'static>(&self, work: F) -> Task {
        let end = self.clone();
        Box::pin(async move { future::or(end.wait(), work).await })
    }
}

/// Advances the clock by one event per turn of the executor.
pub(crate) async fn time(clock: Clock, end: End) {
    let mut idle = 0;
    while !end.is_signaled() {
        idle = if clock.step() { 0 } else { idle + 1 };
        assert!(idle < MAX_IDLE_TURNS, "no event is scheduled and no task is ready");
        assert!(clock.now() < LIMIT, "scenario timed out");
        future::yield_now().await;
    }
}
