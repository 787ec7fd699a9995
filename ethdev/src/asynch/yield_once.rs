//! Yielding to other tasks.

use core::future::{Future, poll_fn};
use core::task::Poll;

/// Returns `Pending` once and wakes itself, so that other tasks run.
///
/// For drivers that retry: a device whose reports are inconsistent must not keep the executor in
/// one task.
pub fn yield_once() -> impl Future<Output = ()> {
    let mut yielded = false;
    poll_fn(move |cx| {
        if core::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
}
