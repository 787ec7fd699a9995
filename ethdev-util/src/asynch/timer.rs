//! Looking at intervals: for devices without an interrupt line.

use embedded_hal_async::delay::DelayNs;

use super::{BlockingAsync, Wake};
use ethdev::{EthernetDevice, Interest};

/// Looks at the device every so often. The interval is the latency, and one look per interval all the idle traffic on the bus.
#[derive(Debug, Clone, Copy)]
pub struct Timer<T> {
    delay: T,
    interval_us: u32,
}

impl<D: EthernetDevice, T: DelayNs> BlockingAsync<D, Timer<T>> {
    /// Looks every `interval_us` microseconds while it waits. 0 counts as 1.
    #[must_use]
    pub fn with_polling(device: D, delay: T, interval_us: u32) -> Self {
        Self::new(
            device,
            Timer {
                delay,
                interval_us: interval_us.max(1),
            },
        )
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
