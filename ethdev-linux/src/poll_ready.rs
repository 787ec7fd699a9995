//! `PollReady`, and the async form, on any executor.

use core::future::poll_fn;
use core::task::{Context, Poll};
use core::time::Duration;

use ethdev::{Interest, PollReady};
use ethdev_util::asynch::{BlockingAsync, Wake};

use crate::error::InterfaceError;
use crate::interface::Interface;
use crate::packet::PacketPort;
use crate::port::Port;
use crate::tap::TapPort;
use crate::wait::UNANNOUNCED_INTERVAL;

/// The async form of a [`Tap`](crate::Tap).
pub type AsyncTap = BlockingAsync<Interface<TapPort>, AsyncIo>;

/// The async form of a [`PacketSocket`](crate::PacketSocket).
pub type AsyncPacketSocket = BlockingAsync<Interface<PacketPort>, AsyncIo>;

/// Wakes the futures of an [`AsyncTap`] or [`AsyncPacketSocket`]. The thread of the `async-io`
/// crate waits for the kernel; it is started on first use and works with every executor.
#[derive(Debug)]
pub struct AsyncIo(());

impl<P: Port> Interface<P> {
    /// Converts the device into its async form: [`ethdev::asynch::EthernetDevice`] on any executor.
    /// [`BlockingAsync::into_inner`] converts it back.
    ///
    /// ```no_run
    /// use ethdev::asynch::EthernetDevice as _;
    /// use ethdev_linux::{InterfaceError, Tap};
    ///
    /// async fn print_lengths(tap: Tap) -> Result<(), InterfaceError> {
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
    pub fn into_async(mut self) -> Result<BlockingAsync<Self, AsyncIo>, InterfaceError> {
        self.open_registration()?;
        Ok(BlockingAsync::new(self, AsyncIo(())))
    }

    fn open_registration(&mut self) -> Result<(), InterfaceError> {
        self.registration
            .open(self.port.as_fd(), self.link_monitor.fd())
            .map_err(|source| InterfaceError::Io {
                what: "registering with async-io",
                source,
            })
    }

    /// Stores the waker until something of `interest` may hold.
    fn register(&mut self, interest: Interest, cx: &Context<'_>) -> Result<(), InterfaceError> {
        self.open_registration()?;
        let events = self.awaited_events(interest);
        self.registration
            .register(events, UNANNOUNCED_INTERVAL, cx)
            .map_err(|source| InterfaceError::Io {
                what: "waiting for the interface",
                source,
            })
    }
}

/// With the feature `async-io`. One poll(2) per call; the thread of the `async-io` crate, which is
/// started by the first call, wakes the waker.
///
/// A link change is reported once by `poll_ready` and [`wait`](Interface::wait) together.
///
/// ```no_run
/// use core::future::poll_fn;
/// use ethdev::{EthernetDevice, Interest, PollReady};
/// use ethdev_linux::{InterfaceError, Tap};
///
/// async fn count_frames(tap: &mut Tap) -> Result<u32, InterfaceError> {
///     let mut frames = 0;
///     while poll_fn(|cx| tap.poll_ready(Interest::RX | Interest::LINK, cx)).await?.rx {
///         while tap.discard_frame()? {
///             frames += 1;
///         }
///     }
///     Ok(frames) // the link changed
/// }
/// ```
impl<P: Port> PollReady for Interface<P> {
    fn poll_ready(&mut self, interest: Interest, cx: &mut Context<'_>) -> Poll<Result<Interest, InterfaceError>> {
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

impl<P: Port> Wake<Interface<P>> for AsyncIo {
    fn prepare(&mut self, _: &mut Interface<P>) -> Result<(), InterfaceError> {
        // Readiness is level-triggered: nothing is missed between a poll and `wait`.
        Ok(())
    }

    async fn wait(&mut self, device: &mut Interface<P>, interest: Interest) -> Result<(), InterfaceError> {
        let mut registered = false;
        poll_fn(|cx| {
            if core::mem::replace(&mut registered, true) {
                return Poll::Ready(Ok(()));
            }
            device.register(interest, cx)?;
            Poll::Pending
        })
        .await
    }
}
