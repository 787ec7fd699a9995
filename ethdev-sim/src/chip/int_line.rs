//! The level of an active-low interrupt pin, and who waits for it.

use core::cell::{Cell, RefCell};
use core::future::poll_fn;
use core::task::{Poll, Waker};
use std::rc::Rc;

/// What somebody waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::chip) enum Until {
    Low,
    High,
    Falling,
    Rising,
    AnyEdge,
}

/// An active-low interrupt pin.
#[derive(Default)]
pub(in crate::chip) struct Line {
    low: Cell<bool>,
    falls: Cell<u64>,
    rises: Cell<u64>,
    waiters: RefCell<Vec<Waker>>,
    falling: RefCell<Option<Rc<dyn Fn()>>>,
}

impl Line {
    pub(in crate::chip) fn is_low(&self) -> bool {
        self.low.get()
    }

    pub(in crate::chip) fn on_falling(&self, handler: Rc<dyn Fn()>) {
        let former = self.falling.borrow_mut().replace(handler);
        drop(former);
    }

    /// Takes a new level. `noticed`: whether the host sees the edge.
    pub(in crate::chip) fn set(&self, low: bool, noticed: bool) {
        if self.low.replace(low) == low {
            return;
        }
        let edges = if low { &self.falls } else { &self.rises };
        if noticed {
            edges.set(edges.get() + 1);
        }
        let waiters = core::mem::take(&mut *self.waiters.borrow_mut());
        for waiter in waiters {
            waiter.wake();
        }
        if low && noticed {
            let handler = self.falling.borrow().clone();
            if let Some(handler) = handler {
                handler();
            }
        }
    }

    pub(in crate::chip) async fn wait(&self, until: Until) {
        let (falls, rises) = (self.falls.get(), self.rises.get());
        poll_fn(|cx| {
            let fell = self.falls.get() != falls;
            let rose = self.rises.get() != rises;
            let over = match until {
                Until::Low => self.is_low(),
                Until::High => !self.is_low(),
                Until::Falling => fell,
                Until::Rising => rose,
                Until::AnyEdge => fell || rose,
            };
            if over {
                return Poll::Ready(());
            }
            let mut waiters = self.waiters.borrow_mut();
            if !waiters.iter().any(|waiter| waiter.will_wake(cx.waker())) {
                waiters.push(cx.waker().clone());
            }
            Poll::Pending
        })
        .await;
    }
}
