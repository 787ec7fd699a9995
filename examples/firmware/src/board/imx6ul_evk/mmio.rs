//! Memory-mapped peripherals of the board.
#![allow(unsafe_code)]

use core::cell::Cell;
use core::ptr::{NonNull, without_provenance_mut};

use critical_section::Mutex;
use ethdev_enet::BLOCK_LEN;
use ethdev_phy::mmio::Mmio;

/// ENET1 (i.MX 6UltraLite reference manual, memory map).
const NIC: Option<NonNull<u32>> = NonNull::new(without_provenance_mut(0x0218_8000));

/// The registers of the NIC.
pub type NicRegisters = Mmio<BLOCK_LEN>;

static TAKEN: Mutex<Cell<bool>> = Mutex::new(Cell::new(false));

/// Returns the registers of the NIC on the first call, `None` afterwards.
pub(super) fn take() -> Option<NicRegisters> {
    if critical_section::with(|cs| TAKEN.borrow(cs).replace(true)) {
        return None;
    }
    // SAFETY: registers of this chip, of this size, aligned to a page, strongly ordered because the MMU
    // is off, valid for the whole program. `TAKEN` ensures that there is one value.
    NIC.map(|base| unsafe { Mmio::new(base) })
}
