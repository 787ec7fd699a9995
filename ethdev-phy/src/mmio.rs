//! Memory-mapped registers. All unsafe code for register access is in this file.
#![allow(unsafe_code)]

use core::ptr::NonNull;

/// The registers of a MAC, 32 bits wide each.
///
/// Accesses reach the hardware in program order, each exactly once, as one 32-bit access. Writing
/// takes `&self` because the hardware changes registers at any time too; the driver orders its own
/// accesses.
///
/// [`Mmio`] is the usual implementation. Others are a 16-bit bus (two accesses in the order that
/// the chip requires), a bus of the other byte order, a register block of another crate, and a
/// model of the chip.
///
/// # Implementor notes
///
/// `offset` is in bytes from the start of the block, a multiple of four. Mark both methods
/// `#[inline]`: a FIFO transfers frames through them word by word.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not give access to registers",
    note = "`ethdev_phy::mmio::Mmio` is a block of memory-mapped registers"
)]
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
/// An access outside the block or with a wrong alignment is not done: it reads as zero and writes
/// nothing.
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
    /// Creates access to the block that starts at `base`.
    ///
    /// # Safety
    ///
    /// - The `BYTES` bytes at `base`, which is aligned to four, are registers of a device, mapped
    ///   as device memory for the lifetime of the value.
    /// - 32-bit accesses to them with any value do not violate the soundness of other code. For a
    ///   device that accesses memory by itself (DMA) this depends on its driver: the value is
    ///   passed to that driver only.
    /// - No other code accesses them during the lifetime of the value.
    #[must_use]
    pub const unsafe fn new(base: NonNull<u32>) -> Self {
        Self { base }
    }

    /// Returns the register at `offset`; `None` outside the block or with a wrong alignment.
    #[inline]
    fn register(&self, offset: usize) -> Option<NonNull<u32>> {
        if offset % 4 == 0 && offset < BYTES && BYTES - offset >= 4 {
            // SAFETY: the offset is inside the block, by the contract of `new`.
            Some(unsafe { self.base.byte_add(offset) })
        } else {
            None
        }
    }
}

// SAFETY: nothing else accesses the registers (`new`), and device memory is the same for every
// core. It is not `Sync`, because two threads would interleave their sequences of accesses.
unsafe impl<const BYTES: usize> Send for Mmio<BYTES> {}

impl<const BYTES: usize> Registers for Mmio<BYTES> {
    #[inline]
    fn read(&self, offset: usize) -> u32 {
        match self.register(offset) {
            // SAFETY: inside the block and aligned (`register`); words of it may be read (`new`).
            Some(register) => unsafe { register.read_volatile() },
            None => 0,
        }
    }

    #[inline]
    fn write(&self, offset: usize, value: u32) {
        if let Some(register) = self.register(offset) {
            // SAFETY: inside the block and aligned (`register`); words of it may be written (`new`).
            unsafe { register.write_volatile(value) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn read_write_outside_block_not_done() {
        let mut memory = [0x1111_1111_u32, 0x2222_2222, 0x3333_3333];
        // SAFETY: the first two words of an array that outlives the value; nothing else accesses it
        // meanwhile.
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
