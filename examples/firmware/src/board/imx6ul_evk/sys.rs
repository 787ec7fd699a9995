//! The interrupt controller (`GICv2`) and the interrupt handler.
#![allow(unsafe_code)]

use core::cell::RefCell;

use aarch32_rt::irq;
use arm_gic::gicv2::GicV2;
use arm_gic::gicv2::registers::{Gicc, Gicd};
use arm_gic::{IntId, InterruptGroup};
use critical_section::Mutex;

/// Distributor and processor interface (i.MX 6UltraLite reference manual, memory map: ARM MP;
/// offsets from the Cortex-A7 `MPCore` manual, section 8.2.1).
const GICD: usize = 0x00a0_1000;
const GICC: usize = 0x00a0_2000;
/// The interrupt of ENET1 (i.MX 6UltraLite reference manual, interrupts of the ARM domain).
pub(super) const NIC: IntId = IntId::spi(118);
/// The interrupt of the virtual timer (Cortex-A7 `MPCore` manual, section 8.2.2: 27).
pub(super) const TIMER: IntId = IntId::ppi(11);
/// In the secure state, group 0 causes IRQs.
const GROUP: InterruptGroup = InterruptGroup::Group0;

static GIC: Mutex<RefCell<Option<GicV2<'static>>>> = Mutex::new(RefCell::new(None));

/// Sets up the controller with all lines masked, and enables interrupts. Later calls have no
/// effect.
pub(super) fn start() {
    critical_section::with(|cs| {
        let mut shared = GIC.borrow_ref_mut(cs);
        if shared.is_some() {
            return;
        }
        // SAFETY: device memory of this chip, valid for the whole program; the MMU is off. `GIC` ensures
        // that this is the only driver of the controller.
        let mut gic = unsafe { GicV2::new(GICD as *mut Gicd, GICC as *mut Gicc) };
        gic.setup();
        gic.enable_all_interrupts(false);
        gic.enable_group0(true);
        for id in [NIC, TIMER] {
            gic.set_group(id, GROUP);
        }
        *shared = Some(gic);
    });
    // SAFETY: no critical section is open here.
    unsafe { aarch32_cpu::interrupt::enable() };
}

/// Unmasks a line.
pub(super) fn unmask(id: IntId) {
    set_masked(id, false);
}

fn set_masked(id: IntId, masked: bool) {
    critical_section::with(|cs| {
        if let Some(gic) = GIC.borrow_ref_mut(cs).as_mut() {
            // Both lines exist, so it does not fail.
            let _ = gic.enable_interrupt(id, !masked);
        }
    });
}

fn acknowledge() -> Option<IntId> {
    critical_section::with(|cs| {
        let mut gic = GIC.borrow_ref_mut(cs);
        gic.as_mut()?.get_and_acknowledge_interrupt(GROUP)
    })
}

fn end(id: IntId) {
    critical_section::with(|cs| {
        if let Some(gic) = GIC.borrow_ref_mut(cs).as_mut() {
            gic.end_interrupt(id, GROUP);
        }
    });
}

/// Both lines are levels and stay asserted until the device is serviced, so each is masked here.
/// The task unmasks it before it waits.
#[irq]
fn interrupt() {
    while let Some(id) = acknowledge() {
        set_masked(id, true);
        match id {
            NIC => crate::board::handle_nic_interrupt(),
            TIMER => crate::board::alarm(),
            _ => {}
        }
        end(id);
    }
}

/// Executes this number of instructions, and two or three more.
pub fn spin(instructions: u32) {
    let turns = (instructions / 2).max(1);
    // SAFETY: the loop changes its register and the flags only.
    unsafe {
        core::arch::asm!("1:", "subs {turns}, {turns}, #1", "bne 1b", turns = inout(reg) turns => _, options(nomem, nostack));
    }
}
