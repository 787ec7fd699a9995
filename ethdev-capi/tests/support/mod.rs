//! What the tests share.
#![allow(dead_code, reason = "each test uses a part")]

pub(crate) mod codes;
pub(crate) mod stub;
pub(crate) mod sys_handle;
pub(crate) mod sys_hooks;
pub(crate) mod sys_single_thread;

use core::num::NonZeroU32;

use ethdev::{Control, EthernetDevice, Rearm};
use ethdev_capi::CDevice;
use ethdev_util::IrqSignal;

use sys_handle::Handle;

/// Exports a device with an interrupt, and uses it through its table of functions.
pub(crate) fn export<D>(device: D, irq: &'static IrqSignal) -> Handle
where
    D: EthernetDevice + Control + Rearm + Send + 'static,
{
    let device = CDevice::with_interrupt(device, irq, c"eth0", NonZeroU32::MIN);
    Handle::new(Box::leak(Box::new(device)).handle())
}

/// Exports a device without an interrupt.
pub(crate) fn export_polled<D: EthernetDevice + Control + Send + 'static>(device: D) -> Handle {
    let device = CDevice::new(device, c"eth0", NonZeroU32::MIN);
    Handle::new(Box::leak(Box::new(device)).handle())
}
