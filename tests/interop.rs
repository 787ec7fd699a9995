//! The smoltcp adapter on every kind of device, and with faulty peers and devices.

#[path = "netsim/frames.rs"]
mod frames;
#[path = "netsim/host.rs"]
mod host;

use core::cell::Cell;
use core::time::Duration;

use ethdev::{Control, ErrorKind, EthernetDevice, IpMtu, MacAddress, MaxFrameLen};
use ethdev_sim::{Clock, FaultPlan, Faulty, Peer, RingConfig, RingError, RingNic, When, Wire, WireConfig, fcs};
use ethdev_smoltcp::{Lending, Mode, PollAt, Pull, SmoltcpDevice};
use ethdev_util::{Buffered, Erased, ErasedDevice};
use frames::{arp_request, datagram};
use host::{Host, address, sleep};
use smoltcp::iface::SocketHandle;
use smoltcp::socket::tcp;
use smoltcp::wire::IpEndpoint;

const PORT: u16 = 7;
/// Limit of a test in simulated time.
const TIMEOUT: Duration = Duration::from_secs(120);

fn config(number: u8) -> RingConfig {
    RingConfig::new(MacAddress::new([2, 0, 0, 0, 0, number]))
}

fn pair(a: RingConfig, b: RingConfig) -> (Clock, Wire, RingNic, RingNic) {
    let clock = Clock::new();
    let (wire, a, b) = RingNic::pair(&clock, WireConfig::default(), a, b);
    (clock, wire, a, b)
}

/// A NIC with a peer that can send any bytes.
fn nic_and_peer(config: RingConfig) -> (Clock, RingNic, Peer) {
    let clock = Clock::new();
    let (_wire, nic, peer) = RingNic::with_peer(&clock, WireConfig::default(), config);
    (clock, nic, peer)
}

/// The byte of the test data at a position.
fn pattern(at: usize) -> u8 {
    (at.wrapping_mul(0x9e37_79b1) >> 16) as u8
}

/// A client, and a server that echoes its data.
struct Echo<'b, D: EthernetDevice, M = Pull<'b>> {
    clock: Clock,
    client: Host<'b, D, M>,
    server: Host<'b, RingNic, Lending>,
    at_client: SocketHandle,
    at_server: SocketHandle,
    sent: usize,
    echoed: usize,
}

impl<'b, D: EthernetDevice, M: Mode<D>> Echo<'b, D, M> {
    fn new(clock: &Clock, client: SmoltcpDevice<'b, D, M>, server: SmoltcpDevice<'b, RingNic, Lending>) -> Self {
        let (mut client, mut server) = (Host::new(clock, client, 1), Host::new(clock, server, 2));
        let (at_client, at_server) = (client.add_tcp(16_384), server.add_tcp(16_384));
        server.listen(at_server, PORT);
        client.connect(at_client, IpEndpoint::new(address(2), PORT));
        Self {
            clock: clock.clone(),
            client,
            server,
            at_client,
            at_server,
            sent: 0,
            echoed: 0,
        }
    }

    /// Runs until `total` bytes were echoed, and checks each.
    fn run(&mut self, total: usize) {
        while self.echoed < total {
            let (sent, echoed) = (&mut self.sent, &mut self.echoed);
            let a = self.client.settle(&mut |sockets| {
                let socket = sockets.get_mut::<tcp::Socket<'_>>(self.at_client);
                while socket.can_send() && *sent < total {
                    let fill = |room: &mut [u8]| {
                        let len = room.len().min(total - *sent);
                        for (at, byte) in room[..len].iter_mut().enumerate() {
                            *byte = pattern(*sent + at);
                        }
                        (len, len)
                    };
                    *sent += socket.send(fill).unwrap();
                }
                while socket.can_recv() {
                    let check = |data: &mut [u8]| {
                        let right = data.iter().enumerate().all(|(at, byte)| *byte == pattern(*echoed + at));
                        assert!(right, "corrupt data after {echoed} bytes");
                        (data.len(), data.len())
                    };
                    *echoed += socket.recv(check).unwrap();
                }
            });
            let b = self.server.settle(&mut |sockets| {
                let socket = sockets.get_mut::<tcp::Socket<'_>>(self.at_server);
                let room = socket.send_capacity() - socket.send_queue();
                if socket.can_recv() && room > 0 {
                    let data = socket
                        .recv(|data| {
                            let len = data.len().min(room);
                            (len, data[..len].to_vec())
                        })
                        .unwrap();
                    assert_eq!(socket.send_slice(&data), Ok(data.len()));
                }
            });
            assert!(sleep(&self.clock, &[a, b]), "stalled after {} bytes", self.echoed);
            assert!(
                self.clock.now() < TIMEOUT,
                "timed out, {} of {total} bytes echoed",
                self.echoed
            );
        }
    }
}

/// Runs the application on a device.
fn echo<D: EthernetDevice, M: Mode<D>>(clock: &Clock, client: SmoltcpDevice<'_, D, M>, server: RingNic) {
    let mut reply = [0; 1514];
    let mut echo = Echo::new(clock, client, SmoltcpDevice::lending(server, &mut reply));
    echo.run(40_000);
    assert_eq!(echo.client.device.errors().total(), 0);
    assert_eq!(echo.client.device.drops().tx_lost(), 0);
}

#[test]
fn echo_lending_device_complete() {
    let mut reply = [0; 1514];
    let (clock, _wire, a, b) = pair(config(1), config(2));
    echo(&clock, SmoltcpDevice::lending(a, &mut reply), b);

    let (clock, _wire, mut a, b) = pair(config(1), config(2));
    echo(&clock, SmoltcpDevice::lending(&mut a, &mut reply), b);

    let (mut rx, mut tx) = ([0; 1514], [0; 1514]);
    let (clock, _wire, a, b) = pair(config(1), config(2));
    let buffered = Buffered::new(a, &mut rx, &mut tx);
    echo(&clock, SmoltcpDevice::lending(buffered, &mut reply), b);
}

#[test]
fn echo_pull_device_complete() {
    let (mut rx, mut reply) = ([0; 1514], [0; 1514]);
    let (clock, _wire, a, b) = pair(config(1), config(2));
    echo(&clock, SmoltcpDevice::new(a, &mut rx, &mut reply), b);

    let (clock, _wire, a, b) = pair(config(1), config(2));
    echo(&clock, SmoltcpDevice::new(Erased::new(a), &mut rx, &mut reply), b);

    let (clock, _wire, a, b) = pair(config(1), config(2));
    let mut erased = Erased::new(a);
    let device: &mut dyn ErasedDevice = &mut erased;
    echo(&clock, SmoltcpDevice::new(device, &mut rx, &mut reply), b);

    // One descriptor in each direction.
    let (clock, _wire, a, b) = pair(config(1).with_slots(1, 1), config(2).with_slots(1, 1));
    echo(&clock, SmoltcpDevice::new(a, &mut rx, &mut reply), b);
}

#[test]
fn echo_short_buffers_complete() {
    // Frames of at most 600 bytes in both directions.
    let (mut rx, mut reply) = ([0; 600], [0; 600]);
    let (clock, _wire, a, b) = pair(config(1), config(2));
    echo(&clock, SmoltcpDevice::new(a, &mut rx, &mut reply), b);
}

#[test]
fn echo_bus_faults_complete_and_accounted() {
    for seed in 0..5 {
        println!("seed {seed}");
        let (clock, _wire, a, b) = pair(config(1), config(2));
        let plan = FaultPlan::new()
            .with_seed(seed)
            .with_bus_error(When::Chance(0.02))
            .with_busy(When::Chance(0.02), 3)
            .with_spurious_none(When::Chance(0.05))
            .with_rx_loss(When::Chance(0.01))
            .with_tx_loss(When::Chance(0.01));
        let [mut rx, mut reply, mut server] = [[0; 1514]; 3];
        let client = SmoltcpDevice::new(Faulty::new(a, plan), &mut rx, &mut reply);
        let mut echo = Echo::new(&clock, client, SmoltcpDevice::lending(b, &mut server));
        echo.run(40_000);
        let adapter = &mut echo.client.device;
        assert!(adapter.errors().bus > 0);
        assert_eq!(adapter.errors().total(), adapter.errors().bus);
        assert!(adapter.take_error().is_some());
        let stats = adapter.stats();
        let lost = u64::from(adapter.drops().tx_lost() + stats.tx_lost()) + u64::from(adapter.has_pending_reply());
        // A frame in the buffer of the device is accepted and not sent yet.
        let accounted = u64::from(stats.tx_frames) + lost;
        assert!(
            (accounted..=accounted + 1).contains(&echo.client.counts.sent),
            "{:?} {stats:?} {:?}",
            echo.client.counts,
            adapter.drops()
        );
    }
}

#[test]
fn receive_tx_stalled_continues() {
    const REQUESTS: u32 = 50;
    let (clock, nic, peer) = nic_and_peer(config(1).with_slots(64, 4));
    let hardware = nic.hardware();
    let mut reply = [0; 1514];
    let mut host = Host::new(&clock, SmoltcpDevice::lending(nic, &mut reply), 1);
    let udp = host.add_udp(PORT);
    hardware.stall_tx(true);
    for n in 0..REQUESTS {
        peer.send(&arp_request());
        peer.send(&datagram(PORT, &n.to_be_bytes()));
        clock.advance(Duration::from_millis(1));
        host.poll();
        assert_eq!(
            host.recv_udp(udp),
            Some(n.to_be_bytes().to_vec()),
            "datagram not received"
        );
    }
    // Four replies are in the ring, the last one is in the reply buffer.
    assert_eq!(hardware.tx_queued(), 4);
    assert!(host.device.has_pending_reply());
    assert_eq!(host.device.drops().tx_replies_dropped, REQUESTS - 5);
    assert_eq!(host.device.stats().rx_frames, 2 * REQUESTS);
    // Data of sockets is not dropped: it stays in the socket.
    assert!(host.send_udp(udp, b"later", IpEndpoint::new(address(2), 9)));
    host.poll();
    assert!(matches!(host.poll_at(), PollAt::Wait { interest, .. } if interest.tx));

    hardware.stall_tx(false);
    clock.advance(Duration::from_millis(10));
    host.poll();
    clock.advance(Duration::from_millis(10));
    assert!(!host.device.has_pending_reply());
    assert_eq!(peer.pending(), 6, "five replies and the datagram");
    assert_eq!(host.device.drops().tx_lost(), REQUESTS - 5);
}

#[test]
fn receive_flood_within_budget_and_accounted() {
    const FRAMES: u32 = 4000;
    let (clock, nic, peer) = nic_and_peer(config(1).with_slots(256, 4));
    let mut reply = [0; 1514];
    let mut host = Host::new(&clock, SmoltcpDevice::lending(nic, &mut reply), 1);
    let udp = host.add_udp(PORT);
    let mut delivered = 0;
    for n in 0..FRAMES {
        peer.send(&datagram(PORT, &n.to_be_bytes()));
    }
    // The flood takes 27 ms at 100 Mbit/s. The host polls every 2 ms, after about 300 frames.
    while clock.next_event().is_some() || host.poll_at() == PollAt::Now {
        clock.advance(Duration::from_millis(2));
        let before = host.counts.received;
        host.poll();
        let received = host.counts.received - before;
        assert!(
            received <= u64::from(ethdev_smoltcp::DEFAULT_RX_BUDGET),
            "{received} frames in one poll"
        );
        while host.recv_udp(udp).is_some() {
            delivered += 1;
        }
    }
    let stats = host.device.stats();
    assert!(stats.rx_overrun > 0);
    assert_eq!(stats.rx_frames + stats.rx_overrun, FRAMES);
    assert_eq!(
        delivered, stats.rx_frames,
        "a received frame did not reach the application"
    );
}

#[test]
fn receive_malformed_frames_dropped_and_counted() {
    let (clock, nic, peer) = nic_and_peer(config(1).with_slots(64, 64));
    let mut reply = [0; 1514];
    let mut host = Host::new(&clock, SmoltcpDevice::lending(nic, &mut reply), 1);
    let sent = Cell::new(0);
    let send = |host: &mut Host<'_, RingNic, Lending>, frame: &[u8]| {
        peer.send_raw(&fcs::append(frame));
        sent.set(sent.get() + 1);
        clock.advance(Duration::from_millis(1));
        host.poll();
    };
    // Every length, valid or not, with each EtherType.
    for ethertype in [0x0800_u16, 0x0806, 0x86dd, 0x0000] {
        for len in (0..80).chain(1500..1530).chain([2000]) {
            let mut frame: Vec<u8> = (0..len).map(pattern).collect();
            if len >= 14 {
                frame[..6].copy_from_slice(&frames::HOST_MAC.0);
                frame[12..14].copy_from_slice(&ethertype.to_be_bytes());
            }
            send(&mut host, &frame);
        }
    }
    // Valid frames with one byte changed.
    for valid in [arp_request(), datagram(PORT, &[0x5a; 40])] {
        for at in 0..valid.len() {
            for value in [0, 0x45, 0xff] {
                let mut frame = valid.clone();
                frame[at] = value;
                frame.resize(frame.len().max(60), 0);
                send(&mut host, &frame);
            }
        }
    }
    let stats = host.device.stats();
    assert_eq!(stats.rx_frames + stats.rx_lost(), sent.get());
    assert!(stats.rx_bad_length > 4 * 60);
    assert_eq!(u64::from(stats.rx_frames), host.counts.received);
    assert_eq!(host.device.errors().total(), 0);
    // The host still replies.
    let before = host.counts.sent;
    send(&mut host, &{
        let mut request = arp_request();
        request.resize(60, 0);
        request
    });
    assert_eq!(host.counts.sent, before + 1);
}

#[test]
fn receive_socket_full_continues() {
    let (clock, nic, peer) = nic_and_peer(config(1));
    let mut reply = [0; 1514];
    let mut host = Host::new(&clock, SmoltcpDevice::lending(nic, &mut reply), 1);
    let udp = host.add_udp(PORT);
    for n in 0..500_u32 {
        peer.send(&datagram(PORT, &n.to_be_bytes()));
        clock.advance(Duration::from_millis(1));
        host.poll();
    }
    assert_eq!(host.device.stats().rx_frames, 500, "frames not received");
    assert_eq!(host.recv_udp(udp), Some(0_u32.to_be_bytes().to_vec()));
    // A port without a socket.
    peer.send(&datagram(4711, b"hello?"));
    clock.advance(Duration::from_millis(1));
    host.poll();
    assert_eq!(host.device.stats().rx_frames, 501);
}

#[test]
fn connection_never_read_few_polls_then_resumes() {
    let (clock, _wire, a, b) = pair(config(1), config(2));
    let [mut client, mut server] = [[0; 1514]; 2];
    let mut echo = Echo::new(
        &clock,
        SmoltcpDevice::lending(a, &mut client),
        SmoltcpDevice::lending(b, &mut server),
    );
    echo.run(1000);
    let before = echo.client.polls + echo.server.polls;
    let end = clock.now() + Duration::from_secs(30);
    while clock.now() < end {
        let a = echo.client.settle(&mut |sockets| {
            let socket = sockets.get_mut::<tcp::Socket<'_>>(echo.at_client);
            while socket.can_send() {
                let fill = |room: &mut [u8]| {
                    for (at, byte) in room.iter_mut().enumerate() {
                        *byte = pattern(echo.sent + at);
                    }
                    (room.len(), room.len())
                };
                echo.sent += socket.send(fill).unwrap();
            }
        });
        // The server does not read.
        let b = echo.server.settle(&mut |_| ());
        assert!(sleep(&clock, &[a, b]));
    }
    let polls = echo.client.polls + echo.server.polls - before;
    assert!(polls < 1500, "{polls} polls in 30 s");
    assert!(echo.sent > 16_384, "the client did not fill the buffers");
    let total = echo.sent;
    echo.run(total);
}

#[test]
fn echo_small_ip_mtu_short_frames() {
    let (clock, _wire, a, b) = pair(config(1), config(2));
    let [mut client, mut server] = [[0; 1514]; 2];
    let client = SmoltcpDevice::lending(a, &mut client).with_max_frame_len(MaxFrameLen::from_ip_mtu(IpMtu::new(700)));
    let mut echo = Echo::new(&clock, client, SmoltcpDevice::lending(b, &mut server));
    echo.run(20_000);
    assert!(echo.client.counts.max_sent_len <= 714);
    assert!(echo.server.counts.max_sent_len <= 714, "maximum segment size ignored");
}

#[test]
fn receive_frame_longer_than_device_limit_dropped() {
    let (clock, nic, peer) = nic_and_peer(config(1).with_max_frame_len(MaxFrameLen::new(1000)));
    let mut reply = [0; 1514];
    let mut host = Host::new(&clock, SmoltcpDevice::lending(nic, &mut reply), 1);
    let udp = host.add_udp(PORT);
    peer.send(&arp_request());
    peer.send(&datagram(PORT, &[1; 958]));
    peer.send(&datagram(PORT, &[2; 959]));
    clock.advance(Duration::from_millis(5));
    host.poll();
    assert_eq!(host.recv_udp(udp), Some(vec![1; 958]));
    assert_eq!(host.recv_udp(udp), None);
    assert_eq!(host.device.stats().rx_bad_length, 1);
    // smoltcp does not send frames that are too long, so the device reports no error.
    let to = IpEndpoint::new(address(2), 9);
    assert!(host.send_udp(udp, &[3; 959], to) && host.send_udp(udp, &[4; 958], to));
    host.poll();
    assert_eq!(host.counts.max_sent_len, 1000);
    assert_eq!(host.device.errors().total() + host.device.drops().tx_lost(), 0);
}

#[test]
fn echo_chip_fault_then_recover_complete() {
    let (clock, _wire, a, b) = pair(config(1), config(2));
    let hardware = a.hardware();
    let [mut client, mut server] = [[0; 1514]; 2];
    let mut echo = Echo::new(
        &clock,
        SmoltcpDevice::lending(a, &mut client),
        SmoltcpDevice::lending(b, &mut server),
    );
    echo.run(10_000);

    hardware.inject_fault();
    hardware.set_dead(true);
    for _ in 0..20 {
        echo.client.poll();
        assert_eq!(echo.client.device.service(), Err(RingError::Dead));
        assert!(echo.client.device.recover().is_err());
        clock.advance(Duration::from_millis(100));
    }
    assert_eq!(echo.client.device.take_error(), Some(RingError::Dead));
    assert!(echo.client.device.errors().fault >= 40);
    assert_ne!(echo.client.poll_at(), PollAt::Now, "polled in a loop during a fault");

    hardware.set_dead(false);
    assert!(echo.client.device.recover().is_ok());
    echo.run(30_000);
    assert_eq!(echo.client.device.stats().recoveries, 1);
    assert_eq!(ethdev::Error::kind(&RingError::Dead), ErrorKind::Fault);
}
