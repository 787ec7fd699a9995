//! Memory-mapped peripherals of the board (ARM DAI 0385, section 3.3).
#![allow(unsafe_code)]

use core::cell::Cell;
use core::ptr::NonNull;

use critical_section::Mutex;
use safe_mmio::UniqueMmioPointer;
use safe_mmio::fields::ReadWrite;

use crate::lan9118::{Register, Registers};

/// The LAN9118 (on the real board a LAN9220), with all its registers.
const NIC: NonNull<[ReadWrite<u32>; 64]> = address(0x4020_0000);
/// CMSDK APB timer 0: control, value, reload, interrupt.
const TIMER0: NonNull<[ReadWrite<u32>; 4]> = address(0x4000_0000);

const fn address<T>(address: usize) -> NonNull<T> {
    match NonNull::new(core::ptr::without_provenance_mut(address)) {
        Some(pointer) => pointer,
        None => NonNull::dangling(),
    }
}

static TAKEN: Mutex<Cell<bool>> = Mutex::new(Cell::new(false));

/// The registers of the NIC.
#[derive(Debug)]
pub struct NicRegisters(UniqueMmioPointer<'static, [ReadWrite<u32>; 64]>);

/// The registers of the timer.
#[derive(Debug)]
pub(super) struct TimerRegisters(UniqueMmioPointer<'static, [ReadWrite<u32>; 4]>);

/// Both, the first time; `None` from then on.
pub(super) fn take() -> Option<(NicRegisters, TimerRegisters)> {
    if critical_section::with(|cs| TAKEN.borrow(cs).replace(true)) {
        return None;
    }
    // SAFETY: device memory of this board, of this size, aligned to a page, mapped for the whole run of the program; accesses of 32 bits are what the
    // peripherals are made for, in any order and with any value, and none makes them write to memory. `TAKEN` sees to it that these are the only pointers
    // to them.
    let pointers = unsafe { (UniqueMmioPointer::new(NIC), UniqueMmioPointer::new(TIMER0)) };
    Some((NicRegisters(pointers.0), TimerRegisters(pointers.1)))
}

impl Registers for NicRegisters {
    fn read(&mut self, register: Register) -> u32 {
        // The offset of a register is inside the block, so that there always is a word.
        self.0.get(register.word()).map_or(0, |mut word| word.read())
    }

    fn write(&mut self, register: Register, value: u32) {
        if let Some(mut word) = self.0.get(register.word()) {
            word.write(value);
        }
    }
}

impl TimerRegisters {
    /// Counts down from the greatest value for ever.
    pub(super) fn run(&mut self) {
        let [mut control, mut value, mut reload, _] = self.0.reborrow().split();
        reload.write(u32::MAX);
        value.write(u32::MAX);
        control.write(1);
    }

    /// The present value.
    pub(super) fn value(&mut self) -> u32 {
        let [_, mut value, ..] = self.0.reborrow().split();
        value.read()
    }
}
