//! State that two contexts share: tasks, or a task and an interrupt handler.

#[cfg(not(loom))]
pub(crate) use plain::Shared;
#[cfg(loom)]
pub(crate) use under_loom::Shared;

#[cfg(not(loom))]
mod plain {
    use core::cell::RefCell;
    use critical_section::Mutex;

    /// State behind a critical section.
    pub(crate) struct Shared<T>(Mutex<RefCell<T>>);

    impl<T> Shared<T> {
        pub(crate) const fn new(value: T) -> Self {
            Self(Mutex::new(RefCell::new(value)))
        }

        /// Runs `f` with interrupts off: it has to be short, and it calls no `with` of the same
        /// state, so that the cell is never borrowed twice.
        pub(crate) fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
            critical_section::with(|cs| f(&mut self.0.borrow_ref_mut(cs)))
        }
    }
}

#[cfg(loom)]
mod under_loom {
    /// State behind what the model checker has instead of a critical section.
    pub(crate) struct Shared<T>(loom::sync::Mutex<T>);

    impl<T> Shared<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(loom::sync::Mutex::new(value))
        }

        pub(crate) fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
            f(&mut self.0.lock().unwrap())
        }
    }
}
