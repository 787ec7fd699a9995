//! The interrupt signal: what an interrupt handler sets and a task waits for.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

use crate::shared::Shared;

/// A flag "work pending" and the waker of the task that waits for it.
///
/// An interrupt handler calls [`signal`](Self::signal) and does nothing else; one task calls
/// [`try_take`](Self::try_take) or [`wait`](Self::wait). Several signals add up to one. No signal
/// is lost between `try_take` and `wait`, whatever the interleaving (model-checked in
/// `tests/loom.rs`). It needs a critical section, not compare-and-swap, and is const-constructible:
///
/// ```
/// use ethdev_util::IrqSignal;
///
/// static NIC: IrqSignal = IrqSignal::new();
///
/// fn interrupt_handler() {
///     NIC.signal();
/// }
/// # interrupt_handler();
/// assert!(NIC.is_signaled());
/// assert!(NIC.try_take());
/// assert!(!NIC.try_take() && !NIC.is_signaled());
/// ```
///
/// # Contract
///
/// - One waiter at a time. A second one displaces the first, which is woken, checks the flag, and
///   waits again.
/// - The waker is called outside the critical section, in the context of `signal`: if that is an
///   interrupt handler, the waker must be one that may be woken there.
pub struct IrqSignal(Shared<State>);

struct State {
    signaled: bool,
    waiter: Option<Waker>,
}

impl IrqSignal {
    /// Creates a signal that is not set.
    #[cfg(not(loom))]
    #[must_use]
    pub const fn new() -> Self {
        Self(Shared::new(State {
            signaled: false,
            waiter: None,
        }))
    }

    /// Creates a signal that is not set. (The primitives of the model checker are not
    /// const-constructible.)
    #[cfg(loom)]
    #[must_use]
    pub fn new() -> Self {
        Self(Shared::new(State {
            signaled: false,
            waiter: None,
        }))
    }

    /// Sets the flag and wakes the waiter.
    pub fn signal(&self) {
        let waiter = self.0.with(|state| {
            state.signaled = true;
            state.waiter.take()
        });
        if let Some(waiter) = waiter {
            waiter.wake();
        }
    }

    /// Returns whether the flag was set, and clears it.
    ///
    /// Check the device *after* this call: a later interrupt sets the flag again.
    pub fn try_take(&self) -> bool {
        self.0.with(|state| core::mem::replace(&mut state.signaled, false))
    }

    /// Returns whether the flag is set.
    pub fn is_signaled(&self) -> bool {
        self.0.with(|state| state.signaled)
    }

    /// Waits until the flag is set, and clears it.
    ///
    /// # Cancellation
    ///
    /// Safe: the flag is cleared only by the poll that completes.
    pub const fn wait(&self) -> Wait<'_> {
        Wait(self)
    }

    /// Polls [`wait`](Self::wait), for hand-written futures.
    pub fn poll_wait(&self, cx: &mut Context<'_>) -> Poll<()> {
        let (poll, displaced) = self.0.with(|state| {
            if core::mem::replace(&mut state.signaled, false) {
                return (Poll::Ready(()), None);
            }
            match &state.waiter {
                Some(waiter) if waiter.will_wake(cx.waker()) => (Poll::Pending, None),
                _ => (Poll::Pending, state.waiter.replace(cx.waker().clone())),
            }
        });
        if let Some(displaced) = displaced {
            displaced.wake();
        }
        poll
    }
}

impl Default for IrqSignal {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for IrqSignal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IrqSignal")
            .field("signaled", &self.is_signaled())
            .finish()
    }
}

/// The future of [`IrqSignal::wait`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct Wait<'a>(&'a IrqSignal);

impl Future for Wait<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.0.poll_wait(cx)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    extern crate std;
    use super::*;
    use core::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::Arc;
    use std::task::Wake;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn rings_add_up_to_one() {
        let bell = IrqSignal::new();
        bell.signal();
        bell.signal();
        assert!(bell.try_take());
        assert!(!bell.try_take());
    }

    #[test]
    fn a_waiter_is_woken_once_per_wait() {
        let bell = IrqSignal::new();
        let count = Arc::new(Count::default());
        let waker = Waker::from(count.clone());
        let mut cx = Context::from_waker(&waker);
        assert_eq!(bell.poll_wait(&mut cx), Poll::Pending);
        bell.signal();
        bell.signal();
        assert_eq!(count.0.load(Ordering::SeqCst), 1);
        assert_eq!(bell.poll_wait(&mut cx), Poll::Ready(()));
        assert_eq!(bell.poll_wait(&mut cx), Poll::Pending);
    }

    #[test]
    fn a_displaced_waiter_is_woken() {
        let bell = IrqSignal::new();
        let (first, second) = (Arc::new(Count::default()), Arc::new(Count::default()));
        assert!(
            bell.poll_wait(&mut Context::from_waker(&Waker::from(first.clone())))
                .is_pending()
        );
        assert!(
            bell.poll_wait(&mut Context::from_waker(&Waker::from(second.clone())))
                .is_pending()
        );
        assert_eq!(first.0.load(Ordering::SeqCst), 1);
        bell.signal();
        assert_eq!(second.0.load(Ordering::SeqCst), 1);
    }
}
