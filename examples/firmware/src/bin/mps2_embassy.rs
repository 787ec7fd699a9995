//! The tasks of the node on the LAN9118 of the MPS2 board, on an embassy executor.
#![no_std]
#![no_main]

use core::convert::Infallible;

use embassy_executor::raw::Executor;
use ethdev_firmware::app::Failure;
use ethdev_firmware::board::{self, device::interrupt};
use ethdev_firmware::sys_executor::run;
use ethdev_firmware::tasks::{self, NicRunner, NodeApp};
use static_cell::StaticCell;

static EXECUTOR: StaticCell<Executor> = StaticCell::new();

#[board::entry]
fn main() -> ! {
    let (runner, app) = tasks::start("ethdev on a Cortex-M3, embassy");
    let executor = EXECUTOR.init(Executor::new(core::ptr::null_mut()));
    match (move_frames(runner), node(app)) {
        (Ok(frames), Ok(node)) => {
            executor.spawner().spawn(frames);
            executor.spawner().spawn(node);
        }
        _ => tasks::end(&Failure::<Infallible>::Taken),
    }
    run(executor)
}

#[embassy_executor::task]
async fn move_frames(runner: NicRunner) {
    match tasks::move_frames(runner).await {}
}

#[embassy_executor::task]
async fn node(app: NodeApp) {
    match tasks::node(app).await {}
}

/// Masks the line and sets the interrupt signal.
#[interrupt]
fn ETHERNET() {
    board::nic_interrupt();
}
