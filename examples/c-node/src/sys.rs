//! The functions of the programs. All unsafe code of the crate is in this file.
#![allow(unsafe_code)]

use core::ptr::{NonNull, null_mut};
use core::sync::atomic::{AtomicPtr, Ordering};

use ethdev::{Control, EthernetDevice};
use ethdev_capi::CDevice;
use ethdev_capi::abi::{Counters, Ethdev};

mod c {
    use super::{Counters, Ethdev, NodeReport};

    /// `struct node`.
    #[repr(C)]
    pub(super) struct Node {
        opaque: [u8; 0],
    }

    unsafe extern "C" {
        pub(super) fn poll_main() -> i32;
        pub(super) fn node_start(nic: *mut Ethdev) -> *mut Node;
        pub(super) fn node_interrupt_handler(node: *mut Node);
        pub(super) fn node_counters(node: *mut Node, counters: *mut Counters) -> i32;
        pub(super) fn node_stop(node: *mut Node) -> NodeReport;
    }
}

/// The device that `board_ethernet` returns.
static BOARD: AtomicPtr<Ethdev> = AtomicPtr::new(null_mut());

/// The constructor that `c/poll.c` calls.
#[unsafe(no_mangle)]
extern "C" fn board_ethernet() -> *mut Ethdev {
    BOARD.load(Ordering::Acquire)
}

/// Runs `c/poll.c` on a device until it fails. Returns the error code, as a positive number. One
/// program at a time.
#[must_use]
pub fn poll<D: EthernetDevice + Control + Send>(nic: &'static CDevice<D>) -> i32 {
    BOARD.store(nic.handle().as_ptr(), Ordering::Release);
    // SAFETY: `main` without arguments. It passes what the header permits to the handle.
    unsafe { c::poll_main() }
}

/// `struct node_report`: what the thread of an [`InterruptNode`] did.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct NodeReport {
    /// Frames returned to their senders.
    pub echoed: u32,
    /// Frames without a header, and replies while the link was down.
    pub dropped: u32,
    /// Number of times that the thread slept until a signal.
    pub waits: u32,
    /// Number of times that the transmit queue was full.
    pub retries: u32,
    /// The error that ended the thread; 0 if [`stop`](InterruptNode::stop) did.
    pub error: i32,
}

/// A running `c/interrupt_node.c`.
#[derive(Debug)]
pub struct InterruptNode(NonNull<c::Node>);

// SAFETY: its functions may be called in any thread.
unsafe impl Send for InterruptNode {}
// SAFETY: and at once: the node has locks of its own.
unsafe impl Sync for InterruptNode {}

impl InterruptNode {
    /// Starts the node on a device with an interrupt; `None` if the device fails.
    #[must_use]
    pub fn start<D: EthernetDevice + Control + Send>(nic: &'static CDevice<D>) -> Option<Self> {
        // SAFETY: the handle is valid for as long as the program runs.
        NonNull::new(unsafe { c::node_start(nic.handle().as_ptr()) }).map(Self)
    }

    /// Calls the interrupt handler.
    pub fn interrupt(&self) {
        // SAFETY: the node runs.
        unsafe { c::node_interrupt_handler(self.0.as_ptr()) }
    }

    /// Reads the counters of the device from the thread of the caller.
    ///
    /// # Errors
    ///
    /// A code of `enum ethdev_error`.
    pub fn counters(&self) -> Result<Counters, i32> {
        let mut counters = Counters::default();
        // SAFETY: the node runs, and the target is valid.
        match unsafe { c::node_counters(self.0.as_ptr(), &mut counters) } {
            0 => Ok(counters),
            error => Err(error),
        }
    }

    /// Ends the thread.
    #[must_use]
    pub fn stop(self) -> NodeReport {
        // SAFETY: the node runs, and is not used again.
        unsafe { c::node_stop(self.0.as_ptr()) }
    }
}
