//! embassy-net on both ways to an SPI device, at the two ends of one wire: the blocking driver with
//! buffers in front of it, and the async driver behind a channel.

use std::net::Ipv4Addr;
use std::time::Duration;

use embassy_net::tcp::TcpSocket;
use embassy_net::{Config, Ipv4Cidr, Runner, Stack, StackResources, StaticConfigV4};
use embassy_time::Timer;
use enc28j60_model::{ChipConfig, Enc28j60Chip, Revision, SimSpi};
use ethdev::asynch::Control as _;
use ethdev::{Control, Error as _, ErrorKind, MacAddress, Multicast, RxFilter, Speed};
use ethdev_embassy::{EmbassyDriver, ErrorCounts, Handle, State};
use ethdev_enc28j60::asynch::{self, EdgeIrq};
use ethdev_enc28j60::{Config as NicConfig, Enc28j60};
use ethdev_sim::embassy_time::set_clock;
use ethdev_sim::{Clock, Port, Side, SimDelay, Wire, WireConfig, block_on_until};
use ethdev_util::channel::Channel;
use ethdev_util::{Buffered, IrqDevice, IrqSignal};
use futures_lite::future::{or, zip};
use futures_util::StreamExt as _;
use futures_util::future::LocalBoxFuture;
use futures_util::stream::FuturesUnordered;

const LIMIT: Duration = Duration::from_secs(600);
const SERVER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
/// Bytes that are echoed.
const LEN: usize = 8_000;
const QUEUE: usize = 2;

type Direct = IrqDevice<'static, Buffered<'static, Enc28j60<SimSpi, SimDelay>>>;

fn leak<T>(value: T) -> &'static mut T {
    Box::leak(Box::new(value))
}

/// One chip on each end of a wire.
fn chips() -> (Clock, Wire, [Enc28j60Chip; 2]) {
    let clock = Clock::new();
    set_clock(&clock);
    let (wire, a, b) = Wire::new(&clock, WireConfig::default().with_speed(Speed::MBPS_10));
    let chip = |port: Port| Enc28j60Chip::new(&clock, port, ChipConfig::new(Revision::B7));
    let chips = [chip(a), chip(b)];
    (clock, wire, chips)
}

fn config(n: u8) -> NicConfig {
    NicConfig::new(MacAddress::new([2, 0, 0, 0, 0, n]))
}

/// The blocking driver, with buffers and the interrupt of the chip.
fn direct(chip: &Enc28j60Chip) -> Direct {
    let irq: &'static IrqSignal = leak(IrqSignal::new());
    chip.on_int_falling(|| irq.signal());
    let nic = Enc28j60::new(chip.spi_device(), chip.delay(), config(1)).expect("the chip starts");
    IrqDevice::new(Buffered::new(nic, leak([0; 1514]), leak([0; 1514])), irq)
}

fn stack<D: ethdev::LendingDevice + ethdev::PollReady>(
    driver: EmbassyDriver<'static, 'static, D>,
    n: u8,
) -> (Stack<'static>, Runner<'static, EmbassyDriver<'static, 'static, D>>) {
    let config = Config::ipv4_static(StaticConfigV4 {
        address: Ipv4Cidr::new(Ipv4Addr::new(10, 0, 0, n), 24),
        gateway: None,
        dns_servers: Default::default(),
    });
    embassy_net::new(driver, config, leak(StackResources::<2>::new()), n.into())
}

async fn echo(stack: Stack<'_>) {
    let (mut rx, mut tx, mut data) = ([0; 2048], [0; 2048], [0; 512]);
    loop {
        let mut socket = TcpSocket::new(stack, &mut rx, &mut tx);
        socket.accept(7).await.expect("the socket is new");
        while let Ok(len @ 1..) = socket.read(&mut data).await {
            let mut rest = &data[..len];
            while !rest.is_empty() {
                rest = &rest[socket.write(rest).await.expect("the client stays")..];
            }
        }
    }
}

/// Sends `LEN` bytes to the server and compares what comes back.
async fn client(stack: Stack<'_>) {
    let (mut rx, mut tx) = ([0; 2048], [0; 2048]);
    let mut socket = TcpSocket::new(stack, &mut rx, &mut tx);
    socket.connect((SERVER, 7)).await.expect("the server accepts");
    let sent: Vec<u8> = (0..LEN).map(|at| (at.wrapping_mul(31) >> 3) as u8).collect();
    let (mut reader, mut writer) = socket.split();
    let write = async {
        let mut rest = &sent[..];
        while !rest.is_empty() {
            rest = &rest[writer.write(rest).await.expect("the server stays")..];
        }
    };
    let read = async {
        let (mut received, mut data) = (Vec::new(), [0; 512]);
        while received.len() < LEN {
            let len = reader.read(&mut data).await.expect("the server stays");
            assert_ne!(len, 0, "closed after {} bytes", received.len());
            received.extend_from_slice(&data[..len]);
        }
        received
    };
    let ((), received) = zip(write, read).await;
    assert!(received == sent, "the bytes differ");
}

/// Runs the server on the direct driver and the client behind a channel, until client and
/// `supervise` have ended. Returns the errors of the server's device.
fn echo_between(supervise: impl AsyncFnOnce(&Enc28j60Chip, Handle<'static, 'static, Direct>)) -> ErrorCounts {
    let (clock, wire, [server_chip, client_chip]) = chips();
    let state = leak(State::new(direct(&server_chip), leak([0; 1514])).expect("the filter is set"));
    let (driver, handle) = state.split();
    let (server, mut server_runner) = stack(driver, 1);

    let pin = EdgeIrq(client_chip.int_pin());
    let nic = async {
        let spi = client_chip.spi_device();
        let mut nic = asynch::Enc28j60::new(spi, SimDelay::new(&clock), pin, config(2)).await?;
        // The endpoint of a channel has no `Control`.
        nic.set_rx_filter(RxFilter::DEFAULT.with_multicast(Multicast::All))
            .await?;
        Ok::<_, ethdev_enc28j60::Error<_>>(nic)
    };
    let nic = block_on_until(&clock, LIMIT, nic)
        .expect("no deadlock")
        .expect("the chip starts");
    let frames = || leak([[0; 1514]; QUEUE]);
    let (mut device, endpoint) = leak(Channel::<QUEUE, QUEUE>::new()).split(nic, frames(), frames());
    let state = leak(State::with_filter_unchanged(endpoint, leak([0; 1514])).expect("the buffer is long enough"));
    let (driver, client_handle) = state.split();
    let (client_stack, mut client_runner) = stack(driver, 2);

    // Each future is a task with a waker of its own.
    let background: FuturesUnordered<LocalBoxFuture<'_, ()>> = FuturesUnordered::new();
    background.push(Box::pin(async { server_runner.run().await }));
    background.push(Box::pin(async { client_runner.run().await }));
    background.push(Box::pin(echo(server)));
    background.push(Box::pin(async {
        let end = device.run().await;
        panic!("the device of the channel failed: {end:?}");
    }));
    background.push(Box::pin(async {
        loop {
            Timer::after_millis(20).await;
            // Errors are left to `supervise`.
            handle.service().ok();
        }
    }));
    let foreground: FuturesUnordered<LocalBoxFuture<'_, ()>> = FuturesUnordered::new();
    foreground.push(Box::pin(client(client_stack)));
    foreground.push(Box::pin(supervise(&server_chip, handle)));
    let ended = or(foreground.collect::<()>(), background.collect::<()>());
    block_on_until(&clock, LIMIT, ended).expect("the bytes are echoed");

    let stats = handle.stats().expect("no turn is running");
    let client_stats = client_handle.stats().expect("no turn is running");
    assert!(stats.tx_bytes > LEN as u32 && client_stats.tx_bytes > LEN as u32);
    assert_eq!(server_chip.violations(), []);
    assert_eq!(client_chip.violations(), []);
    let lost = wire.stats(Side::B).delivered - u64::from(stats.rx_frames);
    assert!(
        lost <= u64::from(stats.rx_lost()),
        "{lost} frames are not counted: {stats:?}"
    );
    // Neither busy-polls its chip.
    for chip in [&server_chip, &client_chip] {
        let transactions = chip.bus().transactions;
        assert!(transactions < 10_000, "{transactions} transactions");
    }
    handle.errors().expect("no turn is running")
}

#[test]
fn tcp_echo_buffered_and_channel_is_exact() {
    let errors = echo_between(async |_, _| {});
    assert_eq!(errors.total(), 0);
}

#[test]
fn tcp_echo_bus_failure_is_latched_and_recovered_through_handle() {
    let errors = echo_between(async |chip, handle| {
        loop {
            chip.fail_bus_at(10);
            Timer::after_millis(1).await;
            // The other failures are those of `service`.
            if let Some(error) = handle.take_error().unwrap() {
                assert_eq!(error.kind(), ErrorKind::Bus);
                break;
            }
        }
        handle.with(Control::recover).unwrap();
        assert_eq!(handle.stats().unwrap().recoveries, 1);
    });
    assert!(errors.bus > 0);
}
