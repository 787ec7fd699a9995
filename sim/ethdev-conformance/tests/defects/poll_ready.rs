//! Defects of devices that keep a waker.

use core::task::{Context, Poll};
use std::sync::Arc;

use ethdev::{ErrorKind, ErrorType, EthernetDevice, Interest, PollReady};
use ethdev_conformance::{Fixture, LinkPeer};
use ethdev_util::{IrqDevice, IrqSignal};

use crate::mem::{Mem, MemPeer, mem};

pub(crate) const CORRECT: u8 = 0;
/// Checks the chip at every poll, also if another event woke the task.
pub(crate) const CHECKS_EVERY_POLL: u8 = 1;
/// Keeps the waker of the first call.
pub(crate) const KEEPS_FIRST_WAKER: u8 = 2;

/// A device that keeps a waker, with one defect.
pub(crate) struct Waking<const DEFECT: u8> {
    device: IrqDevice<'static, Mem>,
    waker: Option<core::task::Waker>,
}

pub(crate) struct WakingFixture<const DEFECT: u8>;

impl<const DEFECT: u8> Fixture for WakingFixture<DEFECT> {
    type Device = Waking<DEFECT>;
    type LinkPeer = MemPeer;

    fn new() -> (Waking<DEFECT>, MemPeer) {
        let (nic, peer) = mem();
        let irq = peer.irq_signal().expect("the fixture has an interrupt line");
        let irq: &'static Arc<IrqSignal> = Box::leak(Box::new(irq));
        let device = IrqDevice::new(nic, irq);
        (Waking { device, waker: None }, peer)
    }
}

impl<const DEFECT: u8> ErrorType for Waking<DEFECT> {
    type Error = ErrorKind;
}

impl<const DEFECT: u8> EthernetDevice for Waking<DEFECT> {
    ethdev::forward_ethernet_device!(|this| this.device);
}

impl<const DEFECT: u8> PollReady for Waking<DEFECT> {
    fn poll_ready(&mut self, interest: Interest, cx: &mut Context<'_>) -> Poll<Result<Interest, ErrorKind>> {
        if DEFECT == CHECKS_EVERY_POLL {
            // Forgets what the interrupt is armed for.
            self.device.inner_mut();
        }
        if DEFECT == KEEPS_FIRST_WAKER {
            let first = self.waker.get_or_insert_with(|| cx.waker().clone()).clone();
            let polled = self.device.poll_ready(interest, &mut Context::from_waker(&first));
            if polled.is_ready() {
                self.waker = None;
            }
            return polled;
        }
        self.device.poll_ready(interest, cx)
    }
}
