//! What C calls, and what is called in C.
#![allow(unsafe_code)]

use core::cell::Cell;
use core::ffi::c_void;
use core::num::NonZeroU32;
use core::ptr::NonNull;
use core::time::Duration;

use critical_section::Mutex;
use ethdev_capi::CDevice;
use ethdev_capi::abi::{ErrorCode, Ethdev};
use ethdev_phy::mmio::Mmio;
use ethdev_util::IrqSignal;
use static_cell::StaticCell;

use crate::board::{self, Nic};

unsafe extern "C" {
    safe fn board_now_us() -> u64;
    safe fn board_delay_us(us: u32);
}

pub(crate) fn now() -> Duration {
    Duration::from_micros(board_now_us())
}

pub(crate) fn delay_us(us: u32) {
    board_delay_us(us);
}

static NIC: StaticCell<CDevice<Nic>> = StaticCell::new();
static IRQ: IrqSignal = IrqSignal::new();
/// The device exists, or is being detected.
static TAKEN: Mutex<Cell<bool>> = Mutex::new(Cell::new(false));

/// # Safety
///
/// As `ethdev_lan9118.h` says.
#[unsafe(no_mangle)]
unsafe extern "C" fn ethdev_lan9118(registers: *mut c_void, dev: *mut *mut Ethdev) -> i32 {
    let (Some(registers), Some(dev)) = (NonNull::new(registers), NonNull::new(dev)) else {
        return ErrorCode::InvalidInput as i32;
    };
    if critical_section::with(|cs| TAKEN.borrow(cs).replace(true)) {
        return ErrorCode::InUse as i32;
    }
    // SAFETY: the caller passes the address of the chip, which nothing else accesses. `TAKEN`
    // ensures that there is one driver for it.
    let registers = unsafe { Mmio::new(registers.cast()) };
    match board::nic(registers) {
        Ok(nic) => {
            // Once: `TAKEN` stays set.
            let device = NIC.init(CDevice::with_interrupt(nic, &IRQ, c"eth0", NonZeroU32::MIN));
            // SAFETY: the caller passes a pointer to its variable.
            unsafe { dev.write(device.handle().as_ptr()) };
            0
        }
        Err(kind) => {
            critical_section::with(|cs| TAKEN.borrow(cs).set(false));
            ErrorCode::from(kind) as i32
        }
    }
}
