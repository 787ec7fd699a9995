//! The tasks of a daemon over the ENC28J60 on its model, on embassy-net and on smoltcp: what
//! happens at which simulated time is the same on each executor.

use std::rc::Rc;

use embassy_net::{Ipv4Cidr, StackResources, StaticConfigV4};
use enc28j60_model::{ChipConfig, Enc28j60Chip, Revision, SimSpi};
use ethdev::{MacAddress, Speed, Stats};
use ethdev_embassy::State;
use ethdev_enc28j60::{Config as NicConfig, Enc28j60};
use ethdev_examples::apps::daemon::{Daemon, Memory};
use ethdev_examples::apps::report::{PORT, Samples};
use ethdev_examples::apps::{Config, embassy};
use ethdev_sim::embassy_time::set_clock;
use ethdev_sim::{Clock, Side, SimDelay, Wire, WireConfig};
use ethdev_smoltcp::SmoltcpDevice;
use ethdev_util::{Buffered, IrqDevice, IrqSignal};
use smoltcp::iface::SocketStorage;
use smoltcp::wire::{IpCidr, IpEndpoint};

use crate::hosts::{Host, Task};
use crate::reporting_peer::{NODE, Outage, PEER, ReportingPeer, Transcript};
use crate::tasks::{End, time};

const NODE_MAC: MacAddress = MacAddress::new([2, 0, 0, 0, 0, 1]);

type Nic = Enc28j60<SimSpi, SimDelay>;

/// Runs the tasks that `node` creates for the NIC, with the peer at the other end of its wire.
/// Returns the transcript.
fn run(
    executor: Host,
    outage: Outage,
    node: impl FnOnce(Nic, &'static IrqSignal, &'static Samples, &Transcript) -> Vec<Task>,
) -> String {
    let (clock, end) = (Clock::new(), End::default());
    set_clock(&clock);
    let transcript = Transcript::new(&clock, outage);
    let (wire, port, peer) = Wire::new(&clock, WireConfig::default().with_speed(Speed::MBPS_10));
    let wire = Rc::new(wire);
    let chip = Enc28j60Chip::new(&clock, port, ChipConfig::new(Revision::B7));
    let irq: &'static IrqSignal = Box::leak(Box::default());
    chip.on_int_falling(|| irq.signal());
    let nic = Enc28j60::new(chip.spi_device(), chip.delay(), NicConfig::new(NODE_MAC)).expect("the chip starts");
    let samples: &'static Samples = Box::leak(Box::default());
    ReportingPeer::start(&clock, &wire, peer, &transcript, &end);
    let mut tasks: Vec<Task> = node(nic, irq, samples, &transcript);
    tasks.push(Box::pin(async { samples.take().await }));
    let mut tasks: Vec<Task> = tasks.into_iter().map(|task| end.until(task)).collect();
    tasks.push(Box::pin(time(clock, end)));
    executor(tasks);
    assert_eq!(chip.violations(), []);
    transcript.note(format_args!("{} samples dropped", samples.dropped()));
    for (side, name) in [(Side::A, "daemon"), (Side::B, "peer")] {
        let stats = wire.stats(side);
        transcript.note(format_args!(
            "{name}: {} frames sent, {} lost on the wire",
            stats.sent, stats.lost
        ));
    }
    transcript.text()
}

/// Compares with the transcript in the repository.
fn compare(transcript: &str, expected: &str) {
    for (number, (line, expected)) in transcript.lines().zip(expected.lines()).enumerate() {
        assert_eq!(line, expected, "line {}; the transcript:\n{transcript}", number + 1);
    }
    assert_eq!(transcript.len(), expected.len(), "the transcript:\n{transcript}");
}

/// embassy-net and its services, each in a task.
fn embassy_net(executor: Host, outage: Outage) -> String {
    run(executor, outage, |nic, irq, samples, transcript| {
        let frames = || Box::leak(Box::new([0; 1514]));
        let nic = Buffered::new(nic, frames(), frames());
        let state = State::new(IrqDevice::new(nic, irq), frames()).expect("the chip works");
        let (driver, handle) = Box::leak(Box::new(state)).split();
        let address = Ipv4Cidr::new(NODE, 24);
        let config = embassy_net::Config::ipv4_static(StaticConfigV4 {
            address,
            gateway: None,
            dns_servers: Default::default(),
        });
        let resources = Box::leak(Box::new(StackResources::<2>::new()));
        let (stack, mut runner) = embassy_net::new(driver, config, resources, 1);
        let log = transcript.clone();
        vec![
            Box::pin(async move { runner.run().await }),
            Box::pin(async move { embassy::service(handle).await }),
            Box::pin(async move { embassy::tcp_echo(stack, &mut [[0; 1024]; 2]).await }),
            Box::pin(async move {
                let stats = || handle.stats().unwrap_or(Stats::ZERO);
                embassy::report(stack, (PEER, PORT).into(), &mut [[0; 64]; 2], samples, stats, |event| {
                    log.note_event(event);
                })
                .await;
            }),
        ]
    })
}

/// smoltcp and its services in one task.
fn smoltcp(executor: Host, outage: Outage) -> String {
    run(executor, outage, |nic, irq, samples, transcript| {
        let transcript = transcript.clone();
        vec![Box::pin(async move {
            let (mut rx, mut reply) = ([0; 1514], [0; 1514]);
            let (mut memory, mut slots) = (Memory::new(), [SocketStorage::EMPTY; 2]);
            let mut device = SmoltcpDevice::new(IrqDevice::new(nic, irq), &mut rx, &mut reply);
            let config = Config {
                name: "daemon",
                addresses: &[IpCidr::new(NODE.into(), 24)],
                gateway: None,
                seed: 1,
            };
            let server = IpEndpoint::new(PEER.into(), PORT);
            let mut daemon =
                Daemon::new(&config, server, &mut device, &mut memory, &mut slots).expect("a valid configuration");
            let Err(e) = daemon
                .run(&mut device, samples, |event| transcript.note_event(event))
                .await;
            panic!("the device failed: {e}");
        })]
    })
}

pub(crate) fn embassy_net_silence(executor: Host) {
    compare(
        &embassy_net(executor, Outage::Silence),
        include_str!("embassy_net_silence.txt"),
    );
}

pub(crate) fn embassy_net_link_down(executor: Host) {
    compare(
        &embassy_net(executor, Outage::LinkDown),
        include_str!("embassy_net_link_down.txt"),
    );
}

pub(crate) fn smoltcp_silence(executor: Host) {
    compare(&smoltcp(executor, Outage::Silence), include_str!("smoltcp_silence.txt"));
}

pub(crate) fn smoltcp_link_down(executor: Host) {
    compare(
        &smoltcp(executor, Outage::LinkDown),
        include_str!("smoltcp_link_down.txt"),
    );
}
