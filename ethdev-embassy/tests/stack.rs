//! embassy-net on the memory NIC, on virtual time.

use std::cell::Cell;
use std::future::Future;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use embassy_net::tcp::TcpSocket;
use embassy_net::udp::{PacketMetadata, UdpSocket};
use embassy_net::{Config, IpAddress, IpEndpoint, Ipv4Cidr, Ipv6Cidr, Stack, StackResources};
use embassy_net::{ConfigV4, ConfigV6, StaticConfigV4, StaticConfigV6};
use embassy_time::Timer;
use ethdev::{Control, MacAddress};
use ethdev_embassy::{EmbassyDriver, Handle, State};
use ethdev_sim::embassy_time::set_clock;
use ethdev_sim::{Clock, RingConfig, RingHandle, RingNic, Side, Wire, WireConfig};
use ethdev_util::{IrqDevice, IrqSignal};

type Nic = IrqDevice<'static, RingNic>;
type Runner = embassy_net::Runner<'static, EmbassyDriver<'static, 'static, Nic>>;

const LIMIT: Duration = Duration::from_secs(3600 * 10);

/// A task that is polled only when it is woken.
struct Task {
    future: Pin<Box<dyn Future<Output = ()>>>,
    woken: Arc<Flag>,
    polls: Rc<Cell<u32>>,
    done: bool,
}

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// An executor on virtual time: the clock moves when no task is woken.
struct Executor {
    clock: Clock,
    tasks: Vec<Task>,
}

impl Executor {
    fn new() -> Self {
        let clock = Clock::new();
        set_clock(&clock);
        Self {
            clock,
            tasks: Vec::new(),
        }
    }

    /// Returns the counter of the polls of the task.
    fn spawn(&mut self, future: impl Future<Output = ()> + 'static) -> Rc<Cell<u32>> {
        let polls = Rc::new(Cell::new(0));
        self.tasks.push(Task {
            future: Box::pin(future),
            woken: Arc::new(Flag(AtomicBool::new(true))),
            polls: polls.clone(),
            done: false,
        });
        polls
    }

    /// Runs until the task that was spawned last has ended.
    fn run(&mut self) {
        loop {
            let mut idle = true;
            for task in &mut self.tasks {
                if task.done || !task.woken.0.swap(false, Ordering::Relaxed) {
                    continue;
                }
                idle = false;
                task.polls.set(task.polls.get() + 1);
                let waker = Waker::from(task.woken.clone());
                task.done = task.future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready();
            }
            if self.tasks.last().is_some_and(|task| task.done) {
                return;
            }
            if idle {
                assert!(self.clock.now() < LIMIT, "timed out");
                assert!(self.clock.step(), "deadlock: no event is left");
            }
        }
    }

    fn run_for(&mut self, secs: u64) {
        self.spawn(Timer::after_secs(secs));
        self.run();
    }
}

/// One end of the wire. Tests leak their memory: it is as `'static` as that of firmware.
struct Host {
    stack: Stack<'static>,
    runner: Runner,
    handle: Handle<'static, 'static, Nic>,
    hardware: RingHandle,
}

/// A stack on a state that `state` makes of the NIC.
fn host(n: u8, (nic, irq): (RingNic, &'static IrqSignal), state: impl FnOnce(Nic) -> State<'static, Nic>) -> Host {
    let hardware = nic.hardware();
    let state = Box::leak(Box::new(state(IrqDevice::new(nic, irq))));
    let (driver, handle) = state.split();
    let mut config = Config::default();
    config.ipv4 = ConfigV4::Static(StaticConfigV4 {
        address: Ipv4Cidr::new(Ipv4Addr::new(10, 0, 0, n), 24),
        gateway: None,
        dns_servers: Default::default(),
    });
    config.ipv6 = ConfigV6::Static(StaticConfigV6 {
        address: Ipv6Cidr::new(address_v6(n), 64),
        gateway: None,
        dns_servers: Default::default(),
    });
    let resources = Box::leak(Box::new(StackResources::<4>::new()));
    let (stack, runner) = embassy_net::new(driver, config, resources, u64::from(n));
    Host {
        stack,
        runner,
        handle,
        hardware,
    }
}

fn address_v6(n: u8) -> Ipv6Addr {
    Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, u16::from(n))
}

fn reply_buffer() -> &'static mut [u8] {
    Box::leak(Box::new([0; 1514]))
}

fn open(nic: Nic) -> State<'static, Nic> {
    State::new(nic, reply_buffer()).unwrap()
}

/// Two NICs on a wire, with `tx` transmit slots.
fn nics(executor: &Executor, tx: usize) -> (Wire, [(RingNic, &'static IrqSignal); 2]) {
    let irqs = [1, 2].map(|_| &*Box::leak(Box::new(IrqSignal::new())));
    let config = |n: u8| {
        RingConfig::new(MacAddress::new([2, 0, 0, 0, 0, n]))
            .with_slots(16, tx)
            .with_irq_signal(irqs[usize::from(n) - 1])
    };
    let (wire, a, b) = RingNic::pair(&executor.clock, WireConfig::default(), config(1), config(2));
    (wire, [(a, irqs[0]), (b, irqs[1])])
}

fn hosts(executor: &Executor, tx: usize) -> (Wire, Host, Host) {
    let (wire, [a, b]) = nics(executor, tx);
    (wire, host(1, a, open), host(2, b, open))
}

async fn serve_tcp_echo(stack: Stack<'static>) {
    let (mut rx, mut tx) = ([0; 4096], [0; 4096]);
    loop {
        let mut socket = TcpSocket::new(stack, &mut rx, &mut tx);
        socket.accept(7).await.unwrap();
        let mut data = [0; 1024];
        while let Ok(len @ 1..) = socket.read(&mut data).await {
            let mut rest = &data[..len];
            while !rest.is_empty() {
                rest = &rest[socket.write(rest).await.unwrap()..];
            }
        }
        socket.close();
        let _ = socket.flush().await;
    }
}

/// Sends `total` bytes to host 1 and checks what comes back.
async fn tcp_client(stack: Stack<'static>, total: usize) {
    let (mut rx, mut tx) = ([0; 4096], [0; 4096]);
    let mut socket = TcpSocket::new(stack, &mut rx, &mut tx);
    socket.connect((Ipv4Addr::new(10, 0, 0, 1), 7)).await.unwrap();
    let (mut reader, mut writer) = socket.split();
    let byte = |at: usize| (at.wrapping_mul(31) >> 3) as u8;
    let write = async {
        let mut sent = 0;
        while sent < total {
            let data: Vec<u8> = (sent..total.min(sent + 700)).map(byte).collect();
            sent += writer.write(&data).await.unwrap();
        }
    };
    let read = async {
        let (mut at, mut data) = (0, [0; 1024]);
        while at < total {
            let len = reader.read(&mut data).await.unwrap();
            assert_ne!(len, 0, "closed after {at} bytes");
            for got in &data[..len] {
                assert_eq!(*got, byte(at), "byte {at}");
                at += 1;
            }
        }
    };
    embassy_futures::join::join(write, read).await;
}

#[test]
fn tcp_echo_one_transmit_slot_is_exact() {
    let mut executor = Executor::new();
    let (wire, mut a, mut b) = hosts(&executor, 1);
    let (stack_a, stack_b, handle) = (a.stack, b.stack, a.handle);
    executor.spawn(async move { a.runner.run().await });
    executor.spawn(async move { b.runner.run().await });
    executor.spawn(serve_tcp_echo(stack_a));
    executor.spawn(tcp_client(stack_b, 200_000));
    executor.run();
    executor.run_for(1);
    let (stats, drops) = (handle.stats().unwrap(), handle.drops().unwrap());
    let counted = u64::from(stats.rx_frames + stats.rx_lost());
    assert_eq!(counted, wire.stats(Side::B).delivered);
    assert_eq!(u64::from(stats.tx_frames), wire.stats(Side::A).sent);
    assert_eq!(handle.errors().unwrap().total(), 0);
    assert_eq!((drops.tx_refused, drops.tx_busy_dropped), (0, 0));
}

#[test]
fn udp_ipv6_reaches_neighbor_only_with_multicast_open() {
    for opened in [true, false] {
        let mut executor = Executor::new();
        let (_wire, [a, b]) = nics(&executor, 4);
        let mut a = host(1, a, |nic| {
            if opened {
                open(nic)
            } else {
                State::with_filter_unchanged(nic, reply_buffer()).unwrap()
            }
        });
        let mut b = host(2, b, open);
        let (stack_a, stack_b) = (a.stack, b.stack);
        executor.spawn(async move { a.runner.run().await });
        executor.spawn(async move { b.runner.run().await });
        let received = Rc::new(Cell::new(false));
        let seen = received.clone();
        executor.spawn(async move {
            let mut memory = (
                [PacketMetadata::EMPTY; 2],
                [0; 256],
                [PacketMetadata::EMPTY; 2],
                [0; 256],
            );
            let mut socket = UdpSocket::new(stack_a, &mut memory.0, &mut memory.1, &mut memory.2, &mut memory.3);
            socket.bind(9).unwrap();
            let mut data = [0; 16];
            let (len, _) = socket.recv_from(&mut data).await.unwrap();
            assert_eq!(&data[..len], b"hello");
            seen.set(true);
        });
        executor.spawn(async move {
            let mut memory = (
                [PacketMetadata::EMPTY; 2],
                [0; 256],
                [PacketMetadata::EMPTY; 2],
                [0; 256],
            );
            let mut socket = UdpSocket::new(stack_b, &mut memory.0, &mut memory.1, &mut memory.2, &mut memory.3);
            socket.bind(9).unwrap();
            let to = IpEndpoint::new(IpAddress::Ipv6(address_v6(1)), 9);
            socket.send_to(b"hello", to).await.unwrap();
            Timer::after_secs(10).await;
        });
        executor.run();
        assert_eq!(received.get(), opened, "multicast open: {opened}");
    }
}

#[test]
fn tcp_timeout_link_down_fires() {
    let mut executor = Executor::new();
    let (wire, mut a, mut b) = hosts(&executor, 4);
    let (stack_a, stack_b, handle, clock) = (a.stack, b.stack, b.handle, executor.clock.clone());
    executor.spawn(async move { a.runner.run().await });
    executor.spawn(async move { b.runner.run().await });
    executor.spawn(serve_tcp_echo(stack_a));
    executor.spawn(async move {
        let (mut rx, mut tx) = ([0; 1024], [0; 1024]);
        let mut socket = TcpSocket::new(stack_b, &mut rx, &mut tx);
        socket.set_timeout(Some(embassy_time::Duration::from_secs(2)));
        socket.connect((Ipv4Addr::new(10, 0, 0, 1), 7)).await.unwrap();
        wire.set_link(false);
        let cut = clock.now();
        socket.write(b"lost").await.unwrap();
        assert!(socket.read(&mut [0; 8]).await.is_err());
        let took = clock.now() - cut;
        assert!(took < Duration::from_secs(4), "the timeout of 2 s fired after {took:?}");
    });
    executor.run();
    assert!(handle.drops().unwrap().tx_link_down > 0);
}

#[test]
fn idle_hour_does_not_wake_runner() {
    let mut executor = Executor::new();
    let (_wire, mut a, mut b) = hosts(&executor, 4);
    let (stack_a, stack_b) = (a.stack, b.stack);
    let polls = executor.spawn(async move { a.runner.run().await });
    executor.spawn(async move { b.runner.run().await });
    executor.spawn(serve_tcp_echo(stack_a));
    executor.spawn(tcp_client(stack_b, 1000));
    executor.run();
    // Until the connection is gone.
    executor.run_for(600);
    let before = polls.get();
    executor.run_for(3600);
    assert_eq!(polls.get() - before, 0);
}

#[test]
fn fault_recovered_through_handle_continues_connection() {
    let mut executor = Executor::new();
    let (_wire, mut a, mut b) = hosts(&executor, 4);
    let (stack_a, stack_b, handle, hardware) = (a.stack, b.stack, a.handle, a.hardware);
    executor.spawn(async move { a.runner.run().await });
    executor.spawn(async move { b.runner.run().await });
    executor.spawn(serve_tcp_echo(stack_a));
    executor.spawn(async move {
        Timer::after_millis(5).await;
        hardware.inject_fault();
        loop {
            Timer::after_millis(100).await;
            if handle.take_error().unwrap().is_some() || handle.service().is_err() {
                handle.with(Control::recover).unwrap();
                return;
            }
        }
    });
    executor.spawn(tcp_client(stack_b, 200_000));
    executor.run();
    assert_eq!(handle.stats().unwrap().recoveries, 1);
}
