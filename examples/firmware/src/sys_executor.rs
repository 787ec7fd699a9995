//! Running an embassy executor on the main stack, asleep in `wfi` while no task has anything to do. (The executor's own loop for Cortex-M sleeps in `wfe`.)
#![allow(unsafe_code)]

use embassy_executor::raw::Executor;
use ethdev_util::IrqSignal;

use crate::board;

/// Rung when a task has something to do.
static WORK: IrqSignal = IrqSignal::new();

/// What the executor calls when a task is woken, from interrupts too.
// SAFETY: the symbol that `embassy-executor` declares, with its signature; no platform of that crate, which would define it as well, is chosen.
#[unsafe(export_name = "__pender")]
fn pender(_: *mut ()) {
    WORK.signal();
}

/// Runs its tasks for ever.
pub fn run(executor: &'static Executor) -> ! {
    loop {
        WORK.try_take();
        // SAFETY: called here alone, in a function that is called for an executor once since it never returns; and not from `pender`.
        unsafe { executor.poll() };
        board::idle(|| WORK.is_signaled());
    }
}
