//! The node in two tasks, for any executor: one moves frames between the NIC and a frame channel,
//! the other runs the node on the endpoint of the channel.

use core::convert::Infallible;
use core::fmt;
use core::time::Duration;

use embassy_futures::yield_now;
use ethdev::{Control, ErrorType, Interest, Rearm, RearmOutcome};
use ethdev_smoltcp::{Lending, SmoltcpDevice};
use ethdev_util::IrqSignal;
use ethdev_util::asynch::{BlockingAsync, Wake};
use ethdev_util::channel::{Channel, Endpoint, Runner};
use semihosting::{println, process};
use static_cell::{ConstStaticCell, StaticCell};

use crate::app::{App, FRAME, Failure, Next};
use crate::board::{self, Board};
use crate::nic::{self, Nic};

/// Length of the queues, in frames.
const QUEUE: usize = 4;

type Device = BlockingAsync<Nic, IrqLine>;
type NodeEnd = Endpoint<'static, 'static, QUEUE, QUEUE>;
type NicError = <Nic as ErrorType>::Error;

/// The NIC and its end of the channel.
pub type NicRunner = Runner<'static, 'static, Device, QUEUE, QUEUE>;
/// The node and its end of the channel.
pub type NodeApp = (App<NodeEnd, Lending>, &'static IrqSignal);

static CHANNEL: StaticCell<Channel<'static, QUEUE, QUEUE>> = StaticCell::new();
static RX: ConstStaticCell<[[u8; FRAME]; QUEUE]> = ConstStaticCell::new([[0; FRAME]; QUEUE]);
static TX: ConstStaticCell<[[u8; FRAME]; QUEUE]> = ConstStaticCell::new([[0; FRAME]; QUEUE]);
static REPLY: ConstStaticCell<[u8; FRAME]> = ConstStaticCell::new([0; FRAME]);

/// Creates both ends, once. Ends the program if that fails.
pub fn start(name: &'static str) -> (NicRunner, NodeApp) {
    let (runner, endpoint) = match connect() {
        Ok(ends) => ends,
        Err(failure) => end(&failure),
    };
    let irq = endpoint.irq_signal();
    let Some(reply) = REPLY.try_take() else {
        end(&Failure::<Infallible>::Taken)
    };
    let device = SmoltcpDevice::lending(endpoint, reply);
    match App::new(name, device, irq, |_| Duration::MAX) {
        Ok(app) => (runner, (app, irq)),
        Err(failure) => end(&failure),
    }
}

fn connect() -> Result<(NicRunner, NodeEnd), Failure<NicError>> {
    let board = Board::take().ok_or(Failure::Taken)?;
    let device = BlockingAsync::new(nic::new(board).map_err(Failure::Start)?, IrqLine);
    let (rx, tx) = RX.try_take().zip(TX.try_take()).ok_or(Failure::Taken)?;
    Ok(CHANNEL.init(Channel::new()).split(device, rx, tx))
}

/// The task of the NIC.
pub async fn move_frames(mut runner: NicRunner) -> Infallible {
    loop {
        let Err(e) = runner.run().await;
        println!("NIC: {e}");
        if let Err(e) = runner.inner_mut().recover() {
            end(&Failure::Recovery(e));
        }
    }
}

/// The task of the node.
pub async fn node((mut app, irq): NodeApp) -> Infallible {
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
#[derive(Debug)]
pub struct IrqLine;

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

/// Prints the failure, and ends the program.
pub fn end(failure: &Failure<impl fmt::Display + fmt::Debug>) -> ! {
    println!("failed: {failure}");
    process::exit(1)
}
