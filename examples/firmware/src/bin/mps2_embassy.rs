//! The node on the MPS2 board's LAN9118, under an embassy executor: one task moves frames between the NIC and a pump, another one is the node on the pump's other
//! end. Neither knows of the other.
#![no_std]
#![no_main]

use core::convert::Infallible;
use core::fmt;
use core::time::Duration;

use embassy_executor::raw::Executor;
use embassy_futures::yield_now;
use ethdev::{Control, ErrorType, Interest, Rearm, RearmOutcome};
use ethdev_firmware::app::{App, FRAME, Failure, Next};
use ethdev_firmware::board::{self, Board, device::interrupt};
use ethdev_firmware::nic::{self, Port};
use ethdev_firmware::sys_executor::run;
use ethdev_util::IrqSignal;
use ethdev_util::asynch::{BlockingAsync, Waiter};
use ethdev_util::channel::{Channel, Endpoint, Runner};
use semihosting::{println, process};
use static_cell::{ConstStaticCell, StaticCell};

/// Frames that wait in each direction.
const QUEUE: usize = 4;

type Ends = (
    Runner<'static, 'static, BlockingAsync<Port, Line>, QUEUE, QUEUE>,
    Endpoint<'static, 'static, QUEUE, QUEUE>,
);
type PortError = <Port as ErrorType>::Error;

static PUMP: StaticCell<Channel<'static, QUEUE, QUEUE>> = StaticCell::new();
static RX: ConstStaticCell<[[u8; FRAME]; QUEUE]> = ConstStaticCell::new([[0; FRAME]; QUEUE]);
static TX: ConstStaticCell<[[u8; FRAME]; QUEUE]> = ConstStaticCell::new([[0; FRAME]; QUEUE]);
static EXECUTOR: StaticCell<Executor> = StaticCell::new();

#[board::entry]
fn main() -> ! {
    let (runner, stack) = match start() {
        Ok(ends) => ends,
        Err(failure) => end(&failure),
    };
    let bell = stack.irq_signal();
    let app = match App::new("ethdev on a Cortex-M3, embassy", stack, bell, |_| Duration::MAX) {
        Ok(app) => app,
        Err(failure) => end(&failure),
    };
    let executor = EXECUTOR.init(Executor::new(core::ptr::null_mut()));
    match (move_frames(runner), node(app, bell)) {
        (Ok(frames), Ok(node)) => {
            executor.spawner().spawn(frames);
            executor.spawner().spawn(node);
        }
        _ => end(&Failure::<Infallible>::Taken),
    }
    run(executor)
}

fn start() -> Result<Ends, Failure<PortError>> {
    let board = Board::take().ok_or(Failure::Taken)?;
    let device = BlockingAsync::new(nic::port(board).map_err(Failure::Start)?, Line);
    let (rx, tx) = RX.try_take().zip(TX.try_take()).ok_or(Failure::Taken)?;
    Ok(PUMP.init(Channel::new()).split(device, rx, tx))
}

/// The device's end.
#[embassy_executor::task]
async fn move_frames(mut runner: Runner<'static, 'static, BlockingAsync<Port, Line>, QUEUE, QUEUE>) {
    loop {
        let Err(e) = runner.run().await;
        println!("NIC: {e}");
        if let Err(e) = runner.inner_mut().recover() {
            end(&Failure::Recovery(e));
        }
    }
}

/// The stack's end.
#[embassy_executor::task]
async fn node(mut app: App<Endpoint<'static, 'static, QUEUE, QUEUE>>, bell: &'static IrqSignal) {
    loop {
        match app.turn() {
            Ok(Next::Now) => yield_now().await,
            Ok(Next::Wait(at_most)) => {
                board::wake_in(at_most, bell);
                bell.wait().await;
            }
            // What the device says is told by the other task.
            Err(e) => println!("NIC: {e}"),
        }
    }
}

/// The NIC's interrupt line: a level, which has to be unmasked at the processor too before it is waited for.
struct Line;

impl Waiter<Port> for Line {
    fn prepare(&mut self, device: &mut Port) -> Result<(), PortError> {
        board::NIC.take();
        device.disarm()
    }

    async fn wait(&mut self, device: &mut Port, interest: Interest) -> Result<(), PortError> {
        match device.rearm(interest)? {
            RearmOutcome::Armed => {
                board::listen();
                board::wake_in(device.next_service(), &board::NIC);
                board::NIC.wait().await;
            }
            RearmOutcome::WorkPending => yield_now().await,
        }
        Ok(())
    }
}

/// Rings the interrupt signal, and does nothing else.
#[interrupt]
fn ETHERNET() {
    board::nic_interrupt();
}

fn end(failure: &Failure<impl fmt::Display + fmt::Debug>) -> ! {
    println!("failed: {failure}");
    process::exit(1)
}
