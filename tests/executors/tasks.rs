//! What the scenarios have in common.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::Duration;

use ethdev_sim::Clock;
use futures_lite::future;

use crate::hosts::Task;

/// Simulated time in which a scenario has to end.
const LIMIT: Duration = Duration::from_secs(10);
/// Turns of the executor in which nothing is scheduled and nobody has finished: the tasks wait for what never comes.
const STALLED_AFTER: usize = 1_000;

/// The end of a scenario, that every task waits for besides its work.
#[derive(Clone, Default)]
pub(crate) struct End(Rc<EndState>);

#[derive(Default)]
struct EndState {
    come: Cell<bool>,
    waiting: RefCell<Vec<Waker>>,
}

impl End {
    /// The scenario is over.
    pub(crate) fn come(&self) {
        self.0.come.set(true);
        for waker in self.0.waiting.take() {
            waker.wake();
        }
    }

    pub(crate) fn has_come(&self) -> bool {
        self.0.come.get()
    }

    async fn wait(&self) {
        poll_fn(|cx| {
            if self.has_come() {
                return Poll::Ready(());
            }
            self.0.waiting.borrow_mut().push(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// A task that works until the end.
    pub(crate) fn until<F: Future<Output = ()> + 'static>(&self, work: F) -> Task {
        let end = self.clone();
        Box::pin(async move { future::or(end.wait(), work).await })
    }
}

/// Moves the clock, one event per turn of the executor.
pub(crate) async fn time(clock: Clock, end: End) {
    let mut idle = 0;
    while !end.has_come() {
        idle = if clock.step() { 0 } else { idle + 1 };
        assert!(idle < STALLED_AFTER, "nothing is scheduled, and everybody waits");
        assert!(clock.now() < LIMIT, "it takes too long");
        future::yield_now().await;
    }
}
