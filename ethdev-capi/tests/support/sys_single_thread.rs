//! Devices of the simulator in a handle. The simulator shares its state by `Rc`.

use ethdev::{Control, ErrorType, EthernetDevice, Rearm};

/// A device that is used in one thread only, which the constructor's caller warrants.
pub(crate) struct SingleThread<D>(D);

// SAFETY: the contract of `new`.
unsafe impl<D> Send for SingleThread<D> {}

impl<D> SingleThread<D> {
    /// # Safety
    ///
    /// The device, and whatever shares state with it, is used and dropped in the thread of the
    /// caller only.
    pub(crate) unsafe fn new(device: D) -> Self {
        Self(device)
    }
}

impl<D: ErrorType> ErrorType for SingleThread<D> {
    type Error = D::Error;
}

impl<D: EthernetDevice> EthernetDevice for SingleThread<D> {
    ethdev::forward_ethernet_device!(|this| this.0);
}

impl<D: Control> Control for SingleThread<D> {
    ethdev::forward_control!(|this| this.0);
}

impl<D: Rearm> Rearm for SingleThread<D> {
    ethdev::forward_rearm!(|this| this.0);
}
