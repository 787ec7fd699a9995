//! smoltcp to smoltcp over wires that lose, duplicate, reorder and corrupt frames: no data is lost,
//! and every frame is accounted for on every hop.

#[path = "netsim/host.rs"]
mod host;

use core::time::Duration;

use ethdev::{MacAddress, Speed};
use ethdev_sim::{Clock, RingConfig, RingNic, Side, Wire, WireConfig, WireFaults};
use ethdev_smoltcp::{Lending, SmoltcpDevice};
use host::{Host, address, sleep};
use smoltcp::iface::{SocketHandle, SocketSet};
use smoltcp::socket::tcp;
use smoltcp::wire::IpEndpoint;

/// Bytes in each direction.
const SIZE: usize = 256 * 1024;
const PORT: u16 = 7;
/// Limit of a transfer in simulated time. With 10 % of the frames lost, the retransmission timer of
/// smoltcp doubles many times.
const TIMEOUT: Duration = Duration::from_secs(600);

/// A pseudo-random stream of bytes (`SplitMix64`).
struct Stream {
    state: u64,
    word: [u8; 8],
    used: usize,
    left: usize,
}

impl Stream {
    fn new(seed: u64) -> Self {
        Self {
            state: seed,
            word: [0; 8],
            used: 8,
            left: SIZE,
        }
    }

    /// Writes the next bytes, at most those left. Returns their number.
    fn fill(&mut self, buf: &mut [u8]) -> usize {
        let len = buf.len().min(self.left);
        for byte in &mut buf[..len] {
            if self.used == 8 {
                self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
                let z = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
                self.word = (z ^ (z >> 31)).to_le_bytes();
                self.used = 0;
            }
            *byte = self.word[self.used];
            self.used += 1;
        }
        self.left -= len;
        len
    }
}

/// An application that sends one stream and expects another.
struct Transfer {
    socket: SocketHandle,
    sends: Stream,
    expects: Stream,
    closed: bool,
}

impl Transfer {
    fn new(socket: SocketHandle, sends: u64, expects: u64) -> Self {
        Self {
            socket,
            sends: Stream::new(sends),
            expects: Stream::new(expects),
            closed: false,
        }
    }

    fn run(&mut self, sockets: &mut SocketSet<'static>) {
        let socket = sockets.get_mut::<tcp::Socket<'_>>(self.socket);
        while socket.can_send() && self.sends.left > 0 {
            socket.send(|room| (self.sends.fill(room), ())).unwrap();
        }
        while socket.can_recv() {
            socket
                .recv(|data| {
                    let mut expected = vec![0; data.len()];
                    assert_eq!(self.expects.fill(&mut expected), data.len(), "more data than sent");
                    assert!(data == expected, "corrupt data, {} bytes left", self.expects.left);
                    (data.len(), ())
                })
                .unwrap();
        }
        if self.is_done() && !self.closed {
            socket.close();
            self.closed = true;
        }
    }

    fn is_done(&self) -> bool {
        self.sends.left == 0 && self.expects.left == 0
    }
}

type Adapter<'b> = SmoltcpDevice<'b, RingNic, Lending>;

struct Network<'b> {
    clock: Clock,
    wire: Wire,
    a: Host<'b, RingNic, Lending>,
    b: Host<'b, RingNic, Lending>,
    at_a: Transfer,
    at_b: Transfer,
}

fn config(number: u8) -> RingConfig {
    RingConfig::new(MacAddress::new([2, 0, 0, 0, 0, number]))
}

impl<'b> Network<'b> {
    fn new(wire: WireConfig, a: RingConfig, b: RingConfig, [reply_a, reply_b]: &'b mut [[u8; 1514]; 2]) -> Self {
        Self::with(wire, a, b, |a, b| {
            (SmoltcpDevice::lending(a, reply_a), SmoltcpDevice::lending(b, reply_b))
        })
    }

    fn with(
        wire: WireConfig,
        a: RingConfig,
        b: RingConfig,
        adapt: impl FnOnce(RingNic, RingNic) -> (Adapter<'b>, Adapter<'b>),
    ) -> Self {
        let clock = Clock::new();
        let seed = wire.seed;
        let (wire, a, b) = RingNic::pair(&clock, wire, a, b);
        let (a, b) = adapt(a, b);
        let (mut a, mut b) = (Host::new(&clock, a, 1), Host::new(&clock, b, 2));
        let (at_a, at_b) = (a.add_tcp(65_535), b.add_tcp(65_535));
        b.listen(at_b, PORT);
        a.connect(at_a, IpEndpoint::new(address(2), PORT));
        Self {
            clock,
            wire,
            a,
            b,
            at_a: Transfer::new(at_a, seed, !seed),
            at_b: Transfer::new(at_b, !seed, seed),
        }
    }

    /// Executes one instant. Returns `false` if nothing is scheduled.
    fn step(&mut self) -> bool {
        let a = self.a.settle(&mut |sockets| self.at_a.run(sockets));
        let b = self.b.settle(&mut |sockets| self.at_b.run(sockets));
        sleep(&self.clock, &[a, b])
    }

    fn is_done(&self) -> bool {
        self.at_a.is_done() && self.at_b.is_done()
    }

    /// Runs until the transfer is complete, then until no frame is in flight.
    fn run(&mut self) {
        while !self.is_done() {
            assert!(self.step(), "transfer stalled at {:?}", self.clock.now());
            assert!(self.clock.now() < TIMEOUT, "transfer timed out");
        }
        let end = self.clock.now() + Duration::from_secs(300);
        while self.clock.now() < end && self.step() {}
        assert_eq!(
            self.wire.stats(Side::A).in_flight + self.wire.stats(Side::B).in_flight,
            0
        );
    }

    /// Checks that every frame between the stacks is accounted for.
    fn check_accounting(&self) {
        for (side, from, to) in [(Side::A, &self.a, &self.b), (Side::B, &self.b, &self.a)] {
            let (sender, receiver, wire) = (from.device.stats(), to.device.stats(), self.wire.stats(side));
            let context = || format!("{side:?}: {sender:?} {wire:?} {receiver:?}");
            // smoltcp to NIC.
            let lost = u64::from(from.device.drops().tx_lost()) + u64::from(from.device.has_pending_reply());
            let accepted = u64::from(sender.tx_frames) + u64::from(sender.tx_lost());
            assert_eq!(from.counts.sent, accepted + lost, "{}", context());
            // NIC to wire. A frame that was cut off during transmission is counted as aborted and
            // is on the wire.
            assert!(wire.sent >= u64::from(sender.tx_frames), "{}", context());
            assert!(wire.sent <= accepted, "{}", context());
            // Along the wire.
            assert!(wire.balanced(), "{}", context());
            // Wire to NIC.
            let arrived = u64::from(receiver.rx_frames) + u64::from(receiver.rx_lost());
            assert_eq!(wire.delivered, arrived, "{}", context());
            assert_eq!(receiver.rx_bad_fcs > 0, wire.corrupted > 0, "{}", context());
            // NIC to smoltcp.
            let (dropped, seen) = (u64::from(to.device.drops().rx_too_short), to.counts.received);
            assert_eq!(u64::from(receiver.rx_frames) + dropped, seen, "{}", context());
        }
        assert_eq!((self.a.device.errors().total(), self.b.device.errors().total()), (0, 0));
    }
}

/// Runs transfers with several seeds. `check` reads sums of the statistics of both directions.
fn transfers(faults: WireFaults, check: impl Fn(&dyn Fn(fn(&ethdev_sim::WireStats) -> u64) -> u64)) {
    for seed in [1, 0xbad_5eed, 0x1234_5678_9abc_def0] {
        println!("seed {seed:#x}, {faults:?}");
        let wire = WireConfig::default().with_seed(seed).with_faults(faults);
        let mut replies = [[0; 1514]; 2];
        let mut network = Network::new(wire, config(1), config(2), &mut replies);
        network.run();
        network.check_accounting();
        let stats = [network.wire.stats(Side::A), network.wire.stats(Side::B)];
        check(&|count| stats.iter().map(count).sum());
    }
}

#[test]
fn transfer_no_faults_complete() {
    transfers(WireFaults::NONE, |sum| {
        assert_eq!(sum(|w| w.lost + w.corrupted + w.duplicated + w.reordered), 0);
    });
}

#[test]
fn transfer_frames_lost_complete() {
    for p in [0.01, 0.05, 0.1] {
        transfers(WireFaults::NONE.with_loss(p), |sum| assert!(sum(|w| w.lost) > 0));
    }
}

#[test]
fn transfer_frames_duplicated_complete() {
    transfers(WireFaults::NONE.with_duplication(0.2), |sum| {
        assert!(sum(|w| w.duplicated) > 10);
    });
}

#[test]
fn transfer_frames_reordered_complete() {
    let faults = WireFaults::NONE.with_reorder(0.1, Duration::from_millis(3));
    transfers(faults, |sum| assert!(sum(|w| w.reordered) > 10));
}

#[test]
fn transfer_frames_corrupted_complete() {
    transfers(WireFaults::NONE.with_corruption(0.05), |sum| {
        assert!(sum(|w| w.corrupted) > 0);
    });
}

#[test]
fn transfer_all_faults_complete() {
    let faults = WireFaults::NONE
        .with_loss(0.03)
        .with_duplication(0.05)
        .with_reorder(0.05, Duration::from_millis(2))
        .with_corruption(0.03);
    transfers(faults, |sum| {
        let each = [
            sum(|w| w.lost),
            sum(|w| w.duplicated),
            sum(|w| w.reordered),
            sum(|w| w.corrupted),
        ];
        assert!(each.iter().all(|n| *n > 0), "{each:?}");
    });
}

#[test]
fn transfer_same_seed_same_run() {
    let run = || {
        let faults = WireFaults::NONE.with_loss(0.05).with_corruption(0.05);
        let mut replies = [[0; 1514]; 2];
        let wire = WireConfig::default().with_seed(42).with_faults(faults);
        let mut network = Network::new(wire, config(1), config(2), &mut replies);
        network.run();
        (network.clock.now(), network.wire.stats(Side::A), network.a.counts)
    };
    assert_eq!(run(), run());
}

#[test]
fn transfer_single_slot_rings_slow_wire_complete() {
    let mut replies = [[0; 1514]; 2];
    let wire = WireConfig::default()
        .with_speed(Speed::MBPS_10)
        .with_seed(5)
        .with_faults(WireFaults::NONE.with_loss(0.02));
    let mut network = Network::new(
        wire,
        config(1).with_slots(1, 1),
        config(2).with_slots(1, 1),
        &mut replies,
    );
    network.run();
    network.check_accounting();
}

#[test]
fn transfer_link_flaps_complete_few_polls_while_down() {
    let mut replies = [[0; 1514]; 2];
    let mut network = Network::new(WireConfig::default().with_seed(6), config(1), config(2), &mut replies);
    let at = |n: u64| Duration::from_millis(n);
    for (ms, up) in [
        (5, false),
        (2000, true),
        (2003, false),
        (2004, true),
        (3500, false),
        (9000, true),
    ] {
        let wire = network.wire.clone();
        network.clock.schedule_at(at(ms), move || wire.set_link(up));
    }
    let mut polls_while_down = 0;
    while !network.is_done() {
        let before = network.a.polls + network.b.polls;
        assert!(network.step(), "transfer stalled at {:?}", network.clock.now());
        assert!(network.clock.now() < TIMEOUT, "transfer timed out");
        if !network.wire.link().is_up() {
            polls_while_down += network.a.polls + network.b.polls - before;
        }
    }
    network.run();
    network.check_accounting();
    assert!(
        network.clock.now() > at(9000),
        "the transfer ended before the last link loss"
    );
    assert!(network.a.device.stats().link_changes >= 5);
    // 7.5 s without a link: a poll every 250 ms at each end, and the timers of the stack.
    assert!(polls_while_down < 400, "{polls_while_down} polls without a link");
}

/// Transfers data to a receiver with a short receive ring that polls every 5 ms. Returns the number
/// of overruns, and when the transfer was complete, if within 2 s.
fn overruns(configure: impl Fn(Adapter<'_>) -> Adapter<'_>) -> (u32, Option<Duration>) {
    let mut replies = [[0; 1514]; 2];
    let [reply_a, reply_b] = &mut replies;
    let small = config(2).with_slots(4, 64);
    let mut network = Network::with(WireConfig::default(), config(1), small, |a, b| {
        (
            SmoltcpDevice::lending(a, reply_a),
            configure(SmoltcpDevice::lending(b, reply_b)),
        )
    });
    // Only acknowledgements flow back.
    network.at_a.expects.left = 0;
    network.at_b.sends.left = 0;
    let mut next_poll = Duration::ZERO;
    let mut done = None;
    while done.is_none() && network.clock.now() < Duration::from_secs(2) {
        let a = network.a.settle(&mut |sockets| network.at_a.run(sockets));
        if network.clock.now() >= next_poll {
            network.b.settle(&mut |sockets| network.at_b.run(sockets));
            next_poll = network.clock.now() + Duration::from_millis(5);
        }
        done = network.is_done().then(|| network.clock.now());
        sleep(&network.clock, &[a, Some(next_poll)]);
    }
    (network.b.device.stats().rx_overrun, done)
}

#[test]
fn receive_window_short_rx_queue_no_overruns() {
    let (lost, done) = overruns(|adapter| adapter);
    assert_eq!(lost, 0);
    assert!(done.is_some());
    // Without the limit, the peer sends as much as the buffer of the socket holds.
    let (lost, done) = overruns(|adapter| adapter.with_max_burst_size(None));
    assert!(lost > 10, "{lost} frames lost, {done:?}");
}
