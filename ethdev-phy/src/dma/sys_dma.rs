//! Memory that is shared with a DMA engine: descriptors and buffers. All unsafe code of the ring MACs is here.
//!
//! # Why it is sound
//!
//! - A [`Ring`] is made of a `&'static mut` to its memory, which it keeps as raw pointers: nothing else of the program can reach that memory, it is never
//!   freed, and forgetting the driver changes nothing.
//! - No reference to a descriptor ever exists after that: they are read and written as volatile words.
//! - A slice of a buffer exists only while its descriptor belongs to the processor: [`Ring::take`] has seen that, and the only way to give it away again is
//!   [`Ring::give_to_dma`], which cannot be called while the slice is borrowed.
//! - The address in a descriptor is written here only, and always that of the buffer that goes with it: nothing that a driver does makes the engine write
//!   elsewhere. What the engine writes into a descriptor is never used as an address.
//! - What is left is the hardware's word that it does not touch what is not its own, and the driver's that the engine stands still during
//!   [`Ring::reset`] and [`Ring::turn`].
#![allow(unsafe_code)]

use core::ptr::NonNull;

use super::ring::{Turn, after};

/// Length of every buffer in bytes: the longest frame with a VLAN tag and its FCS (1522), in whole cache lines of up to 64 bytes.
pub const BUFFER_LEN: usize = 1536;

/// The greatest alignment that a MAC or a cache asks for.
#[derive(Debug)]
#[repr(C, align(64))]
struct Aligned<T>(T);

/// The descriptors of `RX` frames to receive and `TX` frames to send, of `WORDS` words each. See [`Rings`].
#[derive(Debug)]
#[repr(C)]
pub struct Descriptors<const RX: usize, const TX: usize, const WORDS: usize> {
    rx: Aligned<[[u32; WORDS]; RX]>,
    tx: Aligned<[[u32; WORDS]; TX]>,
}

impl<const RX: usize, const TX: usize, const WORDS: usize> Descriptors<RX, TX, WORDS> {
    /// All zero, so that it costs no flash.
    #[must_use]
    pub const fn new() -> Self {
        const { assert!(RX >= 2 && RX <= 1024, "2 to 1024 descriptors to receive") };
        const { assert!(TX >= 2 && TX <= 1024, "2 to 1024 descriptors to send") };
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

/// The buffers of `RX` frames to receive and `TX` frames to send. See [`Rings`].
#[derive(Debug)]
#[repr(C)]
pub struct Buffers<const RX: usize, const TX: usize> {
    rx: Aligned<[[u8; BUFFER_LEN]; RX]>,
    tx: Aligned<[[u8; BUFFER_LEN]; TX]>,
}

impl<const RX: usize, const TX: usize> Buffers<RX, TX> {
    /// All zero, so that it costs no flash.
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

/// The memory of a ring MAC: descriptors and buffers for `RX` frames to receive and `TX` frames to send, at least two of each.
///
/// A `&'static mut` of it goes to the driver, so that no second driver can have the same memory. `static_cell::ConstStaticCell` is a safe way to one:
///
/// ```ignore
/// static RINGS: ConstStaticCell<enet::Rings<8, 4>> = ConstStaticCell::new(enet::Rings::new());
/// let mac = Enet::new(registers, RINGS.take(), delay, config)?;
/// ```
///
/// 3 KiB for each pair of one frame to receive and one to send. With how many frames a burst may come before the host looks, `RX` is chosen; `TX` is how many
/// frames it may send at once.
///
/// # Where it may lie
///
/// The engine must reach it, with the same content that the processor sees:
///
/// - **Without data cache** (Cortex-M3, M4): in any memory that the bus master reaches. Core-coupled memory often is none.
/// - **With one** (Cortex-M7, A7, A9): in memory that is not cached. On i.MX `RT10xx` that is DTCM, which the engine reaches, or on-chip RAM that the MPU makes
///   *normal, non-cacheable*. Memory of the type *device* or *strongly ordered*, and any memory while the MMU of a Cortex-A is off, faults on accesses that are
///   not aligned, which stacks make.
/// - **Cached buffers** for speed: descriptors and buffers in statics of their own, the descriptors not cached ([`RingStorage::from_parts`]), and a [`Dma`] that
///   cleans and invalidates. Descriptors cannot be cached: several share a cache line, and writing one back would undo what the engine wrote to its neighbour.
#[derive(Debug, Default)]
#[repr(C)]
pub struct Rings<const RX: usize, const TX: usize, const WORDS: usize = 2> {
    descriptors: Descriptors<RX, TX, WORDS>,
    buffers: Buffers<RX, TX>,
}

impl<const RX: usize, const TX: usize, const WORDS: usize> Rings<RX, TX, WORDS> {
    /// All zero, so that it costs no flash.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            descriptors: Descriptors::new(),
            buffers: Buffers::new(),
        }
    }
}

/// [`Rings`] of any size, on their way to a driver. A driver that is released gives it back.
#[derive(Debug)]
pub struct RingStorage<const WORDS: usize = 2> {
    /// Memory to receive into.
    pub rx: Side,
    /// Memory to send from.
    pub tx: Side,
}

/// The memory of one direction. Exclusive, for ever.
#[derive(Debug)]
pub struct Side {
    descriptors: NonNull<u32>,
    buffers: NonNull<[u8; BUFFER_LEN]>,
    len: u16,
}

// SAFETY: the only pointers to memory that is its own for ever; whichever thread has the value has the memory.
unsafe impl Send for Side {}

impl<const WORDS: usize> RingStorage<WORDS> {
    /// Of descriptors and buffers that lie in different memories.
    #[must_use]
    pub fn from_parts<const RX: usize, const TX: usize>(
        descriptors: &'static mut Descriptors<RX, TX, WORDS>,
        buffers: &'static mut Buffers<RX, TX>,
    ) -> Self {
        // Not more than 1024 by the assertions in `Descriptors::new`.
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

/// A piece of memory that a driver shares with its DMA engine. Only drivers make them.
#[derive(Debug)]
pub struct DmaRange {
    start: NonNull<u8>,
    len: usize,
    descriptors: bool,
}

impl DmaRange {
    /// Where the processor sees it. Buffers begin at multiples of 64.
    #[must_use]
    pub const fn start(&self) -> NonNull<u8> {
        self.start
    }

    /// Its length in bytes.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether it holds descriptors; else buffers.
    #[must_use]
    pub const fn is_descriptors(&self) -> bool {
        self.descriptors
    }
}

/// What the board's memory needs to be shared with a DMA engine: addresses, caches, barriers. [`NonCacheable`] is the usual one.
///
/// # Safety
///
/// The engine writes to the addresses that [`bus_address`](Self::bus_address) tells: they must be those of the region, all of it, as the engine's bus sees it.
/// After the cache methods and barriers, engine and processor must see what the other one has written, as each of them says.
pub unsafe trait Dma {
    /// Where the engine sees the region, all of which stays in use as long as the program runs; `None` where it does not see it. Called once for each
    /// region, before the engine is started.
    fn bus_address(&self, region: &DmaRange) -> Option<u32>;

    /// The processor has written to this part of a buffer, and the engine reads it next: clean the cache.
    #[inline]
    fn clean(&self, part: &DmaRange) {
        let _ = part;
    }

    /// The engine writes to this buffer next: nothing of it may be written back from the cache later. Clean or invalidate it.
    #[inline]
    fn invalidate_before_write(&self, part: &DmaRange) {
        let _ = part;
    }

    /// The engine has written to this part of a buffer, and the processor reads it next: invalidate the cache.
    #[inline]
    fn invalidate(&self, part: &DmaRange) {
        let _ = part;
    }

    /// Orders accesses to memory, before it against after it, as the engine sees them: `DMB SY` on Arm.
    #[inline]
    fn barrier(&self) {
        dmb();
    }

    /// Completes writes to memory before the write to a register that follows: `DSB SY` on Arm.
    #[inline]
    fn barrier_before_doorbell(&self) {
        dsb();
    }
}

/// Memory that is not cached, and that the engine sees at the processor's addresses.
#[derive(Debug, Clone, Copy, Default)]
pub struct NonCacheable;

// SAFETY: it is the caller's choice of this type that says so of the board; addresses are the processor's own, and those that do not fit are refused.
unsafe impl Dma for NonCacheable {
    #[inline]
    fn bus_address(&self, region: &DmaRange) -> Option<u32> {
        u32::try_from(region.start().addr().get()).ok()
    }
}

/// A memory barrier that other bus masters see too. Rust's fences are for the inner shareable domain, where an engine without coherent bus is not.
#[inline]
fn dmb() {
    #[cfg(target_arch = "arm")]
    // SAFETY: an instruction that orders accesses and changes no register; without `nomem`, so that the compiler orders them too.
    unsafe {
        core::arch::asm!("dmb sy", options(nostack, preserves_flags));
    }
    #[cfg(not(target_arch = "arm"))]
    core::sync::atomic::fence(core::sync::atomic::Ordering::SeqCst);
}

/// As [`dmb`], and complete before anything follows.
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

/// How a MAC lays out its descriptors.
pub trait Layout {
    /// Words to a descriptor.
    const WORDS: usize;
    /// The word that says whose the descriptor is. It is written last.
    const CONTROL: usize;
    /// The word with the buffer's address on the bus.
    const ADDRESS: usize;
    /// The bits of the control word that mark the last descriptor of the ring.
    const WRAP: u32;

    /// Whether a descriptor with this control word is the engine's.
    fn is_device(control: u32) -> bool;
}

/// A ring of descriptors, each with its buffer, and the position that comes next.
#[derive(Debug)]
pub struct Ring<L> {
    /// The control word of the descriptor that comes next, and that of the last one.
    control: NonNull<u32>,
    last_control: NonNull<u32>,
    /// Its buffer: each descriptor has the one with its number.
    buffer: NonNull<[u8; BUFFER_LEN]>,
    /// How much of the next buffer may be lent, in bytes: not 0 if the descriptor that comes next was seen to be the processor's and has not been given away
    /// since. Never more than a buffer.
    held: usize,
    memory: Side,
    /// Where the engine sees the buffers.
    buffer_address: u32,
    layout: core::marker::PhantomData<L>,
}

// SAFETY: as `Side`, into whose memory all pointers go.
unsafe impl<L> Send for Ring<L> {}

impl<L: Layout> Ring<L> {
    /// The ring, and where the engine sees its descriptors. The memory back where it does not.
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
        let inside = |address: u32, region: &DmaRange| {
            address % 64 == 0 && u32::try_from(region.len).is_ok_and(|len| address.checked_add(len).is_some())
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

    /// Gives the memory back.
    pub fn into_memory(self) -> Side {
        self.memory
    }

    /// How many descriptors it has; at least two.
    #[inline]
    pub const fn len(&self) -> u16 {
        self.memory.len
    }

    /// How much of the next buffer may be lent; 0 where the descriptor that comes next is not held.
    #[inline]
    pub const fn held(&self) -> usize {
        self.held
    }

    /// Holds the descriptor that comes next no longer; it stays the processor's.
    pub const fn forget(&mut self) {
        self.held = 0;
    }

    /// A word of a descriptor. A position beyond the ring is taken for the last one.
    fn word(&self, at: u16, word: usize) -> NonNull<u32> {
        let at = if at < self.memory.len { at } else { self.memory.len - 1 };
        let word = if word < L::WORDS { word } else { 0 };
        // SAFETY: inside the table, which has `len` descriptors of `WORDS` words.
        unsafe { self.memory.descriptors.add(usize::from(at) * L::WORDS + word) }
    }

    fn nth_buffer(&self, index: u16) -> NonNull<[u8; BUFFER_LEN]> {
        let index = if index < self.memory.len {
            index
        } else {
            self.memory.len - 1
        };
        // SAFETY: inside the array, which has `len` buffers.
        unsafe { self.memory.buffers.add(usize::from(index)) }
    }

    /// The position that comes next.
    pub fn at(&self) -> u16 {
        let bytes = self.control.addr().get() - self.word(0, L::CONTROL).addr().get();
        // Less than the length, which is of 16 bits.
        (bytes / (4 * L::WORDS)) as u16
    }

    /// This position comes next.
    fn go_to(&mut self, at: u16) {
        self.control = self.word(at, L::CONTROL);
        self.buffer = self.nth_buffer(at);
    }

    /// The control word of any descriptor, whosever it is.
    #[inline]
    pub fn read(&self, at: u16) -> u32 {
        // SAFETY: a word of a descriptor, which is initialised, aligned, and valid for ever.
        u32::from_le(unsafe { self.word(at, L::CONTROL).read_volatile() })
    }

    fn write(&mut self, at: u16, word: usize, value: u32) {
        // SAFETY: as in `read`; no reference to it exists.
        unsafe { self.word(at, word).write_volatile(value.to_le()) };
    }

    /// Whether any descriptor is the engine's.
    #[inline]
    pub fn is_device(&self, at: u16) -> bool {
        L::is_device(self.read(at))
    }

    /// Whether the descriptor that comes next is the engine's.
    #[inline]
    pub fn is_next_device(&self) -> bool {
        self.is_device(self.at())
    }

    /// Takes the descriptor that comes next, to read what the engine has written. `length` tells from its control word how much of the buffer may be lent,
    /// 0 for all of it. What it told, and the word; `None` where the descriptor is the engine's.
    ///
    /// The word is read once and whole: the engine writes it in one access, together with the mark that it is done.
    #[inline]
    pub fn take<C: Dma>(&mut self, dma: &C, length: impl FnOnce(u32) -> usize) -> Option<(usize, u32)> {
        // SAFETY: a word of a descriptor, as in `read`.
        let control = u32::from_le(unsafe { self.control.read_volatile() });
        if L::is_device(control) {
            return None;
        }
        // What the engine wrote before it gave the descriptor away is seen from here on.
        dma.barrier();
        let len = length(control);
        self.held = if len == 0 || len > BUFFER_LEN { BUFFER_LEN } else { len };
        Some((len, control))
    }

    /// Takes the descriptor that comes next, to write what the engine is to read; whether it is the processor's. That needs no barrier: no write overtakes the
    /// read that it depends on.
    #[inline]
    pub fn take_to_write(&mut self) -> bool {
        // SAFETY: a word of a descriptor, as in `read`.
        let control = u32::from_le(unsafe { self.control.read_volatile() });
        if L::is_device(control) {
            return false;
        }
        self.held = BUFFER_LEN;
        true
    }

    /// The first `len` bytes of the buffer that comes next, for the cache methods of [`Dma`].
    #[inline]
    pub fn part(&self, len: usize) -> DmaRange {
        DmaRange {
            start: self.buffer.cast(),
            len: if len < BUFFER_LEN { len } else { BUFFER_LEN },
            descriptors: false,
        }
    }

    /// All buffers, for the same.
    pub fn all(&self) -> DmaRange {
        DmaRange {
            start: self.memory.buffers.cast(),
            len: usize::from(self.memory.len) * BUFFER_LEN,
            descriptors: false,
        }
    }

    /// The first `len` bytes of the buffer that comes next, if so much of it is held.
    #[inline]
    pub fn lend(&mut self, len: usize) -> Option<&mut [u8]> {
        if len > self.held {
            return None;
        }
        let start = self.buffer.cast::<u8>();
        // SAFETY: inside one buffer, initialised (it was zeroed or written by the engine), not the engine's since `take` (or of no length), and not given away
        // as long as the slice borrows `self`.
        Some(unsafe { core::slice::from_raw_parts_mut(start.as_ptr(), len) })
    }

    /// Gives the held descriptor to the engine and goes on to the next one. Nothing where none is held. The last one of the ring is marked as such.
    #[inline]
    pub fn give_to_dma<C: Dma>(&mut self, dma: &C, control: u32) {
        if self.held == 0 {
            return;
        }
        self.held = 0;
        let is_last = self.control == self.last_control;
        let control = if is_last { control | L::WRAP } else { control };
        // Everything that was written to the buffer is there before the descriptor says so.
        dma.barrier();
        // SAFETY: a word of a descriptor, as in `write`. Where this is not the last one, the next one is inside the table, and its buffer inside the array.
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

    /// Begins anew at descriptor 0, with this control word in each. The engine stands still, and begins at descriptor 0 too.
    pub fn reset(&mut self, control: u32) {
        self.held = 0;
        self.go_to(0);
        for at in 0..self.memory.len {
            self.rewrite(at, control);
        }
    }

    /// How many descriptors in a row, from the next one on, are the processor's.
    pub fn pending(&self) -> u16 {
        let mut at = self.at();
        for n in 0..self.memory.len {
            if self.is_device(at) {
                return n;
            }
            at = after(at, self.memory.len);
        }
        self.memory.len
    }

    /// Puts the ring in order for an engine that stands still and begins at descriptor 0 next, and keeps the `pending` frames from the next one on, also the
    /// one that is held: the reader goes on with them. All others get this control word. Frames that are kept are copied.
    pub fn turn<C: Dma>(&mut self, dma: &C, pending: u16, control: u32) {
        let len = self.memory.len;
        let pending = if pending < len { pending } else { len };
        let turn = Turn::new(self.at(), pending, len);
        if pending > 0 {
            // What is held may have been changed by its reader; all else is as the engine left it.
            if self.held > 0 {
                dma.clean(&self.part(BUFFER_LEN));
            }
            dma.invalidate(&self.all());
            // Turned in place: reversing both parts and then the whole exchanges them.
            self.reverse(0, turn.first);
            self.reverse(turn.first, len);
            self.reverse(0, len);
            dma.clean(&self.all());
        }
        self.go_to(turn.at);
        let mut at = turn.at;
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
            // SAFETY: two buffers of the array, not the same one; the engine stands still, and nothing is lent while `self` is borrowed.
            unsafe { self.nth_buffer(low).swap(self.nth_buffer(high)) };
            low += 1;
        }
    }
}
