//! The interrupt controller.
#![allow(unsafe_code)]

use cortex_m::peripheral::NVIC;

use super::sys_device::Interrupt;

/// Forgets what is pending on `interrupt`, and unmasks it.
pub(super) fn unmask(interrupt: Interrupt) {
    NVIC::unpend(interrupt);
    // SAFETY: no critical section depends on this interrupt being masked: its handler touches only what guards itself.
    unsafe { NVIC::unmask(interrupt) };
}

/// What the handler of the NIC's interrupt has to do. The line is a level and stays up until the NIC has been looked after, so it is masked here; who waits for it
/// unmasks it by [`listen`](super::listen).
pub fn nic_interrupt() {
    NVIC::mask(Interrupt::ETHERNET);
    crate::board::nic_has_rung();
}

/// Does nothing for so many instructions, and two or three.
pub fn spin(instructions: u32) {
    let turns = (instructions / 2).max(1);
    // SAFETY: the loop changes nothing but its own register, and the flags.
    unsafe {
        core::arch::asm!("1:", "subs {turns}, {turns}, #1", "bne 1b", turns = inout(reg) turns => _, options(nomem, nostack));
    }
}
