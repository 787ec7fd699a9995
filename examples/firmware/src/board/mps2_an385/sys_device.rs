//! The interrupts of the board, in the form of a peripheral access crate for `cortex-m-rt` and
//! RTIC.
#![allow(unsafe_code, non_camel_case_types)]

use cortex_m::interrupt::InterruptNumber;
pub use cortex_m_rt::interrupt;

pub use self::Interrupt as interrupt;

/// Number of interrupt priority bits of the processor.
pub const NVIC_PRIO_BITS: u8 = 3;

/// Interrupts of the board that are used here (ARM DAI 0385, table 3-2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interrupt {
    /// The receiver of the first serial port. The port is not used, so that schedulers can use its
    /// interrupt.
    UART0_RX,
    /// The interrupt of the NIC: level, active high.
    ETHERNET,
}

// SAFETY: numbers of the table, less than the 32 of the processor, one per variant.
unsafe impl InterruptNumber for Interrupt {
    fn number(self) -> u16 {
        match self {
            Self::UART0_RX => 0,
            Self::ETHERNET => 13,
        }
    }
}

/// An interrupt vector.
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

/// The vector table of the board. `device.x` sets the default handler for interrupts without one.
#[unsafe(link_section = ".vector_table.interrupts")]
#[unsafe(no_mangle)]
#[used]
pub static __INTERRUPTS: [Vector; 32] = {
    let mut vectors = [Vector { unused: 0 }; 32];
    vectors[0] = Vector { handler: UART0_RX };
    vectors[13] = Vector { handler: ETHERNET };
    vectors
};
