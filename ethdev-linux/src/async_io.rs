//! Wake-ups by the thread of the `async-io` crate.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Wake;

use async_io::{Async, Timer};

/// The descriptors that the thread polls, and the waker.
#[derive(Debug, Default)]
pub(crate) struct Registration {
    descriptors: Option<Descriptors>,
    slot: Arc<WakerSlot>,
}

/// Duplicates: `Async` owns the descriptors that it polls, and so does the device.
#[derive(Debug)]
struct Descriptors {
    port: Async<OwnedFd>,
    link: Option<Async<OwnedFd>>,
    timer: Timer,
}

/// The waker of the last call.
///
/// `Async` stores a waker of this slot, which never changes. It wakes a stored waker when another
/// replaces it, which would make a busy loop of a task whose waker differs on every poll.
#[derive(Debug, Default)]
struct WakerSlot(Mutex<Option<Waker>>);

impl WakerSlot {
    fn replace(&self, waker: Option<Waker>) -> Option<Waker> {
        core::mem::replace(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner), waker)
    }
}

impl Wake for WakerSlot {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if let Some(waker) = self.replace(None) {
            waker.wake();
        }
    }
}

impl Registration {
    /// Registers the descriptors with the thread, which is started with the first one. Does nothing
    /// if they are registered and `link` was not closed since.
    pub(crate) fn open(&mut self, port: BorrowedFd<'_>, link: Option<BorrowedFd<'_>>) -> io::Result<()> {
        let is_current = |d: &Descriptors| d.link.is_some() == link.is_some();
        if !self.descriptors.as_ref().is_some_and(is_current) {
            self.descriptors = Some(Descriptors {
                port: Async::new(port.try_clone_to_owned()?)?,
                link: link
                    .map(|link| link.try_clone_to_owned().and_then(Async::new))
                    .transpose()?,
                timer: Timer::never(),
            });
        }
        Ok(())
    }

    /// Stores the waker of `cx`, which is woken when the descriptor of the interface is readable or
    /// writable, whichever is requested, when the link descriptor is readable, or after `interval`
    /// if there is no link descriptor.
    ///
    /// Readiness is level-triggered: a condition that holds already wakes immediately.
    pub(crate) fn register(
        &mut self,
        (readable, writable): (bool, bool),
        interval: Duration,
        cx: &Context<'_>,
    ) -> io::Result<()> {
        let Some(descriptors) = &mut self.descriptors else {
            return Ok(());
        };
        self.slot.replace(Some(cx.waker().clone()));
        let waker = Waker::from(Arc::clone(&self.slot));
        let cx = &mut Context::from_waker(&waker);
        if readable {
            arm(|| descriptors.port.poll_readable(cx))?;
        }
        if writable {
            arm(|| descriptors.port.poll_writable(cx))?;
        }
        if let Some(link) = &descriptors.link {
            arm(|| link.poll_readable(cx))
        } else {
            descriptors.timer.set_after(interval);
            arm(|| Pin::new(&mut descriptors.timer).poll(cx).map(|_| Ok(())))
        }
    }

    /// Removes the descriptors, and wakes the stored waker: other descriptors are to be polled.
    pub(crate) fn clear(&mut self) {
        self.descriptors = None;
        self.wake();
    }

    /// Wakes the stored waker.
    pub(crate) fn wake(&self) {
        self.slot.wake_by_ref();
    }
}

/// Polls until the waker is stored. An event from before the last poll of the interface comes
/// first: that is at most one.
fn arm(mut poll: impl FnMut() -> Poll<io::Result<()>>) -> io::Result<()> {
    while let Poll::Ready(result) = poll() {
        result?;
    }
    Ok(())
}
