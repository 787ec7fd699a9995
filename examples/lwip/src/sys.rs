//! The node in C. All unsafe code of the crate is in this file.
#![allow(unsafe_code)]

use core::cell::Cell;
use core::ffi::{CStr, c_char};
use core::fmt;
use core::marker::PhantomData;
use core::net::Ipv4Addr;
use core::num::NonZeroU32;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;

use ethdev::{Control, ErrorKind, ErrorType, EthernetDevice};
use ethdev_capi::{CDevice, abi};
use ethdev_util::ErasedDevice;

/// The configuration of a node.
#[derive(Debug, Clone, Copy)]
pub struct Config {
    /// Title of the page.
    pub name: &'static CStr,
    /// IP address.
    pub address: Ipv4Addr,
    /// Length of the network prefix in bits, up to 32.
    pub prefix_len: u8,
    /// Default gateway, if any.
    pub gateway: Option<Ipv4Addr>,
    /// Seed of the random values.
    pub seed: u32,
}

/// An error of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// There is a node in this process already: lwIP's state is global.
    InUse,
    /// The device failed, or lwIP has no memory: an `ETHDEV_E*` code.
    Device(i32),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUse => f.write_str("lwIP is in use by another node of this process"),
            Self::Device(code) => {
                // SAFETY: the function returns a string constant for every code.
                let text = unsafe { CStr::from_ptr(node_strerror(*code)) };
                write!(f, "{} ({code})", text.to_string_lossy())
            }
        }
    }
}

impl core::error::Error for Error {}

/// `struct ethdev_lwip_stats`: the counters of the shim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(C)]
pub struct ShimStats {
    /// Frames that waited for the transmit queue of the device.
    pub tx_queued: u32,
    /// Frames that were copied before they were passed to the device.
    pub tx_copied: u32,
    /// Frames refused because the queue of the shim was full.
    pub tx_queue_full: u32,
    /// Frames refused because there was no memory for a copy.
    pub tx_no_memory: u32,
    /// Frames lost because the link was down.
    pub tx_link_down: u32,
    /// Frames lost by another error of the device.
    pub tx_failed: u32,
    /// Frames that were copied after the device wrote them to memory.
    pub rx_copied: u32,
    /// Polls that ended because no receive buffer was free.
    pub rx_no_pbuf: u32,
    /// Frames lost because they were too long.
    pub rx_too_long: u32,
    /// Frames lost because lwIP refused them.
    pub rx_refused: u32,
    /// Changes of the receive filter that the device refused.
    pub filter_failed: u32,
}

impl ShimStats {
    /// Returns the number of frames lost by the shim, in both directions.
    #[must_use]
    pub const fn lost(&self) -> u32 {
        self.tx_queue_full + self.tx_no_memory + self.tx_link_down + self.tx_failed + self.rx_too_long + self.rx_refused
    }
}

/// `struct node_memory`: what is in use of lwIP's memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(C)]
pub struct Memory {
    /// Bytes of the heap.
    pub heap: u32,
    /// Receive buffers.
    pub pool_pbufs: u32,
    /// Buffers that refer to other memory.
    pub reference_pbufs: u32,
    /// TCP segments.
    pub tcp_segments: u32,
    /// TCP connections.
    pub tcp_pcbs: u32,
}

/// `struct node_config`.
#[repr(C)]
struct NodeConfig {
    device: NonNull<abi::Ethdev>,
    name: *const c_char,
    address: [u8; 4],
    netmask: [u8; 4],
    gateway: [u8; 4],
    seed: u32,
}

unsafe extern "C" {
    fn node_open(config: *const NodeConfig) -> i32;
    fn node_close();
    fn node_poll(now: u32) -> i32;
    fn node_sleep_time() -> u32;
    fn node_waiting() -> u32;
    fn node_stats(stats: *mut ShimStats);
    fn node_memory(memory: *mut Memory);
    fn node_hold(count: u32) -> u32;
    fn node_release();
    fn node_strerror(error: i32) -> *const c_char;
}

/// There is a [`LwipNode`]. All C functions that access lwIP's state are called by its methods.
static IN_USE: AtomicBool = AtomicBool::new(false);

/// A small host on lwIP. There is at most one in a process at a time.
///
/// It has no loop and no clock: call [`poll`](Self::poll), then sleep until
/// [`poll_at`](Self::poll_at), an interrupt of the device, or a poll interval.
#[derive(Debug)]
pub struct LwipNode<'a> {
    handle: NonNull<CDevice<Device>>,
    begin: Duration,
    polled: Duration,
    more: bool,
    /// The device is borrowed, and the node stays in its thread.
    device: PhantomData<(&'a mut (), Cell<()>, *mut ())>,
}

impl<'a> LwipNode<'a> {
    /// Opens a node on `device`, which is started, at the time `now` of the caller's clock.
    ///
    /// # Errors
    ///
    /// There is a node already, the device failed, or lwIP has no memory.
    pub fn new(config: &Config, device: &'a mut dyn ErasedDevice, now: Duration) -> Result<Self, Error> {
        if IN_USE.swap(true, Ordering::Acquire) {
            return Err(Error::InUse);
        }
        // SAFETY: only the lifetime changes. The reference is in the `CDevice`, which is used by C
        // until `node_close`, and freed by `drop`, both before `'a` ends. If the node is forgotten,
        // `IN_USE` stays set, so that nothing calls C again.
        let device = unsafe { core::mem::transmute::<&'a mut dyn ErasedDevice, &'static mut dyn ErasedDevice>(device) };
        let device = CDevice::new(Device(device), c"en0", NonZeroU32::MIN);
        let device: *mut CDevice<Device> = Box::into_raw(Box::new(device));
        // SAFETY: from `Box`, so valid. It is freed by `free` only, after C has stopped using it.
        let shared: &'static CDevice<Device> = unsafe { &*device };
        let mask = u32::MAX
            .checked_shl(32 - u32::from(config.prefix_len.min(32)))
            .unwrap_or(0);
        let c_config = NodeConfig {
            device: shared.handle(),
            name: config.name.as_ptr(),
            address: config.address.octets(),
            netmask: mask.to_be_bytes(),
            gateway: config.gateway.map_or([0; 4], |gateway| gateway.octets()),
            seed: config.seed,
        };
        // SAFETY: the configuration is valid for the call, the handle until `node_close`, the name
        // always. No other thread is inside lwIP, since `IN_USE` was clear.
        let result = unsafe { node_open(&c_config) };
        if result != 0 {
            // SAFETY: `node_open` failed, so C does not use the device.
            unsafe { free(device) };
            return Err(Error::Device(result));
        }
        Ok(Self {
            // SAFETY: from `Box`, so not null.
            handle: unsafe { NonNull::new_unchecked(device) },
            begin: now,
            polled: now,
            more: true,
            device: PhantomData,
        })
    }

    /// Receives, serves and sends what is due at `now`.
    ///
    /// # Errors
    ///
    /// The device failed. Everything else was done nevertheless.
    pub fn poll(&mut self, now: Duration) -> Result<(), Error> {
        self.polled = now;
        let millis = now.saturating_sub(self.begin).as_millis();
        // SAFETY: the node is open, and this is its thread. The clock of lwIP wraps at 2^32 ms.
        let result = unsafe { node_poll(millis as u32) };
        self.more = result > 0;
        if result < 0 { Err(Error::Device(result)) } else { Ok(()) }
    }

    /// Returns when to poll next without an event of the device. `None`: after its next event.
    #[must_use]
    pub fn poll_at(&self) -> Option<Duration> {
        if self.more {
            return Some(self.polled);
        }
        // SAFETY: the node is open, and this is its thread.
        let millis = unsafe { node_sleep_time() };
        // In whole milliseconds since `begin`, as `poll` reports the time to lwIP.
        let since = self.polled.saturating_sub(self.begin).as_millis() as u64;
        (millis != u32::MAX).then(|| self.begin + Duration::from_millis(since.saturating_add(millis.into())))
    }

    /// Returns the number of frames that wait for the transmit queue of the device.
    #[must_use]
    pub fn waiting(&self) -> u32 {
        // SAFETY: the node is open, and this is its thread.
        unsafe { node_waiting() }
    }

    /// Returns the counters of the shim.
    #[must_use]
    pub fn stats(&self) -> ShimStats {
        let mut stats = ShimStats::default();
        // SAFETY: the node is open, and this is its thread; the pointer is valid for the call.
        unsafe { node_stats(&mut stats) };
        stats
    }

    /// Returns what is in use of lwIP's memory.
    #[must_use]
    pub fn memory(&self) -> Memory {
        let mut memory = Memory::default();
        // SAFETY: as in `stats`.
        unsafe { node_memory(&mut memory) };
        memory
    }

    /// Takes up to `count` free receive buffers from lwIP until
    /// [`release_pbufs`](Self::release_pbufs). Returns their number.
    pub fn hold_pbufs(&mut self, count: u32) -> u32 {
        // SAFETY: the node is open, and this is its thread.
        unsafe { node_hold(count) }
    }

    /// Releases the buffers of [`hold_pbufs`](Self::hold_pbufs).
    pub fn release_pbufs(&mut self) {
        // SAFETY: the node is open, and this is its thread.
        unsafe { node_release() };
    }
}

impl Drop for LwipNode<'_> {
    fn drop(&mut self) {
        // SAFETY: the node is open, and this is its thread. After that, C does not use the device.
        unsafe {
            node_close();
            free(self.handle.as_ptr());
        }
    }
}

/// Frees the device, and permits another node.
///
/// # Safety
///
/// `device` is from `Box::into_raw`, and C does not use it.
unsafe fn free(device: *mut CDevice<Device>) {
    // SAFETY: the contract of this function.
    drop(unsafe { Box::from_raw(device) });
    IN_USE.store(false, Ordering::Release);
}

/// The device of a node.
struct Device(&'static mut dyn ErasedDevice);

// SAFETY: it is used and dropped by the methods of `LwipNode` only, which is not `Send`.
unsafe impl Send for Device {}

impl ErrorType for Device {
    type Error = ErrorKind;
}

impl EthernetDevice for Device {
    ethdev::forward_ethernet_device!(|this| this.0);
}

impl Control for Device {
    ethdev::forward_control!(|this| this.0);
}
