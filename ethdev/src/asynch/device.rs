//! The pull surface on an async bus.

use super::yield_once;
use crate::{Capabilities, Error, ErrorType, Events, Interest, Link, MacAddress, RxMeta, Stats};

/// The async mirror of [`EthernetDevice`](crate::EthernetDevice): same methods, same contract, same edges, plus [`ready`](Self::ready).
///
/// The methods wait for the *bus*, never for a frame or for room; [`ready`](Self::ready), [`recv`](Self::recv) and [`send`](Self::send) wait for those.
///
/// ```
/// use ethdev::{Interest, asynch::EthernetDevice};
///
/// /// Echoes for ever; knows no chip, no stack and no executor.
/// async fn echo<D: EthernetDevice>(device: &mut D, buf: &mut [u8]) -> Result<(), D::Error> {
///     loop {
///         let meta = device.recv(buf).await?;
///         device.send(&buf[..meta.len]).await?;
///     }
/// }
/// ```
///
/// # For stack authors
///
/// `ready` is where a task sleeps; drop it to do something else. A stack that borrows frames (smoltcp) sits behind the [pump](crate) instead.
///
/// # For driver authors
///
/// Write the chip's logic once for both forms. Make the hand-over of a frame to the chip the last thing that `send_vectored` awaits, and the release of a frame
/// from the chip the last thing that `recv_frame` awaits: then a dropped future has no half-done frame to account for.
///
/// # Cancellation
///
/// - `ready` is cancel-safe: dropped at any point, it has taken nothing.
/// - A future that was never polled has done nothing.
/// - `recv_frame` dropped half way: the frame is still next, or lost and counted; never delivered twice.
/// - `send_vectored` dropped half way: the frame goes out whole or not at all, and the caller does not know which.
/// - `recv` and `send` wait cancel-safely and then are as `recv_frame` and `send_frame`.
#[allow(
    async_fn_in_trait,
    reason = "whether the futures are Send is the device's matter: see the module's documentation"
)]
pub trait EthernetDevice: ErrorType {
    /// The address that the device receives on. Cached.
    fn mac_address(&self) -> MacAddress;

    /// What the device can do. Cached.
    fn capabilities(&self) -> Capabilities;

    /// The link as last seen. Cached.
    fn link(&self) -> Link;

    /// What became of every frame so far. Cached.
    fn stats(&self) -> Stats;

    /// As [`EthernetDevice::recv_frame`](crate::EthernetDevice::recv_frame).
    async fn recv_frame(&mut self, buf: &mut [u8]) -> Result<Option<RxMeta>, Self::Error>;

    /// As [`EthernetDevice::discard_frame`](crate::EthernetDevice::discard_frame).
    async fn discard_frame(&mut self) -> Result<bool, Self::Error>;

    /// As [`EthernetDevice::tx_ready`](crate::EthernetDevice::tx_ready).
    async fn tx_ready(&mut self) -> Result<bool, Self::Error>;

    /// As [`EthernetDevice::send_vectored`](crate::EthernetDevice::send_vectored).
    async fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), Self::Error>;

    /// As [`EthernetDevice::send_frame`](crate::EthernetDevice::send_frame).
    async fn send_frame(&mut self, frame: &[u8]) -> Result<(), Self::Error> {
        self.send_vectored(&[frame]).await
    }

    /// As [`EthernetDevice::service`](crate::EthernetDevice::service).
    async fn service(&mut self) -> Result<Events, Self::Error>;

    /// Waits until something of `interest` is so, and tells what is: a frame pending, room to transmit, a link change that was not yet told here.
    ///
    /// Does housekeeping on the way. With an empty interest it never completes.
    ///
    /// # Errors
    ///
    /// The device failed.
    ///
    /// # Cancellation
    ///
    /// Safe: nothing is taken.
    async fn ready(&mut self, interest: Interest) -> Result<Interest, Self::Error>;

    /// Waits for a frame and moves it to the start of `buf`.
    ///
    /// # Errors
    ///
    /// As `recv_frame`.
    async fn recv(&mut self, buf: &mut [u8]) -> Result<RxMeta, Self::Error> {
        let mut told = false;
        loop {
            if let Some(meta) = self.recv_frame(buf).await? {
                return Ok(meta);
            }
            if told {
                // Told of a frame that is not there: a device that contradicts itself must not hang the executor.
                yield_once().await;
            }
            self.ready(Interest::RX).await?;
            told = true;
        }
    }

    /// Waits for room and sends one frame. Returns `LinkDown` at once where the link is down: [`ready`](Self::ready) waits for that too.
    ///
    /// # Errors
    ///
    /// As `send_frame`, without `Busy`.
    async fn send(&mut self, frame: &[u8]) -> Result<(), Self::Error> {
        let mut told = false;
        loop {
            match self.send_frame(frame).await {
                Err(e) if e.kind().is_busy() => {
                    if told {
                        // As in `recv`.
                        yield_once().await;
                    }
                    self.ready(Interest::TX | Interest::LINK).await?;
                    told = true;
                }
                result => return result,
            }
        }
    }
}

impl<T: EthernetDevice + ?Sized> EthernetDevice for &mut T {
    fn mac_address(&self) -> MacAddress {
        (**self).mac_address()
    }

    fn capabilities(&self) -> Capabilities {
        (**self).capabilities()
    }

    fn link(&self) -> Link {
        (**self).link()
    }

    fn stats(&self) -> Stats {
        (**self).stats()
    }

    async fn recv_frame(&mut self, buf: &mut [u8]) -> Result<Option<RxMeta>, T::Error> {
        (**self).recv_frame(buf).await
    }

    async fn discard_frame(&mut self) -> Result<bool, T::Error> {
        (**self).discard_frame().await
    }

    async fn tx_ready(&mut self) -> Result<bool, T::Error> {
        (**self).tx_ready().await
    }

    async fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), T::Error> {
        (**self).send_vectored(parts).await
    }

    async fn send_frame(&mut self, frame: &[u8]) -> Result<(), T::Error> {
        (**self).send_frame(frame).await
    }

    async fn service(&mut self) -> Result<Events, T::Error> {
        (**self).service().await
    }

    async fn ready(&mut self, interest: Interest) -> Result<Interest, T::Error> {
        (**self).ready(interest).await
    }

    async fn recv(&mut self, buf: &mut [u8]) -> Result<RxMeta, T::Error> {
        (**self).recv(buf).await
    }

    async fn send(&mut self, frame: &[u8]) -> Result<(), T::Error> {
        (**self).send(frame).await
    }
}
