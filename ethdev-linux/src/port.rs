//! What a kind of interface adds to the common device: its descriptor, and how it is opened.

use std::io::{self, IoSlice};
use std::os::fd::AsFd;

use ethdev::frame::{HEADER_LEN, MAX_FRAME_LEN, MAX_VLAN_FRAME_LEN};
use ethdev::{IpMtu, LinkMode, MacAddress};

use crate::checksum::PartialChecksum;
use crate::error::InterfaceError;
use crate::link_monitor::LinkMonitor;
use crate::rx_filter::Filter;

/// Length of a VLAN tag in bytes (IEEE 802.1Q).
pub(crate) const TAG_LEN: usize = MAX_VLAN_FRAME_LEN - MAX_FRAME_LEN;
/// Length of both MAC addresses in bytes, behind which a VLAN tag is.
const ADDRESSES_LEN: usize = HEADER_LEN - 2;

/// An open descriptor through which frames cross.
pub trait Port: AsFd + Sized {
    /// The interface to open, and its settings.
    type Config: Clone;

    /// Shorter frames are padded to this length, in bytes; 0 for no padding.
    const MIN_FRAME_LEN: usize;
    /// Sent before each frame.
    const TX_PREFIX: &'static [u8];

    /// Opens the interface.
    fn open(config: &Self::Config) -> Result<Opened<Self>, InterfaceError>;

    /// Returns the configuration that opens the interface `name` again, with the same address.
    fn reopen_config(config: &Self::Config, name: &str, address: MacAddress) -> Self::Config;

    /// Reads the settings of the interface.
    fn read_settings(&self, name: &str, monitor: &mut LinkMonitor) -> Result<Settings, InterfaceError>;

    /// Returns whether packets of this length can be received without opening the interface again.
    fn fits(&self, ip_mtu: IpMtu) -> bool;

    /// Reads one frame into `buf`, and what does not fit it into `rest`.
    fn recv(&mut self, buf: &mut [u8], rest: &mut [u8]) -> io::Result<Received>;

    /// Sends one frame, after [`TX_PREFIX`](Self::TX_PREFIX). Returns the length of both.
    fn send(&self, parts: &[IoSlice<'_>]) -> io::Result<usize>;

    /// Returns the meaning of an error of `recv` and `send`.
    fn classify(error: &io::Error) -> Failure;

    /// Reads the error that poll(2) reports. Returns whether the interface was removed.
    fn polled_error(&mut self) -> bool;

    /// Returns whether the interface was removed, by what the kernel announced.
    fn is_removed(monitor: &LinkMonitor) -> bool;

    /// Returns how many frames the kernel dropped for this device, modulo 2^64.
    fn dropped(&mut self, monitor: &mut LinkMonitor) -> Option<u64>;

    /// Returns the mode of the link, which is up.
    fn link_mode(&self) -> LinkMode;

    /// Makes the kernel receive the frames for `address` that `filter` passes; it may pass more.
    /// After an error nothing has changed.
    fn configure(&mut self, address: MacAddress, filter: &Filter) -> Result<(), InterfaceError>;
}

/// An open interface.
pub struct Opened<P> {
    pub(crate) port: P,
    pub(crate) name: String,
    pub(crate) link_monitor: LinkMonitor,
    pub(crate) mac_address: MacAddress,
}

/// Settings that an administrator may change while the interface is open.
pub struct Settings {
    pub(crate) ip_mtu: IpMtu,
    /// Frames of the longest length that the kernel queues at least for this device.
    pub(crate) queue_frames: u32,
    /// Reads that empty a full queue. It bounds the loop under a flood.
    pub(crate) drain_limit: u32,
}

/// A frame that was read, and what the kernel left to the reader.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Received {
    /// Length of the frame as the kernel had it, in bytes. More than both buffers if it was cut.
    pub(crate) len: usize,
    /// The VLAN tag that was removed from the frame.
    pub(crate) vlan_tag: Option<[u8; TAG_LEN]>,
    /// The checksum that is to be completed.
    pub(crate) checksum: Option<PartialChecksum>,
    /// Several datagrams in one frame, which no wire has carried, or a frame that was cut.
    pub(crate) is_merged: bool,
    /// The frame was sent by this host.
    pub(crate) is_outgoing: bool,
}

impl Received {
    /// A frame of `len` bytes as it was on the wire.
    pub(crate) fn whole(len: usize) -> Self {
        Self { len, ..Self::default() }
    }

    /// Returns the length of the frame on the wire, in bytes.
    pub(crate) fn wire_len(&self) -> usize {
        self.len + self.vlan_tag.map_or(0, |tag| tag.len())
    }

    /// Finishes the frame in `frame`, which has [`wire_len`](Self::wire_len) bytes, of which the
    /// first `len` are filled.
    pub(crate) fn finish(&self, frame: &mut [u8]) {
        let inserted = frame.len().saturating_sub(self.len);
        if let (Some(tag), Some(tail)) = (self.vlan_tag, frame.get_mut(ADDRESSES_LEN..)) {
            let tail_len = tail.len();
            tail.copy_within(..tail_len.saturating_sub(tag.len()), tag.len().min(tail_len));
            if let Some(place) = tail.first_chunk_mut() {
                *place = tag;
            }
        }
        if let Some(checksum) = self.checksum {
            checksum.complete(frame, inserted);
        }
    }
}

/// The meaning of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// Nothing can be transferred now.
    Again,
    /// The interface is down.
    Down,
    /// The interface was removed.
    Removed,
    /// The frame is longer than the IP MTU allows.
    TooLong,
    /// Another error.
    Other,
}
