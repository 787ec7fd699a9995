//! What the parts of a model share: time, configuration, counters, violations, and what they ask
//! the model to do.

use core::fmt;
use core::time::Duration;
use std::collections::VecDeque;

use super::{Violation, Violations};
use crate::Clock;

/// The types of one model. Implemented by an empty type in the module that the model's parts
/// import.
pub trait ModelTypes: 'static {
    /// How the chip is built and wired.
    type Config: fmt::Debug;
    /// Reference counters of the frames.
    type Stats: Copy + Default + fmt::Debug;
    /// Kinds of protocol violations.
    type ViolationKind: PartialEq + fmt::Debug;
    /// The record of a violation: [`Violation`] if kind and text suffice.
    type Violation: Clone + fmt::Debug;
    /// What happens in the chip at a later time.
    type Timer: fmt::Debug;
    /// What the chip does to its surroundings: frames, pins, bus cycles.
    type Effect: fmt::Debug;
}

/// The state that all parts of a model use, handed down to them by the model.
///
/// A part does not call the model, its neighbours or the medium: it queues timers and effects here.
/// [`ModelCell`](super::ModelCell) schedules the timers, and the model carries the effects out
/// while nothing is borrowed.
#[derive(Debug)]
pub struct Context<T: ModelTypes> {
    clock: Clock,
    /// How the chip is built and wired, with the faults that are in force.
    pub config: T::Config,
    /// Reference counters.
    pub stats: T::Stats,
    /// Protocol violations by the host.
    pub violations: Violations<T::ViolationKind, T::Violation>,
    timers: Vec<(Duration, T::Timer)>,
    effects: VecDeque<T::Effect>,
}

impl<T: ModelTypes> Context<T> {
    /// Creates the context of a chip at power-on, which does not report the violations in
    /// `allowed`.
    pub fn new(clock: &Clock, config: T::Config, allowed: Vec<T::ViolationKind>) -> Self {
        Self {
            clock: clock.clone(),
            config,
            stats: T::Stats::default(),
            violations: Violations::new(allowed),
            timers: Vec::new(),
            effects: VecDeque::new(),
        }
    }

    /// The simulated time.
    pub fn now(&self) -> Duration {
        self.clock.now()
    }

    /// The clock.
    pub const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Queues a timer that expires at `at`. Timers of the same time expire in the order of queuing.
    pub fn timer_at(&mut self, at: Duration, timer: T::Timer) {
        self.timers.push((at, timer));
    }

    /// Queues a timer that expires after `delay`.
    pub fn timer_in(&mut self, delay: Duration, timer: T::Timer) {
        self.timer_at(self.now().saturating_add(delay), timer);
    }

    /// Queues an effect, to be carried out after those before it.
    pub fn effect(&mut self, effect: T::Effect) {
        self.effects.push_back(effect);
    }

    pub(super) fn take_timers(&mut self) -> Vec<(Duration, T::Timer)> {
        core::mem::take(&mut self.timers)
    }

    pub(super) fn next_effect(&mut self) -> Option<T::Effect> {
        self.effects.pop_front()
    }
}

impl<K, T> Context<T>
where
    K: PartialEq + Clone + fmt::Debug,
    T: ModelTypes<ViolationKind = K, Violation = Violation<K>>,
{
    /// Records a protocol violation, unless its kind is allowed or reporting is suspended.
    pub fn violation(&mut self, kind: K, detail: impl Into<String>) {
        if self.violations.is_reported(&kind) {
            self.violations.push(Violation::new(self.clock.now(), kind, detail));
        }
    }
}
