//! The host on embassy-net on the LAN9118 of the MPS2 board, its tasks in statics, on the executor
//! of the examples.
#![no_std]
#![no_main]

use core::convert::Infallible;

use ethdev_examples::sys_executor::{AlreadySpawned, Executor, Runtime, Task, future_size};
use ethdev_firmware::app::Failure;
use ethdev_firmware::board::{self, device::interrupt};
use ethdev_firmware::tasks::{self, Net, NicRunner};

static EXECUTOR: Executor = Executor::new();
static NETWORK: Task<{ future_size(network) }> = Task::new();
static SERVICES: Task<{ future_size(services) }> = Task::new();
static HOUSEKEEPING: Task<{ future_size(housekeeping) }> = Task::new();
static CLIENT: Task<{ future_size(client) }> = Task::new();
static SAMPLES: Task<{ future_size(samples) }> = Task::new();
static TIMERS: Task<{ future_size(timers) }> = Task::new();

#[board::entry]
fn main() -> ! {
    let (runner, net) = tasks::start();
    let Some(runtime) = EXECUTOR.take() else {
        tasks::end(&Failure::<Infallible>::Taken)
    };
    if spawn(&runtime, runner, net).is_err() {
        tasks::end(&Failure::<Infallible>::Taken);
    }
    loop {
        runtime.poll();
        board::idle(|| runtime.is_ready());
    }
}

fn spawn(runtime: &Runtime, runner: NicRunner, net: Net) -> Result<(), AlreadySpawned> {
    runtime.spawn(&NETWORK, network(runner))?;
    runtime.spawn(&SERVICES, services(net))?;
    runtime.spawn(&HOUSEKEEPING, housekeeping(net))?;
    runtime.spawn(&CLIENT, client(net))?;
    runtime.spawn(&SAMPLES, samples(()))?;
    runtime.spawn(&TIMERS, timers(()))
}

async fn network(runner: NicRunner) {
    match tasks::network(runner).await {}
}

async fn services(net: Net) {
    match tasks::services("embassy-net on a Cortex-M3, tasks in statics", net).await {}
}

async fn housekeeping(net: Net) {
    match tasks::housekeeping(net).await {}
}

async fn client(net: Net) {
    match tasks::client(net).await {}
}

async fn samples((): ()) {
    match tasks::samples().await {}
}

async fn timers((): ()) {
    match tasks::timers().await {}
}

/// Masks the line and sets the interrupt signal.
#[interrupt]
fn ETHERNET() {
    board::nic_interrupt();
}
