//! What one would write without ethdev: smoltcp's `Device` straight on the rings, and nothing else.

use ethdev_sim::RingHandle;
use smoltcp::phy::{self, DeviceCapabilities};
use smoltcp::time::Instant;

/// smoltcp's `Device` on the rings of a `RingNic`, as short as it can be and still be right.
///
/// It knows no errors, no link and no counters, and does not receive while there is no room to transmit.
#[derive(Debug)]
pub struct ByHand(pub RingHandle);

impl phy::Device for ByHand {
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

/// The right to read the next frame.
#[derive(Debug)]
pub struct Rx<'a>(&'a RingHandle);

impl phy::RxToken for Rx<'_> {
    #[inline]
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        let (buffer, meta) = self.0.rx_take().expect("a frame is pending");
        let result = f(&buffer[..meta.len]);
        self.0.rx_give(buffer).expect("it is the ring's own buffer");
        result
    }
}

/// The right to send.
#[derive(Debug)]
pub struct Tx<'a>(&'a RingHandle);

impl phy::TxToken for Tx<'_> {
    #[inline]
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, f: F) -> R {
        let mut buffer = self.0.tx_take().expect("there is room");
        let result = f(&mut buffer[..len]);
        self.0.tx_submit(buffer, len).expect("it is the ring's own buffer");
        result
    }
}
