//! Devices that keep a waker.

use core::task::{Context, Poll};

use crate::{ErrorType, Interest};

/// A device that stores a waker and wakes it: for executors' adapters, hand-written futures and
/// daemons.
///
/// It is dyn-compatible. `ethdev_util::IrqDevice` gives it to every device with
/// [`Rearm`](crate::Rearm) and an interrupt handler; the endpoint of a frame channel and the TAP
/// device implement it. Drivers on an async bus do not: a future that borrows the driver cannot be
/// stored in it. Put a channel in front of them.
///
/// # Contract
///
/// - `Ready(Ok(ready))`: at least one condition of `interest` holds; `ready` contains those that
///   hold and nothing else.
/// - `Pending`: nothing of `interest` holds, and `cx`'s waker is woken when something of it may.
///   Only the waker of the last call is kept. An empty `interest` is always `Pending`.
/// - Nothing is consumed: frames stay pending. A link change is reported once.
/// - It may call [`service`](crate::EthernetDevice::service). A wake-up that does not concern the
///   device costs no bus access.
pub trait PollReady: ErrorType {
    /// Polls whether something of `interest` holds: a frame is pending, the next legal frame is not
    /// `Busy`, or the link changed.
    ///
    /// # Errors
    ///
    /// The device failed.
    fn poll_ready(&mut self, interest: Interest, cx: &mut Context<'_>) -> Poll<Result<Interest, Self::Error>>;
}
