//! A strict executor: it polls only woken tasks.

use std::cell::RefCell;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use super::fixture::LinkPeer;
use super::outcome::CheckError;
use super::requirement;
use super::watchdog;

/// Longest simulated time of a future.
const FUTURE_TIMEOUT: Duration = Duration::from_secs(10);
/// Simulated time between two polls.
const STEP: Duration = Duration::from_micros(100);
/// Polls without time passing, for a future that wakes itself.
const MAX_POLLS_PER_STEP: usize = 10;

/// Whether a future was woken.
struct WakeFlag(AtomicBool);

impl Wake for WakeFlag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}

/// An executor for one future: polls it once, and then only when it was woken.
pub(super) struct Executor<'a> {
    peer: &'a RefCell<dyn LinkPeer>,
    woken: Arc<WakeFlag>,
    waker: Waker,
}

impl<'a> Executor<'a> {
    pub(super) fn new(peer: &'a RefCell<dyn LinkPeer>) -> Self {
        // The first poll is due without a wake.
        let woken = Arc::new(WakeFlag(AtomicBool::new(true)));
        Self {
            peer,
            waker: Waker::from(Arc::clone(&woken)),
            woken,
        }
    }

    /// Polls when woken, otherwise lets time pass, up to `limit`. Can be called again for the same
    /// future.
    pub(super) fn run<T>(&self, limit: Duration, future: impl Future<Output = T>) -> Option<T> {
        let mut future = pin!(future);
        let (mut passed, mut spins) = (Duration::ZERO, 0);
        loop {
            watchdog::step();
            if spins < MAX_POLLS_PER_STEP && self.woken.0.swap(false, Ordering::AcqRel) {
                spins += 1;
                if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&self.waker)) {
                    return Some(output);
                }
            } else if passed >= limit {
                return None;
            } else {
                self.peer.borrow_mut().advance(STEP);
                passed += STEP;
                spins = 0;
            }
        }
    }
}

/// [`Executor::run`] for a future that is run once.
pub(super) fn run_to_completion<T>(
    peer: &RefCell<dyn LinkPeer>,
    limit: Duration,
    future: impl Future<Output = T>,
) -> Option<T> {
    Executor::new(peer).run(limit, future)
}

/// [`run_to_completion`] for futures that complete without any action of the caller. If one does
/// not, the check fails.
pub(super) fn block_on<T>(peer: &RefCell<dyn LinkPeer>, what: &'static str, future: impl Future<Output = T>) -> T {
    watchdog::calling(what);
    run_to_completion(peer, FUTURE_TIMEOUT, future).unwrap_or_else(|| {
        // Not a panic of the device: no message is to be printed.
        std::panic::resume_unwind(Box::new(CheckError::Fail {
            requirement: requirement::DEVICE_8,
            reason: format!(
                "the future of {what} expected to complete, did not or was not woken within {} s",
                FUTURE_TIMEOUT.as_secs()
            ),
        }))
    })
}
