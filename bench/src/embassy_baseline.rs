//! The baseline of the adapter for embassy-net: a driver directly on the rings, without ethdev.

use core::task::Context;

use embassy_net_driver::{Capabilities, Driver, HardwareAddress, LinkState, RxToken, TxToken};
use ethdev_sim::RingHandle;
use ethdev_util::IrqSignal;

/// embassy-net's `Driver` on the rings of a `RingNic`, in as little code as possible.
///
/// It has no errors, no link state and no counters, and receives nothing while the transmit ring is
/// full.
#[derive(Debug)]
pub struct EmbassyBaseline<'s> {
    rings: RingHandle,
    mac: [u8; 6],
    irq: &'s IrqSignal,
}

impl<'s> EmbassyBaseline<'s> {
    /// Creates a driver of the NIC with this address, whose interrupt handler signals `irq`.
    #[must_use]
    pub const fn new(rings: RingHandle, mac: [u8; 6], irq: &'s IrqSignal) -> Self {
        Self { rings, mac, irq }
    }

    /// Keeps the waker.
    fn register(&self, cx: &mut Context<'_>) {
        if self.irq.poll_wait(cx).is_ready() {
            cx.waker().wake_by_ref();
        }
    }
}

impl Driver for EmbassyBaseline<'_> {
    type RxToken<'a>
        = Rx<'a>
    where
        Self: 'a;
    type TxToken<'a>
        = Tx<'a>
    where
        Self: 'a;

    #[inline]
    fn receive(&mut self, cx: &mut Context<'_>) -> Option<(Rx<'_>, Tx<'_>)> {
        if self.rings.rx_pending() > 0 && self.rings.tx_has_room() {
            return Some((Rx(&self.rings), Tx(&self.rings)));
        }
        self.register(cx);
        None
    }

    #[inline]
    fn transmit(&mut self, cx: &mut Context<'_>) -> Option<Tx<'_>> {
        if self.rings.tx_has_room() {
            return Some(Tx(&self.rings));
        }
        self.register(cx);
        None
    }

    fn link_state(&mut self, cx: &mut Context<'_>) -> LinkState {
        self.register(cx);
        LinkState::Up
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::default();
        capabilities.max_transmission_unit = 1514;
        capabilities
    }

    fn hardware_address(&self) -> HardwareAddress {
        HardwareAddress::Ethernet(self.mac)
    }
}

/// The next received frame.
#[derive(Debug)]
pub struct Rx<'a>(&'a RingHandle);

impl RxToken for Rx<'_> {
    #[inline]
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, f: F) -> R {
        let (mut buffer, meta) = self.0.rx_take().expect("a frame is pending");
        let result = f(&mut buffer[..meta.len]);
        self.0.rx_give(buffer).expect("the buffer belongs to the ring");
        result
    }
}

/// A free transmit buffer.
#[derive(Debug)]
pub struct Tx<'a>(&'a RingHandle);

impl TxToken for Tx<'_> {
    #[inline]
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, f: F) -> R {
        let mut buffer = self.0.tx_take().expect("the transmit ring is not full");
        let result = f(&mut buffer[..len]);
        self.0.tx_submit(buffer, len).expect("the buffer belongs to the ring");
        result
    }
}
