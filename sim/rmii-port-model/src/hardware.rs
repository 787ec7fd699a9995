//! The port's state, and how everything outside gets at it.

use core::cell::RefCell;
use core::time::Duration;
use std::collections::VecDeque;
use std::rc::{Rc, Weak};

use ethdev::{Duplex, Speed};

use super::rx::Rx;
use super::tx::Tx;
use super::{Event, ModelStats, RmiiPortConfig, Violation, ViolationKind};
use ethdev_sim::model::Hook;
use ethdev_sim::model::keep;
use ethdev_sim::random::Rng;
use ethdev_sim::{Clock, MediaSide};

/// A byte at 100 Mbit/s.
pub(super) const BYTE_TIME: Duration = Duration::from_nanos(80);

/// The port, and who listens to it.
pub(super) struct Shared<B> {
    pub(super) clock: Clock,
    pub(super) media: Box<dyn MediaSide>,
    pub(super) core: RefCell<Model<B>>,
    pub(super) handler: Hook<Event>,
    pub(super) access: Hook<()>,
}

/// What follows from a change of the port's state, and may call back: done when nothing is borrowed.
pub(super) enum Effect {
    BreakOff,
    Transmit(Vec<u8>),
    Interrupt(Event),
}

pub(super) struct FaultRngs {
    pub(super) end: Rng,
    pub(super) stray: Rng,
}

/// The port.
pub(super) struct Model<B> {
    pub(super) me: Weak<Shared<B>>,
    pub(super) clock: Clock,
    pub(super) config: RmiiPortConfig,
    pub(super) rng: FaultRngs,
    pub(super) rx: Rx<B>,
    pub(super) tx: Tx<B>,
    /// The events that interrupt, and those that happened and did not yet.
    enabled: [bool; 2],
    pending: [bool; 2],
    effects: VecDeque<Effect>,
    pub(super) stats: ModelStats,
    pub(super) violations: Vec<Violation>,
}

impl<B: AsRef<[u8]> + AsMut<[u8]> + 'static> Shared<B> {
    pub(super) fn new(media: Box<dyn MediaSide>, config: RmiiPortConfig) -> Rc<Self> {
        let clock = media.clock();
        media.set_mac_mode(Speed::MBPS_100, Duplex::Full);
        let shared = Rc::new_cyclic(|me: &Weak<Self>| Self {
            clock: clock.clone(),
            media,
            core: RefCell::new(Model {
                me: me.clone(),
                clock,
                rng: FaultRngs {
                    end: Rng::new(config.seed, 0x105_0001),
                    stray: Rng::new(config.seed, 0x105_0002),
                },
                config,
                rx: Rx::default(),
                tx: Tx::default(),
                enabled: [true; 2],
                pending: [false; 2],
                effects: VecDeque::new(),
                stats: ModelStats::default(),
                violations: Vec::new(),
            }),
            handler: Hook::default(),
            access: Hook::default(),
        });
        let me = Rc::downgrade(&shared);
        shared.media.on_receive(Box::new({
            let me = me.clone();
            move |frame| Self::event(&me, |port| port.frame_ends(frame))
        }));
        shared.media.on_false_carrier(Box::new(move |length| {
            Self::event(&me, |port| port.false_carrier_ends(length));
        }));
        shared
    }

    /// Does something to the port; then what follows from it happens, with nothing borrowed.
    pub(super) fn with<R>(&self, act: impl FnOnce(&mut Model<B>) -> R) -> R {
        let result = act(&mut self.core.borrow_mut());
        loop {
            let effect = self.core.borrow_mut().next_effect();
            match effect {
                Some(Effect::BreakOff) => self.media.break_off(),
                Some(Effect::Transmit(frame)) => {
                    let last_bit = self.media.transmit(frame);
                    self.core.borrow_mut().goes_out_until(last_bit);
                }
                Some(Effect::Interrupt(event)) => self.handler.call(event),
                None => return result,
            }
        }
    }

    /// The host does something.
    pub(super) fn access<R>(&self, act: impl FnOnce(&mut Model<B>) -> R) -> R {
        self.access.call(());
        self.with(act)
    }

    /// Something happens to a port that may be gone.
    pub(super) fn event(me: &Weak<Self>, happen: impl FnOnce(&mut Model<B>)) {
        if let Some(port) = me.upgrade() {
            port.with(happen);
        }
    }
}

impl<B: AsRef<[u8]> + AsMut<[u8]> + 'static> Model<B> {
    pub(super) fn now(&self) -> Duration {
        self.clock.now()
    }

    /// Lets something happen to the port at a later time.
    pub(super) fn at(&self, at: Duration, happen: impl FnOnce(&mut Self) + 'static) {
        let me = self.me.clone();
        self.clock.schedule_at(at, move || Shared::event(&me, happen));
    }

    pub(super) fn on_media<R>(&self, act: impl FnOnce(&dyn MediaSide) -> R) -> Option<R> {
        self.me.upgrade().map(|shared| act(&*shared.media))
    }

    pub(super) fn raise(&mut self, event: Event) {
        self.pending[event as usize] = true;
    }

    pub(super) fn effect(&mut self, effect: Effect) {
        self.effects.push_back(effect);
    }

    fn next_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front().or_else(|| {
            [Event::Received, Event::Sent]
                .into_iter()
                .find(|event| self.enabled[*event as usize] && core::mem::take(&mut self.pending[*event as usize]))
                .map(Effect::Interrupt)
        })
    }

    pub(super) fn enable(&mut self, event: Event, on: bool) {
        self.enabled[event as usize] = on;
    }

    pub(super) fn clear(&mut self, event: Event) {
        self.pending[event as usize] = false;
    }

    /// Notes a misuse.
    pub(super) fn violation(&mut self, kind: ViolationKind, detail: impl Into<String>) {
        if !self.config.allowed.contains(&kind) {
            keep(&mut self.violations, Violation::new(self.clock.now(), kind, detail));
        }
    }
}
