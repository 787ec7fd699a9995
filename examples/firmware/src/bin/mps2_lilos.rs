//! The host on embassy-net on the LAN9118 of the MPS2 board, its tasks on the stack of `main`, on
//! lilos.
#![no_std]
#![no_main]

use core::pin::pin;

use ethdev_firmware::board::{self, device::interrupt};
use ethdev_firmware::tasks;
use lilos::exec::{ALL_TASKS, run_tasks_with_idle};

#[board::entry]
fn main() -> ! {
    let (runner, net) = tasks::start();
    let network = pin!(tasks::network(runner));
    let services = pin!(tasks::services("embassy-net on a Cortex-M3, lilos", net));
    let housekeeping = pin!(tasks::housekeeping(net));
    let client = pin!(tasks::client(net));
    let samples = pin!(tasks::samples());
    let timers = pin!(tasks::timers());
    // lilos masks interrupts while it polls and idles: an interrupt after the last poll is pending,
    // and ends the sleep.
    run_tasks_with_idle(
        &mut [network, services, housekeeping, client, samples, timers],
        ALL_TASKS,
        || board::idle(|| false),
    )
}

/// Masks the line and sets the interrupt signal.
#[interrupt]
fn ETHERNET() {
    board::nic_interrupt();
}
