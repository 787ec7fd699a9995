//! The end of a scenario, and the task that advances time.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::pin;
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
    /// Number of polls of the tasks.
    polls: Cell<u64>,
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
        Box::pin(async move {
            let counted = async {
                let mut work = pin!(work);
                poll_fn(|cx| {
                    end.0.polls.set(end.0.polls.get() + 1);
                    work.as_mut().poll(cx)
                })
                .await;
            };
            future::or(end.wait(), counted).await;
        })
    }
}

/// Advances the clock from event to event, each time that no other task is ready: so that what
/// happens at which time does not depend on the executor.
pub(crate) async fn time(clock: Clock, end: End) {
    let mut idle = 0;
    while !end.is_signaled() {
        let polls = end.0.polls.get();
        // An executor polls each task that is ready at least once in two turns: in one turn, it may
        // poll this task before those that have become ready in the same turn.
        future::yield_now().await;
        future::yield_now().await;
        if end.0.polls.get() != polls {
            continue;
        }
        idle = if clock.step() { 0 } else { idle + 1 };
        assert!(idle < MAX_IDLE_TURNS, "no event is scheduled and no task is ready");
        assert!(clock.now() < LIMIT, "scenario timed out");
    }
}
