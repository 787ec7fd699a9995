//! The static library of one driver, for firmware in C: `include/ethdev_lan9118.h`.
#![no_std]

mod board;
mod sys;

/// Stops the processor. No input reaches a panic; see the README of `ethdev-capi`.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    cortex_m::asm::udf()
}
