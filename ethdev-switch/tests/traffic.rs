//! Random traffic among the clients and the wire against a reference model: who receives what, and
//! that the counters add up.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use ethdev::{Control, ErrorKind, EthernetDevice, MacAddress, Multicast, RxFilter, Stats};
use ethdev_sim::random::Rng;
use ethdev_sim::{Clock, RingConfig, RingNic, WireConfig};
use ethdev_switch::{Switch, TableEntry};

const PORTS: usize = 3;
const QUEUE: usize = 3;
const TABLE: usize = 2;
const STEPS: usize = 600;
const SEEDS: u64 = 60;
/// Frames in the ring of the device: fewer than it has descriptors.
const MAX_IN_DEVICE: usize = 10;

const fn address(n: u8) -> MacAddress {
    MacAddress::new([0x02, 0, 0, 0, 0, n])
}

const GROUPS: [MacAddress; 2] = [
    MacAddress::new([0x01, 0, 0x5e, 0, 0, 1]),
    MacAddress::new([0x33, 0x33, 0, 0, 0, 1]),
];

/// Addresses that a port may have, that may be behind one, and that are on the wire only.
const OWN: [[u8; 2]; PORTS] = [[1, 11], [2, 12], [3, 13]];
const BEHIND: [u8; 3] = [21, 22, 23];
const STATIONS: [u8; 2] = [31, 32];

const FILTERS: [RxFilter<'static>; 5] = [
    RxFilter::DEFAULT,
    RxFilter::DEFAULT.with_broadcast(false),
    RxFilter::DEFAULT.with_multicast(Multicast::List(&[GROUPS[0]])),
    RxFilter::DEFAULT.with_multicast(Multicast::All),
    RxFilter::PROMISCUOUS,
];

type Frame = Vec<u8>;

struct Client {
    address: MacAddress,
    filter: RxFilter<'static>,
    started: bool,
    asleep: bool,
    queue: VecDeque<Frame>,
    stats: Stats,
    /// Frames that the port had to take or count.
    offered: u32,
}

impl Client {
    fn running(&self) -> bool {
        self.started && !self.asleep
    }

    fn offer(&mut self, wanted: bool, frame: &Frame) {
        if !self.running() {
            return;
        }
        self.offered += 1;
        match wanted {
            false => self.stats.rx_filtered += 1,
            true if self.queue.len() == QUEUE => self.stats.rx_overrun += 1,
            true => self.queue.push_back(frame.clone()),
        }
    }

    fn reset(&mut self) {
        self.stats.rx_reset += self.queue.len() as u32;
        self.queue.clear();
    }
}

/// What the switch has to do, written down once more in other words.
struct Model {
    clients: Vec<Client>,
    /// Address, port. Places are reused as documented: a free one, or the one replaced least
    /// recently.
    table: [Option<(MacAddress, usize)>; TABLE],
    replaced: usize,
    in_device: VecDeque<Frame>,
    on_wire: VecDeque<Frame>,
}

fn destination(frame: &Frame) -> MacAddress {
    MacAddress::new(frame[..6].try_into().unwrap())
}

fn source(frame: &Frame) -> MacAddress {
    MacAddress::new(frame[6..12].try_into().unwrap())
}

impl Model {
    fn new() -> Self {
        let client = |n: usize| Client {
            address: address(OWN[n][0]),
            filter: RxFilter::DEFAULT,
            started: true,
            asleep: false,
            queue: VecDeque::new(),
            stats: Stats::ZERO,
            offered: 0,
        };
        Self {
            clients: (0..PORTS).map(client).collect(),
            table: [None; TABLE],
            replaced: 0,
            in_device: VecDeque::new(),
            on_wire: VecDeque::new(),
        }
    }

    fn is_own(&self, address: MacAddress) -> bool {
        self.clients.iter().any(|client| client.address == address)
    }

    fn forget(&mut self, forget: impl Fn((MacAddress, usize)) -> bool) {
        for place in &mut self.table {
            *place = place.filter(|&entry| !forget(entry));
        }
    }

    fn learn(&mut self, address: MacAddress, port: usize) {
        let known = |place: &Option<(MacAddress, usize)>| place.is_some_and(|(known, _)| known == address);
        let place = self.table.iter().position(known);
        let place = place.or_else(|| self.table.iter().position(Option::is_none));
        let place = place.unwrap_or_else(|| {
            self.replaced += 1;
            (self.replaced - 1) % TABLE
        });
        self.table[place] = Some((address, port));
    }

    fn ports(&self) -> BTreeMap<MacAddress, usize> {
        let learned = self.table.iter().flatten().copied();
        // An own address comes before a learned one.
        learned
            .chain(self.clients.iter().enumerate().map(|(n, client)| (client.address, n)))
            .collect()
    }

    fn arrive(&mut self, frame: &Frame) {
        self.forget(|(address, _)| address == source(frame));
        let to = destination(frame);
        let port = self.ports().get(&to).copied();
        for (n, client) in self.clients.iter_mut().enumerate() {
            let wanted = port == Some(n) || client.filter.passes(to, client.address);
            client.offer(wanted, frame);
        }
    }

    /// Moves frames of the device until the client has one.
    fn fill(&mut self, n: usize) {
        while self.clients[n].queue.is_empty() {
            let Some(frame) = self.in_device.pop_front() else {
                return;
            };
            self.arrive(&frame);
        }
    }

    fn is_for_wire(&self, from: usize, frame: &Frame) -> bool {
        self.ports().get(&destination(frame)).is_none_or(|&port| port == from)
    }

    fn sent(&mut self, from: usize, frame: &Frame) {
        let (to, source) = (destination(frame), source(frame));
        let port = self.ports().get(&to).copied();
        if self.is_for_wire(from, frame) {
            self.on_wire.push_back(frame.clone());
        }
        if !self.is_own(source) {
            self.learn(source, from);
        }
        for (n, client) in self.clients.iter_mut().enumerate().filter(|(n, _)| *n != from) {
            let wanted = port == Some(n) || client.filter.passes(to, client.address);
            if wanted || to.is_multicast() {
                client.offer(wanted, frame);
            }
        }
        self.clients[from].stats.count_tx(frame.len());
    }

    fn set_state(&mut self, n: usize, started: bool, asleep: bool) {
        let was_running = self.clients[n].running();
        if was_running != (started && !asleep) {
            self.clients[n].reset();
            while let Some(frame) = self.in_device.pop_front() {
                self.arrive(&frame);
                self.clients[n].reset();
            }
            self.clients[n].stats.link_changes += 1;
        }
        (self.clients[n].started, self.clients[n].asleep) = (started, asleep);
        if !self.clients[n].running() {
            self.forget(|(_, port)| port == n);
        }
    }
}

fn any<T: Copy>(rng: &mut Rng, items: &[T]) -> T {
    items[rng.below(items.len())]
}

/// A destination of any kind.
fn any_destination(rng: &mut Rng) -> MacAddress {
    match rng.below(8) {
        0..3 => address(any(rng, OWN.as_flattened())),
        3 => address(any(rng, &BEHIND)),
        4 => address(any(rng, &STATIONS)),
        5 => any(rng, &GROUPS),
        6 => MacAddress::BROADCAST,
        // The address of the device itself, which no port has.
        _ => address(9),
    }
}

/// Returns the sum of the counters of all ports, and how many frames were refused as `Busy`.
fn run(seed: u64) -> (Stats, u32) {
    let mut rng = Rng::new(seed, 0);
    let clock = Clock::new();
    let (_wire, nic, peer) = RingNic::with_peer(
        &clock,
        WireConfig::default(),
        RingConfig::new(address(9)).with_slots(16, 2),
    );
    let chip = nic.hardware();
    let mut queues = [[[0; 1514]; QUEUE]; PORTS];
    let mut table = [TableEntry::EMPTY; TABLE];
    let mut switch = Switch::new(nic, OWN.map(|own| address(own[0])), &mut queues, &mut table);
    switch.open().unwrap();
    let (mut ports, mut owner) = switch.split().unwrap();
    let mut model = Model::new();
    let (mut stalled, mut busy) = (false, 0);

    for step in 0..STEPS as u32 {
        let n = rng.below(PORTS);
        let port = &mut ports[n];
        match rng.below(16) {
            0..4 if model.in_device.len() < MAX_IN_DEVICE => {
                let from = if rng.below(6) == 0 {
                    any(&mut rng, &BEHIND)
                } else {
                    any(&mut rng, &STATIONS)
                };
                let mut frame = [any_destination(&mut rng).octets(), address(from).octets()].concat();
                frame.extend(step.to_be_bytes());
                frame.resize(60 + rng.below(200), step as u8);
                peer.send(&frame);
                model.in_device.push_back(frame);
            }
            4..8 => {
                let own = port.mac_address();
                let from = if rng.below(4) == 0 {
                    address(any(&mut rng, &BEHIND))
                } else {
                    own
                };
                let mut frame = [any_destination(&mut rng).octets(), from.octets()].concat();
                frame.extend(step.to_be_bytes());
                frame.resize(60 + rng.below(200), step as u8);
                let (first, second) = frame.split_at(rng.below(frame.len()));
                match port.send_vectored(&[first, second]) {
                    Ok(()) => {
                        assert!(model.clients[n].running());
                        model.sent(n, &frame);
                    }
                    Err(e) if model.clients[n].running() => {
                        assert_eq!(ethdev::Error::kind(&e), ErrorKind::Busy);
                        assert!(stalled && model.is_for_wire(n, &frame));
                        busy += 1;
                    }
                    Err(e) => assert_eq!(ethdev::Error::kind(&e), ErrorKind::Stopped),
                }
            }
            8..12 => {
                if model.clients[n].running() {
                    model.fill(n);
                }
                let mut buf = [0; 1514];
                let received = port.recv_frame(&mut buf).unwrap();
                let expected = model.clients[n].queue.pop_front();
                assert_eq!(received.map(|meta| &buf[..meta.len]), expected.as_deref());
                if let Some(frame) = expected {
                    model.clients[n].stats.count_rx(frame.len());
                }
            }
            12 => {
                if model.clients[n].running() {
                    model.fill(n);
                }
                let expected = model.clients[n].queue.pop_front();
                assert_eq!(port.discard_frame().unwrap(), expected.is_some());
                model.clients[n].stats.rx_discarded += u32::from(expected.is_some());
            }
            13 => {
                model.clients[n].filter = any(&mut rng, &FILTERS);
                port.set_rx_filter(model.clients[n].filter).unwrap();
                let own = address(any(&mut rng, &OWN[n]));
                port.set_mac_address(own).unwrap();
                model.clients[n].address = own;
                model.forget(|(learned, _)| learned == own);
            }
            14 if rng.below(3) == 0 => {
                let started = model.clients[n].started;
                let ((started, asleep), result) = match rng.below(4) {
                    0 => ((true, false), port.start()),
                    1 => ((false, false), port.stop()),
                    2 => ((started, true), port.sleep()),
                    _ => ((started, false), port.wake()),
                };
                result.unwrap();
                model.set_state(n, started, asleep);
            }
            _ => {
                stalled = rng.below(2) == 0;
                chip.stall_tx(stalled);
            }
        }
        clock.advance(Duration::from_millis(1));
        // Confirms what was sent, so that the queue of the device is full only while it is stalled.
        owner.with_device(EthernetDevice::service).unwrap();
        while let Some(frame) = peer.recv() {
            assert_eq!(Some(frame), model.on_wire.pop_front());
        }
        assert!(stalled || model.on_wire.is_empty());
        for (port, client) in ports.iter().zip(&model.clients) {
            let stats = port.stats();
            assert_eq!(stats, client.stats);
            let accounted = stats.rx_frames + stats.rx_lost() + client.queue.len() as u32;
            assert_eq!(client.offered, accounted);
        }
    }
    let sum = |sum: Stats, client: &Client| sum.wrapping_add(&client.stats);
    (model.clients.iter().fold(Stats::ZERO, sum), busy)
}

#[test]
fn ports_random_traffic_matches_model() {
    let (mut total, mut busy) = (Stats::ZERO, 0);
    for seed in 0..SEEDS {
        println!("seed {seed}");
        let (stats, refused) = run(seed);
        (total, busy) = (total.wrapping_add(&stats), busy + refused);
    }
    // Each kind of event has happened.
    assert!(busy > 0);
    for (name, count) in total.iter() {
        let counted = [
            "rx_frames",
            "rx_overrun",
            "rx_filtered",
            "rx_discarded",
            "rx_reset",
            "tx_frames",
        ];
        assert!(count > 0 || !counted.contains(&name), "{name}");
    }
}
