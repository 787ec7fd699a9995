//! The tasks of the node on the LAN9118 of the MPS2 board, in statics, on the executor of the
//! examples.
#![no_std]
#![no_main]

use core::convert::Infallible;

use ethdev_examples::sys_executor::{Executor, Task, future_size};
use ethdev_firmware::app::Failure;
use ethdev_firmware::board::{self, device::interrupt};
use ethdev_firmware::tasks::{self, NicRunner, NodeApp};

static EXECUTOR: Executor = Executor::new();
static MOVE_FRAMES: Task<{ future_size(move_frames) }> = Task::new();
static NODE: Task<{ future_size(node) }> = Task::new();

#[board::entry]
fn main() -> ! {
    let (runner, app) = tasks::start("ethdev on a Cortex-M3, tasks in statics");
    let Some(runtime) = EXECUTOR.take() else {
        tasks::end(&Failure::<Infallible>::Taken)
    };
    let spawned = [
        runtime.spawn(&MOVE_FRAMES, move_frames(runner)),
        runtime.spawn(&NODE, node(app)),
    ];
    if spawned.iter().any(Result::is_err) {
        tasks::end(&Failure::<Infallible>::Taken);
    }
    loop {
        runtime.poll();
        board::idle(|| runtime.is_ready());
    }
}

async fn move_frames(runner: NicRunner) {
    match tasks::move_frames(runner).await {}
}

async fn node(app: NodeApp) {
    match tasks::node(app).await {}
}

/// Masks the line and sets the interrupt signal.
#[interrupt]
fn ETHERNET() {
    board::nic_interrupt();
}
