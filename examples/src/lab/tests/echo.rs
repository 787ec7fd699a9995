//! Echo: what comes back, and what does not.

use core::time::Duration;

use ethdev_sim::{WireConfig, WireFaults};
use smoltcp::socket::{tcp, udp};
use smoltcp::wire::{IpAddress, IpEndpoint, Ipv4Address};

use super::super::tcp_echo::tcp_echo;
use super::{NODE_IP, RingWorld, in_world};
use crate::apps::echo::PORT;

fn udp_socket(world: &mut RingWorld<'_, '_, '_>, port: u16) -> smoltcp::iface::SocketHandle {
    let buffer = || udp::PacketBuffer::new(vec![udp::PacketMetadata::EMPTY; 16], vec![0; 16 * 1500]);
    let mut socket = udp::Socket::new(buffer(), buffer());
    socket.bind(port).unwrap();
    world.peer.add(socket)
}

/// Sends a datagram; what comes back, and from where.
fn ask(world: &mut RingWorld<'_, '_, '_>, from: u16, to: Ipv4Address, data: &[u8]) -> Option<(Vec<u8>, IpEndpoint)> {
    let handle = udp_socket(world, from);
    let socket = world.peer.socket::<udp::Socket<'_>>(handle);
    socket.send_slice(data, IpEndpoint::from((to, PORT))).unwrap();
    world.settle(Duration::from_millis(100)).unwrap();
    let socket = world.peer.socket::<udp::Socket<'_>>(handle);
    let (data, meta) = socket.recv().ok()?;
    Some((data.to_vec(), meta.endpoint))
}

#[test]
fn a_datagram_of_any_length_comes_back() {
    in_world(WireConfig::default(), |world, _| {
        for (port, len) in (1000..).zip([0, 1, 18, 512, 1471, 1472]) {
            let data = vec![len as u8; len];
            let (got, from) = ask(world, port, NODE_IP, &data).expect("an answer");
            assert_eq!((got, from), (data, IpEndpoint::from((NODE_IP, PORT))));
        }
        assert_eq!(world.node.served().udp_echoed, 6);
    });
}

#[test]
fn a_broadcast_is_answered_from_the_nodes_own_address() {
    in_world(WireConfig::default(), |world, _| {
        let (_, from) = ask(world, 1000, Ipv4Address::new(192, 168, 69, 255), b"anybody?").expect("an answer");
        assert_eq!(from.addr, IpAddress::Ipv4(NODE_IP));
    });
}

#[test]
fn another_echo_service_is_not_answered() {
    in_world(WireConfig::default(), |world, _| {
        assert_eq!(ask(world, PORT, NODE_IP, b"ping-pong"), None);
        assert_eq!(world.node.served().udp_refused, 1);
    });
}

#[test]
fn every_datagram_of_a_burst_is_echoed_or_was_never_taken() {
    in_world(WireConfig::default(), |world, _| {
        let handle = udp_socket(world, 1000);
        for n in 0..16_u8 {
            let socket = world.peer.socket::<udp::Socket<'_>>(handle);
            socket
                .send_slice(&[n; 1000], IpEndpoint::from((NODE_IP, PORT)))
                .unwrap();
        }
        world.settle(Duration::from_millis(100)).unwrap();
        let mut last = None;
        let socket = world.peer.socket::<udp::Socket<'_>>(handle);
        let mut answers = 0;
        while let Ok((data, _)) = socket.recv() {
            assert!(data.len() == 1000 && data.iter().all(|byte| *byte == data[0]));
            assert!(last < Some(data[0]), "in order");
            last = Some(data[0]);
            answers += 1;
        }
        assert_eq!(answers, world.node.served().udp_echoed);
        assert_eq!(answers, 16, "this wire is slower than the node");
    });
}

#[test]
fn a_reader_that_pauses_loses_nothing() {
    in_world(WireConfig::default(), |world, _| {
        let data: Vec<u8> = (0..200_000_u32).map(|n| ((n * 7919) >> 3) as u8).collect();
        let handle = world.connected(PORT, 50_000);
        // Nobody reads: buffers fill up on both sides, and all comes to rest.
        let mut sent = 0;
        for _ in 0..50 {
            sent += world.tcp(handle).send_slice(&data[sent..]).unwrap();
            world.settle(Duration::from_millis(50)).unwrap();
        }
        assert!(sent < data.len(), "back-pressure reaches the sender");
        let mut received = Vec::new();
        world.until(Duration::from_secs(60), |peer| {
            let socket = peer.socket::<tcp::Socket<'_>>(handle);
            if sent < data.len() {
                sent += socket.send_slice(&data[sent..]).unwrap();
                if sent == data.len() {
                    socket.close();
                }
            }
            while socket.can_recv() {
                socket
                    .recv(|piece| (piece.len(), received.extend_from_slice(piece)))
                    .unwrap();
            }
            !socket.may_recv()
        });
        assert!(received == data);
        assert_eq!(world.node.served().tcp_echoed, data.len() as u64);
    });
}

#[test]
fn bytes_sent_right_before_closing_come_back() {
    in_world(WireConfig::default(), |world, _| {
        // More often than there are sockets: each one listens again.
        for round in 0..10_u16 {
            let handle = world.connected(PORT, 50_000 + round);
            world.tcp(handle).send_slice(b"last words").unwrap();
            world.tcp(handle).close();
            assert_eq!(world.recv_until(handle, |_| false), b"last words");
            // The last acknowledgement may be a delayed one.
            world.settle(Duration::from_millis(20)).unwrap();
        }
    });
}

#[test]
fn a_peer_that_vanished_does_not_keep_the_service() {
    in_world(WireConfig::default(), |world, wire| {
        let vanishing = [world.connected(PORT, 50_000), world.connected(PORT, 50_001)];
        wire.set_faults(WireFaults::NONE.with_loss(1.0));
        for handle in vanishing {
            world.tcp(handle).abort();
        }
        // Both connections are there as far as the node knows, until nobody answers for long enough.
        world.settle(Duration::from_secs(60)).unwrap();
        wire.set_faults(WireFaults::NONE);
        let handle = world.connected(PORT, 50_002);
        world.send(handle, b"still there?");
        assert_eq!(world.recv_until(handle, |got| got.len() == 12), b"still there?");
    });
}

#[test]
fn a_megabyte_crosses_bad_wires() {
    for seed in 0..4 {
        let faults = WireFaults::NONE
            .with_loss(0.003)
            .with_duplication(0.02)
            .with_reorder(0.01, Duration::from_micros(300))
            .with_corruption(0.003);
        in_world(
            WireConfig::default().with_seed(seed).with_faults(faults),
            |world, wire| {
                if let Err(e) = tcp_echo(world, NODE_IP, seed, |_| ()) {
                    panic!("seed {seed}: {e}");
                }
                let stats = world.device.stats();
                assert!(stats.rx_bad_fcs > 0, "seed {seed}: the wire did its worst");
                let came = wire.stats(ethdev_sim::Side::B).delivered;
                assert_eq!(u64::from(stats.rx_frames + stats.rx_lost()), came, "seed {seed}");
            },
        );
    }
}
