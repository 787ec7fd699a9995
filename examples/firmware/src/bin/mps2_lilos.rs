//! The tasks of the node on the LAN9118 of the MPS2 board, on the stack of `main`, on lilos.
#![no_std]
#![no_main]

use core::pin::pin;

use ethdev_firmware::board::{self, device::interrupt};
use ethdev_firmware::tasks;
use lilos::exec::{ALL_TASKS, run_tasks_with_idle};

#[board::entry]
fn main() -> ! {
    let (runner, app) = tasks::start("ethdev on a Cortex-M3, lilos");
    let frames = pin!(tasks::move_frames(runner));
    let node = pin!(tasks::node(app));
    // lilos masks interrupts while it polls and idles: an interrupt after the last poll is pending,
    // and ends the sleep.
    run_tasks_with_idle(&mut [frames, node], ALL_TASKS, || board::idle(|| false))
}

/// Masks the line and sets the interrupt signal.
#[interrupt]
fn ETHERNET() {
    board::nic_interrupt();
}
