//! The end of the switch at the device.

use core::convert::Infallible;
use core::future::poll_fn;
use core::task::{Context, Poll};

use crate::fabric::{Fabric, Uplink};
use ethdev::{Error, Interest, LendingDevice, PollReady};

/// The end of a [`Switch`](crate::Switch) at the device: moves frames for clients that wait, and
/// gives the owner access to the device.
///
/// Clients that poll their ports need no runner: each call of a port takes frames from the device.
/// Clients that wait in [`PollReady`] are woken only while [`run`](Self::run) is polled. It starts
/// no timer: if [`max_service_interval`](ethdev::Capabilities::max_service_interval) is set, some
/// client must call `service` within it.
pub struct Runner<'s, 'b, D, const N: usize, const Q: usize>(pub(crate) &'s Fabric<'b, D, N, Q>);

impl<D: LendingDevice, const N: usize, const Q: usize> Runner<'_, '_, D, N, Q> {
    /// Calls `f` with the device, for its counters, its recovery and its specific functions.
    ///
    /// `f` must not call a port of this switch.
    ///
    /// # Panics
    ///
    /// If `f` calls a port of this switch.
    pub fn with_device<R>(&mut self, f: impl FnOnce(&mut D) -> R) -> R {
        self.0.call(|uplink| f(&mut uplink.device))
    }
}

impl<D: LendingDevice + PollReady, const N: usize, const Q: usize> Runner<'_, '_, D, N, Q> {
    /// Moves frames from the device to the ports and wakes their clients, until the device fails.
    ///
    /// When a frame has filled the queue of a port, it yields, so that a client that was woken
    /// reads its frames first.
    ///
    /// # Errors
    ///
    /// The device failed. Clients that wait are woken and get the kind of the error until `run` is
    /// polled again and succeeds: recover the device ([`with_device`](Self::with_device)) first.
    ///
    /// # Cancellation
    ///
    /// Safe: no state is in the future.
    pub async fn run(&mut self) -> Result<Infallible, D::Error> {
        poll_fn(|cx| self.poll(cx)).await
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Infallible, D::Error>> {
        let waker = cx.waker().clone();
        let (step, former) = self.0.call(|uplink| {
            let step = self.step(uplink, cx);
            uplink.failed = step.as_ref().err().map(Error::kind);
            match step {
                Ok(Step::Waiting) => (step, uplink.runner.replace(waker)),
                Ok(Step::Moved) => (step, None),
                Err(_) => {
                    self.0.notify(Interest::ALL);
                    (step, None)
                }
            }
        });
        drop(former);
        match step {
            Ok(Step::Waiting) => Poll::Pending,
            Ok(Step::Moved) => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Err(e) => Poll::Ready(Err(e)),
        }
    }

    fn step(&self, uplink: &mut Uplink<'_, D>, cx: &mut Context<'_>) -> Result<Step, D::Error> {
        let interest = Interest {
            rx: true,
            tx: self.0.ports.iter().any(|port| port.borrow().waiting.tx),
            link: true,
        };
        if uplink.failed.is_some() {
            // A wait would not show whether the failure persists.
            uplink.device.service()?;
        }
        let found = match uplink.device.poll_ready(interest, cx) {
            Poll::Pending => return Ok(Step::Waiting),
            Poll::Ready(found) => found?,
        };
        if found.tx {
            self.0.notify(Interest::TX);
        }
        if found.rx {
            self.0.fill(uplink, |full| full)?;
        }
        Ok(Step::Moved)
    }
}

enum Step {
    /// The device wakes the runner.
    Waiting,
    /// More may be found at once.
    Moved,
}

impl<D: LendingDevice, const N: usize, const Q: usize> core::fmt::Debug for Runner<'_, '_, D, N, Q> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Runner").finish_non_exhaustive()
    }
}
