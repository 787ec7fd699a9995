//! The wire.

use core::cell::{Cell, RefCell};
use core::time::Duration;
use std::collections::{BTreeSet, VecDeque};
use std::rc::Rc;

use ethdev::{Duplex, Link, LinkMode};

use super::config::{WireConfig, WireFaults};
use super::link;
use super::port::Port;
use super::side::Side;
use super::state::{End, INTER_FRAME_GAP, Inner, Lane, PREAMBLE_LEN, State};
use super::stats::WireStats;
use crate::capture::Capture;
use crate::clock::Clock;
use crate::random::Rng;

/// A full-duplex wire between two [`Port`]s. Clones are the same wire.
///
/// Each direction sends one frame after another: preamble, frame, FCS and the gap take their time
/// at the wire's speed, then the frame takes the latency to arrive. Random faults come from the
/// wire's seed alone. Frames on the wire carry their FCS and no preamble.
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

impl Wire {
    /// A wire, its first port and its second.
    ///
    /// # Panics
    ///
    /// At a speed of zero.
    #[must_use]
    pub fn new(clock: &Clock, config: WireConfig) -> (Self, Port, Port) {
        assert!(config.speed.kbps() > 0, "the speed of a wire must not be 0");
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
            reported: link,
            reported_cable: config.link_up,
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

    /// Plugs the cable in, or pulls it out: both ports are notified. Frames in flight when the link
    /// is lost do not arrive and are counted as [`cut`](WireStats::cut).
    ///
    /// Where a PHY is attached that negotiates, the link comes up when it has found a mode: see
    /// [`Port::set_mode`].
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

    /// How long a frame occupies the wire, from the first bit of the preamble to the end of the gap
    /// after it. `len` is in bytes, with FCS.
    #[must_use]
    pub fn frame_time(&self, len: usize) -> Duration {
        self.0.bytes_time(PREAMBLE_LEN + len + INTER_FRAME_GAP)
    }

    /// Records every frame from now on, as sent, at the time of its last bit; with a comment where
    /// something happened to it on the way.
    pub fn capture(&self, capture: &Capture) {
        let interface = capture.interface(&self.0.name, self.0.speed.get());
        self.0.state.borrow_mut().capture = Some(interface);
    }
}
