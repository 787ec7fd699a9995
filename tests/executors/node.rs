//! The node of the examples behind a frame channel, and a client behind another one.

use std::cell::Cell;
use std::convert::Infallible;
use std::rc::Rc;
use std::time::Duration;

use ethdev::asynch::EthernetDevice;
use ethdev::{Control, LendingDevice, MacAddress, RxFilter};
use ethdev_examples::apps::{Config, Node, Slots, Storage};
use ethdev_sim::{Clock, RingConfig, RingNic, SimDelay, WireConfig};
use ethdev_smoltcp::{PollAt, SmoltcpDevice};
use ethdev_util::IrqSignal;
use ethdev_util::asynch::BlockingAsync;
use ethdev_util::channel::{Channel, Endpoint, Runner};
use futures_lite::future;
use smoltcp::iface::{Config as InterfaceConfig, Interface, SocketSet, SocketStorage};
use smoltcp::socket::tcp;
use smoltcp::time::Instant;
use smoltcp::wire::{IpCidr, Ipv4Address, Ipv4Cidr};

use crate::hosts::Host;
use crate::tasks::{End, time};

const NODE: Ipv4Address = Ipv4Address::new(192, 168, 69, 1);
const CLIENT: Ipv4Address = Ipv4Address::new(192, 168, 69, 2);
/// Bytes that are echoed.
const LEN: usize = 100_000;
/// Number of echoed bytes between calls of `Control` methods.
const COMMAND_EVERY: usize = 10_000;
/// Short queues, which are often full.
const QUEUE: usize = 2;

type Side = Endpoint<'static, 'static, QUEUE, QUEUE>;

fn instant(clock: &Clock) -> Instant {
    Instant::from_micros(i64::try_from(clock.now().as_micros()).expect("the simulated time fits"))
}

/// Sleeps until the device is ready, or until the deadline of the stack.
async fn sleep(poll_at: PollAt, stack: &mut Side, clock: &Clock) {
    let PollAt::Wait { until, interest } = poll_at else {
        return future::yield_now().await;
    };
    let alarm = async {
        match until {
            Some(at) => {
                SimDelay::new(clock)
                    .until(Duration::from_micros(at.total_micros().unsigned_abs()))
                    .await;
            }
            None => future::pending().await,
        }
    };
    let device = async {
        stack.ready(interest).await;
    };
    future::or(device, alarm).await;
}

/// The task of the node.
async fn serve(stack: Side, clock: Clock, echoed: Rc<Cell<u64>>) {
    let (mut reply, mut storage, mut slots) = ([0; 1514], Box::new(Storage::<4096>::new()), Slots::new());
    let mut device = SmoltcpDevice::lending(stack, &mut reply);
    let config = Config {
        name: "executors",
        addresses: &[IpCidr::Ipv4(Ipv4Cidr::new(NODE, 24))],
        gateway: None,
        seed: 1,
    };
    let mut node = Node::new(&config, &mut device, instant(&clock), &mut storage, &mut slots).expect("a valid node");
    loop {
        node.poll(instant(&clock), &mut device)
            .expect("a channel does not fail");
        echoed.set(node.served().tcp_echoed);
        let poll_at = node.poll_at(instant(&clock), &mut device);
        sleep(poll_at, device.inner_mut(), &clock).await;
    }
}

/// The task of the client: sends data, receives the echo, and checks each byte.
async fn run_client(stack: Side, clock: Clock, command: &'static IrqSignal, end: End) {
    let mut reply = [0; 1514];
    let mut device = SmoltcpDevice::lending(stack, &mut reply);
    let mut config = InterfaceConfig::new(device.hardware_address());
    config.random_seed = 2;
    let mut iface = Interface::new(config, &mut device, instant(&clock));
    iface.update_ip_addrs(|addresses| addresses.extend([IpCidr::Ipv4(Ipv4Cidr::new(CLIENT, 24))]));
    let (mut rx, mut tx, mut slots) = ([0; 8192], [0; 8192], [SocketStorage::EMPTY]);
    let mut sockets = SocketSet::new(&mut slots[..]);
    let handle = sockets.add(tcp::Socket::new(
        tcp::SocketBuffer::new(&mut rx[..]),
        tcp::SocketBuffer::new(&mut tx[..]),
    ));
    sockets
        .get_mut::<tcp::Socket<'_>>(handle)
        .connect(iface.context(), (NODE, 7), 50_000)
        .expect("the connection is open");

    let byte = |at: usize| (at * 31 + at / 251) as u8;
    let (mut sent, mut received, mut commands) = (0, 0, 0);
    loop {
        device.service().expect("a channel does not fail");
        iface.poll(instant(&clock), &mut device, &mut sockets);
        let socket = sockets.get_mut::<tcp::Socket<'_>>(handle);
        assert!(socket.is_open(), "connection lost");
        while sent < LEN && socket.can_send() {
            sent += socket
                .send(|room| {
                    let len = room.len().min(LEN - sent);
                    for (i, place) in room[..len].iter_mut().enumerate() {
                        *place = byte(sent + i);
                    }
                    (len, len)
                })
                .expect("the connection is open");
        }
        while socket.can_recv() {
            received += socket
                .recv(|data| {
                    for (i, got) in data.iter().enumerate() {
                        assert_eq!(*got, byte(received + i), "byte {}", received + i);
                    }
                    (data.len(), data.len())
                })
                .expect("the connection is open");
        }
        if received == LEN {
            break;
        }
        if received / COMMAND_EVERY > commands {
            commands = received / COMMAND_EVERY;
            command.signal();
        }
        let poll_at = device.poll_at(&mut iface, &sockets, instant(&clock));
        sleep(poll_at, device.inner_mut(), &clock).await;
    }
    end.signal();
}

/// The task of a device.
async fn run_device<D: EthernetDevice>(mut runner: Runner<'static, 'static, D, QUEUE, QUEUE>) {
    let Err(e) = runner.run().await;
    panic!("the device failed: {e:?}");
}

/// The task of a device that is configured while it runs: each command drops the future of the
/// runner, calls a `Control` method, and starts the runner again.
async fn run_and_configure<D>(
    mut runner: Runner<'static, 'static, D, QUEUE, QUEUE>,
    command: &'static IrqSignal,
    configured: Rc<Cell<usize>>,
) where
    D: EthernetDevice + Control,
{
    enum Event<E> {
        Run(Result<Infallible, E>),
        Command,
    }
    loop {
        let run = async { Event::Run(runner.run().await) };
        let commanded = async {
            command.wait().await;
            Event::Command
        };
        match future::or(run, commanded).await {
            Event::Run(Err(e)) => panic!("the device failed: {e:?}"),
            Event::Run(Ok(never)) => match never {},
            Event::Command => {
                let filter = RxFilter::DEFAULT.with_broadcast(true);
                runner.inner_mut().set_rx_filter(filter).expect("a valid filter");
                configured.set(configured.get() + 1);
            }
        }
    }
}

fn channel<D: EthernetDevice>(device: D) -> (Runner<'static, 'static, D, QUEUE, QUEUE>, Side) {
    let frames = || Box::leak(Box::new([[0; 1514]; QUEUE]));
    Box::leak(Box::new(Channel::new())).split(device, frames(), frames())
}

pub(crate) fn client_and_node(run: Host) {
    fn is_lending<D: LendingDevice>(_: &D) {}

    let (clock, end) = (Clock::new(), End::default());
    let [irq, command]: [&'static IrqSignal; 2] = [(); 2].map(|()| &*Box::leak(Box::new(IrqSignal::new())));
    let config = |n: u8| RingConfig::new(MacAddress::new([2, 0, 0, 0, 0, n])).with_slots(4, 2);
    let (wire, with_interrupt, with_polling) =
        RingNic::pair(&clock, WireConfig::default(), config(1).with_irq_signal(irq), config(2));
    let (node_runner, node_side) = channel(BlockingAsync::with_interrupt(with_interrupt, irq));
    let (client_runner, client_side) = channel(BlockingAsync::with_polling(
        with_polling,
        SimDelay::new(&clock),
        Duration::from_micros(50),
    ));
    is_lending(&node_side);
    let (echoed, configured) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
    run(vec![
        end.until(run_and_configure(node_runner, command, configured.clone())),
        end.until(serve(node_side, clock.clone(), echoed.clone())),
        end.until(run_device(client_runner)),
        end.until(run_client(client_side, clock.clone(), command, end.clone())),
        Box::pin(time(clock, end)),
    ]);
    drop(wire);
    assert_eq!(echoed.get(), LEN as u64);
    assert!(
        configured.get() >= LEN / COMMAND_EVERY - 1,
        "configured {} times",
        configured.get()
    );
}
