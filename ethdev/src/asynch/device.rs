//! The pull API on an async bus.

use super::yield_once;
use crate::{Capabilities, Error, ErrorKind, ErrorType, Events, Interest, Link, MacAddress, RxMeta, Stats};

/// The async mirror of [`EthernetDevice`](crate::EthernetDevice): same methods, same contract, same
/// edge cases, and [`ready`](Self::ready).
///
/// The methods wait for the *bus*, never for a frame or for transmit capacity;
/// [`ready`](Self::ready), [`recv`](Self::recv) and [`send`](Self::send) wait for those.
///
/// ```
/// use ethdev::{Interest, asynch::EthernetDevice};
///
/// /// Echoes frames until the device fails. Knows no chip, no stack and no executor.
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
/// Sleep in `ready`; drop its future to do something else. A stack that borrows frames (smoltcp)
/// uses a channel (`ethdev_util::channel`) in front of the device.
///
/// # For driver authors
///
/// Write the logic of the chip once for both forms. Let the hand-over of a frame to the chip be the
/// last thing that `send_vectored` awaits, and the release of a frame in the chip the last thing
/// that `recv_frame` awaits: then a dropped future leaves no frame half done.
///
/// # Cancellation
///
/// - `ready` is cancel-safe: dropped at any point, it has consumed nothing.
/// - A future that was never polled has no effect.
/// - `recv_frame` dropped before completion: the frame is still next, or lost and counted; never
///   delivered twice.
/// - `send_vectored` dropped before completion: the frame is sent whole or not at all; the caller
///   does not know which.
/// - `recv` and `send` wait cancel-safely and then behave as `recv_frame` and `send_frame`.
#[allow(
    async_fn_in_trait,
    reason = "whether the futures are Send depends on the device: see the documentation of the module"
)]
pub trait EthernetDevice: ErrorType {
    /// Returns the address that the device receives on. Cached.
    fn mac_address(&self) -> MacAddress;

    /// Returns what the device can do. Cached.
    fn capabilities(&self) -> Capabilities;

    /// Returns the link state as of the last access to the device. Cached.
    fn link(&self) -> Link;

    /// Returns the counters. Cached.
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

    /// Waits until something of `interest` holds and returns what holds: a frame is pending, the
    /// next legal frame is not `Busy`, or the link changed since this was last reported here.
    ///
    /// Does housekeeping while waiting. With an empty interest it never completes.
    ///
    /// # Errors
    ///
    /// The device failed.
    ///
    /// # Cancellation
    ///
    /// Safe: nothing is consumed.
    async fn ready(&mut self, interest: Interest) -> Result<Interest, Self::Error>;

    /// Waits for a frame and reads it into the start of `buf`.
    ///
    /// # Errors
    ///
    /// As `recv_frame`.
    async fn recv(&mut self, buf: &mut [u8]) -> Result<RxMeta, Self::Error> {
        let mut was_ready = false;
        loop {
            if let Some(meta) = self.recv_frame(buf).await? {
                return Ok(meta);
            }
            if was_ready {
                // `ready` reported a frame that is not there: such a device must not hang the
                // executor.
                yield_once().await;
            }
            self.ready(Interest::RX).await?;
            was_ready = true;
        }
    }

    /// Waits until the device is not `Busy` and sends one frame. Returns `LinkDown` immediately
    /// while the link is down; [`ready`](Self::ready) waits for the link.
    ///
    /// # Errors
    ///
    /// As `send_frame`, without `Busy`.
    async fn send(&mut self, frame: &[u8]) -> Result<(), Self::Error> {
        let mut was_ready = false;
        loop {
            match self.send_frame(frame).await {
                Err(e) if e.kind() == ErrorKind::Busy => {
                    if was_ready {
                        // As in `recv`.
                        yield_once().await;
                    }
                    self.ready(Interest::TX | Interest::LINK).await?;
                    was_ready = true;
                }
                result => return result,
            }
        }
    }
}
