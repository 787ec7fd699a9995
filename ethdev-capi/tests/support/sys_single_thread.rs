//! Devices of the simulator in a handle. The simulator shares its state by `Rc`.

use std::mem::ManuallyDrop;
use std::thread::{self, ThreadId};

use ethdev::{Control, ErrorType, EthernetDevice, Rearm};

/// A device that panics if it is used in another thread than the one that made it. It is never
/// dropped.
pub(crate) struct SingleThread<D> {
    device: ManuallyDrop<D>,
    thread: ThreadId,
}

// SAFETY: `get` and `get_mut` are the only ways to the device, and succeed in its thread only.
unsafe impl<D> Send for SingleThread<D> {}

impl<D> SingleThread<D> {
    pub(crate) fn new(device: D) -> Self {
        Self {
            device: ManuallyDrop::new(device),
            thread: thread::current().id(),
        }
    }

    fn get(&self) -> &D {
        assert_eq!(thread::current().id(), self.thread, "used in another thread");
        &self.device
    }

    fn get_mut(&mut self) -> &mut D {
        assert_eq!(thread::current().id(), self.thread, "used in another thread");
        &mut self.device
    }
}

impl<D: ErrorType> ErrorType for SingleThread<D> {
    type Error = D::Error;
}

impl<D: EthernetDevice> EthernetDevice for SingleThread<D> {
    ethdev::forward_ethernet_device!(|this| *this.get(); mac_address, capabilities, tx_max_frame_len, link, stats);
    ethdev::forward_ethernet_device!(|this| *this.get_mut(); recv_frame, discard_frame, tx_ready, send_vectored,
        send_frame, service);
}

impl<D: Control> Control for SingleThread<D> {
    ethdev::forward_control!(|this| *this.get_mut());
}

impl<D: Rearm> Rearm for SingleThread<D> {
    ethdev::forward_rearm!(|this| *this.get_mut());
}
