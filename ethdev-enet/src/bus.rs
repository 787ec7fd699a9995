//! The registers and the DMA memory, which receiver and transmitter share.

use embedded_hal::delay::DelayNs;

/// The registers of the MAC, and what its DMA memory requires.
#[derive(Debug)]
pub(crate) struct Bus<BUS, DMA> {
    pub(crate) registers: BUS,
    pub(crate) dma: DMA,
}

/// Polls `done` at this interval until it returns true or `timeout_us` microseconds have passed.
/// Returns its last result.
pub(crate) fn wait<D: DelayNs>(
    delay: &mut D,
    timeout_us: u32,
    interval_us: u32,
    mut done: impl FnMut() -> bool,
) -> bool {
    for _ in 0..timeout_us / interval_us {
        if done() {
            return true;
        }
        delay.delay_us(interval_us);
    }
    done()
}
