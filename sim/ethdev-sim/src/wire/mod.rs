//! Wires: full duplex, with the time that frames take and what happens to them on the way.

mod config;
mod duplex;
mod link;
mod media;
mod port;
mod stats;
#[cfg(test)]
mod tests;

use core::cell::{Cell, RefCell};
use core::time::Duration;
use std::collections::{BTreeSet, VecDeque};
use std::rc::Rc;

use ethdev::{Duplex, Link, LinkMode, Speed};

pub use config::{WireConfig, WireFaults};
pub use media::MediaSide;
pub use port::{CableWatcher, LinkWatcher, Port, Receiver};
pub use stats::WireStats;

use crate::capture::{Capture, CaptureInterface, Direction, Packet};
use crate::random::Rng;
use crate::{Clock, fcs};

/// Preamble and start-of-frame delimiter in bytes (IEEE 802.3 clause 3.2.1 and 3.2.2).
pub const PREAMBLE_LEN: usize = 8;
/// Silence between two frames in byte times (IEEE 802.3 clause 4.4.2: 96 bit times).
pub const INTER_FRAME_GAP: usize = 12;

/// One of the two ends of a wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// The end of the first port.
    A,
    /// The end of the second port.
    B,
}

impl Side {
    /// The other end.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }

    const fn index(self) -> usize {
        match self {
            Self::A => 0,
            Self::B => 1,
        }
    }
}

/// A full-duplex wire between two [`Port`]s. Clones are the same wire.
///
/// Each direction sends one frame after another: preamble, frame, FCS and the gap take their time at the wire's speed, then the frame takes the latency to
/// arrive. Random faults come from the wire's seed alone. Frames on the wire carry their FCS and no preamble.
///
/// ```
/// use ethdev_sim::{Clock, Peer, Wire, WireConfig};
/// use std::time::Duration;
///
/// let clock = Clock::new();
/// let (wire, a, b) = Wire::new(&clock, WireConfig::default());
/// let (alice, bob) = (Peer::new(a), Peer::new(b));
/// alice.send(&[0x5a; 60]);
/// clock.advance(Duration::from_nanos(5759));
/// assert_eq!(bob.recv(), None);
/// clock.advance(Duration::from_nanos(1)); // 72 byte times of 80 ns
/// assert_eq!(bob.recv(), Some(vec![0x5a; 60]));
/// assert_eq!(wire.stats(ethdev_sim::Side::A).delivered, 1);
/// ```
#[derive(Clone, Debug)]
pub struct Wire(Rc<Inner>);

#[derive(Debug)]
struct Inner {
    clock: Clock,
    /// That of the link, or of the latest one. It changes only while the link is down.
    speed: Cell<Speed>,
    latency: Duration,
    name: String,
    state: RefCell<State>,
}

#[derive(Debug)]
struct State {
    /// Up where the cable is in and there is a mode.
    link: Link,
    plugged: bool,
    /// What the two ends agreed on.
    mode: Option<LinkMode>,
    /// By side: whether the end there sends only while nothing arrives.
    half_duplex: [bool; 2],
    /// Counts losses of the link: what was sent in an earlier era never arrives.
    era: u64,
    /// By sending side.
    lanes: [Lane; 2],
    /// By side.
    ends: [End; 2],
    capture: Option<CaptureInterface>,
}

/// One direction.
#[derive(Debug)]
struct Lane {
    idle_at: Duration,
    faults: WireFaults,
    loss: Rng,
    duplication: Rng,
    reorder: Rng,
    corruption: Rng,
    stats: WireStats,
    /// One more than the number of the latest frame that arrived, in the order of sending.
    arrived: u64,
    /// First and last bit of each frame that is going out or waits for its turn.
    slots: VecDeque<(Duration, Duration)>,
    /// The latest frame that was broken off: its number, and how much of it did not go out.
    broken_off: Option<(u64, usize)>,
    /// The frames on their way that met one of the other direction where that must not be.
    collided: BTreeSet<u64>,
}

/// What is attached to one side.
#[derive(Default)]
struct End {
    receiver: Option<Receiver>,
    link_watcher: Option<LinkWatcher>,
    cable_watcher: Option<CableWatcher>,
    /// Counts replacements of the handlers, so that one which is running is not put back in the place of its successor.
    receivers: u64,
    link_watchers: u64,
    cable_watchers: u64,
    /// Frames that arrive while the receiver runs (because it advances the clock) wait for it to end.
    inbox: VecDeque<Vec<u8>>,
    delivering: bool,
    told: Link,
    telling: bool,
    told_cable: bool,
    telling_cable: bool,
}

impl core::fmt::Debug for End {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("End")
            .field("receiver", &self.receiver.is_some())
            .field("inbox", &self.inbox.len())
            .field("told", &self.told)
            .finish_non_exhaustive()
    }
}

/// What the wire does to one frame, decided when it is sent.
#[derive(Debug, Clone, Copy, Default)]
struct Fate {
    lost: bool,
    copies: u32,
    held_back: bool,
    corrupted: bool,
}

impl Wire {
    /// A wire, its first port and its second.
    ///
    /// # Panics
    ///
    /// At a speed of zero.
    #[must_use]
    pub fn new(clock: &Clock, config: WireConfig) -> (Self, Port, Port) {
        assert!(config.speed.kbps() > 0, "a wire without speed carries nothing");
        let lane = |side: Side| {
            let rng = |kind: u64| Rng::new(config.seed, kind * 2 + side.index() as u64);
            Lane {
                idle_at: Duration::ZERO,
                faults: config.faults[side.index()],
                loss: rng(0),
                duplication: rng(1),
                reorder: rng(2),
                corruption: rng(3),
                stats: WireStats::default(),
                arrived: 0,
                slots: VecDeque::new(),
                broken_off: None,
                collided: BTreeSet::new(),
            }
        };
        let mode = LinkMode::new(config.speed, Duplex::Full);
        let link = link::link(config.link_up, Some(mode));
        let end = || End {
            told: link,
            told_cable: config.link_up,
            ..End::default()
        };
        let inner = Rc::new(Inner {
            clock: clock.clone(),
            speed: Cell::new(config.speed),
            latency: config.latency,
            state: RefCell::new(State {
                link,
                plugged: config.link_up,
                mode: Some(mode),
                half_duplex: [false; 2],
                era: 0,
                lanes: [lane(Side::A), lane(Side::B)],
                ends: [end(), end()],
                capture: None,
            }),
            name: config.name,
        });
        let (a, b) = (Port::new(&inner, Side::A), Port::new(&inner, Side::B));
        (Self(inner), a, b)
    }

    /// Whether the link is up, and its mode.
    #[must_use]
    pub fn link(&self) -> Link {
        self.0.link()
    }

    /// Plugs the cable in, or pulls it out: both ports are told. What is on its way when the link is lost never arrives, and is counted as
    /// [`cut`](WireStats::cut).
    ///
    /// Where a PHY is attached that negotiates, the link comes up when it has found a mode: see [`Port::set_mode`].
    pub fn set_link(&self, up: bool) {
        self.0.plug(up);
    }

    /// Whether the cable is plugged in. Without a PHY that negotiates, that is the link.
    #[must_use]
    pub fn is_plugged(&self) -> bool {
        self.0.is_plugged()
    }

    /// Other faults from now on, in both directions.
    pub fn set_faults(&self, faults: WireFaults) {
        self.set_faults_from(Side::A, faults);
        self.set_faults_from(Side::B, faults);
    }

    /// Other faults from now on, for the frames that `side` sends.
    pub fn set_faults_from(&self, side: Side, faults: WireFaults) {
        self.0.state.borrow_mut().lanes[side.index()].faults = faults;
    }

    /// What became of the frames that `side` sent.
    #[must_use]
    pub fn stats(&self, side: Side) -> WireStats {
        self.0.state.borrow().lanes[side.index()].stats
    }

    /// How long a frame occupies the wire, from the first bit of the preamble to the end of the gap after it. `len` is in bytes, with FCS.
    #[must_use]
    pub fn frame_time(&self, len: usize) -> Duration {
        self.0.bytes_time(PREAMBLE_LEN + len + INTER_FRAME_GAP)
    }

    /// Records every frame from now on, as sent, at the time of its last bit; with a comment where something happened to it on the way.
    pub fn capture(&self, capture: &Capture) {
        let interface = capture.interface(&self.0.name, self.0.speed.get());
        self.0.state.borrow_mut().capture = Some(interface);
    }
}

impl Inner {
    fn link(&self) -> Link {
        self.state.borrow().link
    }

    /// The time of `bytes` at the wire's speed, rounded up to a nanosecond.
    fn bytes_time(&self, bytes: usize) -> Duration {
        let bits = bytes as u64 * 8;
        Duration::from_nanos((bits * 1_000_000).div_ceil(u64::from(self.speed.get().kbps())))
    }

    fn idle_at(&self, side: Side) -> Duration {
        self.state.borrow().lanes[side.index()].idle_at
    }

    /// Since when a frame has been arriving at `side`.
    fn incoming_since(&self, side: Side) -> Option<Duration> {
        let now = self.clock.now();
        let state = self.state.borrow();
        let slots = &state.lanes[side.other().index()].slots;
        let next = slots.partition_point(|(_, end)| *end + self.latency <= now);
        let (first_bit, _) = slots.get(next)?;
        Some(*first_bit + self.latency).filter(|since| *since <= now)
    }

    /// Breaks off the latest frame of `side`, if it is not out yet.
    fn break_off(&self, side: Side) {
        let now = self.clock.now();
        let byte_time = self.bytes_time(1);
        let mut state = self.state.borrow_mut();
        let lane = &mut state.lanes[side.index()];
        if let Some((first_bit, last_bit)) = lane.slots.back().copied().filter(|(_, end)| *end > now) {
            let left = last_bit - now.max(first_bit);
            let left = left.as_nanos().div_ceil(byte_time.as_nanos()) as usize;
            lane.broken_off = Some((lane.stats.sent - 1, left));
        }
    }

    /// Puts a frame on the wire after what `side` has sent before; the time of its last bit.
    fn transmit(self: &Rc<Self>, side: Side, mut frame: Vec<u8>) -> Duration {
        let now = self.clock.now();
        let mut state = self.state.borrow_mut();
        let state = &mut *state;
        let up = state.link.is_up();
        let time = self.bytes_time(PREAMBLE_LEN + frame.len());
        let idle_at = state.lanes[side.index()].idle_at.max(now);
        let first_bit = if up { self.defer(state, side, idle_at) } else { idle_at };
        let last_bit = first_bit + time;
        let lane = &mut state.lanes[side.index()];
        while lane.slots.front().is_some_and(|(_, end)| *end + self.latency <= now) {
            lane.slots.pop_front();
        }
        lane.slots.push_back((first_bit, last_bit));
        lane.idle_at = last_bit + self.bytes_time(INTER_FRAME_GAP);
        let number = lane.stats.sent;
        lane.stats.sent += 1;
        lane.stats.sent_bytes += frame.len() as u64;
        if up {
            self.collide(state, side);
        }
        let lane = &mut state.lanes[side.index()];
        let fate = if up { lane.decide() } else { Fate::default() };
        if let Some(capture) = &state.capture {
            self.record(capture.clone(), state.era, up, side, last_bit, &frame, fate);
        }
        if !up {
            lane.stats.cut += 1;
            return last_bit;
        }
        if fate.lost {
            return last_bit;
        }
        if fate.corrupted {
            lane.corrupt(&mut frame);
        }
        let held_back = if fate.held_back {
            lane.faults.reorder_delay
        } else {
            Duration::ZERO
        };
        let arrival = last_bit + self.latency + held_back;
        let era = state.era;
        for _ in 0..fate.copies {
            self.send_off(side, arrival, era, number, frame.clone());
        }
        self.send_off(side, arrival, era, number, frame);
        last_bit
    }

    fn send_off(self: &Rc<Self>, from: Side, arrival: Duration, era: u64, number: u64, frame: Vec<u8>) {
        let wire = Rc::downgrade(self);
        self.clock.schedule_at(arrival, move || {
            if let Some(wire) = wire.upgrade() {
                wire.arrive(from, era, number, frame);
            }
        });
    }

    fn arrive(&self, from: Side, era: u64, number: u64, mut frame: Vec<u8>) {
        let to = from.other();
        {
            let mut state = self.state.borrow_mut();
            let state = &mut *state;
            let lane = &mut state.lanes[from.index()];
            lane.stats.in_flight -= 1;
            if era != state.era {
                lane.stats.cut += 1;
                return;
            }
            if lane.collided.remove(&number) {
                lane.stats.collided += 1;
                return;
            }
            if let Some((_, missing)) = lane.broken_off.filter(|(broken, _)| *broken == number) {
                frame.truncate(frame.len().saturating_sub(missing));
                if frame.is_empty() {
                    lane.stats.cut += 1;
                    return;
                }
            }
            let end = &mut state.ends[to.index()];
            if end.receiver.is_none() && !end.delivering {
                lane.stats.unheard += 1;
                return;
            }
            lane.stats.delivered += 1;
            if number + 1 < lane.arrived {
                lane.stats.reordered += 1;
            }
            lane.arrived = lane.arrived.max(number + 1);
            end.inbox.push_back(frame);
            if end.delivering {
                return;
            }
            end.delivering = true;
        }
        self.hand_over(to);
    }

    /// Runs the receiver of `side` for everything in its inbox. Nothing is borrowed while it runs.
    fn hand_over(&self, side: Side) {
        loop {
            let (mut receiver, turn, frame) = {
                let mut state = self.state.borrow_mut();
                let end = &mut state.ends[side.index()];
                match (end.receiver.take(), end.inbox.pop_front()) {
                    (Some(receiver), Some(frame)) => (receiver, end.receivers, frame),
                    (receiver, left) => {
                        // Left over where the receiver took itself away.
                        let unheard = (end.inbox.drain(..).len() + usize::from(left.is_some())) as u64;
                        end.receiver = receiver;
                        end.delivering = false;
                        let stats = &mut state.lanes[side.other().index()].stats;
                        stats.delivered -= unheard;
                        stats.unheard += unheard;
                        return;
                    }
                }
            };
            receiver(&frame);
            let mut state = self.state.borrow_mut();
            let end = &mut state.ends[side.index()];
            if end.receivers == turn {
                end.receiver = Some(receiver);
            }
        }
    }

    #[allow(clippy::too_many_arguments, reason = "what is known of one frame, used in one place")]
    fn record(
        self: &Rc<Self>,
        capture: CaptureInterface,
        era: u64,
        up: bool,
        side: Side,
        last_bit: Duration,
        frame: &[u8],
        fate: Fate,
    ) {
        let frame = frame.to_vec();
        let wire = Rc::downgrade(self);
        self.clock.schedule_at(last_bit, move || {
            let cut = !up || wire.upgrade().is_some_and(|wire| wire.state.borrow().era != era);
            let notes = [
                (cut, "cut off: the link went down"),
                (fate.lost, "lost on the wire"),
                (fate.copies > 0, "duplicated on the wire"),
                (fate.held_back, "held back on the wire"),
                (fate.corrupted, "corrupted on the wire"),
            ];
            let comment: Vec<&str> = notes.iter().filter(|(so, _)| *so).map(|(_, note)| *note).collect();
            capture.record(&Packet {
                time: last_bit,
                direction: match side {
                    Side::A => Direction::Outbound,
                    Side::B => Direction::Inbound,
                },
                bad_fcs: fcs::check(&frame).is_none(),
                frame: &frame,
                comment: &comment.join("; "),
            });
        });
    }
}

impl Lane {
    /// Throws the rng for one frame and counts what comes of it.
    fn decide(&mut self) -> Fate {
        let fate = Fate {
            lost: self.loss.chance(self.faults.loss),
            copies: u32::from(self.duplication.chance(self.faults.duplication)),
            held_back: self.reorder.chance(self.faults.reorder),
            corrupted: self.corruption.chance(self.faults.corruption),
        };
        if fate.lost {
            self.stats.lost += 1;
            return Fate {
                lost: true,
                ..Fate::default()
            };
        }
        self.stats.duplicated += u64::from(fate.copies);
        self.stats.held_back += u64::from(fate.held_back);
        self.stats.in_flight += u64::from(1 + fate.copies);
        fate
    }

    fn corrupt(&mut self, frame: &mut [u8]) {
        let bits = frame.len() * 8;
        if bits == 0 {
            return;
        }
        self.stats.corrupted += 1;
        let flips = 1 + self.corruption.below(3);
        let mut flipped = Vec::with_capacity(flips);
        while flipped.len() < flips {
            let bit = self.corruption.below(bits);
            // The same bit twice would undo itself.
            if !flipped.contains(&bit) {
                frame[bit / 8] ^= 1 << (bit % 8);
                flipped.push(bit);
            }
        }
    }
}
