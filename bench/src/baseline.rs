//! The baseline: smoltcp's `Device` directly on the rings, without ethdev.

use ethdev_sim::RingHandle;
use smoltcp::phy::{self, DeviceCapabilities};
use smoltcp::time::Instant;

/// smoltcp's `Device` on the rings of a `RingNic`, in as little code as possible.
///
/// It has no errors, no link state and no counters, and receives nothing while the transmit ring is
/// full.
#[derive(Debug)]
pub struct Baseline(pub RingHandle);

impl phy::Device for Baseline {
    type RxToken<'a> = Rx<'a>;
    type TxToken<'a> = Tx<'a>;

    #[inline]
    fn receive(&mut self, _now: Instant) -> Option<(Rx<'_>, Tx<'_>)> {
        (self.0.rx_pending() > 0 && self.0.tx_has_room()).then_some((Rx(&self.0), Tx(&self.0)))
    }

    #[inline]
    fn transmit(&mut self, _now: Instant) -> Option<Tx<'_>> {
        self.0.tx_has_room().then_some(Tx(&self.0))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut caps = DeviceCapabilities::default();
        caps.max_transmission_unit = 1514;
        caps
    }
}

/// The next received frame.
#[derive(Debug)]
pub struct Rx<'a>(&'a RingHandle);

impl phy::RxToken for Rx<'_> {
    #[inline]
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        let (buffer, meta) = self.0.rx_take().expect("a frame is pending");
        let result = f(&buffer[..meta.len]);
        self.0.rx_give(buffer).expect("the buffer belongs to the ring");
        result
    }
}

/// A free transmit buffer.
#[derive(Debug)]
pub struct Tx<'a>(&'a RingHandle);

impl phy::TxToken for Tx<'_> {
    #[inline]
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, f: F) -> R {
        let mut buffer = self.0.tx_take().expect("the transmit ring is not full");
        let result = f(&mut buffer[..len]);
        self.0.tx_submit(buffer, len).expect("the buffer belongs to the ring");
        result
    }
}
