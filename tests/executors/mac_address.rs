//! The MAC address of a stack is that of its device, also after it was changed there: a stack that
//! sends with another address than the filter of its device receives would never get a reply.

use std::future::Future;
use std::time::Duration;

use embassy_net::{Ipv4Cidr, StackResources, StaticConfigV4};
use ethdev::{Control, MacAddress};
use ethdev_embassy::State;
use ethdev_examples::apps::Config;
use ethdev_examples::apps::daemon::{Daemon, Memory};
use ethdev_examples::apps::report::{PORT, Samples};
use ethdev_sim::embassy_time::set_clock;
use ethdev_sim::{Clock, Peer, RingConfig, RingNic, Wire, WireConfig, block_on_until};
use ethdev_smoltcp::SmoltcpDevice;
use ethdev_util::{IrqDevice, IrqSignal};
use smoltcp::iface::SocketStorage;
use smoltcp::wire::{IpCidr, IpEndpoint};

use crate::reporting_peer::{NODE, PEER};

const FIRST: MacAddress = MacAddress::new([2, 0, 0, 0, 0, 1]);
const SECOND: MacAddress = MacAddress::new([2, 0, 0, 0, 0, 0x10]);
const PEER_MAC: [u8; 6] = [2, 0, 0, 0, 0, 2];

/// An ARP request of the peer for the address of the node (RFC 826).
fn arp_request() -> Vec<u8> {
    let mut frame = vec![0xff; 6];
    frame.extend(PEER_MAC);
    // Ethernet and IPv4, request.
    frame.extend([0x08, 0x06, 0, 1, 0x08, 0, 6, 4, 0, 1]);
    frame.extend(PEER_MAC);
    frame.extend(PEER.octets());
    frame.extend([0; 6]);
    frame.extend(NODE.octets());
    frame
}

/// Returns the source of the frame and the address in the ARP reply.
fn arp_reply(remote: &Peer) -> [MacAddress; 2] {
    let address = |octets: &[u8]| MacAddress::new(octets.try_into().expect("six octets"));
    let reply = std::iter::from_fn(|| remote.recv())
        .find(|frame| frame[12..14] == [0x08, 0x06] && frame[20..22] == [0, 2])
        .expect("an ARP reply");
    [address(&reply[6..12]), address(&reply[22..28])]
}

/// A NIC with the address `FIRST`, and the other end of its wire.
struct Testbed {
    clock: Clock,
    nic: IrqDevice<'static, RingNic>,
    remote: Peer,
    _wire: Wire,
}

impl Testbed {
    fn new() -> Self {
        let clock = Clock::new();
        set_clock(&clock);
        let irq: &'static IrqSignal = Box::leak(Box::default());
        let (wire, port, remote) = Wire::new(&clock, WireConfig::default());
        let nic = RingNic::new(&clock, port, RingConfig::new(FIRST).with_irq_signal(irq));
        Self {
            clock,
            nic: IrqDevice::new(nic, irq),
            remote: Peer::new(remote),
            _wire: wire,
        }
    }
}

/// Runs a stack, which does not end, for 10 ms.
fn run(clock: &Clock, stack: impl Future) {
    let end = clock.now() + Duration::from_millis(10);
    assert!(block_on_until(clock, end, stack).is_err(), "the stack has ended");
}

#[test]
fn smoltcp_uses_address_that_was_set_on_device() {
    let Testbed {
        clock,
        nic,
        remote,
        _wire,
    } = Testbed::new();
    let (mut rx, mut reply) = ([0; 1514], [0; 1514]);
    let mut device = SmoltcpDevice::new(nic, &mut rx, &mut reply);
    let config = Config {
        name: "address",
        addresses: &[IpCidr::new(NODE.into(), 24)],
        gateway: None,
        seed: 1,
    };
    let (mut memory, mut slots) = (Memory::new(), [SocketStorage::EMPTY; 2]);
    let server = IpEndpoint::new(PEER.into(), PORT);
    let mut daemon = Daemon::new(&config, server, &mut device, &mut memory, &mut slots).expect("a valid configuration");
    let samples = Samples::new();
    for address in [FIRST, SECOND] {
        device.set_mac_address(address).expect("a unicast address");
        remote.send(&arp_request());
        run(&clock, daemon.run(&mut device, &samples, |_| {}));
        assert_eq!(arp_reply(&remote), [address; 2]);
    }
    // What is still sent to the former address does not reach the stack, and is counted.
    let before = device.stats();
    remote.send(&[&FIRST.octets()[..], &arp_request()[6..]].concat());
    run(&clock, daemon.run(&mut device, &samples, |_| {}));
    let counted = device.stats().delta_since(&before);
    assert_eq!((counted.rx_frames, counted.rx_filtered), (0, 1));
}

#[test]
fn embassy_net_uses_address_that_was_set_on_device() {
    let Testbed {
        clock,
        nic,
        remote,
        _wire,
    } = Testbed::new();
    let mut reply = [0; 1514];
    let mut state = State::new(nic, &mut reply).expect("the device works");
    let (driver, handle) = state.split();
    let mut resources = StackResources::<1>::new();
    let config = embassy_net::Config::ipv4_static(StaticConfigV4 {
        address: Ipv4Cidr::new(NODE, 24),
        gateway: None,
        dns_servers: Default::default(),
    });
    let (_stack, mut runner) = embassy_net::new(driver, config, &mut resources, 1);
    for address in [FIRST, SECOND] {
        handle
            .with(|nic| nic.set_mac_address(address))
            .expect("a unicast address");
        remote.send(&arp_request());
        run(&clock, runner.run());
        assert_eq!(arp_reply(&remote), [address; 2]);
    }
    let before = handle.stats().expect("the stack does not run");
    remote.send(&[&FIRST.octets()[..], &arp_request()[6..]].concat());
    run(&clock, runner.run());
    let counted = handle.stats().expect("the stack does not run").delta_since(&before);
    assert_eq!((counted.rx_frames, counted.rx_filtered), (0, 1));
}
