//! Exceptions and the interrupt controller.
#![allow(unsafe_code)]

use cortex_m::interrupt::InterruptNumber;
use cortex_m::peripheral::NVIC;
use cortex_m_rt::exception;

use super::NIC;

/// Interrupts of the board that are used here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Interrupt {
    /// The NIC's line: active high, level.
    Nic,
}

// SAFETY: 13 is the Ethernet interrupt of the AN385 image (ARM DAI 0385, table 3-2), of 32, and each variant has a number of its own.
unsafe impl InterruptNumber for Interrupt {
    fn number(self) -> u16 {
        match self {
            Self::Nic => 13,
        }
    }
}

/// Forgets what is pending on `interrupt`, and unmasks it.
pub(super) fn unmask(interrupt: Interrupt) {
    NVIC::unpend(interrupt);
    // SAFETY: no critical section depends on this interrupt being masked: its handler touches only a `Doorbell`, which guards itself.
    unsafe { NVIC::unmask(interrupt) };
}

/// All interrupts of the board come here: without a crate of its peripherals there is no table of their names.
///
/// The line is a level and stays up until the device has been looked after, so it is masked here; the loop unmasks it before it sleeps.
// SAFETY: an exception handler is called by the processor alone; it keeps no state of its own.
#[exception]
unsafe fn DefaultHandler(irqn: i16) {
    if i32::from(irqn) == i32::from(Interrupt::Nic.number()) {
        NVIC::mask(Interrupt::Nic);
        super::count_interrupt();
        NIC.ring();
    }
}

/// Ends a sleep in time, and nothing else.
#[exception]
fn SysTick() {}
