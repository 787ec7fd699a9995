//! smoltcp to smoltcp over wires that lose, double, reorder and spoil frames: no data is lost, and every frame is accounted for on every hop.

#[path = "netsim/host.rs"]
mod host;

use core::time::Duration;

use ethdev::{MacAddress, Speed};
use ethdev_sim::{Clock, RingConfig, RingNic, Side, Wire, WireConfig, WireFaults};
use ethdev_smoltcp::SmoltcpDevice;
use host::{Host, address, sleep};
use smoltcp::iface::{SocketHandle, SocketSet};
use smoltcp::socket::tcp;
use smoltcp::wire::IpEndpoint;

/// Bytes each way.
const SIZE: usize = 256 * 1024;
const PORT: u16 = 7;
/// In virtual time. At a tenth of all frames lost, smoltcp's retransmission timer doubles its way up.
const PATIENCE: Duration = Duration::from_secs(600);

/// A stream of bytes that is the same for the same seed (splitmix64).
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

    /// The next bytes, at most as many as there are.
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
                    assert_eq!(self.expects.fill(&mut expected), data.len(), "more than was sent");
                    assert!(data == expected, "spoilt, with {} bytes to come", self.expects.left);
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

struct Network<'b> {
    clock: Clock,
    wire: Wire,
    a: Host<'b, RingNic>,
    b: Host<'b, RingNic>,
    at_a: Transfer,
    at_b: Transfer,
}

fn config(number: u8) -> RingConfig {
    RingConfig::new(MacAddress::new([2, 0, 0, 0, 0, number]))
}

impl<'b> Network<'b> {
    fn new(wire: WireConfig, a: RingConfig, b: RingConfig, [spare_a, spare_b]: &'b mut [[u8; 1514]; 2]) -> Self {
        Self::with(wire, a, b, |a, b| {
            (SmoltcpDevice::new(a, spare_a), SmoltcpDevice::new(b, spare_b))
        })
    }

    fn with(
        wire: WireConfig,
        a: RingConfig,
        b: RingConfig,
        adapt: impl FnOnce(RingNic, RingNic) -> (SmoltcpDevice<'b, RingNic>, SmoltcpDevice<'b, RingNic>),
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

    /// One instant; `false` when nothing more will ever happen.
    fn step(&mut self) -> bool {
        let a = self.a.settle(&mut |sockets| self.at_a.run(sockets));
        let b = self.b.settle(&mut |sockets| self.at_b.run(sockets));
        sleep(&self.clock, &[a, b])
    }

    fn is_done(&self) -> bool {
        self.at_a.is_done() && self.at_b.is_done()
    }

    /// Runs until all is transferred, then until nothing is on its way any more.
    fn run(&mut self) {
        while !self.is_done() {
            assert!(self.step(), "it came to a standstill at {:?}", self.clock.now());
            assert!(self.clock.now() < PATIENCE, "it takes too long");
        }
        let end = self.clock.now() + Duration::from_secs(300);
        while self.clock.now() < end && self.step() {}
        assert_eq!(
            self.wire.stats(Side::A).in_flight + self.wire.stats(Side::B).in_flight,
            0
        );
    }

    /// Follows every frame from one stack to the other.
    fn balance(&self) {
        for (side, from, to) in [(Side::A, &self.a, &self.b), (Side::B, &self.b, &self.a)] {
            let (sender, receiver, wire) = (from.device.stats(), to.device.stats(), self.wire.stats(side));
            let context = || format!("{side:?}: {sender:?} {wire:?} {receiver:?}");
            // smoltcp to NIC.
            let lost = u64::from(from.device.drops().tx_lost()) + u64::from(from.device.has_pending_reply());
            let accepted = u64::from(sender.tx_frames) + u64::from(sender.tx_lost());
            assert_eq!(from.tally.sent, accepted + lost, "{}", context());
            // NIC to wire: a frame that was cut off while it went out is both aborted and on the wire.
            assert!(wire.sent >= u64::from(sender.tx_frames), "{}", context());
            assert!(wire.sent <= accepted, "{}", context());
            // Along the wire.
            assert!(wire.balanced(), "{}", context());
            // Wire to NIC.
            let arrived = u64::from(receiver.rx_frames) + u64::from(receiver.rx_lost());
            assert_eq!(wire.delivered, arrived, "{}", context());
            assert_eq!(receiver.rx_bad_fcs > 0, wire.corrupted > 0, "{}", context());
            // NIC to smoltcp.
            let (dropped, seen) = (u64::from(to.device.drops().rx_too_short), to.tally.received);
            assert_eq!(u64::from(receiver.rx_frames) + dropped, seen, "{}", context());
        }
        assert_eq!((self.a.device.errors().total(), self.b.device.errors().total()), (0, 0));
    }
}

/// Runs a transfer for several seeds; `check` looks at the wire's statistics of both directions, added up.
fn transfers(faults: WireFaults, check: impl Fn(&dyn Fn(fn(&ethdev_sim::WireStats) -> u64) -> u64)) {
    for seed in [1, 0xbad_5eed, 0x1234_5678_9abc_def0] {
        println!("seed {seed:#x}, {faults:?}");
        let wire = WireConfig::default().with_seed(seed).with_faults(faults);
        let mut spares = [[0; 1514]; 2];
        let mut network = Network::new(wire, config(1), config(2), &mut spares);
        network.run();
        network.balance();
        let stats = [network.wire.stats(Side::A), network.wire.stats(Side::B)];
        check(&|count| stats.iter().map(count).sum());
    }
}

#[test]
fn a_perfect_wire() {
    transfers(WireFaults::NONE, |sum| {
        assert_eq!(sum(|w| w.lost + w.corrupted + w.duplicated + w.reordered), 0);
    });
}

#[test]
fn loss() {
    for p in [0.01, 0.05, 0.1] {
        transfers(WireFaults::NONE.with_loss(p), |sum| assert!(sum(|w| w.lost) > 0));
    }
}

#[test]
fn duplication() {
    transfers(WireFaults::NONE.with_duplication(0.2), |sum| {
        assert!(sum(|w| w.duplicated) > 10);
    });
}

#[test]
fn reordering() {
    let faults = WireFaults::NONE.with_reorder(0.1, Duration::from_millis(3));
    transfers(faults, |sum| assert!(sum(|w| w.reordered) > 10));
}

#[test]
fn corruption() {
    transfers(WireFaults::NONE.with_corruption(0.05), |sum| {
        assert!(sum(|w| w.corrupted) > 0);
    });
}

#[test]
fn everything_at_once() {
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
fn the_same_seed_gives_the_same_run() {
    let run = || {
        let faults = WireFaults::NONE.with_loss(0.05).with_corruption(0.05);
        let mut spares = [[0; 1514]; 2];
        let wire = WireConfig::default().with_seed(42).with_faults(faults);
        let mut network = Network::new(wire, config(1), config(2), &mut spares);
        network.run();
        (network.clock.now(), network.wire.stats(Side::A), network.a.tally)
    };
    assert_eq!(run(), run());
}

#[test]
fn short_rings_on_a_slow_wire() {
    let mut spares = [[0; 1514]; 2];
    let wire = WireConfig::default()
        .with_speed(Speed::MBPS_10)
        .with_seed(5)
        .with_faults(WireFaults::NONE.with_loss(0.02));
    let mut network = Network::new(
        wire,
        config(1).with_slots(1, 1),
        config(2).with_slots(1, 1),
        &mut spares,
    );
    network.run();
    network.balance();
}

#[test]
fn a_cable_that_is_pulled_and_plugged_in_again() {
    let mut spares = [[0; 1514]; 2];
    let mut network = Network::new(WireConfig::default().with_seed(6), config(1), config(2), &mut spares);
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
        assert!(network.step(), "it came to a standstill at {:?}", network.clock.now());
        assert!(network.clock.now() < PATIENCE, "it takes too long");
        if !network.wire.link().is_up() {
            polls_while_down += network.a.polls + network.b.polls - before;
        }
    }
    network.run();
    network.balance();
    assert!(
        network.clock.now() > at(9000),
        "the cable was pulled while data was on its way"
    );
    assert!(network.a.device.stats().link_changes >= 5);
    // 7.5 seconds without a link, a look every quarter of a second at each end, and what is due to timers of the stack.
    assert!(polls_while_down < 400, "{polls_while_down} polls without a link");
}

/// A receiver that has little room and looks at it seldom: how many frames it lost for that, and when it had everything, if it had in two seconds.
fn overruns(burst: impl Fn(SmoltcpDevice<'_, RingNic>) -> SmoltcpDevice<'_, RingNic>) -> (u32, Option<Duration>) {
    let mut spares = [[0; 1514]; 2];
    let [spare_a, spare_b] = &mut spares;
    let small = config(2).with_slots(4, 64);
    let mut network = Network::with(WireConfig::default(), config(1), small, |a, b| {
        (SmoltcpDevice::new(a, spare_a), burst(SmoltcpDevice::new(b, spare_b)))
    });
    // Nothing flows back but acknowledgements.
    network.at_a.expects.left = 0;
    network.at_b.sends.left = 0;
    let mut looks = Duration::ZERO;
    let mut done = None;
    while done.is_none() && network.clock.now() < Duration::from_secs(2) {
        let a = network.a.settle(&mut |sockets| network.at_a.run(sockets));
        if network.clock.now() >= looks {
            network.b.settle(&mut |sockets| network.at_b.run(sockets));
            looks = network.clock.now() + Duration::from_millis(5);
        }
        done = network.is_done().then(|| network.clock.now());
        sleep(&network.clock, &[a, Some(looks)]);
    }
    (network.b.device.stats().rx_overrun, done)
}

#[test]
fn the_receive_window_keeps_to_what_the_receive_queue_holds() {
    let (lost, done) = overruns(|adapter| adapter);
    assert_eq!(lost, 0);
    assert!(done.is_some());
    // What that is worth: without it the peer sends what the socket's buffer would hold.
    let (lost, done) = overruns(|adapter| adapter.with_max_burst_size(None));
    assert!(lost > 10, "{lost} frames lost, {done:?}");
}
