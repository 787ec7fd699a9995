//! A receive ring that is shared with the kernel (packet(7), `PACKET_RX_RING`; the layout is that
//! of `TPACKET_V2` in `linux/if_packet.h`).
//!
//! Each slot belongs to the kernel or to this side, which its status word tells. The kernel fills
//! slots in order. Reading makes no system call.
#![allow(unsafe_code)]

use core::mem::{offset_of, size_of};
use core::num::NonZeroUsize;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicU32, Ordering};
use std::ffi::c_void;
use std::io;
use std::os::fd::BorrowedFd;

use nix::libc;
use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};

use super::sys::set_option;

/// Length of `struct virtio_net_hdr` in bytes.
pub(super) const VNET_HEADER_LEN: usize = 10;
/// What precedes a frame in its slot at most: header, address, virtio-net header, alignment.
const OVERHEAD: usize = 128;
/// Memory of the ring in bytes, as far as the limits of its length allow.
const MEMORY: usize = 512 * 1024;
/// Least and greatest number of slots.
const SLOTS: (usize, usize) = (16, 256);
/// The kernel allocates the ring in contiguous blocks of this length, in bytes, or of one slot if
/// that is longer. A multiple of every page length.
const BLOCK: usize = 64 * 1024;

/// A frame in the ring, copied, with what the kernel reports about it.
pub(super) struct Message {
    /// Length of the frame in the kernel, in bytes.
    pub(super) len: usize,
    /// The slot does not hold the whole frame.
    pub(super) is_cut: bool,
    pub(super) vnet_header: [u8; VNET_HEADER_LEN],
    /// `TP_STATUS_*`.
    pub(super) status: u32,
    pub(super) vlan_tci: u16,
    pub(super) vlan_tpid: u16,
    /// `sll_pkttype`.
    pub(super) packet_type: u8,
}

/// `struct tpacket2_hdr`, and the address behind it.
#[repr(C)]
#[derive(Clone, Copy)]
struct Header {
    status: u32,
    len: u32,
    snap_len: u32,
    mac_offset: u16,
    net_offset: u16,
    seconds: u32,
    nanoseconds: u32,
    vlan_tci: u16,
    vlan_tpid: u16,
    padding: [u8; 4],
    address: libc::sockaddr_ll,
}

/// `struct tpacket_req`.
#[repr(C)]
struct Request {
    block_size: u32,
    block_count: u32,
    frame_size: u32,
    frame_count: u32,
}

/// A mapped ring. The slots that belong to this side are read by this value alone.
#[derive(Debug)]
pub(super) struct Ring {
    memory: NonNull<u8>,
    len: NonZeroUsize,
    slot_len: usize,
    slots: usize,
    /// The slot that the kernel fills next or has filled first.
    next: usize,
}

// SAFETY: the mapping belongs to the value, not to the thread, and is read through `&mut` only.
unsafe impl Send for Ring {}
// SAFETY: no method reads the mapping through `&`.
unsafe impl Sync for Ring {}

impl Ring {
    /// Creates the ring of `socket`, which has the option `PACKET_VNET_HDR` and is not bound yet,
    /// for frames of up to `max_len` bytes.
    pub(super) fn new(socket: BorrowedFd<'_>, max_len: usize) -> io::Result<Self> {
        let slot_len = (max_len + OVERHEAD).next_power_of_two();
        let (least, greatest) = SLOTS;
        let slots = (MEMORY / slot_len).clamp(least, greatest);
        let block = BLOCK.max(slot_len);
        // Powers of two: whole blocks.
        let blocks = (slots * slot_len).div_ceil(block);
        let slots = blocks * (block / slot_len);
        let too_long = || io::Error::from_raw_os_error(libc::EINVAL);
        let len = NonZeroUsize::new(blocks * block).ok_or_else(too_long)?;
        let word = |value: usize| u32::try_from(value).map_err(|_| too_long());
        let request = Request {
            block_size: word(block)?,
            block_count: word(blocks)?,
            frame_size: word(slot_len)?,
            frame_count: word(slots)?,
        };
        const VERSION: i32 = 1; // TPACKET_V2
        set_option(socket, libc::PACKET_VERSION, &VERSION)?;
        set_option(socket, libc::PACKET_RX_RING, &request)?;
        let access = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // SAFETY: a new mapping at an address that the kernel chooses, of the length of the ring.
        let memory = unsafe { mmap(None, len, access, MapFlags::MAP_SHARED, socket, 0)? };
        Ok(Self {
            memory: memory.cast(),
            len,
            slot_len,
            slots,
            next: 0,
        })
    }

    /// Returns the number of slots.
    pub(super) fn slots(&self) -> usize {
        self.slots
    }

    /// Returns whether a slot holds a frame of `len` bytes.
    pub(super) fn fits(&self, len: usize) -> bool {
        len + OVERHEAD <= self.slot_len
    }

    /// Copies the next frame into `buf`, and what does not fit it into `rest`, and returns its slot
    /// to the kernel. `None` if there is no frame.
    pub(super) fn receive(&mut self, buf: &mut [u8], rest: &mut [u8]) -> Option<Message> {
        // SAFETY: `next` is below `slots`, and `slots` slots are mapped.
        let slot = unsafe { self.memory.add(self.next * self.slot_len) };
        // SAFETY: a slot begins with its status word, aligned (a slot is at a multiple of its
        // length, which is a power of two above 128). Kernel and this side access it atomically.
        let status = unsafe { AtomicU32::from_ptr(slot.cast::<u32>().as_ptr()) };
        let flags = status.load(Ordering::Acquire);
        if flags & libc::TP_STATUS_USER == 0 {
            return None;
        }
        // SAFETY: the slot is longer than a header and belongs to this side: the kernel does not
        // write to it before its status is stored below. Any bytes are a valid header.
        let header = unsafe { slot.cast::<Header>().read() };
        // SAFETY: as above; a shared slice of the whole slot, which ends before the status is
        // stored.
        let bytes = unsafe { core::slice::from_raw_parts(slot.as_ptr(), self.slot_len) };
        let start = usize::from(header.mac_offset);
        let snap_len = header.snap_len as usize;
        // The lengths are data to validate.
        let frame = bytes.get(start..).and_then(|bytes| bytes.get(..snap_len));
        let vnet_header = bytes.get(..start).and_then(|bytes| bytes.last_chunk());
        let message = Message {
            len: header.len as usize,
            is_cut: frame.is_none() || vnet_header.is_none() || header.snap_len != header.len,
            vnet_header: vnet_header.copied().unwrap_or_default(),
            status: flags,
            vlan_tci: header.vlan_tci,
            vlan_tpid: header.vlan_tpid,
            packet_type: header.address.sll_pkttype,
        };
        let frame = frame.unwrap_or_default();
        let (front, back) = frame.split_at(buf.len().min(frame.len()));
        for (to, from) in [(buf, front), (rest, back)] {
            let len = to.len().min(from.len());
            if let (Some(to), Some(from)) = (to.get_mut(..len), from.get(..len)) {
                to.copy_from_slice(from);
            }
        }
        status.store(libc::TP_STATUS_KERNEL, Ordering::Release);
        self.next = (self.next + 1) % self.slots;
        Some(message)
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // SAFETY: the mapping is that of `new`, and no reference into it is left.
        let _ = unsafe { munmap(self.memory.cast::<c_void>(), self.len.get()) };
    }
}

const _: () = assert!(offset_of!(Header, address) == 32 && size_of::<Header>() <= 52);
