//! The level of the interrupt line, and who waits for it.

use core::cell::{Cell, RefCell};
use core::future::poll_fn;
use core::task::{Poll, Waker};
use std::rc::Rc;

/// What somebody waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    High,
    Low,
    Rising,
    Falling,
    AnyEdge,
}

/// The interrupt, as the data line shows it between transactions.
#[derive(Default)]
pub(super) struct Line {
    high: Cell<bool>,
    rises: Cell<u64>,
    falls: Cell<u64>,
    waiters: RefCell<Vec<Waker>>,
    rising: RefCell<Option<Rc<dyn Fn()>>>,
}

impl Line {
    pub(super) fn is_high(&self) -> bool {
        self.high.get()
    }

    pub(super) fn on_rising(&self, handler: Rc<dyn Fn()>) {
        let former = self.rising.borrow_mut().replace(handler);
        drop(former);
    }

    /// Takes a new level. `noticed`: whether the host sees the edge.
    pub(super) fn set(&self, high: bool, noticed: bool) {
        if self.high.replace(high) == high {
            return;
        }
        let edges = if high { &self.rises } else { &self.falls };
        if noticed {
            edges.set(edges.get() + 1);
        }
        let waiters = core::mem::take(&mut *self.waiters.borrow_mut());
        for waiter in waiters {
            waiter.wake();
        }
        if high && noticed {
            let handler = self.rising.borrow().clone();
            if let Some(handler) = handler {
                handler();
            }
        }
    }

    pub(super) async fn wait(&self, until: Until) {
        let (rises, falls) = (self.rises.get(), self.falls.get());
        poll_fn(|cx| {
            let rose = self.rises.get() != rises;
            let fell = self.falls.get() != falls;
            let over = match until {
                Until::High => self.is_high(),
                Until::Low => !self.is_high(),
                Until::Rising => rose,
                Until::Falling => fell,
                Until::AnyEdge => rose || fell,
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
