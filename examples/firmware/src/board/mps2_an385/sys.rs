//! The interrupt controller.
#![allow(unsafe_code)]

use cortex_m::peripheral::NVIC;

use super::sys_device::Interrupt;

/// Clears a pending `interrupt`, and unmasks it.
pub(super) fn unmask(interrupt: Interrupt) {
    NVIC::unpend(interrupt);
    // SAFETY: no critical section depends on the mask of this interrupt: its handler uses synchronised
    // state only.
    unsafe { NVIC::unmask(interrupt) };
}

/// The interrupt handler of the NIC. The line is a level and stays asserted until the NIC is
/// serviced, so it is masked here. The task unmasks it by [`listen`](super::listen) before it
/// waits.
pub fn nic_interrupt() {
    NVIC::mask(Interrupt::ETHERNET);
    crate::board::handle_nic_interrupt();
}

/// Executes this number of instructions, and two or three more.
pub fn spin(instructions: u32) {
    let turns = (instructions / 2).max(1);
    // SAFETY: the loop changes its register and the flags only.
    unsafe {
        core::arch::asm!("1:", "subs {turns}, {turns}, #1", "bne 1b", turns = inout(reg) turns => _, options(nomem, nostack));
    }
}
