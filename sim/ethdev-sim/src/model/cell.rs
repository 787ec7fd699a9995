//! The wrapper around the state of a model: shared ownership, timers, and effects that may call
//! back.

use core::cell::{Ref, RefCell};
use core::fmt;
use core::ops::Deref;
use core::time::Duration;
use std::rc::{Rc, Weak};

use super::{Context, ModelTypes};
use crate::Clock;

/// The state of a chip, without links to anything that may call it.
///
/// [`ModelCell`] wraps it. A call from outside changes the state and returns; what follows from the
/// change (an interrupt line, a frame on the wire, an MDIO frame to a PHY) is done by
/// [`settle`](Self::settle) while nothing is borrowed, because it may call the model again.
pub trait ChipModel: Sized + 'static {
    /// The types of the model's context.
    type Types: ModelTypes;
    /// The surroundings of the chip, which are used while it is not borrowed: the medium, the
    /// interrupt line, a PHY, the handlers of a test.
    type Board: 'static;

    /// The context that the model's parts share.
    fn context(&self) -> &Context<Self::Types>;

    /// The context, mutable.
    fn context_mut(&mut self) -> &mut Context<Self::Types>;

    /// A timer expired that a part queued in the context.
    fn expire(&mut self, timer: <Self::Types as ModelTypes>::Timer);

    /// Carries out what follows from a change: takes [effects](ModelCell::next_effect) until there
    /// are none, and sets the interrupt line. Called after each change, with nothing borrowed.
    fn settle(cell: &ModelCell<Self>);
}

/// A model, its clock and its board. Handles and pins of the chip share one.
///
/// It dereferences to the board.
pub struct ModelCell<M: ChipModel> {
    me: Weak<Self>,
    clock: Clock,
    model: RefCell<M>,
    board: M::Board,
}

impl<M: ChipModel> ModelCell<M> {
    /// Puts a model on its board. Timers that it queued while it was made are scheduled now.
    pub fn new(model: M, board: M::Board) -> Rc<Self> {
        let cell = Rc::new_cyclic(|me: &Weak<Self>| Self {
            me: me.clone(),
            clock: model.context().clock().clone(),
            model: RefCell::new(model),
            board,
        });
        cell.update(|_| ());
        cell
    }

    /// The clock.
    pub const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Borrows the model, to be read.
    ///
    /// # Panics
    ///
    /// Within [`update`](Self::update) or [`with`](Self::with).
    pub fn model(&self) -> Ref<'_, M> {
        self.model.borrow()
    }

    /// Changes the model and schedules its timers, without what else follows from the change: for
    /// [`ChipModel::settle`], and for settings of which nothing follows.
    ///
    /// # Panics
    ///
    /// Within another `update`.
    pub fn update<R>(&self, act: impl FnOnce(&mut M) -> R) -> R {
        let (result, timers) = {
            let mut model = self.model.borrow_mut();
            let result = act(&mut model);
            (result, model.context_mut().take_timers())
        };
        for (at, timer) in timers {
            self.schedule(at, timer);
        }
        result
    }

    /// Separate from `update`, whose type parameters would become part of the type of the event.
    fn schedule(&self, at: Duration, timer: <M::Types as ModelTypes>::Timer) {
        let me = self.weak();
        self.clock.schedule_at(at, move || {
            me.with(|model| model.expire(timer));
        });
    }

    /// Changes the model; then what follows from the change happens, with nothing borrowed.
    ///
    /// # Panics
    ///
    /// Within `update`, or within another `with`'s `act`.
    pub fn with<R>(&self, act: impl FnOnce(&mut M) -> R) -> R {
        let result = self.update(act);
        M::settle(self);
        result
    }

    /// The next effect to be carried out.
    pub fn next_effect(&self) -> Option<<M::Types as ModelTypes>::Effect> {
        self.model.borrow_mut().context_mut().next_effect()
    }

    /// A handle for the handlers of a medium, which do not keep the model alive.
    pub fn weak(&self) -> WeakModel<M> {
        WeakModel(self.me.clone())
    }
}

impl<M: ChipModel> Deref for ModelCell<M> {
    type Target = M::Board;

    fn deref(&self) -> &M::Board {
        &self.board
    }
}

impl<M: ChipModel> fmt::Debug for ModelCell<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ModelCell").finish_non_exhaustive()
    }
}

/// A handle on a [`ModelCell`] that does not keep it alive.
pub struct WeakModel<M: ChipModel>(Weak<ModelCell<M>>);

impl<M: ChipModel> WeakModel<M> {
    /// The cell; `None` where the model was dropped.
    pub fn upgrade(&self) -> Option<Rc<ModelCell<M>>> {
        self.0.upgrade()
    }

    /// As [`ModelCell::with`]; `None` where the model was dropped.
    pub fn with<R>(&self, act: impl FnOnce(&mut M) -> R) -> Option<R> {
        self.upgrade().map(|cell| cell.with(act))
    }
}

impl<M: ChipModel> Clone for WeakModel<M> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<M: ChipModel> fmt::Debug for WeakModel<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeakModel").finish_non_exhaustive()
    }
}

/// The methods that every handle on a model has, to be put into its `impl` block: `clock`, `delay`,
/// `stats`, `violations`, `take_violations`, `allow_violation`. The handle is a tuple of one
/// `Rc<ModelCell<..>>`.
#[doc(hidden)]
#[macro_export]
macro_rules! __model_methods {
    ($stats:ty, $violation:ty, $kind:ty) => {
        /// The clock of the simulation.
        #[must_use]
        pub fn clock(&self) -> $crate::Clock {
            self.0.clock().clone()
        }

        /// A delay in simulated time.
        #[must_use]
        pub fn delay(&self) -> $crate::SimDelay {
            $crate::SimDelay::new(self.0.clock())
        }

        /// The reference counters: what became of every frame so far.
        #[must_use]
        pub fn stats(&self) -> $stats {
            $crate::model::ChipModel::context(&*self.0.model()).stats
        }

        /// The protocol violations so far, in order, up to a thousand.
        ///
        /// After an injected fault that hides the state of the chip from its host, none are
        /// reported until the next reset.
        #[must_use]
        pub fn violations(&self) -> ::std::vec::Vec<$violation> {
            $crate::model::ChipModel::context(&*self.0.model())
                .violations
                .kept()
                .to_vec()
        }

        /// Returns the protocol violations as [`violations`](Self::violations) does, and clears
        /// them.
        pub fn take_violations(&self) -> ::std::vec::Vec<$violation> {
            self.0
                .update(|model| $crate::model::ChipModel::context_mut(model).violations.take())
        }

        /// Stops reporting this kind of protocol violation.
        pub fn allow_violation(&self, kind: $kind) {
            self.0.update(|model| {
                $crate::model::ChipModel::context_mut(model)
                    .violations
                    .allow(kind)
            });
        }
    };
}

pub use crate::__model_methods as methods;

#[cfg(test)]
#[allow(dead_code, unreachable_pub, reason = "the methods of public handles")]
mod tests {
    use super::super::{Hook, Violation};
    use super::*;

    struct Types;

    impl ModelTypes for Types {
        type Config = Duration;
        type Stats = u32;
        type ViolationKind = u8;
        type Violation = Violation<u8>;
        type Timer = u32;
        type Effect = u32;
    }

    /// Answers each number after a delay.
    struct Echo(Context<Types>);

    impl Echo {
        fn take(&mut self, number: u32) {
            self.0.timer_in(self.0.config, number);
        }
    }

    impl ChipModel for Echo {
        type Types = Types;
        type Board = Hook<u32>;

        fn context(&self) -> &Context<Types> {
            &self.0
        }

        fn context_mut(&mut self) -> &mut Context<Types> {
            &mut self.0
        }

        fn expire(&mut self, number: u32) {
            self.0.stats += 1;
            self.0.effect(number);
        }

        fn settle(cell: &ModelCell<Self>) {
            while let Some(number) = cell.next_effect() {
                cell.call(number);
            }
        }
    }

    #[derive(Clone)]
    struct Handle(Rc<ModelCell<Echo>>);

    impl Handle {
        fn new(clock: &Clock, delay: Duration) -> Self {
            let model = Echo(Context::new(clock, delay, vec![7]));
            Self(ModelCell::new(model, Hook::default()))
        }

        methods!(u32, Violation<u8>, u8);
    }

    const DELAY: Duration = Duration::from_nanos(5);

    #[test]
    fn cell_effect_handler_uses_model_again() {
        let clock = Clock::new();
        let echo = Handle::new(&clock, DELAY);
        let weak = echo.0.weak();
        let seen = Rc::new(RefCell::new(Vec::new()));
        echo.0.set(Box::new({
            let (clock, seen) = (clock.clone(), seen.clone());
            move |number| {
                seen.borrow_mut().push((clock.now(), number));
                if number < 2 {
                    weak.with(|model| model.take(number + 1)).unwrap();
                }
            }
        }));
        echo.0.with(|model| model.take(0));
        while clock.step() {}
        assert_eq!(*seen.borrow(), [(DELAY, 0), (DELAY * 2, 1), (DELAY * 3, 2)]);
        assert_eq!(echo.stats(), 3);
    }

    #[test]
    fn cell_dropped_before_timer_expires_does_nothing() {
        let clock = Clock::new();
        let echo = Handle::new(&clock, DELAY);
        let weak = echo.0.weak();
        echo.0.with(|model| model.take(0));
        drop(echo);
        assert!(clock.step());
        assert_eq!(weak.with(|_| ()), None);
    }

    #[test]
    fn violations_allowed_or_suspended_are_not_kept() {
        let echo = Handle::new(&Clock::new(), DELAY);
        let report = |kind| echo.0.with(|model| model.0.violation(kind, "a detail"));
        report(7);
        report(8);
        echo.0.with(|model| model.0.violations.suspend());
        report(9);
        echo.0.with(|model| model.0.violations.resume());
        echo.allow_violation(8);
        report(8);
        report(9);
        assert_eq!(echo.violations().iter().map(|v| v.kind).collect::<Vec<_>>(), [8, 9]);
        assert_eq!(echo.take_violations().len(), 2);
        assert_eq!(echo.violations(), []);
    }
}
