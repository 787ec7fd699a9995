//! The host on embassy-net in tasks, for any executor: the stack, its services, housekeeping of the
//! NIC, a client that reports samples, and the timers.

use core::convert::Infallible;
use core::fmt;

use embassy_net::{Ipv4Address, Ipv4Cidr, Runner, Stack, StackResources, StaticConfigV4};
use embassy_time::Timer;
use ethdev::{Control, ErrorType, EthernetDevice, Interest, Rearm, RearmOutcome, Stats};
use ethdev_embassy::{EmbassyDriver, Handle, State};
use ethdev_examples::apps::report::{self, Samples};
use ethdev_examples::apps::{HTTP_CONNECTIONS, Status, Storage, embassy, socket_slots};
use ethdev_util::{Buffered, IrqDevice};
use semihosting::{println, process};
use static_cell::{ConstStaticCell, StaticCell};

use crate::app::{FRAME, Failure};
use crate::board::{self, Board};
use crate::nic::{self, Nic};
use crate::report::Report;

/// Window of the TCP echo, in bytes.
const TCP: usize = 4096;
/// Of the host, and one of the client.
const SOCKETS: usize = socket_slots(HTTP_CONNECTIONS) + 1;
/// The address of the guest and of the gateway in the user network of QEMU.
const ADDRESS: Ipv4Cidr = Ipv4Cidr::new(Ipv4Address::new(10, 0, 2, 15), 24);
const GATEWAY: Ipv4Address = Ipv4Address::new(10, 0, 2, 2);
/// The address at which xtask serves the client.
const SERVER: Ipv4Address = Ipv4Address::new(10, 0, 2, 100);
/// The longest interval between two calls of `service`, which also reports.
const HOUSEKEEPING: embassy_time::Duration = embassy_time::Duration::from_millis(100);

/// The NIC with its buffers and its interrupt.
pub type Device = IrqDevice<'static, Buffered<'static, Line>>;
type NicHandle = Handle<'static, 'static, Device>;
/// The runner of the stack.
pub type NicRunner = Runner<'static, EmbassyDriver<'static, 'static, Device>>;
type NicError = <Nic as ErrorType>::Error;

static FRAMES: ConstStaticCell<[[u8; FRAME]; 3]> = ConstStaticCell::new([[0; FRAME]; 3]);
static STATE: StaticCell<State<'static, Device>> = StaticCell::new();
static RESOURCES: StaticCell<StackResources<SOCKETS>> = StaticCell::new();
static STORAGE: ConstStaticCell<Storage<TCP>> = ConstStaticCell::new(Storage::new());
static CLIENT: ConstStaticCell<[[u8; 64]; 2]> = ConstStaticCell::new([[0; 64]; 2]);
static SAMPLES: Samples = Samples::new();

/// What the tasks need.
#[derive(Clone, Copy)]
pub struct Net {
    stack: Stack<'static>,
    handle: NicHandle,
}

/// Creates the stack on the NIC, once. Ends the program if that fails.
#[must_use]
pub fn start() -> (NicRunner, Net) {
    match connect() {
        Ok(started) => started,
        Err(failure) => end(&failure),
    }
}

fn connect() -> Result<(NicRunner, Net), Failure<NicError>> {
    let board = Board::take().ok_or(Failure::Taken)?;
    let nic = nic::new(board).map_err(Failure::Start)?;
    let mac = nic.mac_address();
    let [rx, tx, reply] = FRAMES.try_take().ok_or(Failure::Taken)?;
    let device = IrqDevice::new(Buffered::new(Line(nic), rx, tx), &board::NIC);
    let state = State::new(device, reply).map_err(Failure::Start)?;
    let (driver, handle) = STATE.init(state).split();
    let config = embassy_net::Config::ipv4_static(StaticConfigV4 {
        address: ADDRESS,
        gateway: Some(GATEWAY),
        dns_servers: Default::default(),
    });
    let resources = RESOURCES.init(StackResources::new());
    let (stack, runner) = embassy_net::new(driver, config, resources, crate::app::seed(mac, board::now()));
    println!("serving on {} as {mac}", ADDRESS.address());
    Ok((runner, Net { stack, handle }))
}

/// The task of the stack. It is one of its own, because embassy-net wakes it on each access to a
/// socket.
pub async fn network(mut runner: NicRunner) -> Infallible {
    runner.run().await
}

/// The task of the services. `name` is the title of the page.
pub async fn services(name: &'static str, Net { stack, handle }: Net) -> Infallible {
    let Some(storage) = STORAGE.try_take() else {
        end(&Failure::<Infallible>::Taken)
    };
    let status = || {
        let status = handle.with(|nic| Ok(Status::of(nic, board::now())));
        // The services run outside of turns of the stack.
        status.unwrap_or_else(|e| end(&Failure::Start(e)))
    };
    embassy::services(stack, name, status, storage).await
}

/// The task that services, recovers and reports the NIC.
pub async fn housekeeping(Net { handle, .. }: Net) -> Infallible {
    let interval = handle.with(|nic| Ok(nic.capabilities().max_service_interval));
    let interval = interval.ok().flatten().and_then(|interval| interval.try_into().ok());
    let interval = interval.unwrap_or(HOUSEKEEPING).min(HOUSEKEEPING);
    let mut report = Report::default();
    loop {
        let error = handle.service().err().or_else(|| handle.take_error().ok().flatten());
        if let Some(e) = error {
            println!("NIC: {e}");
            if ethdev::Error::kind(&e) == ethdev::ErrorKind::Fault
                && let Err(e) = handle.with(Control::recover)
            {
                end(&Failure::Recovery(e));
            }
        }
        if let (Ok(link), Ok(stats), Ok(errors)) = (handle.link(), handle.stats(), handle.errors()) {
            report.print(board::now(), link, &stats, errors.total());
        }
        Timer::after(interval).await;
    }
}

/// The task that takes samples.
pub async fn samples() -> Infallible {
    SAMPLES.take().await
}

/// The task that reports samples to a server.
pub async fn client(Net { stack, handle }: Net) -> Infallible {
    let Some(buffers) = CLIENT.try_take() else {
        end(&Failure::<Infallible>::Taken)
    };
    let stats = || handle.stats().unwrap_or(Stats::ZERO);
    let server = (SERVER, report::PORT).into();
    embassy::report(stack, server, buffers, &SAMPLES, stats, |event| {
        println!("client: {event}")
    })
    .await
}

/// The task of the timers.
pub async fn timers() -> Infallible {
    crate::sys_time::run().await
}

/// The NIC and its interrupt line: a level, which must be unmasked at the processor before each
/// wait.
#[derive(Debug)]
pub struct Line(Nic);

impl ErrorType for Line {
    type Error = NicError;
}

impl EthernetDevice for Line {
    ethdev::forward_ethernet_device!(|this| this.0);
}

impl Control for Line {
    ethdev::forward_control!(|this| this.0);
}

impl Rearm for Line {
    ethdev::forward_rearm!(|this| this.0; disarm);

    fn rearm(&mut self, interest: Interest) -> Result<RearmOutcome, NicError> {
        let outcome = self.0.rearm(interest)?;
        board::listen();
        Ok(outcome)
    }
}

/// Prints the failure, and ends the program.
pub fn end(failure: &Failure<impl fmt::Display + fmt::Debug>) -> ! {
    println!("failed: {failure}");
    process::exit(1)
}
