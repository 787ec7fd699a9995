//! Waking by the device itself: for devices that keep a waker.

use core::future::poll_fn;

use ethdev::asynch::yield_once;
use ethdev::{EthernetDevice, Interest, PollReady};

use super::{BlockingAsync, Wake};

/// Checks the device when it woke the waker that it keeps.
///
/// ```
/// use ethdev::{EthernetDevice, PollReady, asynch};
/// use ethdev_util::asynch::BlockingAsync;
///
/// fn to_async<D: EthernetDevice + PollReady>(device: D) -> impl asynch::EthernetDevice {
///     BlockingAsync::with_poll_ready(device)
/// }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct KeptWaker(());

impl<D: EthernetDevice + PollReady> BlockingAsync<D, KeptWaker> {
    /// Wraps a device that keeps a waker.
    #[must_use]
    pub fn with_poll_ready(device: D) -> Self {
        Self::new(device, KeptWaker(()))
    }
}

impl<D: EthernetDevice + PollReady> Wake<D> for KeptWaker {
    fn prepare(&mut self, _: &mut D) -> Result<(), D::Error> {
        // `wait` checks again, after the waker is registered.
        Ok(())
    }

    async fn wait(&mut self, device: &mut D, interest: Interest) -> Result<(), D::Error> {
        let mut waited = false;
        poll_fn(|cx| {
            let polled = device.poll_ready(interest, cx);
            waited |= polled.is_pending();
            polled
        })
        .await?;
        if !waited {
            // As in `Interrupt`: a device whose reports are inconsistent cannot hang the executor.
            yield_once().await;
        }
        Ok(())
    }
}
