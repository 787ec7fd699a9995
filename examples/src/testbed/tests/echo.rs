//! The echo services.

use core::time::Duration;

use ethdev_sim::{WireConfig, WireFaults};
use smoltcp::socket::{tcp, udp};
use smoltcp::wire::{IpAddress, IpEndpoint, Ipv4Address};

use super::super::tcp_echo::tcp_echo;
use super::{NODE_IP, RingSimulation, simulate};
use crate::apps::echo::PORT;

fn udp_socket(sim: &mut RingSimulation<'_, '_, '_>, port: u16) -> smoltcp::iface::SocketHandle {
    let buffer = || udp::PacketBuffer::new(vec![udp::PacketMetadata::EMPTY; 16], vec![0; 16 * 1500]);
    let mut socket = udp::Socket::new(buffer(), buffer());
    socket.bind(port).unwrap();
    sim.peer.add(socket)
}

/// Sends a datagram. Returns the reply and its source.
fn request(
    sim: &mut RingSimulation<'_, '_, '_>,
    from: u16,
    to: Ipv4Address,
    data: &[u8],
) -> Option<(Vec<u8>, IpEndpoint)> {
    let handle = udp_socket(sim, from);
    let socket = sim.peer.socket::<udp::Socket<'_>>(handle);
    socket.send_slice(data, IpEndpoint::from((to, PORT))).unwrap();
    sim.settle(Duration::from_millis(100)).unwrap();
    let socket = sim.peer.socket::<udp::Socket<'_>>(handle);
    let (data, meta) = socket.recv().ok()?;
    Some((data.to_vec(), meta.endpoint))
}

#[test]
fn udp_any_length_is_echoed() {
    simulate(WireConfig::default(), |sim, _| {
        for (port, len) in (1000..).zip([0, 1, 18, 512, 1471, 1472]) {
            let data = vec![len as u8; len];
            let (got, from) = request(sim, port, NODE_IP, &data).expect("no reply");
            assert_eq!((got, from), (data, IpEndpoint::from((NODE_IP, PORT))));
        }
        assert_eq!(sim.host.node.served().udp_echoed, 6);
    });
}

#[test]
fn udp_broadcast_is_answered_from_own_address() {
    simulate(WireConfig::default(), |sim, _| {
        let (_, from) = request(sim, 1000, Ipv4Address::new(192, 168, 69, 255), b"broadcast").expect("no reply");
        assert_eq!(from.addr, IpAddress::Ipv4(NODE_IP));
    });
}

#[test]
fn udp_from_echo_port_is_dropped() {
    simulate(WireConfig::default(), |sim, _| {
        assert_eq!(request(sim, PORT, NODE_IP, b"ping-pong"), None);
        assert_eq!(sim.host.node.served().udp_dropped, 1);
    });
}

#[test]
fn udp_burst_is_echoed_in_order() {
    simulate(WireConfig::default(), |sim, _| {
        let handle = udp_socket(sim, 1000);
        for n in 0..16_u8 {
            let socket = sim.peer.socket::<udp::Socket<'_>>(handle);
            socket
                .send_slice(&[n; 1000], IpEndpoint::from((NODE_IP, PORT)))
                .unwrap();
        }
        sim.settle(Duration::from_millis(100)).unwrap();
        let mut last = None;
        let socket = sim.peer.socket::<udp::Socket<'_>>(handle);
        let mut replies = 0;
        while let Ok((data, _)) = socket.recv() {
            assert!(data.len() == 1000 && data.iter().all(|byte| *byte == data[0]));
            assert!(last < Some(data[0]), "in order");
            last = Some(data[0]);
            replies += 1;
        }
        assert_eq!(replies, sim.host.node.served().udp_echoed);
        assert_eq!(replies, 16, "this wire is slower than the node");
    });
}

#[test]
fn tcp_paused_reader_loses_nothing() {
    simulate(WireConfig::default(), |sim, _| {
        let data: Vec<u8> = (0..200_000_u32).map(|n| ((n * 7919) >> 3) as u8).collect();
        let handle = sim.connect(PORT, 50_000);
        // Without reads the buffers of both ends fill, and the transfer stops.
        let mut sent = 0;
        for _ in 0..50 {
            sent += sim.tcp(handle).send_slice(&data[sent..]).unwrap();
            sim.settle(Duration::from_millis(50)).unwrap();
        }
        assert!(sent < data.len(), "back-pressure reaches the sender");
        let mut received = Vec::new();
        sim.until(Duration::from_secs(60), |peer| {
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
        assert_eq!(sim.host.node.served().tcp_echoed, data.len() as u64);
    });
}

#[test]
fn tcp_bytes_before_close_are_echoed() {
    simulate(WireConfig::default(), |sim, _| {
        // More rounds than sockets: each socket listens again.
        for round in 0..10_u16 {
            let handle = sim.connect(PORT, 50_000 + round);
            sim.tcp(handle).send_slice(b"last bytes").unwrap();
            sim.tcp(handle).close();
            assert_eq!(sim.recv_until(handle, |_| false), b"last bytes");
            // The last acknowledgement may be a delayed one.
            sim.settle(Duration::from_millis(20)).unwrap();
        }
    });
}

#[test]
fn tcp_vanished_peers_time_out() {
    simulate(WireConfig::default(), |sim, wire| {
        let vanishing = [sim.connect(PORT, 50_000), sim.connect(PORT, 50_001)];
        wire.set_faults(WireFaults::NONE.with_loss(1.0));
        for handle in vanishing {
            sim.tcp(handle).abort();
        }
        // The node keeps both connections until its keep-alive times out.
        sim.settle(Duration::from_secs(60)).unwrap();
        wire.set_faults(WireFaults::NONE);
        let handle = sim.connect(PORT, 50_002);
        sim.send(handle, b"still alive?");
        assert_eq!(sim.recv_until(handle, |got| got.len() == 12), b"still alive?");
    });
}

#[test]
fn tcp_echo_on_faulty_wire_is_complete() {
    for seed in 0..4 {
        let faults = WireFaults::NONE
            .with_loss(0.003)
            .with_duplication(0.02)
            .with_reorder(0.01, Duration::from_micros(300))
            .with_corruption(0.003);
        simulate(
            WireConfig::default().with_seed(seed).with_faults(faults),
            |sim, wire| {
                if let Err(e) = tcp_echo(sim, NODE_IP, seed, |_| ()) {
                    panic!("seed {seed}: {e}");
                }
                let stats = sim.host.device.stats();
                assert!(stats.rx_bad_fcs > 0, "seed {seed}: no corruption occurred");
                let delivered = wire.stats(ethdev_sim::Side::B).delivered;
                assert_eq!(u64::from(stats.rx_frames + stats.rx_lost()), delivered, "seed {seed}");
            },
        );
    }
}
