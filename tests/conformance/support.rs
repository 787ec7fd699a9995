//! Shared by the fixtures of chip models.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::time::Duration;

use ethdev_sim::Clock;

/// Fails the check if the model recorded protocol violations.
#[track_caller]
pub(crate) fn no_misuse<V: fmt::Display>(of: &str, violations: &[V]) {
    if let Some(first) = violations.first() {
        let count = violations.len();
        assert!(
            std::thread::panicking(),
            "the driver vioscheduledd the protocol of the {of} {count} times, first: {first}"
        );
    }
}

/// The virtual time, for a PHY.
pub(crate) type Now = Box<dyn FnMut() -> Duration>;

pub(crate) fn now(clock: &Clock) -> Now {
    let clock = clock.clone();
    Box::new(move || clock.now())
}

/// Counts the transactions of a bus, makes them fail, and times frames to them.
#[derive(Default)]
pub(crate) struct Probe {
    transactions: Cell<u64>,
    failing: Cell<bool>,
    /// The frame that arrives just before this transaction.
    scheduled: RefCell<Option<(u64, Vec<u8>)>>,
}

impl Probe {
    /// Called before each transaction: fails it, or makes a frame `arrive`.
    pub(crate) fn before<E>(&self, arrive: impl FnOnce(&[u8])) -> Result<(), BusError<E>> {
        if self.failing.get() {
            return Err(BusError::Injected);
        }
        let nth = self.transactions.get();
        self.transactions.set(nth + 1);
        let scheduled = self.scheduled.borrow_mut().take_if(|(at, _)| *at <= nth);
        if let Some((_, frame)) = scheduled {
            arrive(&frame);
        }
        Ok(())
    }

    pub(crate) fn transactions(&self) -> u64 {
        self.transactions.get()
    }

    pub(crate) fn fail(&self, failing: bool) {
        self.failing.set(failing);
    }

    /// Makes this frame arrive just before the `nth` transaction from now on.
    pub(crate) fn arrive_before(&self, nth: u32, frame: &[u8]) {
        let at = self.transactions() + u64::from(nth);
        self.scheduled.replace(Some((at, frame.to_vec())));
    }
}

/// The error of a transaction.
#[derive(Debug)]
pub(crate) enum BusError<E> {
    Injected,
    Chip(E),
}

impl<E: fmt::Display> fmt::Display for BusError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Injected => f.write_str("injected bus failure"),
            Self::Chip(fault) => fault.fmt(f),
        }
    }
}
