//! Memory that is shared with a DMA engine: descriptors and buffers. All unsafe code of the MACs
//! with rings is in this file.
//!
//! # Soundness
//!
//! - A [`Ring`] is created from a `&'static mut` to its memory and keeps raw pointers to it: no
//!   other code can access that memory, it is never freed, and `mem::forget` of the driver changes
//!   nothing.
//! - No reference to a descriptor exists after that: descriptors are read and written as volatile
//!   words.
//! - A slice of a buffer exists only while the processor owns its descriptor: [`Ring::next_owned`]
//!   checks that, and only [`Ring::give_to_dma`], which cannot be called while the slice is
//!   borrowed, ends it.
//! - Only this file writes the address in a descriptor, and always that of the buffer of the same
//!   index: no action of a driver makes the engine write elsewhere. Values that the engine writes
//!   into a descriptor are never used as an address.
//! - The rest depends on the hardware, which must not access descriptors and buffers that the
//!   processor owns, and on the driver, which must have stopped the engine before [`Ring::reset`]
//!   and [`Ring::rotate`].
#![allow(unsafe_code)]

use core::ptr::NonNull;

use super::ring::{Rotation, after};

/// Length of each buffer in bytes: the longest frame with VLAN tag and FCS (1522), rounded up to
/// whole cache lines of 64 bytes.
pub const BUFFER_LEN: usize = 1536;

/// The largest alignment that a MAC or a cache requires.
#[derive(Debug)]
#[repr(C, align(64))]
struct Aligned<T>(T);

/// `RX` receive and `TX` transmit descriptors of `WORDS` words each. See [`Rings`].
#[derive(Debug)]
#[repr(C)]
pub struct Descriptors<const RX: usize, const TX: usize, const WORDS: usize> {
    rx: Aligned<[[u32; WORDS]; RX]>,
    tx: Aligned<[[u32; WORDS]; TX]>,
}

impl<const RX: usize, const TX: usize, const WORDS: usize> Descriptors<RX, TX, WORDS> {
    /// Creates zeroed memory, so that a static takes no flash.
    #[must_use]
    pub const fn new() -> Self {
        const { assert!(RX >= 2 && RX <= 1024, "2 to 1024 receive descriptors") };
        const { assert!(TX >= 2 && TX <= 1024, "2 to 1024 transmit descriptors") };
        Self {
            rx: Aligned([[0; WORDS]; RX]),
            tx: Aligned([[0; WORDS]; TX]),
        }
    }
}

impl<const RX: usize, const TX: usize, const WORDS: usize> Default for Descriptors<RX, TX, WORDS> {
    fn default() -> Self {
        Self::new()
    }
}

/// `RX` receive and `TX` transmit buffers. See [`Rings`].
#[derive(Debug)]
#[repr(C)]
pub struct Buffers<const RX: usize, const TX: usize> {
    rx: Aligned<[[u8; BUFFER_LEN]; RX]>,
    tx: Aligned<[[u8; BUFFER_LEN]; TX]>,
}

impl<const RX: usize, const TX: usize> Buffers<RX, TX> {
    /// Creates zeroed memory, so that a static takes no flash.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            rx: Aligned([[0; BUFFER_LEN]; RX]),
            tx: Aligned([[0; BUFFER_LEN]; TX]),
        }
    }
}

impl<const RX: usize, const TX: usize> Default for Buffers<RX, TX> {
    fn default() -> Self {
        Self::new()
    }
}

/// The memory of a MAC with rings: descriptors and buffers for `RX` received and `TX` transmitted
/// frames, at least two of each.
///
/// The driver takes a `&'static mut` to it, so that no second driver can use the same memory.
/// `static_cell::ConstStaticCell` is a safe way to get one:
///
/// ```ignore
/// static RINGS: ConstStaticCell<ethdev_enet::Rings<8, 4>> = ConstStaticCell::new(ethdev_enet::Rings::new());
/// let mac = Enet::new(registers, RINGS.take(), delay, config)?;
/// ```
///
/// Each buffer takes 1.5 KiB. `RX` is the longest burst of frames between two polls of the host,
/// `TX` the longest burst that it sends.
///
/// # Placement
///
/// The DMA engine must be able to access the memory, and must see the same content as the
/// processor:
///
/// - **No data cache** (Cortex-M3, M4): any memory that the bus master reaches. Core-coupled memory
///   often is not reachable.
/// - **Data cache** (Cortex-M7, A7, A9): non-cacheable memory. On i.MX `RT10xx` that is DTCM, or
///   on-chip RAM that the MPU makes *normal, non-cacheable*. In memory of the type *device* or
///   *strongly ordered*, and in any memory while the MMU of a Cortex-A is off, unaligned accesses,
///   which stacks make, fault.
/// - **Cacheable buffers** for speed: descriptors and buffers in separate statics, the descriptors
///   non-cacheable ([`RingStorage::from_parts`]), and a [`Dma`] that cleans and invalidates.
///   Descriptors cannot be cacheable: several share a cache line, and writing it back would
///   overwrite what the engine wrote to a neighbour.
#[derive(Debug, Default)]
#[repr(C)]
pub struct Rings<const RX: usize, const TX: usize, const WORDS: usize = 2> {
    descriptors: Descriptors<RX, TX, WORDS>,
    buffers: Buffers<RX, TX>,
}

impl<const RX: usize, const TX: usize, const WORDS: usize> Rings<RX, TX, WORDS> {
    /// Creates zeroed memory, so that a static takes no flash.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            descriptors: Descriptors::new(),
            buffers: Buffers::new(),
        }
    }
}

/// [`Rings`] of any size, as a driver takes them and returns them on release.
#[derive(Debug)]
pub struct RingStorage<const WORDS: usize = 2> {
    /// Memory of the receive ring.
    pub rx: Side,
    /// Memory of the transmit ring.
    pub tx: Side,
}

/// The memory of one ring. Exclusive and `'static`.
#[derive(Debug)]
pub struct Side {
    descriptors: NonNull<u32>,
    buffers: NonNull<[u8; BUFFER_LEN]>,
    len: u16,
}

// SAFETY: the only pointers to `'static` memory; the thread that has the value has the memory.
unsafe impl Send for Side {}

impl<const WORDS: usize> RingStorage<WORDS> {
    /// Combines descriptors and buffers that are in different memories.
    #[must_use]
    pub fn from_parts<const RX: usize, const TX: usize>(
        descriptors: &'static mut Descriptors<RX, TX, WORDS>,
        buffers: &'static mut Buffers<RX, TX>,
    ) -> Self {
        // At most 1024 by the assertions in `Descriptors::new`.
        let len = |n: usize| n as u16;
        Self {
            rx: Side {
                descriptors: NonNull::from(&mut descriptors.rx.0).cast(),
                buffers: NonNull::from(&mut buffers.rx.0).cast(),
                len: len(RX),
            },
            tx: Side {
                descriptors: NonNull::from(&mut descriptors.tx.0).cast(),
                buffers: NonNull::from(&mut buffers.tx.0).cast(),
                len: len(TX),
            },
        }
    }
}

impl<const RX: usize, const TX: usize, const WORDS: usize> From<&'static mut Rings<RX, TX, WORDS>>
    for RingStorage<WORDS>
{
    fn from(rings: &'static mut Rings<RX, TX, WORDS>) -> Self {
        Self::from_parts(&mut rings.descriptors, &mut rings.buffers)
    }
}

/// A range of memory that a driver shares with its DMA engine. Only [`Ring`] creates it.
#[derive(Debug)]
pub struct DmaRange {
    start: NonNull<u8>,
    len: usize,
    descriptors: bool,
}

impl DmaRange {
    /// Returns its address for the processor. Buffers start at multiples of 64.
    #[must_use]
    pub const fn start(&self) -> NonNull<u8> {
        self.start
    }

    /// Returns its length in bytes.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Returns whether its length is zero.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Returns whether it contains descriptors; otherwise it contains buffers.
    #[must_use]
    pub const fn is_descriptors(&self) -> bool {
        self.descriptors
    }
}

/// How the memory of a board is shared with a DMA engine: bus addresses, cache maintenance,
/// barriers. [`NonCacheable`] is the usual implementation. The cache operations have the names and
/// the effect of those of CMSIS and the `cortex-m` crate.
///
/// # Safety
///
/// The engine writes to the addresses that [`bus_address`](Self::bus_address) returns: they must be
/// those of the whole range on the bus of the engine. After the cache operations and barriers,
/// engine and processor must see each other's writes as documented for each method.
pub unsafe trait Dma {
    /// Returns the address of the range on the bus of the engine; `None` if the engine cannot
    /// access all of it. Called once for each range, before the engine is started. The range
    /// stays in use while the program runs.
    fn bus_address(&self, range: &DmaRange) -> Option<u32>;

    /// Cleans the cache lines of `part`: the processor has written to it, and the engine reads it
    /// next.
    #[inline]
    fn clean(&self, part: &DmaRange) {
        let _ = part;
    }

    /// Cleans and invalidates the cache lines of `part`: the engine writes to it next, and no dirty
    /// line may be written back over that later. Invalidating alone is sufficient, because
    /// ranges of buffers consist of whole cache lines.
    #[inline]
    fn clean_invalidate(&self, part: &DmaRange) {
        let _ = part;
    }

    /// Invalidates the cache lines of `part`: the engine has written to it, and the processor reads
    /// it next.
    #[inline]
    fn invalidate(&self, part: &DmaRange) {
        let _ = part;
    }

    /// Orders memory accesses before it against those after it, as observed by the engine: `DMB SY`
    /// on Arm.
    #[inline]
    fn barrier(&self) {
        dmb();
    }

    /// Completes memory writes before the following write to a doorbell register: `DSB SY` on Arm.
    #[inline]
    fn barrier_before_doorbell(&self) {
        dsb();
    }
}

/// Non-cacheable memory that has the same address for engine and processor.
#[derive(Debug, Clone, Copy, Default)]
pub struct NonCacheable;

// SAFETY: the caller asserts this of the board by the choice of this type; addresses above 32 bits
// are rejected.
unsafe impl Dma for NonCacheable {
    #[inline]
    fn bus_address(&self, range: &DmaRange) -> Option<u32> {
        u32::try_from(range.start().addr().get()).ok()
    }
}

/// A memory barrier for the full system. Fences of Rust cover the inner shareable domain, which
/// does not include an engine without a coherent bus.
#[inline]
fn dmb() {
    #[cfg(target_arch = "arm")]
    // SAFETY: orders accesses and changes no register; without `nomem`, so that the compiler orders them too.
    unsafe {
        core::arch::asm!("dmb sy", options(nostack, preserves_flags));
    }
    #[cfg(not(target_arch = "arm"))]
    core::sync::atomic::fence(core::sync::atomic::Ordering::SeqCst);
}

/// As [`dmb`], and waits for the completion of all accesses.
#[inline]
fn dsb() {
    #[cfg(target_arch = "arm")]
    // SAFETY: as in `dmb`.
    unsafe {
        core::arch::asm!("dsb sy", options(nostack, preserves_flags));
    }
    #[cfg(not(target_arch = "arm"))]
    core::sync::atomic::fence(core::sync::atomic::Ordering::SeqCst);
}

/// The layout of the descriptors of a MAC.
pub trait Layout {
    /// Number of words of a descriptor.
    const WORDS: usize;
    /// Index of the word with the ownership bit. It is written last.
    const CONTROL: usize;
    /// Index of the word with the bus address of the buffer.
    const ADDRESS: usize;
    /// Bits of the control word that mark the last descriptor of the ring.
    const WRAP: u32;

    /// Returns whether the engine owns a descriptor with this control word.
    fn dma_owns(control: u32) -> bool;
}

/// A ring of descriptors with one buffer each, and the position of the next one.
#[derive(Debug)]
pub struct Ring<L> {
    /// The control words of the next descriptor and of the last one of the ring.
    control: NonNull<u32>,
    last_control: NonNull<u32>,
    /// The buffer of the next descriptor, which has the same index.
    buffer: NonNull<[u8; BUFFER_LEN]>,
    /// Number of bytes of the next buffer that may be lent, at most a whole buffer: not 0 only
    /// while the processor is known to own the next descriptor.
    held: usize,
    memory: Side,
    /// Bus address of the buffers.
    buffer_address: u32,
    layout: core::marker::PhantomData<L>,
}

// SAFETY: as `Side`, to whose memory all pointers point.
unsafe impl<L> Send for Ring<L> {}

impl<L: Layout> Ring<L> {
    /// Creates a ring; returns it with the bus address of its descriptors.
    ///
    /// # Errors
    ///
    /// The engine cannot access the memory, which is returned.
    pub fn new<C: Dma>(memory: Side, dma: &C) -> Result<(Self, u32), Side> {
        const { assert!(L::CONTROL < L::WORDS && L::ADDRESS < L::WORDS) };
        let len = usize::from(memory.len);
        let descriptors = DmaRange {
            start: memory.descriptors.cast(),
            len: len * L::WORDS * 4,
            descriptors: true,
        };
        let buffers = DmaRange {
            start: memory.buffers.cast(),
            len: len * BUFFER_LEN,
            descriptors: false,
        };
        let addresses = dma.bus_address(&descriptors).zip(dma.bus_address(&buffers));
        let inside = |address: u32, range: &DmaRange| {
            address % 64 == 0 && u32::try_from(range.len).is_ok_and(|len| address.checked_add(len).is_some())
        };
        match addresses {
            Some((table, base)) if inside(table, &descriptors) && inside(base, &buffers) => {
                let mut ring = Self {
                    control: memory.descriptors,
                    last_control: memory.descriptors,
                    buffer: memory.buffers,
                    held: 0,
                    memory,
                    buffer_address: base,
                    layout: core::marker::PhantomData,
                };
                ring.last_control = ring.word(ring.len() - 1, L::CONTROL);
                ring.go_to(0);
                Ok((ring, table))
            }
            _ => Err(memory),
        }
    }

    /// Releases the memory.
    #[must_use]
    pub fn into_memory(self) -> Side {
        self.memory
    }

    /// Returns the number of descriptors, at least two.
    #[inline]
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "a ring is never empty")]
    pub const fn len(&self) -> u16 {
        self.memory.len
    }

    /// Returns the number of bytes of the next buffer that may be lent; 0 if its descriptor is not
    /// held.
    #[inline]
    #[must_use]
    pub const fn held(&self) -> usize {
        self.held
    }

    /// Stops holding the next descriptor. The processor still owns it.
    pub const fn forget(&mut self) {
        self.held = 0;
    }

    /// Returns a word of a descriptor. A position beyond the ring counts as the last one.
    fn word(&self, at: u16, word: usize) -> NonNull<u32> {
        let at = if at < self.memory.len { at } else { self.memory.len - 1 };
        let word = if word < L::WORDS { word } else { 0 };
        // SAFETY: inside the table of `len` descriptors of `WORDS` words.
        unsafe { self.memory.descriptors.add(usize::from(at) * L::WORDS + word) }
    }

    fn nth_buffer(&self, index: u16) -> NonNull<[u8; BUFFER_LEN]> {
        let index = if index < self.memory.len {
            index
        } else {
            self.memory.len - 1
        };
        // SAFETY: inside the array of `len` buffers.
        unsafe { self.memory.buffers.add(usize::from(index)) }
    }

    /// Returns the position of the next descriptor.
    #[must_use]
    pub fn at(&self) -> u16 {
        let bytes = self.control.addr().get() - self.word(0, L::CONTROL).addr().get();
        // Less than the length, which has 16 bits.
        (bytes / (4 * L::WORDS)) as u16
    }

    /// Makes `at` the next position.
    fn go_to(&mut self, at: u16) {
        self.control = self.word(at, L::CONTROL);
        self.buffer = self.nth_buffer(at);
    }

    /// Reads the control word of a descriptor, owned by the engine or not.
    #[inline]
    #[must_use]
    pub fn read(&self, at: u16) -> u32 {
        // SAFETY: a word of a descriptor: initialised, aligned and `'static`.
        u32::from_le(unsafe { self.word(at, L::CONTROL).read_volatile() })
    }

    fn write(&mut self, at: u16, word: usize, value: u32) {
        // SAFETY: as in `read`; no reference to it exists.
        unsafe { self.word(at, word).write_volatile(value.to_le()) };
    }

    /// Returns whether the engine owns the descriptor at this position.
    #[inline]
    #[must_use]
    pub fn dma_owns(&self, at: u16) -> bool {
        L::dma_owns(self.read(at))
    }

    /// Returns whether the engine owns the next descriptor.
    #[inline]
    #[must_use]
    pub fn dma_owns_next(&self) -> bool {
        self.dma_owns(self.at())
    }

    /// Holds the next descriptor for reading what the engine has written; `None` if the engine owns
    /// it.
    ///
    /// `length` returns from the control word the number of bytes of the buffer that may be lent, 0
    /// for all of it. The result is that number and the control word. The word is read once:
    /// the engine writes it in one access, ownership bit included.
    #[inline]
    pub fn next_owned<C: Dma>(&mut self, dma: &C, length: impl FnOnce(u32) -> usize) -> Option<(usize, u32)> {
        // SAFETY: a word of a descriptor, as in `read`.
        let control = u32::from_le(unsafe { self.control.read_volatile() });
        if L::dma_owns(control) {
            return None;
        }
        // Makes visible what the engine wrote before it gave up the descriptor.
        dma.barrier();
        let len = length(control);
        self.held = if len == 0 || len > BUFFER_LEN { BUFFER_LEN } else { len };
        Some((len, control))
    }

    /// Holds the next descriptor for writing; returns whether the processor owns it. No barrier is
    /// needed: no write overtakes the read that it depends on.
    #[inline]
    #[must_use]
    pub fn next_free(&mut self) -> bool {
        // SAFETY: a word of a descriptor, as in `read`.
        let control = u32::from_le(unsafe { self.control.read_volatile() });
        if L::dma_owns(control) {
            return false;
        }
        self.held = BUFFER_LEN;
        true
    }

    /// Returns the range of the first `len` bytes of the next buffer, for the cache operations of
    /// [`Dma`].
    #[inline]
    #[must_use]
    pub fn part(&self, len: usize) -> DmaRange {
        DmaRange {
            start: self.buffer.cast(),
            len: if len < BUFFER_LEN { len } else { BUFFER_LEN },
            descriptors: false,
        }
    }

    /// Returns the range of all buffers, for the cache operations of [`Dma`].
    #[must_use]
    pub fn all(&self) -> DmaRange {
        DmaRange {
            start: self.memory.buffers.cast(),
            len: usize::from(self.memory.len) * BUFFER_LEN,
            descriptors: false,
        }
    }

    /// Lends the first `len` bytes of the next buffer; `None` if fewer are held.
    #[inline]
    pub fn lend(&mut self, len: usize) -> Option<&mut [u8]> {
        if len > self.held {
            return None;
        }
        let start = self.buffer.cast::<u8>();
        // SAFETY: inside one buffer, and initialised (zeroed or written by the engine). The processor has
        // owned it since `next_owned` or `next_free` (otherwise `len` is 0), and keeps it while the
        // slice borrows `self`.
        Some(unsafe { core::slice::from_raw_parts_mut(start.as_ptr(), len) })
    }

    /// Gives the held descriptor to the engine and advances to the next one. Does nothing if none
    /// is held. Marks the last one of the ring.
    #[inline]
    pub fn give_to_dma<C: Dma>(&mut self, dma: &C, control: u32) {
        if self.held == 0 {
            return;
        }
        self.held = 0;
        let is_last = self.control == self.last_control;
        let control = if is_last { control | L::WRAP } else { control };
        // The content of the buffer is visible before the ownership bit.
        dma.barrier();
        // SAFETY: a word of a descriptor, as in `write`. If this is not the last one, the next one is
        // inside the table and its buffer inside the array.
        unsafe {
            self.control.write_volatile(control.to_le());
            (self.control, self.buffer) = if is_last {
                (self.memory.descriptors.add(L::CONTROL), self.memory.buffers)
            } else {
                (self.control.add(L::WORDS), self.buffer.add(1))
            };
        }
    }

    fn rewrite(&mut self, at: u16, control: u32) {
        // `new` has checked that the sum does not overflow.
        let address = self.buffer_address.wrapping_add(u32::from(at) * BUFFER_LEN as u32);
        self.write(at, L::ADDRESS, address);
        let last = after(at, self.memory.len) == 0;
        self.write(
            at,
            L::CONTROL,
            if last { control | L::WRAP } else { control & !L::WRAP },
        );
    }

    /// Restarts at descriptor 0, with this control word in each. The engine is stopped and restarts
    /// at descriptor 0 too.
    pub fn reset(&mut self, control: u32) {
        self.held = 0;
        self.go_to(0);
        for at in 0..self.memory.len {
            self.rewrite(at, control);
        }
    }

    /// Returns the number of consecutive descriptors, from the next one on, that the processor
    /// owns.
    #[must_use]
    pub fn pending(&self) -> u16 {
        let mut at = self.at();
        for n in 0..self.memory.len {
            if self.dma_owns(at) {
                return n;
            }
            at = after(at, self.memory.len);
        }
        self.memory.len
    }

    /// Prepares the ring for an engine that is stopped and restarts at descriptor 0, and keeps the
    /// `pending` frames from the next one on, including the held one: the reader continues with
    /// them. All other descriptors get this control word. The buffers of pending frames are
    /// swapped in memory.
    pub fn rotate<C: Dma>(&mut self, dma: &C, pending: u16, control: u32) {
        let len = self.memory.len;
        let pending = if pending < len { pending } else { len };
        let rotation = Rotation::new(self.at(), pending, len);
        if pending > 0 {
            // Its reader may have modified the held buffer; the others are as the engine wrote them.
            if self.held > 0 {
                dma.clean(&self.part(BUFFER_LEN));
            }
            dma.invalidate(&self.all());
            // Rotates in place: reverses both parts, then the whole.
            self.reverse(0, rotation.first);
            self.reverse(rotation.first, len);
            self.reverse(0, len);
            dma.clean(&self.all());
        }
        self.go_to(rotation.at);
        let mut at = rotation.at;
        for n in 0..len {
            let control = if n < pending { self.read(at) } else { control };
            self.rewrite(at, control);
            at = after(at, len);
        }
    }

    fn reverse(&mut self, from: u16, to: u16) {
        let (mut low, mut high) = (from, to);
        while low.saturating_add(1) < high {
            high -= 1;
            let (a, b) = (self.read(low), self.read(high));
            self.write(low, L::CONTROL, b);
            self.write(high, L::CONTROL, a);
            // SAFETY: two different buffers of the array; the engine is stopped, and nothing is lent while
            // `self` is borrowed.
            unsafe { self.nth_buffer(low).swap(self.nth_buffer(high)) };
            low += 1;
        }
    }
}
