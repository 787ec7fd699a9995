//! Memory-mapped registers: the one seam between a MAC and its bus, with the unsafe code that this takes.
#![allow(unsafe_code)]

use core::ptr::NonNull;

/// The registers of a MAC, 32 bits wide each.
///
/// Accesses reach the hardware in program order, each exactly once, and whole. Registers are shared with hardware that changes them at any time, so `&self`
/// is enough to write one; who may write which is the driver's business.
///
/// [`Mmio`] is the usual one. Others are a bus of 16 bits (two accesses each, in the order that the chip asks for), a bus of the other byte order, a
/// register block of another crate, and a model of the chip.
///
/// # Implementor notes
///
/// `offset` is in bytes from the start of the block, a multiple of four. Mark both methods `#[inline]`: frames pass through them word by word.
pub trait Registers {
    /// Reads a register.
    fn read(&self, offset: usize) -> u32;

    /// Writes a register.
    fn write(&self, offset: usize, value: u32);
}

impl<T: Registers + ?Sized> Registers for &T {
    #[inline]
    fn read(&self, offset: usize) -> u32 {
        (**self).read(offset)
    }

    #[inline]
    fn write(&self, offset: usize, value: u32) {
        (**self).write(offset, value);
    }
}

/// A block of `BYTES` bytes of registers in the address space of the processor.
///
/// An access outside the block or off its alignment does not happen: it reads zero, and writes nothing.
///
/// ```no_run
/// use core::ptr::{NonNull, without_provenance_mut};
/// use ethdev_phy::mmio::Mmio;
///
/// /// The LAN9118 on ARM's MPS2 board.
/// const NIC: Option<NonNull<u32>> = NonNull::new(without_provenance_mut(0x4020_0000));
///
/// // SAFETY: the chip decodes 256 bytes at this address of this board, and nothing else of the program touches them.
/// let registers = NIC.map(|base| unsafe { Mmio::<0x100>::new(base) });
/// ```
#[derive(Debug)]
pub struct Mmio<const BYTES: usize> {
    base: NonNull<u32>,
}

impl<const BYTES: usize> Mmio<BYTES> {
    /// The block that begins at `base`.
    ///
    /// # Safety
    ///
    /// - `BYTES` bytes from `base` on, which is aligned to four, are registers of a device, mapped as device memory as long as the value lives.
    /// - Reading or writing any of them, in 32-bit accesses of any value, breaks no rule of the language elsewhere. Of a device that reads or writes memory
    ///   by itself this can only be said together with the driver that is told about that memory: there the promise is that only that driver gets the value.
    /// - Nothing else of the program accesses them in that time.
    #[must_use]
    pub const unsafe fn new(base: NonNull<u32>) -> Self {
        Self { base }
    }

    /// The register at `offset`, if it is inside the block.
    #[inline]
    fn register(&self, offset: usize) -> Option<NonNull<u32>> {
        if offset % 4 == 0 && offset < BYTES && BYTES - offset >= 4 {
            // SAFETY: the offset is inside the block that `new` was promised.
            Some(unsafe { self.base.byte_add(offset) })
        } else {
            None
        }
    }
}

// SAFETY: the value is the only way to the registers (`new`), and device memory is the same to every core. It is not `Sync`: two threads would disturb each
// other's sequences of accesses.
unsafe impl<const BYTES: usize> Send for Mmio<BYTES> {}

impl<const BYTES: usize> Registers for Mmio<BYTES> {
    #[inline]
    fn read(&self, offset: usize) -> u32 {
        match self.register(offset) {
            // SAFETY: inside the block and aligned (`register`), which may be read in words (`new`).
            Some(register) => unsafe { register.read_volatile() },
            None => 0,
        }
    }

    #[inline]
    fn write(&self, offset: usize, value: u32) {
        if let Some(register) = self.register(offset) {
            // SAFETY: inside the block and aligned (`register`), which may be written in words (`new`).
            unsafe { register.write_volatile(value) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_outside_the_block_is_touched() {
        let mut memory = [0x1111_1111_u32, 0x2222_2222, 0x3333_3333];
        // SAFETY: the first two words of an array that lives long enough; nothing else accesses it meanwhile.
        let registers = unsafe { Mmio::<8>::new(NonNull::from(&mut memory).cast()) };
        registers.write(4, 0x4444_4444);
        for outside in [1, 2, 3, 6, 8, 12, usize::MAX - 3] {
            registers.write(outside, 0x5555_5555);
            assert_eq!(registers.read(outside), 0);
        }
        assert_eq!((registers.read(0), registers.read(4)), (0x1111_1111, 0x4444_4444));
        assert_eq!(memory, [0x1111_1111, 0x4444_4444, 0x3333_3333]);
    }
}
