//! Shared by the fixtures of chip models.

use std::fmt;
use std::time::Duration;

use ethdev_conformance::InjectedFailure;
use ethdev_sim::Clock;

/// Fails the check if the model recorded protocol violations.
#[track_caller]
pub(crate) fn no_misuse<V: fmt::Display>(of: &str, violations: &[V]) {
    if let Some(first) = violations.first() {
        let count = violations.len();
        assert!(
            std::thread::panicking(),
            "the driver violated the protocol of the {of} {count} times, first: {first}"
        );
    }
}

/// The virtual time, for a PHY.
pub(crate) type Now = Box<dyn FnMut() -> Duration>;

pub(crate) fn now(clock: &Clock) -> Now {
    let clock = clock.clone();
    Box::new(move || clock.now())
}

/// The error of a transaction.
#[derive(Debug)]
pub(crate) enum BusError<E> {
    Injected,
    Chip(E),
}

impl<E> From<InjectedFailure> for BusError<E> {
    fn from(InjectedFailure: InjectedFailure) -> Self {
        Self::Injected
    }
}

impl<E: fmt::Display> fmt::Display for BusError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Injected => f.write_str("injected bus failure"),
            Self::Chip(fault) => fault.fmt(f),
        }
    }
}
