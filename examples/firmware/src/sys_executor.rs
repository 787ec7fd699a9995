//! An embassy executor on the main stack that sleeps in `wfi` while no task is ready. The loop of
//! embassy-executor for Cortex-M sleeps in `wfe`.
#![allow(unsafe_code)]

use embassy_executor::raw::Executor;
use ethdev_util::IrqSignal;

use crate::board;

/// Set when a task is ready.
static READY: IrqSignal = IrqSignal::new();

/// Called by the executor when a task is woken, also from interrupts.
// SAFETY: `embassy-executor` declares this symbol with this signature. No platform feature of that
// crate, which would define it too, is enabled.
#[unsafe(export_name = "__pender")]
fn pender(_: *mut ()) {
    READY.signal();
}

/// Runs the tasks indefinitely.
pub fn run(executor: &'static Executor) -> ! {
    loop {
        READY.try_take();
        // SAFETY: called here only, and not from `pender`. This function does not return, so it is called
        // once for an executor.
        unsafe { executor.poll() };
        board::idle(|| READY.is_signaled());
    }
}
