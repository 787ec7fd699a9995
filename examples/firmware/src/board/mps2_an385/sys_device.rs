//! What a crate of the board's peripherals would offer, had it one: its interrupts, with the names and in the shape that `cortex-m-rt` and RTIC look for.
#![allow(unsafe_code, non_camel_case_types)]

use cortex_m::interrupt::InterruptNumber;
pub use cortex_m_rt::interrupt;

pub use self::Interrupt as interrupt;

/// Bits of an interrupt's priority that the processor has.
pub const NVIC_PRIO_BITS: u8 = 3;

/// Interrupts of the board that are used here (ARM DAI 0385, table 3-2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interrupt {
    /// The first serial port's receiver. Nobody uses the port, so that schedulers can have its interrupt.
    UART0_RX,
    /// The NIC's line: active high, level.
    ETHERNET,
}

// SAFETY: numbers of the table, less than the 32 that the processor has, and each variant has one of its own.
unsafe impl InterruptNumber for Interrupt {
    fn number(self) -> u16 {
        match self {
            Self::UART0_RX => 0,
            Self::ETHERNET => 13,
        }
    }
}

/// One of the processor's vectors.
#[derive(Clone, Copy)]
#[repr(C)]
pub union Vector {
    handler: unsafe extern "C" fn(),
    unused: usize,
}

unsafe extern "C" {
    fn UART0_RX();
    fn ETHERNET();
}

/// The board's part of the vector table. Handlers that no program has are the default one: `device.x` says so.
#[unsafe(link_section = ".vector_table.interrupts")]
#[unsafe(no_mangle)]
#[used]
pub static __INTERRUPTS: [Vector; 32] = {
    let mut vectors = [Vector { unused: 0 }; 32];
    vectors[0] = Vector { handler: UART0_RX };
    vectors[13] = Vector { handler: ETHERNET };
    vectors
};
