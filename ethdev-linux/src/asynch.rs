//! The async form: a reactor's thread waits for the kernel, whatever executor polls the future.

use core::future::{Future, poll_fn};
use core::pin::{Pin, pin};
use core::task::{Context, Poll};
use core::time::Duration;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use async_io::{Async as Watched, Timer};
use ethdev::Interest;
use ethdev_util::asynch::{BlockingAsync, Wake};

use crate::wait::UNANNOUNCED_INTERVAL;
use crate::{Tap, TapError};

/// The async form of a [`Tap`].
pub type AsyncTap = BlockingAsync<Tap, AsyncIo>;

/// Wakes a future when the kernel has something for a [`Tap`]. It waits in the thread of the `async-io` crate, which is started with the first of them, and
/// works under every executor.
#[derive(Debug)]
pub struct AsyncIo {
    frames: Watched<OwnedFd>,
    link: Option<Watched<OwnedFd>>,
    /// Which of the interface's descriptors these are duplicates of.
    generation: u32,
}

impl Tap {
    /// The async form: [`ethdev::asynch::EthernetDevice`], on any executor. [`BlockingAsync::into_inner`] leads back.
    ///
    /// ```no_run
    /// use ethdev::asynch::EthernetDevice as _;
    /// use ethdev_linux::{Tap, TapError};
    ///
    /// async fn print_lengths(tap: Tap) -> Result<(), TapError> {
    ///     let mut tap = tap.into_async()?;
    ///     let mut buf = [0; 1518];
    ///     loop {
    ///         println!("{} bytes", tap.recv(&mut buf).await?.len);
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// `Io`: no descriptors left, or no thread.
    pub fn into_async(self) -> Result<AsyncTap, TapError> {
        let reactor = AsyncIo::new(&self)?;
        Ok(BlockingAsync::new(self, reactor))
    }
}

impl AsyncIo {
    fn new(tap: &Tap) -> Result<Self, TapError> {
        Ok(Self {
            frames: watch(tap.as_fd())?,
            link: tap.link_fd().map(watch).transpose()?,
            generation: tap.generation,
        })
    }
}

fn watch(fd: BorrowedFd<'_>) -> Result<Watched<OwnedFd>, TapError> {
    // A duplicate: the reactor wants to own what it watches, and so does the device.
    fd.try_clone_to_owned()
        .and_then(Watched::new)
        .map_err(|source| TapError::Io {
            what: "registering with the reactor",
            source,
        })
}

impl Wake<Tap> for AsyncIo {
    fn prepare(&mut self, tap: &mut Tap) -> Result<(), TapError> {
        // Readiness is level-triggered: nothing is missed between the look and the wait.
        if self.generation != tap.generation || (self.link.is_some() && tap.link_fd().is_none()) {
            *self = Self::new(tap)?;
        }
        Ok(())
    }

    async fn wait(&mut self, tap: &mut Tap, interest: Interest) -> Result<(), TapError> {
        // Futures, and not `poll_readable`: that one forgets an event which comes before its own registration has been through the reactor's loop, and is
        // only good for those who try to read at every wake.
        let (readable, writable) = tap.watched(interest);
        let mut readable = pin!(readable.then(|| self.frames.readable()));
        let mut writable = pin!(writable.then(|| self.frames.writable()));
        let mut announced = pin!(self.link.as_ref().map(Watched::readable));
        let mut unannounced = pin!(self.link.is_none().then(|| interval_passes(UNANNOUNCED_INTERVAL)));
        poll_fn(|cx| {
            // Each of them has to be polled, so that each of them can wake.
            let polls = [
                poll_some(readable.as_mut(), cx),
                poll_some(writable.as_mut(), cx),
                poll_some(announced.as_mut(), cx),
                poll_some(unannounced.as_mut(), cx),
            ];
            polls.into_iter().find(Poll::is_ready).unwrap_or(Poll::Pending)
        })
        .await
        .map_err(|source| TapError::Io {
            what: "waiting for the interface",
            source,
        })
    }
}

async fn interval_passes(interval: Duration) -> io::Result<()> {
    Timer::after(interval).await;
    Ok(())
}

/// The future that there may be.
fn poll_some<F: Future>(future: Pin<&mut Option<F>>, cx: &mut Context<'_>) -> Poll<F::Output> {
    future.as_pin_mut().map_or(Poll::Pending, |future| future.poll(cx))
}
