//! Waking by timer: for devices without an interrupt line.

use core::time::Duration;

use embedded_hal_async::delay::DelayNs;

use super::{BlockingAsync, Wake};
use ethdev::{EthernetDevice, Interest};

/// Checks the device periodically. The interval is the latency; one check per interval is the whole
/// idle traffic on the bus.
#[derive(Debug, Clone, Copy)]
pub struct Timer<T> {
    delay: T,
    interval_us: u32,
}

impl<D: EthernetDevice, T: DelayNs> BlockingAsync<D, Timer<T>> {
    /// Wraps a device that is checked every `interval`, at least 1 µs and at most 2^32 - 1 µs (71
    /// minutes), while it waits.
    #[must_use]
    pub fn with_polling(device: D, delay: T, interval: Duration) -> Self {
        let interval_us = u32::try_from(interval.as_micros()).unwrap_or(u32::MAX).max(1);
        Self::new(device, Timer { delay, interval_us })
    }
}

impl<D: EthernetDevice, T: DelayNs> Wake<D> for Timer<T> {
    fn prepare(&mut self, _: &mut D) -> Result<(), D::Error> {
        Ok(())
    }

    async fn wait(&mut self, _: &mut D, _: Interest) -> Result<(), D::Error> {
        self.delay.delay_us(self.interval_us).await;
        Ok(())
    }
}
