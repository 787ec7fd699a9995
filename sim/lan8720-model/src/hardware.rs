//! The PHY's state, and how everything outside gets at it.

use core::cell::RefCell;
use core::time::Duration;
use std::collections::VecDeque;
use std::rc::{Rc, Weak};

use ethdev::{Duplex, Link, LinkMode, Speed};

use super::bits::Wiggler;
use super::energy::Energy;
use super::link::LinkMachine;
use super::power::Power;
use super::registers::int;
use super::smi::Smi;
use super::status::Registers;
use super::{MdioCounters, ModelStats, Partner, PhyConfig, Violation, ViolationKind};
use ethdev_sim::model::Hook;
use ethdev_sim::model::Line;
use ethdev_sim::model::keep;
use ethdev_sim::random::Rng;
use ethdev_sim::{Clock, Port};

/// The PHY, its pins, and who listens to it.
pub(super) struct Shared {
    pub(super) clock: Clock,
    pub(super) port: Port,
    pub(super) core: RefCell<Model>,
    pub(super) line: Line,
    pub(super) receiver: Hook<Vec<u8>>,
    pub(super) link_watcher: Hook<Link>,
    pub(super) false_carrier: Hook<Duration>,
    pub(super) access: Hook<()>,
}

/// What follows from a change of the PHY's state, and calls handlers of others: done when nothing is borrowed.
pub(super) enum Effect {
    Mode(Option<LinkMode>),
    /// At this end, and at the far one.
    HalfDuplex(bool, bool),
    Deliver(Vec<u8>),
    FalseCarrier(Duration),
}

/// The random streams, one for each kind of accident, so that one switch does not reshuffle the others.
pub(super) struct FaultRngs {
    pub(super) failure: Rng,
    pub(super) bit_error: Rng,
    pub(super) wake: Rng,
    pub(super) symbol: Rng,
}

/// The PHY.
pub(super) struct Model {
    pub(super) me: Weak<Shared>,
    pub(super) clock: Clock,
    pub(super) config: PhyConfig,
    pub(super) rng: FaultRngs,
    pub(super) partner: Option<Partner>,
    pub(super) registers: Registers,
    pub(super) link: LinkMachine,
    pub(super) energy: Energy,
    pub(super) power: Power,
    pub(super) smi: Smi,
    pub(super) wiggler: Wiggler,
    /// What the MAC is set to, where it told; without a speed where it takes the PHY's.
    pub(super) mac: Option<(Option<Speed>, Duplex)>,
    /// When the MAC can send next, where what it sends does not get to the cable.
    pub(super) idle_at: Duration,

    pub(super) mdio: MdioCounters,
    pub(super) stats: ModelStats,
    pub(super) violations: Vec<Violation>,
    /// A fault was injected and the PHY was not reset since.
    pub(super) tainted: bool,
    effects: VecDeque<Effect>,
}

impl Shared {
    pub(super) fn new(clock: &Clock, port: Port, config: PhyConfig) -> Rc<Self> {
        port.set_mode(None);
        let shared = Rc::new_cyclic(|me: &Weak<Self>| {
            let mut next = Rng::streams(config.seed, 0x872_0001);
            let hw = Model {
                me: me.clone(),
                clock: clock.clone(),
                rng: FaultRngs {
                    failure: next(),
                    bit_error: next(),
                    wake: next(),
                    symbol: next(),
                },
                partner: config.partner,
                registers: Registers::default(),
                link: LinkMachine::default(),
                energy: Energy::default(),
                power: Power::new(&config),
                smi: Smi::default(),
                wiggler: Wiggler::default(),
                mac: None,
                idle_at: Duration::ZERO,
                mdio: MdioCounters::default(),
                stats: ModelStats::default(),
                violations: Vec::new(),
                tainted: false,
                effects: VecDeque::new(),
                config,
            };
            Self {
                clock: clock.clone(),
                port,
                core: RefCell::new(hw),
                line: Line::active_low(),
                receiver: Hook::default(),
                link_watcher: Hook::default(),
                false_carrier: Hook::default(),
                access: Hook::default(),
            }
        });
        let me = Rc::downgrade(&shared);
        shared.port.on_receive(Box::new({
            let me = me.clone();
            move |frame| Self::event(&me, |phy| phy.receive(frame))
        }));
        shared
            .port
            .on_cable_change(Box::new(move |_| Self::event(&me, Model::signal_changed)));
        shared.with(Model::leave_reset);
        shared
    }

    /// Does something to the PHY; then what follows from it happens, with nothing borrowed.
    pub(super) fn with<R>(&self, act: impl FnOnce(&mut Model) -> R) -> R {
        let (result, low) = {
            let mut phy = self.core.borrow_mut();
            let result = act(&mut phy);
            (result, phy.int_is_low())
        };
        self.line.set(low, true);
        loop {
            let effect = self.core.borrow_mut().effects.pop_front();
            match effect {
                None => break,
                Some(Effect::Mode(mode)) => {
                    self.port.set_mode(mode);
                    self.link_watcher.call(mode.map_or(Link::Down, Link::Up));
                }
                Some(Effect::HalfDuplex(here, there)) => self.port.set_half_duplex(here, there),
                Some(Effect::Deliver(frame)) => self.receiver.call(frame),
                Some(Effect::FalseCarrier(length)) => self.false_carrier.call(length),
            }
        }
        result
    }

    /// Something happens to a PHY that may be gone.
    pub(super) fn event(me: &Weak<Self>, happen: impl FnOnce(&mut Model)) {
        if let Some(phy) = me.upgrade() {
            phy.with(happen);
        }
    }
}

impl Model {
    pub(super) fn now(&self) -> Duration {
        self.clock.now()
    }

    /// Lets something happen to the PHY after a while.
    pub(super) fn after(&self, delay: Duration, happen: impl FnOnce(&mut Self) + 'static) {
        let me = self.me.clone();
        self.clock.schedule_in(delay, move || Shared::event(&me, happen));
    }

    pub(super) fn effect(&mut self, effect: Effect) {
        self.effects.push_back(effect);
    }

    /// Does something with the wire's end, which calls no handlers.
    pub(super) fn on_port<R>(&self, look: impl FnOnce(&Port) -> R) -> Option<R> {
        self.me.upgrade().map(|shared| look(&shared.port))
    }

    /// Notes a misuse.
    pub(super) fn violation(&mut self, kind: ViolationKind, detail: impl Into<String>) {
        if !self.tainted && !self.config.allowed.contains(&kind) {
            keep(&mut self.violations, Violation::new(self.clock.now(), kind, detail));
        }
    }

    fn int_is_low(&self) -> bool {
        self.is_alive()
            && self.config.part.has_interrupts()
            && !self.config.straps.ref_clk_out
            && self.registers.isr & self.registers.imr & (int::ALL | int::WOL) != 0
    }
}
