//! The level of an interrupt pin, and the tasks that wait for it.

use core::cell::{Cell, RefCell};
use core::future::poll_fn;
use core::task::{Poll, Waker};
use std::rc::Rc;

/// The event that a task waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// The level is low.
    Low,
    /// The level is high.
    High,
    /// A falling edge.
    Falling,
    /// A rising edge.
    Rising,
    /// An edge in either direction.
    AnyEdge,
}

/// An interrupt pin.
pub struct Line {
    high: Cell<bool>,
    /// The level that interrupts the host.
    active: bool,
    falls: Cell<u64>,
    rises: Cell<u64>,
    waiters: RefCell<Vec<Waker>>,
    handler: RefCell<Option<Rc<dyn Fn()>>>,
}

impl Line {
    /// High as long as nothing happens.
    pub fn active_low() -> Self {
        Self::new(false)
    }

    /// Low as long as nothing happens.
    pub fn active_high() -> Self {
        Self::new(true)
    }

    fn new(active: bool) -> Self {
        Self {
            high: Cell::new(!active),
            active,
            falls: Cell::new(0),
            rises: Cell::new(0),
            waiters: RefCell::default(),
            handler: RefCell::default(),
        }
    }

    /// Whether the level is high.
    pub fn is_high(&self) -> bool {
        self.high.get()
    }

    /// Whether the level is the one that interrupts the host.
    pub fn is_active(&self) -> bool {
        self.is_high() == self.active
    }

    /// Calls `handler` at each edge to the active level that the host receives.
    pub fn on_active(&self, handler: Rc<dyn Fn()>) {
        let former = self.handler.borrow_mut().replace(handler);
        drop(former);
    }

    /// Sets the level, active or not. `noticed`: whether the host receives the edge.
    pub fn set(&self, active: bool, noticed: bool) {
        let high = active == self.active;
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
        if active && noticed {
            let handler = self.handler.borrow().clone();
            if let Some(handler) = handler {
                handler();
            }
        }
    }

    /// Waits for a level or an edge, as `embedded_hal_async::digital::Wait` does.
    pub async fn wait(&self, until: Until) {
        let (falls, rises) = (self.falls.get(), self.rises.get());
        poll_fn(|cx| {
            let fell = self.falls.get() != falls;
            let rose = self.rises.get() != rises;
            let over = match until {
                Until::Low => !self.is_high(),
                Until::High => self.is_high(),
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
