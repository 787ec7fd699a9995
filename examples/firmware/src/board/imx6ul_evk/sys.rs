//! Interrupts: the controller (`GICv2`), and the one handler that the processor knows.
#![allow(unsafe_code)]

use core::cell::RefCell;

use aarch32_rt::irq;
use arm_gic::gicv2::GicV2;
use arm_gic::gicv2::registers::{Gicc, Gicd};
use arm_gic::{IntId, InterruptGroup};
use critical_section::Mutex;

/// Distributor and processor interface (i.MX 6UltraLite reference manual, memory map: ARM MP; offsets from the Cortex-A7 `MPCore` manual, section 8.2.1).
const GICD: usize = 0x00a0_1000;
const GICC: usize = 0x00a0_2000;
/// ENET1's line (i.MX 6UltraLite reference manual, interrupts of the ARM domain).
pub(super) const NIC: IntId = IntId::spi(118);
/// The virtual timer's line, private to the processor (Cortex-A7 `MPCore` manual, section 8.2.2: 27).
pub(super) const TIMER: IntId = IntId::ppi(11);
/// In the secure state, group 0 is what causes interrupts.
const GROUP: InterruptGroup = InterruptGroup::Group0;

static GIC: Mutex<RefCell<Option<GicV2<'static>>>> = Mutex::new(RefCell::new(None));

/// Sets the controller up, with all lines masked, and lets the processor take interrupts. Once; nothing happens from then on.
pub(super) fn start() {
    critical_section::with(|cs| {
        let mut shared = GIC.borrow_ref_mut(cs);
        if shared.is_some() {
            return;
        }
        // SAFETY: device memory of this chip, there for the whole run of the program, mapped as it is since the MMU is off. `GIC` sees to it that this is the only
        // driver of the controller.
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
            // Both lines exist, so that both can be unmasked.
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

/// Both lines are levels and stay up until somebody has looked after what raised them, so each is masked here; who waits for it unmasks it.
#[irq]
fn interrupt() {
    while let Some(id) = acknowledge() {
        set_masked(id, true);
        match id {
            NIC => crate::board::nic_has_rung(),
            TIMER => crate::board::alarm(),
            _ => {}
        }
        end(id);
    }
}

/// Does nothing for so many instructions, and two or three.
pub fn spin(instructions: u32) {
    let turns = (instructions / 2).max(1);
    // SAFETY: the loop changes nothing but its own register, and the flags.
    unsafe {
        core::arch::asm!("1:", "subs {turns}, {turns}, #1", "bne 1b", turns = inout(reg) turns => _, options(nomem, nostack));
    }
}
