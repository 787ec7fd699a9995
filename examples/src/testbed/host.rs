//! The host at one end of the wire, independent of its stack.

use core::time::Duration;

use ethdev::{Coverage, Link, Stats};

use super::failure::Failure;

/// A stack and the application, on a device.
///
/// All times are those of the simulation's clock.
pub(super) trait Host {
    /// Receives, serves and sends what is due at `now`.
    ///
    /// # Errors
    ///
    /// The device failed.
    fn poll(&mut self, now: Duration) -> Result<(), Failure>;

    /// Returns when to poll next; `now` or earlier: immediately. `None`: after the next event of
    /// the clock, as after every event.
    ///
    /// There is no interrupt: a pending frame must be polled for immediately. May take time on a
    /// bus.
    fn poll_at(&mut self, now: Duration) -> Option<Duration>;

    /// Returns the link of the device.
    fn link(&self) -> Link;

    /// Returns the counters of the device.
    fn stats(&self) -> Stats;

    /// Returns how the device counts losses.
    fn coverage(&self) -> Coverage;

    /// Returns the number of frames that the adapter of the stack dropped, in both directions.
    fn dropped(&self) -> u32;

    /// Returns the number of frames that the adapter of the stack copied, besides the copies at the
    /// API of the device.
    fn copied(&self) -> u32 {
        0
    }
}
