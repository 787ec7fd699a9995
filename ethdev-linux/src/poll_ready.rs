//! `PollReady`, and the async form, on any executor.

use core::future::poll_fn;
use core::task::{Context, Poll};
use core::time::Duration;

use ethdev::{Interest, PollReady};
use ethdev_util::asynch::{BlockingAsync, Wake};

use crate::error::TapError;
use crate::tap::Tap;
use crate::wait::UNANNOUNCED_INTERVAL;

/// The async form of a [`Tap`].
pub type AsyncTap = BlockingAsync<Tap, AsyncIo>;

/// Wakes the futures of an [`AsyncTap`]. The thread of the `async-io` crate waits for the kernel;
/// it is started on first use and works with every executor.
#[derive(Debug)]
pub struct AsyncIo(());

impl Tap {
    /// Converts the device into its async form: [`ethdev::asynch::EthernetDevice`] on any executor.
    /// [`BlockingAsync::into_inner`] converts it back.
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
    /// `Io`: no descriptor is available, or the thread cannot be started.
    pub fn into_async(mut self) -> Result<AsyncTap, TapError> {
        self.open_registration()?;
        Ok(BlockingAsync::new(self, AsyncIo(())))
    }

    fn open_registration(&mut self) -> Result<(), TapError> {
        use std::os::fd::AsFd;
        self.registration
            .open(self.io.as_fd(), self.link_monitor.fd())
            .map_err(|source| TapError::Io {
                what: "registering with async-io",
                source,
            })
    }

    /// Stores the waker until something of `interest` may hold.
    fn register(&mut self, interest: Interest, cx: &Context<'_>) -> Result<(), TapError> {
        self.open_registration()?;
        let events = self.awaited_events(interest);
        self.registration
            .register(events, UNANNOUNCED_INTERVAL, cx)
            .map_err(|source| TapError::Io {
                what: "waiting for the interface",
                source,
            })
    }
}

/// With the feature `async-io`. One poll(2) per call; the thread of the `async-io` crate, which is
/// started by the first call, wakes the waker.
///
/// A link change is reported once by `poll_ready` and [`wait`](Tap::wait) together.
///
/// ```no_run
/// use core::future::poll_fn;
/// use ethdev::{EthernetDevice, Interest, PollReady};
/// use ethdev_linux::{Tap, TapError};
///
/// async fn count_frames(tap: &mut Tap) -> Result<u32, TapError> {
///     let mut frames = 0;
///     while poll_fn(|cx| tap.poll_ready(Interest::RX | Interest::LINK, cx)).await?.rx {
///         while tap.discard_frame()? {
///             frames += 1;
///         }
///     }
///     Ok(frames) // the link changed
/// }
/// ```
impl PollReady for Tap {
    fn poll_ready(&mut self, interest: Interest, cx: &mut Context<'_>) -> Poll<Result<Interest, TapError>> {
        if interest.is_none() {
            return Poll::Pending;
        }
        let found = self.poll_interface(interest, Some(Duration::ZERO))?;
        let ready = self.ready_of(interest, found);
        if !ready.is_none() {
            return Poll::Ready(Ok(ready));
        }
        self.register(interest, cx)?;
        Poll::Pending
    }
}

impl Wake<Tap> for AsyncIo {
    fn prepare(&mut self, _: &mut Tap) -> Result<(), TapError> {
        // Readiness is level-triggered: nothing is missed between a poll and `wait`.
        Ok(())
    }

    async fn wait(&mut self, tap: &mut Tap, interest: Interest) -> Result<(), TapError> {
        let mut registered = false;
        poll_fn(|cx| {
            if core::mem::replace(&mut registered, true) {
                return Poll::Ready(Ok(()));
            }
            tap.register(interest, cx)?;
            Poll::Pending
        })
        .await
    }
}
