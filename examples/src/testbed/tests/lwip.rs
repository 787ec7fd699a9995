//! lwIP, through the C API and the shim.

use core::cell::RefCell;
use core::time::Duration;
use std::sync::{Mutex, MutexGuard, PoisonError};

use enc28j60_model::{ChipConfig, Enc28j60Chip, Revision};
use ethdev::{EthernetDevice, Speed};
use ethdev_enc28j60::{self as enc28j60, Enc28j60};
use ethdev_sim::{Clock, Peer, RingConfig, RingNic, Side, Wire, WireConfig};
use ethdev_util::Erased;
use lwip_node::{Config, Error, LwipNode};
use smoltcp::socket::tcp;
use smoltcp::wire::IpCidr;

use super::super::fetch::fetch;
use super::super::harness::{Harness, NODE_IP, NODE_MAC, PEER_IP, PEER_MAC, PREFIX_LEN, Slot};
use super::super::host::Host as _;
use super::super::lwip_host::{LwipHost, Shared};
use super::super::nics::Nic;
use super::super::peer::StackPeer;
use super::super::ping::ping;
use super::super::run::{Settings, run};
use super::super::simulation::Simulation;
use super::super::stack::Stack;
use super::super::tcp_echo::{ECHO_LEN, tcp_echo};
use super::super::{Failure, Row};
use crate::apps::echo;

type LwipSimulation<'w, 'a> = Simulation<'w, LwipHost<'a, Erased<RingNic>>>;

const CONFIG: Config = Config {
    name: c"test",
    address: NODE_IP,
    prefix_len: PREFIX_LEN,
    gateway: None,
    seed: 7,
};

/// Longer than the longest time that a closed connection is kept: twice `TCP_MSL` (60 s).
const TIME_WAIT: Duration = Duration::from_secs(130);

/// One test at a time: lwIP's state is global.
fn exclusive() -> MutexGuard<'static, ()> {
    static LWIP: Mutex<()> = Mutex::new(());
    LWIP.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs `test` with a node on a ring NIC with these numbers of descriptors, and a peer.
fn simulate(rx_slots: usize, tx_slots: usize, test: impl FnOnce(&mut LwipSimulation<'_, '_>, &Wire)) {
    let _lwip = exclusive();
    let clock = Clock::new();
    let (wire, port, peer) = Wire::new(&clock, WireConfig::default());
    let config = RingConfig::new(NODE_MAC).with_slots(rx_slots, tx_slots);
    let device = RefCell::new(Erased::new(RingNic::new(&clock, port, config)));
    let mut shared = Shared(&device);
    let node = LwipNode::new(&CONFIG, &mut shared, clock.now()).unwrap();
    let peer = StackPeer::new(
        &clock,
        Peer::new(peer),
        PEER_MAC,
        IpCidr::new(PEER_IP.into(), PREFIX_LEN),
        8,
    );
    let mut sim = Simulation {
        clock,
        host: LwipHost::new(node, &device),
        peer,
        background: &mut || Ok(false),
    };
    test(&mut sim, &wire);
}

/// The chip has no interrupt line here: the simulation polls it after each event.
fn tick(clock: &Clock) {
    let again = clock.clone();
    clock.schedule_in(Duration::from_micros(100), move || tick(&again));
}

fn measure(attach: fn(Slot, Harness<'_>) -> Result<(), Failure>, speed: Speed) -> Row {
    let nic = Nic::new("lwip", speed, "pull", "lwIP", attach);
    run(&nic, Stack::Lwip, &Settings::default(), &mut |_| ()).unwrap()
}

#[test]
fn run_memory_nic_passes_and_is_reproducible() {
    let _lwip = exclusive();
    let row = || {
        measure(
            |slot, harness| {
                let nic = RingNic::new(&slot.clock, slot.port, RingConfig::new(slot.mac_address));
                let nic = harness.meter(nic);
                harness.measure_lwip(nic, &mut || Ok(false))
            },
            Speed::MBPS_100,
        )
    };
    let first = row();
    assert_eq!(first.failure, None, "{first:?}");
    assert_eq!(first.figures.copies_per_frame, Some(1.0), "{first:?}");
    assert_eq!(first, row(), "the same seed gave another row");
}

#[test]
fn run_enc28j60_passes() {
    let _lwip = exclusive();
    let row = measure(
        |slot, harness| {
            let chip = Enc28j60Chip::new(&slot.clock, slot.port, ChipConfig::new(Revision::B7));
            let mut nic =
                Enc28j60::new(chip.spi_device(), chip.delay(), enc28j60::Config::new(slot.mac_address)).unwrap();
            slot.clock.advance(Duration::from_secs(3));
            nic.service().unwrap();
            tick(&slot.clock);
            let nic = harness.meter(nic);
            harness.measure_lwip(nic, &mut || Ok(false))?;
            assert_eq!(chip.violations(), []);
            Ok(())
        },
        Speed::MBPS_10,
    );
    assert_eq!(row.failure, None, "{row:?}");
    assert_eq!(row.figures.lost, 0, "{row:?}");
}

#[test]
fn new_second_node_is_refused_until_first_is_dropped() {
    let _lwip = exclusive();
    let clock = Clock::new();
    let nic = |n| {
        let (_wire, port, _peer) = Wire::new(&clock, WireConfig::default());
        let mut config = RingConfig::new(NODE_MAC);
        config.rx_slots = n;
        Erased::new(RingNic::new(&clock, port, config))
    };
    let (mut first, mut second) = (nic(1), nic(2));
    let node = LwipNode::new(&CONFIG, &mut first, clock.now()).unwrap();
    assert_eq!(
        LwipNode::new(&CONFIG, &mut second, clock.now()).unwrap_err(),
        Error::InUse
    );
    drop(node);
    LwipNode::new(&CONFIG, &mut second, clock.now()).unwrap();
}

#[test]
fn echo_two_transmit_slots_waits_in_queue_and_loses_nothing() {
    simulate(16, 2, |sim, wire| {
        tcp_echo(sim, NODE_IP, 1, |_| ()).unwrap();
        sim.settle(Duration::from_secs(1)).unwrap();
        let stats = sim.host.node.stats();
        assert!(stats.tx_queued > 100, "{stats:?}");
        assert_eq!((stats.lost(), stats.tx_copied, stats.rx_copied), (0, 0, 0), "{stats:?}");
        assert_eq!(sim.host.node.waiting(), 0);
        assert_eq!(u64::from(sim.host.stats().tx_frames), wire.stats(Side::A).sent);
    });
}

#[test]
fn echo_link_drops_and_returns_completes() {
    simulate(16, 4, |sim, wire| {
        let (clock, wire) = (sim.clock.clone(), wire.clone());
        let mut dropped = false;
        let echoed = tcp_echo(sim, NODE_IP, 1, |bytes| {
            if bytes > ECHO_LEN / 2 && !dropped {
                dropped = true;
                wire.set_link(false);
                let wire = wire.clone();
                clock.schedule_in(Duration::from_millis(1500), move || wire.set_link(true));
            }
        });
        assert!(echoed.is_ok_and(|echoed| echoed.took > Duration::from_millis(1500)));
        assert!(dropped);
        assert_eq!(sim.host.stats().link_changes, 2);
    });
}

#[test]
fn poll_without_buffers_leaves_frames_in_device_and_recovers() {
    const LEN: usize = 200_000;
    simulate(2, 16, |sim, wire| {
        let handle = sim.peer.connect(NODE_IP, echo::PORT, 50_000).unwrap();
        let (mut sent, mut received) = (0, 0);
        let mut send = |socket: &mut tcp::Socket<'_>| {
            let data: Vec<u8> = (sent..LEN).map(byte).collect();
            if socket.can_send() && sent < LEN {
                sent += socket.send_slice(&data).unwrap();
            }
        };
        // The peer does not read: the node keeps what it cannot echo, in the last buffer.
        assert!(sim.host.node.hold_pbufs(u32::MAX) > 8);
        let stalled = sim.run(Duration::from_secs(20), |peer, _| {
            send(peer.socket(handle));
            Ok(None::<()>)
        });
        assert!(stalled.is_err());
        assert!(sim.host.node.stats().rx_no_pbuf > 0);
        assert!(sim.host.stats().rx_overrun > 0, "{:?}", sim.host.stats());
        sim.host.node.release_pbufs();
        sim.run(Duration::from_secs(60), |peer, _| {
            let socket = peer.socket::<tcp::Socket<'_>>(handle);
            send(socket);
            while socket.can_recv() {
                let len = socket.recv(|data| {
                    assert!(data.iter().zip(received..).all(|(&got, at)| got == byte(at)));
                    (data.len(), data.len())
                });
                received += len.unwrap();
            }
            Ok((received == LEN).then_some(()))
        })
        .unwrap();
        sim.settle(Duration::from_secs(1)).unwrap();
        let stats = sim.host.stats();
        let counted = u64::from(stats.rx_frames + stats.rx_lost());
        assert_eq!(counted, wire.stats(Side::B).delivered, "{stats:?}");
        assert_eq!(sim.host.device.borrow_mut().recv_frame(&mut []), Ok(None));
    });
}

/// The byte of the payload at this place.
fn byte(at: usize) -> u8 {
    (at % 251) as u8
}

#[test]
fn memory_after_connections_is_as_before() {
    simulate(16, 2, |sim, _| {
        ping(sim, NODE_IP).unwrap();
        sim.settle(TIME_WAIT).unwrap();
        let before = sim.host.node.memory();
        tcp_echo(sim, NODE_IP, 1, |_| ()).unwrap();
        fetch(sim, NODE_IP, &["rx_frames"]).unwrap();
        assert_ne!(sim.host.node.memory(), before, "a connection in TIME-WAIT is in use");
        sim.settle(TIME_WAIT).unwrap();
        assert_eq!(sim.host.node.memory(), before);
    });
}
