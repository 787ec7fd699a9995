//! Handlers that outside code registers with a model.

use core::cell::{Cell, RefCell};
use std::collections::VecDeque;

type Handler<A> = Box<dyn FnMut(A)>;

/// One handler, which is called with nothing borrowed, one call after another: events that occur
/// while it runs are delivered afterwards.
pub struct Hook<A> {
    handler: RefCell<Option<Handler<A>>>,
    /// Counts replacements, so that a running handler does not replace its successor when it
    /// returns.
    turn: Cell<u64>,
    queue: RefCell<VecDeque<A>>,
    busy: Cell<bool>,
}

impl<A> Default for Hook<A> {
    fn default() -> Self {
        Self {
            handler: RefCell::new(None),
            turn: Cell::new(0),
            queue: RefCell::new(VecDeque::new()),
            busy: Cell::new(false),
        }
    }
}

impl<A> Hook<A> {
    /// Installs `handler` in place of the one before, which is dropped.
    pub fn set(&self, handler: Handler<A>) {
        self.turn.set(self.turn.get() + 1);
        let former = self.handler.borrow_mut().replace(handler);
        // After the borrow: dropping the handler may access the model.
        drop(former);
    }

    /// Whether there is a handler, which may be running.
    pub fn is_set(&self) -> bool {
        self.busy.get() || self.handler.borrow().is_some()
    }

    /// Calls the handler with `argument`; a call from inside the handler is queued until it
    /// returns.
    pub fn call(&self, argument: A) {
        self.queue.borrow_mut().push_back(argument);
        if self.busy.replace(true) {
            return;
        }
        loop {
            let Some(argument) = self.queue.borrow_mut().pop_front() else {
                break;
            };
            let Some(mut handler) = self.handler.borrow_mut().take() else {
                continue;
            };
            let turn = self.turn.get();
            handler(argument);
            if self.turn.get() == turn {
                self.handler.borrow_mut().replace(handler);
            }
        }
        self.busy.set(false);
    }
}
