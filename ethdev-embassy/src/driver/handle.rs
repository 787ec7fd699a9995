//! Access to the device beside the stack.

use core::fmt;

use ethdev::{Error as _, ErrorKind, Events, LendingDevice, Link, Stats};
use ethdev_util::stack::{DropStats, ErrorCounts};

use super::state::{Inner, State};

/// Access to the device that embassy-net uses: management, counters, errors.
///
/// It belongs to the executor of the stack and may be copied to any of its tasks.
///
/// # Errors
///
/// Every method returns `Busy` inside the closure of [`with`](Self::with), and while tokens of the
/// driver exist. embassy-net keeps none from one turn to the next.
pub struct Handle<'s, 'b, D: LendingDevice> {
    state: &'s State<'b, D>,
}

impl<'s, 'b, D: LendingDevice> Handle<'s, 'b, D> {
    pub(super) const fn new(state: &'s State<'b, D>) -> Self {
        Self { state }
    }

    /// Calls `access` with the device, then wakes the stack, which takes over a new MAC address or
    /// link state. For management: `handle.with(|nic| nic.recover())`.
    ///
    /// Frames that `access` receives do not reach the stack.
    ///
    /// # Errors
    ///
    /// Those of `access`; `Busy`.
    pub fn with<R>(&self, access: impl FnOnce(&mut D) -> Result<R, D::Error>) -> Result<R, D::Error> {
        let result = self.access(|inner| access(&mut inner.device));
        self.state.wake();
        result
    }

    /// Does housekeeping: refreshes the link state, completes transmissions. Wakes the stack if
    /// there is something to do for it.
    ///
    /// Call it at least every
    /// [`max_service_interval`](ethdev::Capabilities::max_service_interval) if that is set: the
    /// driver has no timer.
    ///
    /// # Errors
    ///
    /// The device failed. The error is counted in [`errors`](Self::errors) and is not returned by
    /// [`take_error`](Self::take_error). Or `Busy`.
    pub fn service(&self) -> Result<Events, D::Error> {
        let (events, waits_for_tx) = self.access(|inner| {
            let serviced = inner.device.service();
            let events = serviced.inspect_err(|e| inner.rx.errors.count(e.kind()))?;
            Ok((events, inner.waits_for_tx))
        })?;
        if events.link_changed || events.rx_pending || (events.tx_ready && waits_for_tx) {
            self.state.wake();
        }
        Ok(events)
    }

    /// Returns the link state as of the last turn or [`service`](Self::service), with speed and
    /// duplex.
    ///
    /// # Errors
    ///
    /// `Busy`.
    pub fn link(&self) -> Result<Link, D::Error> {
        self.access(|inner| Ok(inner.device.link()))
    }

    /// Returns the counters of the device.
    ///
    /// # Errors
    ///
    /// `Busy`.
    pub fn stats(&self) -> Result<Stats, D::Error> {
        self.access(|inner| Ok(inner.device.stats()))
    }

    /// Returns the frames lost between the device and the stack.
    ///
    /// # Errors
    ///
    /// `Busy`.
    pub fn drops(&self) -> Result<DropStats, D::Error> {
        self.access(|inner| {
            let mut drops = inner.tx.drops;
            drops.rx_too_short = inner.rx.too_short;
            Ok(drops)
        })
    }

    /// Returns the number of errors of the device while the stack used it, by kind.
    ///
    /// # Errors
    ///
    /// `Busy`.
    pub fn errors(&self) -> Result<ErrorCounts, D::Error> {
        self.access(|inner| Ok(inner.rx.errors.counts.wrapping_add(&inner.tx.errors.counts)))
    }

    /// Takes the first error since the last call, with its cause: of receiving or, if there is
    /// none, of sending.
    ///
    /// # Errors
    ///
    /// `Busy`.
    pub fn take_error(&self) -> Result<Option<D::Error>, D::Error> {
        self.access(|inner| Ok(inner.rx.errors.take().or_else(|| inner.tx.errors.take())))
    }

    fn access<R>(&self, access: impl FnOnce(&mut Inner<'b, D>) -> Result<R, D::Error>) -> Result<R, D::Error> {
        let mut inner = self.state.inner.try_borrow_mut().map_err(|_| ErrorKind::Busy)?;
        let result = access(&mut inner);
        self.state.end_access(&inner);
        result
    }
}

impl<D: LendingDevice> Clone for Handle<'_, '_, D> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<D: LendingDevice> Copy for Handle<'_, '_, D> {}

impl<D: LendingDevice> fmt::Debug for Handle<'_, '_, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").finish_non_exhaustive()
    }
}
