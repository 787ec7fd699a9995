//! A driver for embassy-net whose queues the tests can see.

use core::task::{Context, Waker};
use std::collections::VecDeque;
use std::vec::Vec;

use embassy_net_driver::{Capabilities, Driver, HardwareAddress, LinkState, RxToken, TxToken};

/// When a received frame leaves the driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    /// In `receive`: a dropped token loses the frame.
    Reads,
    /// When the token is consumed. `receive` needs a free transmit buffer.
    Queues,
}

/// A waker, registered as `embassy_sync::waitqueue::WakerRegistration` does it: a waker that is
/// replaced by another one is woken.
#[derive(Debug, Default)]
pub(super) struct Slot(Option<Waker>);

impl Slot {
    fn register(&mut self, waker: &Waker) {
        match self.0.replace(waker.clone()) {
            Some(former) if !former.will_wake(waker) => former.wake(),
            _ => {}
        }
    }

    pub(super) fn wake(&mut self) {
        if let Some(waker) = self.0.take() {
            waker.wake();
        }
    }
}

pub(super) struct Mock {
    family: Family,
    pub(super) received: VecDeque<Vec<u8>>,
    /// Frames that are still delivered before the next `link_state`, and after each.
    pub(super) rx_left: usize,
    pub(super) rx_budget: usize,
    pub(super) sent: Vec<Vec<u8>>,
    /// Number of frames that `sent` takes.
    pub(super) tx_capacity: usize,
    /// Length of the transmit buffer, whatever was asked for.
    pub(super) tx_buffer_len: Option<usize>,
    pub(super) link: LinkState,
    pub(super) address: HardwareAddress,
    pub(super) max_transmission_unit: usize,
    pub(super) link_reads: usize,
    pub(super) rx_waker: Slot,
    pub(super) tx_waker: Slot,
    pub(super) link_waker: Slot,
}

impl Mock {
    pub(super) fn new(family: Family) -> Self {
        Self {
            family,
            received: VecDeque::new(),
            rx_left: usize::MAX,
            rx_budget: usize::MAX,
            sent: Vec::new(),
            tx_capacity: 2,
            tx_buffer_len: None,
            link: LinkState::Up,
            address: HardwareAddress::Ethernet([2, 0, 0, 0, 0, 1]),
            max_transmission_unit: 1514,
            link_reads: 0,
            rx_waker: Slot::default(),
            tx_waker: Slot::default(),
            link_waker: Slot::default(),
        }
    }

    fn is_tx_free(&mut self, cx: &Context<'_>) -> bool {
        let free = self.sent.len() < self.tx_capacity;
        if !free {
            self.tx_waker.register(cx.waker());
        }
        free
    }
}

pub(super) enum Rx<'a> {
    Read(Vec<u8>),
    Queued(&'a mut VecDeque<Vec<u8>>),
}

impl RxToken for Rx<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, f: F) -> R {
        match self {
            Self::Read(mut frame) => f(&mut frame),
            Self::Queued(queue) => f(&mut queue.pop_front().expect("the token was created for it")),
        }
    }
}

pub(super) struct Tx<'a> {
    sent: &'a mut Vec<Vec<u8>>,
    buffer_len: Option<usize>,
}

impl TxToken for Tx<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, f: F) -> R {
        // The remains of a former frame.
        let mut frame = std::vec![0xaa; self.buffer_len.unwrap_or(len)];
        let result = f(&mut frame);
        self.sent.push(frame);
        result
    }
}

impl Driver for Mock {
    type RxToken<'a> = Rx<'a>;
    type TxToken<'a> = Tx<'a>;

    fn receive(&mut self, cx: &mut Context<'_>) -> Option<(Rx<'_>, Tx<'_>)> {
        if self.rx_left == 0 {
            return None;
        }
        if self.received.is_empty() {
            self.rx_waker.register(cx.waker());
            return None;
        }
        if self.family == Family::Queues && !self.is_tx_free(cx) {
            return None;
        }
        self.rx_left -= 1;
        let rx = match self.family {
            Family::Reads => Rx::Read(self.received.pop_front()?),
            Family::Queues => Rx::Queued(&mut self.received),
        };
        let tx = Tx {
            sent: &mut self.sent,
            buffer_len: self.tx_buffer_len,
        };
        Some((rx, tx))
    }

    fn transmit(&mut self, cx: &mut Context<'_>) -> Option<Tx<'_>> {
        self.is_tx_free(cx).then_some(Tx {
            sent: &mut self.sent,
            buffer_len: self.tx_buffer_len,
        })
    }

    fn link_state(&mut self, cx: &mut Context<'_>) -> LinkState {
        self.link_reads += 1;
        if self.rx_left == 0 && !self.received.is_empty() {
            cx.waker().wake_by_ref();
        }
        self.rx_left = self.rx_budget;
        self.link_waker.register(cx.waker());
        self.link
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::default();
        capabilities.max_transmission_unit = self.max_transmission_unit;
        capabilities
    }

    fn hardware_address(&self) -> HardwareAddress {
        self.address
    }
}
