//! Memory-mapped peripherals of the board (ARM DAI 0385, section 3.3).
#![allow(unsafe_code)]

use core::cell::Cell;
use core::ptr::{NonNull, without_provenance_mut};

use critical_section::Mutex;
use ethdev_phy::mmio::{Mmio, Registers};

/// The LAN9118 (on the real board a LAN9220).
const NIC: Option<NonNull<u32>> = NonNull::new(without_provenance_mut(0x4020_0000));
/// CMSDK APB timer 0.
const TIMER0: Option<NonNull<u32>> = NonNull::new(without_provenance_mut(0x4000_0000));

// Offsets of the timer registers (ARM DDI 0479, chapter 4).
const CONTROL: usize = 0x0;
const VALUE: usize = 0x4;
const RELOAD: usize = 0x8;

/// The registers of the NIC.
pub type NicRegisters = Mmio<0x100>;

static TAKEN: Mutex<Cell<bool>> = Mutex::new(Cell::new(false));

/// The registers of the timer.
#[derive(Debug)]
pub(super) struct TimerRegisters(Mmio<0x10>);

/// Returns both register blocks on the first call, `None` afterwards.
pub(super) fn take() -> Option<(NicRegisters, TimerRegisters)> {
    if critical_section::with(|cs| TAKEN.borrow(cs).replace(true)) {
        return None;
    }
    // SAFETY: device memory of this board, of these sizes, aligned to a page, valid for the whole
    // program. The peripherals support 32-bit accesses in any order and with any value, and do not
    // access memory. `TAKEN` ensures that these are the only values for them.
    Some(unsafe { (Mmio::new(NIC?), TimerRegisters(Mmio::new(TIMER0?))) })
}

impl TimerRegisters {
    /// Counts down from the maximum, and reloads.
    pub(super) fn run(&self) {
        self.0.write(RELOAD, u32::MAX);
        self.0.write(VALUE, u32::MAX);
        self.0.write(CONTROL, 1);
    }

    /// Returns the present value.
    pub(super) fn value(&self) -> u32 {
        self.0.read(VALUE)
    }
}
