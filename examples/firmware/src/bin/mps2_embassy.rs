//! The node on the LAN9118 of the MPS2 board, on an embassy executor: one task moves frames between
//! the NIC and a frame channel, another one runs the node on the endpoint of the channel.
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
use ethdev_firmware::nic::{self, Nic};
use ethdev_firmware::sys_executor::run;
use ethdev_smoltcp::{Lending, SmoltcpDevice};
use ethdev_util::IrqSignal;
use ethdev_util::asynch::{BlockingAsync, Wake};
use ethdev_util::channel::{Channel, Endpoint, Runner};
use semihosting::{println, process};
use static_cell::{ConstStaticCell, StaticCell};

/// Length of the queues, in frames.
const QUEUE: usize = 4;

type Device = BlockingAsync<Nic, IrqLine>;
type NicRunner = Runner<'static, 'static, Device, QUEUE, QUEUE>;
type NodeEnd = Endpoint<'static, 'static, QUEUE, QUEUE>;
type NicError = <Nic as ErrorType>::Error;

static CHANNEL: StaticCell<Channel<'static, QUEUE, QUEUE>> = StaticCell::new();
static RX: ConstStaticCell<[[u8; FRAME]; QUEUE]> = ConstStaticCell::new([[0; FRAME]; QUEUE]);
static TX: ConstStaticCell<[[u8; FRAME]; QUEUE]> = ConstStaticCell::new([[0; FRAME]; QUEUE]);
static REPLY: ConstStaticCell<[u8; FRAME]> = ConstStaticCell::new([0; FRAME]);
static EXECUTOR: StaticCell<Executor> = StaticCell::new();

#[board::entry]
fn main() -> ! {
    let (runner, endpoint) = match start() {
        Ok(ends) => ends,
        Err(failure) => end(&failure),
    };
    let irq = endpoint.irq_signal();
    let Some(reply) = REPLY.try_take() else {
        end(&Failure::<Infallible>::Taken)
    };
    let device = SmoltcpDevice::lending(endpoint, reply);
    let app = match App::new("ethdev on a Cortex-M3, embassy", device, irq, |_| Duration::MAX) {
        Ok(app) => app,
        Err(failure) => end(&failure),
    };
    let executor = EXECUTOR.init(Executor::new(core::ptr::null_mut()));
    match (move_frames(runner), node(app, irq)) {
        (Ok(frames), Ok(node)) => {
            executor.spawner().spawn(frames);
            executor.spawner().spawn(node);
        }
        _ => end(&Failure::<Infallible>::Taken),
    }
    run(executor)
}

fn start() -> Result<(NicRunner, NodeEnd), Failure<NicError>> {
    let board = Board::take().ok_or(Failure::Taken)?;
    let device = BlockingAsync::new(nic::new(board).map_err(Failure::Start)?, IrqLine);
    let (rx, tx) = RX.try_take().zip(TX.try_take()).ok_or(Failure::Taken)?;
    Ok(CHANNEL.init(Channel::new()).split(device, rx, tx))
}

/// The task of the NIC.
#[embassy_executor::task]
async fn move_frames(mut runner: NicRunner) {
    loop {
        let Err(e) = runner.run().await;
        println!("NIC: {e}");
        if let Err(e) = runner.inner_mut().recover() {
            end(&Failure::Recovery(e));
        }
    }
}

/// The task of the node.
#[embassy_executor::task]
async fn node(mut app: App<NodeEnd, Lending>, irq: &'static IrqSignal) {
    loop {
        match app.turn() {
            Ok(Next::Now) => yield_now().await,
            Ok(Next::Wait(timeout)) => {
                board::wake_in(timeout, irq);
                irq.wait().await;
            }
            // Errors of the NIC are handled by the other task.
            Err(e) => println!("NIC: {e}"),
        }
    }
}

/// The interrupt line of the NIC: a level, which must be unmasked at the processor before each
/// wait.
struct IrqLine;

impl Wake<Nic> for IrqLine {
    fn prepare(&mut self, device: &mut Nic) -> Result<(), NicError> {
        board::NIC.try_take();
        device.disarm()
    }

    async fn wait(&mut self, device: &mut Nic, interest: Interest) -> Result<(), NicError> {
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

/// Masks the line and sets the interrupt signal.
#[interrupt]
fn ETHERNET() {
    board::nic_interrupt();
}

fn end(failure: &Failure<impl fmt::Display + fmt::Debug>) -> ! {
    println!("failed: {failure}");
    process::exit(1)
}
