//! The smoltcp adapter over every kind of device, and against peers and devices that make trouble.

#[path = "netsim/frames.rs"]
mod frames;
#[path = "netsim/host.rs"]
mod host;

use core::cell::Cell;
use core::time::Duration;

use ethdev::{Control, ErrorKind, IpMtu, LendingDevice, MacAddress, MaxFrameLen};
use ethdev_sim::{Clock, FaultPlan, Faulty, Peer, RingConfig, RingError, RingNic, When, Wire, WireConfig, fcs};
use ethdev_smoltcp::{PollAt, SmoltcpDevice};
use ethdev_util::{Buffered, Erased, ErasedDevice};
use frames::{arp_request, datagram};
use host::{Host, address, sleep};
use smoltcp::iface::SocketHandle;
use smoltcp::socket::tcp;
use smoltcp::wire::IpEndpoint;

const PORT: u16 = 7;
const PATIENCE: Duration = Duration::from_secs(120);

fn config(number: u8) -> RingConfig {
    RingConfig::new(MacAddress::new([2, 0, 0, 0, 0, number]))
}

fn pair(a: RingConfig, b: RingConfig) -> (Clock, Wire, RingNic, RingNic) {
    let clock = Clock::new();
    let (wire, a, b) = RingNic::pair(&clock, WireConfig::default(), a, b);
    (clock, wire, a, b)
}

/// A NIC with a station at the other end of its wire that can send anything.
fn lab(config: RingConfig) -> (Clock, RingNic, Peer) {
    let clock = Clock::new();
    let (_wire, nic, station) = RingNic::with_station(&clock, WireConfig::default(), config);
    (clock, nic, station)
}

/// What one byte of the test's data is, at any place.
fn pattern(at: usize) -> u8 {
    (at.wrapping_mul(0x9e37_79b1) >> 16) as u8
}

/// Two stations, the second of which echoes what the first sends.
struct Echo<'b, D: LendingDevice> {
    clock: Clock,
    client: Host<'b, D>,
    server: Host<'b, RingNic>,
    at_client: SocketHandle,
    at_server: SocketHandle,
    sent: usize,
    echoed: usize,
}

impl<'b, D: LendingDevice> Echo<'b, D> {
    fn new(clock: &Clock, client: SmoltcpDevice<'b, D>, server: SmoltcpDevice<'b, RingNic>) -> Self {
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

    /// Until `total` bytes have come back, byte for byte.
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
                        assert!(right, "spoilt after {echoed} bytes");
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
            assert!(sleep(&self.clock, &[a, b]), "standstill after {} bytes", self.echoed);
            assert!(
                self.clock.now() < PATIENCE,
                "{} of {total} bytes came back",
                self.echoed
            );
        }
    }
}

/// The same application over any device.
fn echo_over<D: LendingDevice>(clock: &Clock, device: D, server: RingNic) {
    let mut spares = [[0; 1514]; 2];
    let [client_spare, server_spare] = &mut spares;
    let mut echo = Echo::new(
        clock,
        SmoltcpDevice::new(device, client_spare),
        SmoltcpDevice::new(server, server_spare),
    );
    echo.run(40_000);
    assert_eq!(echo.client.device.errors().total(), 0);
    assert_eq!(echo.client.device.drops().tx_lost(), 0);
}

#[test]
fn one_application_over_every_kind_of_device() {
    let (clock, _wire, a, b) = pair(config(1), config(2));
    echo_over(&clock, a, b);

    let (clock, _wire, mut a, b) = pair(config(1), config(2));
    echo_over(&clock, &mut a, b);

    let (clock, _wire, a, b) = pair(config(1), config(2));
    echo_over(&clock, Buffered::<_, 1514>::new(a), b);

    let (clock, _wire, a, b) = pair(config(1), config(2));
    echo_over(&clock, Buffered::<_, 1514>::new(Erased::new(a)), b);

    let (clock, _wire, a, b) = pair(config(1), config(2));
    let mut erased = Erased::new(a);
    let device: &mut dyn ErasedDevice = &mut erased;
    echo_over(&clock, Buffered::<_, 1514>::new(device), b);

    // No frame that is sent or received has more than 600 bytes.
    let (clock, _wire, a, b) = pair(config(1), config(2));
    echo_over(&clock, Buffered::<_, 600>::new(a), b);

    // One descriptor each way.
    let (clock, _wire, a, b) = pair(config(1).with_slots(1, 1), config(2).with_slots(1, 1));
    echo_over(&clock, Buffered::<_, 1514>::new(a), b);
}

#[test]
fn a_bus_that_fails_now_and_then() {
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
        let mut spares = [[0; 1514]; 2];
        let [client, server] = &mut spares;
        let client = SmoltcpDevice::new(Buffered::<_, 1514>::new(Faulty::new(a, plan)), client);
        let mut echo = Echo::new(&clock, client, SmoltcpDevice::new(b, server));
        echo.run(40_000);
        let adapter = &mut echo.client.device;
        assert!(adapter.errors().bus > 0);
        assert_eq!(adapter.errors().total(), adapter.errors().bus);
        assert!(adapter.take_error().is_some());
        let stats = adapter.stats();
        let lost = u64::from(adapter.drops().tx_lost() + stats.tx_lost()) + u64::from(adapter.has_pending_reply());
        // A frame that waits in the device's own buffer is accepted and not sent yet.
        let accounted = u64::from(stats.tx_frames) + lost;
        assert!(
            (accounted..=accounted + 1).contains(&echo.client.tally.sent),
            "{:?} {stats:?} {:?}",
            echo.client.tally,
            adapter.drops()
        );
    }
}

#[test]
fn receiving_goes_on_while_transmit_is_stalled() {
    const REQUESTS: u32 = 50;
    let (clock, nic, station) = lab(config(1).with_slots(64, 4));
    let hardware = nic.hardware();
    let mut spare = [0; 1514];
    let mut host = Host::new(&clock, SmoltcpDevice::new(nic, &mut spare), 1);
    let udp = host.add_udp(PORT);
    hardware.stall_tx(true);
    for n in 0..REQUESTS {
        station.send(&arp_request());
        station.send(&datagram(PORT, &n.to_be_bytes()));
        clock.advance(Duration::from_millis(1));
        host.poll();
        assert_eq!(host.recv_udp(udp), Some(n.to_be_bytes().to_vec()), "deaf");
    }
    // Four are in the ring, the newest waits in the spare.
    assert_eq!(hardware.tx_queued(), 4);
    assert!(host.device.has_pending_reply());
    assert_eq!(host.device.drops().tx_replies_dropped, REQUESTS - 5);
    assert_eq!(host.device.stats().rx_frames, 2 * REQUESTS);
    // What sockets send is not dropped: it stays there.
    assert!(host.send_udp(udp, b"later", IpEndpoint::new(address(2), 9)));
    host.poll();
    assert!(matches!(host.wakeup(), PollAt::Wait { interest, .. } if interest.tx));

    hardware.stall_tx(false);
    clock.advance(Duration::from_millis(10));
    host.poll();
    clock.advance(Duration::from_millis(10));
    assert!(!host.device.has_pending_reply());
    assert_eq!(station.pending(), 6, "five answers and the datagram");
    assert_eq!(host.device.drops().tx_lost(), REQUESTS - 5);
}

#[test]
fn a_flood_starves_nobody_and_is_accounted_for() {
    const FRAMES: u32 = 4000;
    let (clock, nic, station) = lab(config(1).with_slots(256, 4));
    let mut spare = [0; 1514];
    let mut host = Host::new(&clock, SmoltcpDevice::new(nic, &mut spare), 1);
    let udp = host.add_udp(PORT);
    let mut delivered = 0;
    for n in 0..FRAMES {
        station.send(&datagram(PORT, &n.to_be_bytes()));
    }
    // At 100 Mbit/s it takes 27 ms. The host looks every 2 ms, when about 300 frames have come.
    while clock.next_event().is_some() || host.wakeup() == PollAt::Now {
        clock.advance(Duration::from_millis(2));
        let before = host.tally.received;
        host.poll();
        let portion = host.tally.received - before;
        assert!(
            portion <= u64::from(ethdev_smoltcp::DEFAULT_RX_BUDGET),
            "{portion} frames in one poll"
        );
        while host.recv_udp(udp).is_some() {
            delivered += 1;
        }
    }
    let stats = host.device.stats();
    assert!(stats.rx_overrun > 0);
    assert_eq!(stats.rx_frames + stats.rx_overrun, FRAMES);
    assert_eq!(delivered, stats.rx_frames, "what the host took reached the application");
}

#[test]
fn runts_giants_and_garbage() {
    let (clock, nic, station) = lab(config(1).with_slots(64, 64));
    let mut spare = [0; 1514];
    let mut host = Host::new(&clock, SmoltcpDevice::new(nic, &mut spare), 1);
    let sent = Cell::new(0);
    let send = |host: &mut Host<'_, RingNic>, frame: &[u8]| {
        station.send_raw(&fcs::append(frame));
        sent.set(sent.get() + 1);
        clock.advance(Duration::from_millis(1));
        host.poll();
    };
    // Every length, legal or not, under each protocol's name.
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
    // Good frames with one byte made bad.
    for good in [arp_request(), datagram(PORT, &[0x5a; 40])] {
        for at in 0..good.len() {
            for value in [0, 0x45, 0xff] {
                let mut bad = good.clone();
                bad[at] = value;
                bad.resize(bad.len().max(60), 0);
                send(&mut host, &bad);
            }
        }
    }
    let stats = host.device.stats();
    assert_eq!(stats.rx_frames + stats.rx_lost(), sent.get());
    assert!(stats.rx_bad_length > 4 * 60);
    assert_eq!(u64::from(stats.rx_frames), host.tally.received);
    assert_eq!(host.device.errors().total(), 0);
    // It lives.
    let before = host.tally.sent;
    send(&mut host, &{
        let mut request = arp_request();
        request.resize(60, 0);
        request
    });
    assert_eq!(host.tally.sent, before + 1);
}

#[test]
fn sockets_that_never_read() {
    let (clock, nic, station) = lab(config(1));
    let mut spare = [0; 1514];
    let mut host = Host::new(&clock, SmoltcpDevice::new(nic, &mut spare), 1);
    let udp = host.add_udp(PORT);
    for n in 0..500_u32 {
        station.send(&datagram(PORT, &n.to_be_bytes()));
        clock.advance(Duration::from_millis(1));
        host.poll();
    }
    assert_eq!(host.device.stats().rx_frames, 500, "received, whatever becomes of them");
    assert_eq!(host.recv_udp(udp), Some(0_u32.to_be_bytes().to_vec()));
    // Nobody listens there at all.
    station.send(&datagram(4711, b"hello?"));
    clock.advance(Duration::from_millis(1));
    host.poll();
    assert_eq!(host.device.stats().rx_frames, 501);
}

#[test]
fn a_connection_that_nobody_reads_costs_next_to_nothing_and_goes_on() {
    let (clock, _wire, a, b) = pair(config(1), config(2));
    let mut spares = [[0; 1514]; 2];
    let [client, server] = &mut spares;
    let mut echo = Echo::new(&clock, SmoltcpDevice::new(a, client), SmoltcpDevice::new(b, server));
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
        // The server reads nothing.
        let b = echo.server.settle(&mut |_| ());
        assert!(sleep(&clock, &[a, b]));
    }
    let polls = echo.client.polls + echo.server.polls - before;
    assert!(polls < 1500, "{polls} polls in 30 s");
    assert!(echo.sent > 16_384, "the client filled all there is");
    let total = echo.sent;
    echo.run(total);
}

#[test]
fn a_network_with_a_small_ip_mtu() {
    let (clock, _wire, a, b) = pair(config(1), config(2));
    let mut spares = [[0; 1514]; 2];
    let [client, server] = &mut spares;
    let client = SmoltcpDevice::new(a, client).with_max_frame_len(MaxFrameLen::from_ip_mtu(IpMtu::new(700)));
    let mut echo = Echo::new(&clock, client, SmoltcpDevice::new(b, server));
    echo.run(20_000);
    assert!(echo.client.tally.longest_sent <= 714);
    assert!(echo.server.tally.longest_sent <= 714, "it was told by TCP");
}

#[test]
fn a_device_with_short_frames_and_a_peer_that_does_not_know() {
    let (clock, nic, station) = lab(config(1).with_max_frame_len(MaxFrameLen::new(1000)));
    let mut spare = [0; 1514];
    let mut host = Host::new(&clock, SmoltcpDevice::new(nic, &mut spare), 1);
    let udp = host.add_udp(PORT);
    station.send(&arp_request());
    station.send(&datagram(PORT, &[1; 958]));
    station.send(&datagram(PORT, &[2; 959]));
    clock.advance(Duration::from_millis(5));
    host.poll();
    assert_eq!(host.recv_udp(udp), Some(vec![1; 958]));
    assert_eq!(host.recv_udp(udp), None);
    assert_eq!(host.device.stats().rx_bad_length, 1);
    // What is too long to send is no error of the device's: smoltcp knows.
    let to = IpEndpoint::new(address(2), 9);
    assert!(host.send_udp(udp, &[3; 959], to) && host.send_udp(udp, &[4; 958], to));
    host.poll();
    assert_eq!(host.tally.longest_sent, 1000);
    assert_eq!(host.device.errors().total() + host.device.drops().tx_lost(), 0);
}

#[test]
fn a_chip_that_dies_and_comes_back() {
    let (clock, _wire, a, b) = pair(config(1), config(2));
    let hardware = a.hardware();
    let mut spares = [[0; 1514]; 2];
    let [client, server] = &mut spares;
    let mut echo = Echo::new(&clock, SmoltcpDevice::new(a, client), SmoltcpDevice::new(b, server));
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
    assert_ne!(echo.client.wakeup(), PollAt::Now, "nothing to be done about it");

    hardware.set_dead(false);
    assert!(echo.client.device.recover().is_ok());
    echo.run(30_000);
    assert_eq!(echo.client.device.stats().recoveries, 1);
    assert_eq!(ethdev::Error::kind(&RingError::Dead), ErrorKind::Fault);
}
