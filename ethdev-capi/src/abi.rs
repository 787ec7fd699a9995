//! The types of `include/ethdev.h`, member by member. The header documents them.
#![allow(missing_docs)]

use core::ffi::{c_char, c_void};

/// `ETHDEV_ABI`: the version of these types.
pub const ABI: u32 = 1;
/// `ETHDEV_MAX_PARTS`: the largest number of parts of a frame to send.
pub const MAX_PARTS: usize = 16;
/// `ETHDEV_MAX_GROUPS`: the largest number of group addresses in a receive filter.
pub const MAX_GROUPS: u32 = 1024;
/// `ETHDEV_NAME_SIZE`: the size of [`Info::name`] in bytes, with the final zero.
pub const NAME_SIZE: usize = 16;
/// `ETHDEV_QUEUE_UNKNOWN`.
pub const QUEUE_UNKNOWN: u32 = u32::MAX;
/// `ETHDEV_NO_SERVICE_INTERVAL`.
pub const NO_SERVICE_INTERVAL: u32 = u32::MAX;

/// `ETHDEV_RX_TIMESTAMP`, a bit of [`Rx::flags`].
pub const RX_TIMESTAMP: u32 = 1;

/// `ETHDEV_EVENT_*`, the bits of [`Events::flags`].
pub mod event {
    pub const LINK_CHANGED: u32 = 1;
    pub const RX_PENDING: u32 = 2;
    pub const RX_DROPPED: u32 = 4;
    pub const TX_READY: u32 = 8;
    pub const RECOVERED: u32 = 16;
}

/// `ETHDEV_DUPLEX_*`, the values of [`Link::duplex`].
pub mod duplex {
    pub const UNKNOWN: u8 = 0;
    pub const HALF: u8 = 1;
    pub const FULL: u8 = 2;
}

/// `ETHDEV_FLAG_*`, the bits of [`Info::flags`].
pub mod flag {
    pub const UP: u32 = 1;
    pub const BROADCAST: u32 = 2;
    pub const MULTICAST: u32 = 16;
    pub const RUNNING: u32 = 32;
}

/// `ETHDEV_CHECKSUM_*`, the bits of [`Info::checksum_rx`] and [`Info::checksum_tx`].
pub mod checksum {
    pub const IPV4: u32 = 1;
    pub const UDP: u32 = 2;
    pub const TCP: u32 = 4;
    pub const ICMPV4: u32 = 8;
    pub const ICMPV6: u32 = 16;
}

/// `ETHDEV_LOSS_*`, the bits of [`Info::at_least_one`] and [`Info::not_reported`].
pub mod loss {
    pub const RX_OVERRUN: u32 = 1;
    pub const RX_BAD_FCS: u32 = 2;
    pub const RX_BAD_LENGTH: u32 = 4;
    pub const RX_ERROR: u32 = 8;
    pub const RX_FILTERED: u32 = 16;
    pub const RX_RESET: u32 = 32;
    pub const TX_ABORTED: u32 = 64;
    pub const TX_RESET: u32 = 128;
}

/// `ETHDEV_MULTICAST_*`, the values of [`RxFilter::multicast`].
pub mod multicast {
    pub const NONE: u8 = 0;
    pub const LIST: u8 = 1;
    pub const ALL: u8 = 2;
}

/// `ETHDEV_FILTER_*`, the results of `ethdev_set_rx_filter`.
pub mod filter {
    pub const EXACT: u8 = 0;
    pub const SUPERSET: u8 = 1;
}

/// `ETHDEV_WAIT_*`, the conditions of `ethdev_rearm`.
pub mod wait {
    pub const RX: u32 = 1;
    pub const TX: u32 = 2;
    pub const LINK: u32 = 4;
}

/// `enum ethdev_error`: the negative results of the functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum ErrorCode {
    /// `ETHDEV_EINVAL`: invalid argument.
    InvalidInput = -1,
    /// `ETHDEV_EABI`: the device was built for another version of the header.
    Abi = -2,
    /// `ETHDEV_ENOTSUP`: the device does not have this function.
    Unsupported = -3,
    /// `ETHDEV_EBUSY`: the device is in use by another call.
    InUse = -4,
    /// `ETHDEV_EAGAIN`: the transmit queue is full.
    QueueFull = -5,
    /// `ETHDEV_ENODATA`: no frame is pending.
    NoFrame = -6,
    /// `ETHDEV_ENOBUFS`: the buffer is shorter than the next frame.
    BufferTooSmall = -7,
    /// `ETHDEV_EMSGSIZE`: the frame is longer than the device sends.
    FrameTooLong = -8,
    /// `ETHDEV_ERUNT`: the frame is shorter than an Ethernet header.
    FrameTooShort = -9,
    /// `ETHDEV_ENETDOWN`: the device is stopped or asleep.
    Stopped = -10,
    /// `ETHDEV_ENOLINK`: the link is down.
    LinkDown = -11,
    /// `ETHDEV_EIO`: the bus between host and chip failed.
    Bus = -12,
    /// `ETHDEV_ETIMEDOUT`: the chip did not finish in time.
    Timeout = -13,
    /// `ETHDEV_EFAULT`: only a recovery ends the state of the chip.
    Fault = -14,
    /// `ETHDEV_ENODEV`: there is no such device.
    NotPresent = -15,
    /// `ETHDEV_EACCES`: the user of the host may not use the device.
    PermissionDenied = -16,
    /// `ETHDEV_EBADMSG`: the chip delivered an invalid frame.
    BadFrame = -17,
    /// `ETHDEV_EOTHER`: any other error.
    Other = -18,
}

/// `struct ethdev_iovec`.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct IoVec {
    pub base: *const c_void,
    pub len: usize,
}

/// `struct ethdev_rx`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Rx {
    pub len: usize,
    pub flags: u32,
    pub timestamp_ns: u64,
}

/// `struct ethdev_events`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Events {
    pub flags: u32,
    pub tx_completed: u16,
    pub tx_failed: u16,
}

/// `struct ethdev_link`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Link {
    pub speed_kbps: u32,
    pub up: u8,
    pub duplex: u8,
    pub pause_rx: u8,
    pub pause_tx: u8,
}

/// `struct ethdev_counters`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Counters {
    pub rx_frames: u32,
    pub rx_bytes: u32,
    pub rx_overrun: u32,
    pub rx_bad_fcs: u32,
    pub rx_bad_length: u32,
    pub rx_error: u32,
    pub rx_filtered: u32,
    pub rx_discarded: u32,
    pub rx_reset: u32,
    pub tx_frames: u32,
    pub tx_bytes: u32,
    pub tx_aborted: u32,
    pub tx_reset: u32,
    pub faults: u32,
    pub recoveries: u32,
    pub link_changes: u32,
}

/// `struct ethdev_info`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Info {
    pub name: [c_char; NAME_SIZE],
    pub index: u32,
    pub flags: u32,
    pub mtu: u32,
    pub rx_max_frame_len: u32,
    pub tx_max_frame_len: u32,
    pub tx_min_frame_len: u32,
    pub rx_queue_frames: u32,
    pub tx_queue_frames: u32,
    pub service_interval_us: u32,
    pub checksum_rx: u32,
    pub checksum_tx: u32,
    pub at_least_one: u32,
    pub not_reported: u32,
}

/// `struct ethdev_rx_filter`.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct RxFilter {
    pub broadcast: u8,
    pub multicast: u8,
    pub promiscuous: u8,
    pub reserved: u8,
    pub group_count: u32,
    pub groups: *const [u8; 6],
}

/// `struct ethdev_lock`.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct Lock {
    pub context: *mut c_void,
    pub lock: Option<unsafe extern "C" fn(*mut c_void)>,
    pub unlock: Option<unsafe extern "C" fn(*mut c_void)>,
}

/// `struct ethdev_signal`.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct Signal {
    pub context: *mut c_void,
    pub signal: Option<unsafe extern "C" fn(*mut c_void)>,
}

/// `struct ethdev`: a device, as C sees it.
#[derive(Debug)]
#[repr(C)]
pub struct Ethdev {
    pub ops: *const Ops,
}

/// A function without further arguments.
pub type Call = Option<unsafe extern "C" fn(*mut Ethdev) -> i32>;
/// A function with one further argument.
pub type Call1<A> = Option<unsafe extern "C" fn(*mut Ethdev, A) -> i32>;
/// A function with two further arguments.
pub type Call2<A, B> = Option<unsafe extern "C" fn(*mut Ethdev, A, B) -> i32>;
/// A function with three further arguments.
pub type Call3<A, B, C> = Option<unsafe extern "C" fn(*mut Ethdev, A, B, C) -> i32>;

/// `struct ethdev_ops`.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct Ops {
    pub abi: u32,
    pub size: u32,
    pub recv: Call3<*mut c_void, usize, *mut Rx>,
    pub discard: Call,
    pub send: Call2<*const IoVec, usize>,
    pub tx_ready: Call1<*mut u8>,
    pub service: Call1<*mut Events>,
    pub link: Call1<*mut Link>,
    pub counters: Call1<*mut Counters>,
    pub info: Call1<*mut Info>,
    pub mac: Call1<*mut u8>,
    pub set_mac: Call1<*const u8>,
    pub set_rx_filter: Call2<*const RxFilter, *mut u8>,
    pub start: Call,
    pub stop: Call,
    pub sleep: Call,
    pub wake: Call,
    pub recover: Call,
    pub set_lock: Call1<*const Lock>,
    pub set_signal: Call1<*const Signal>,
    pub interrupt: Call,
    pub disarm: Call,
    pub rearm: Call2<u32, *mut u8>,
}
