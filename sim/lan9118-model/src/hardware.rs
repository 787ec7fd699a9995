//! The chip's state, and how everything outside gets at it.

use core::cell::{Cell, RefCell};
use core::time::Duration;
use std::collections::VecDeque;
use std::rc::{Rc, Weak};

use ethdev::Duplex;

use super::mac::Mac;
use super::power::Power;
use super::registers::{IRQ_EN, int};
use super::rx::Receiver;
use super::tx::Transmitter;
use super::{BusCounters, ChipConfig, DeviceState, ModelStats, Violation, ViolationKind};
use ethdev_sim::model::Hook;
use ethdev_sim::model::Line;
use ethdev_sim::model::keep;
use ethdev_sim::{Clock, MediaSide};
use lan8720_model::Lan8720Chip;

/// The chip, its interrupt line, its PHY and its medium.
pub(super) struct Shared {
    pub(super) clock: Clock,
    pub(super) core: RefCell<Model>,
    /// As if it were active low, whatever the polarity.
    pub(super) line: Line,
    pub(super) phy: Option<Lan8720Chip>,
    pub(super) media: Box<dyn MediaSide>,
    /// Called before each access.
    pub(super) access: Hook<()>,
    settling: Cell<bool>,
}

/// What the chip does to the outside. Done with nothing borrowed, because the outside may answer at once.
#[derive(Debug)]
pub(super) enum Effect {
    /// A frame of the transmit FIFO.
    Transmit(Vec<u8>),
    /// One that the MAC makes by itself.
    Pause(Vec<u8>),
    BreakOff,
    MacMode(Duplex),
    MdioRead {
        phy: u8,
        register: u8,
    },
    MdioWrite {
        phy: u8,
        register: u8,
        value: u16,
    },
}

/// The chip.
pub(super) struct Model {
    me: Weak<Shared>,
    pub(super) clock: Clock,
    pub(super) config: ChipConfig,
    pub(super) effects: VecDeque<Effect>,
    pub(super) mac: Mac,
    pub(super) rx: Receiver,
    pub(super) tx: Transmitter,
    pub(super) power: Power,
    pub(super) bus: BusCounters,
    pub(super) stats: ModelStats,
    pub(super) violations: Vec<Violation>,
    /// A fault was injected, and the host has not reset the chip since.
    pub(super) tainted: bool,
    pub(super) presence: DeviceState,

    pub(super) irq_cfg: u32,
    pub(super) int_sts: u32,
    pub(super) int_en: u32,
    pub(super) fifo_int: u32,
    pub(super) rx_cfg: u32,
    pub(super) hw_cfg: u32,
    pub(super) afc_cfg: u32,
    /// The last write, and the last reads with effects, ended then.
    pub(super) written_at: Option<Duration>,
    pub(super) rx_popped_at: Option<Duration>,
    pub(super) tx_popped_at: Option<Duration>,
    pub(super) drop_read_at: Option<Duration>,
}

impl Shared {
    pub(super) fn new(
        clock: &Clock,
        media: Box<dyn MediaSide>,
        phy: Option<Lan8720Chip>,
        config: ChipConfig,
    ) -> Rc<Self> {
        let shared = Rc::new_cyclic(|me: &Weak<Self>| {
            let mut hw = Model {
                me: me.clone(),
                clock: clock.clone(),
                effects: VecDeque::new(),
                mac: Mac::default(),
                rx: Receiver::default(),
                tx: Transmitter::default(),
                power: Power::default(),
                bus: BusCounters::default(),
                stats: ModelStats::default(),
                violations: Vec::new(),
                tainted: false,
                presence: DeviceState::Connected,
                irq_cfg: 0,
                int_sts: 0,
                int_en: 0,
                fifo_int: 0,
                rx_cfg: 0,
                hw_cfg: 0,
                afc_cfg: 0,
                written_at: None,
                rx_popped_at: None,
                tx_popped_at: None,
                drop_read_at: None,
                config,
            };
            hw.power_up();
            Self {
                clock: clock.clone(),
                core: RefCell::new(hw),
                line: Line::active_low(),
                phy,
                media,
                access: Hook::default(),
                settling: Cell::new(false),
            }
        });
        let me = Rc::downgrade(&shared);
        shared.media.on_receive(Box::new({
            let me = me.clone();
            move |frame| Self::event(&me, |chip| chip.receive(frame))
        }));
        if let Some(phy) = &shared.phy {
            phy.on_int_falling(move || Self::event(&me, |_| ()));
        }
        shared
    }

    /// Does something to the chip; then what follows from it outside.
    pub(super) fn with<R>(&self, act: impl FnOnce(&mut Model) -> R) -> R {
        let result = act(&mut self.core.borrow_mut());
        if !self.settling.replace(true) {
            while let Some(effect) = self.take_effect() {
                self.perform(effect);
            }
            self.settling.set(false);
        }
        let asserted = self.is_asserted();
        self.line.set(asserted, true);
        result
    }

    fn take_effect(&self) -> Option<Effect> {
        self.core.borrow_mut().effects.pop_front()
    }

    fn perform(&self, effect: Effect) {
        match effect {
            Effect::Transmit(frame) => {
                let ends = self.media.transmit(frame);
                let carrier = self.media.link().is_up();
                self.core.borrow_mut().on_the_wire(ends, carrier);
            }
            Effect::Pause(frame) => {
                self.media.transmit(frame);
            }
            Effect::BreakOff => self.media.break_off(),
            Effect::MacMode(duplex) => {
                // The chip follows its PHY's speed by itself.
                self.media.set_mac_duplex(duplex);
            }
            Effect::MdioRead { phy, register } => {
                let value = match &self.phy {
                    Some(chip) => chip.mdio_read(phy, register),
                    None => Some(0xffff),
                };
                self.core.borrow_mut().mdio_ended(value.map(Some));
            }
            Effect::MdioWrite { phy, register, value } => {
                let ended = self
                    .phy
                    .as_ref()
                    .is_none_or(|chip| chip.mdio_write(phy, register, value));
                self.core.borrow_mut().mdio_ended(ended.then_some(None));
            }
        }
    }

    /// Whether the PHY asks for attention.
    pub(super) fn phy_interrupts(&self) -> bool {
        use embedded_hal::digital::InputPin;
        self.phy
            .as_ref()
            .is_some_and(|phy| phy.int_pin().is_low().unwrap_or(false))
    }

    fn is_asserted(&self) -> bool {
        let phy = if self.phy_interrupts() { int::PHY } else { 0 };
        let chip = self.core.borrow();
        chip.power.is_awake() && chip.irq_cfg & IRQ_EN != 0 && (chip.int_sts | phy) & chip.int_en != 0
    }

    /// Something happens to a chip that may be gone.
    pub(super) fn event(me: &Weak<Self>, happen: impl FnOnce(&mut Model)) {
        if let Some(chip) = me.upgrade() {
            chip.with(happen);
        }
    }

    /// What an access takes, with nothing borrowed.
    fn pass_cycle(&self) {
        let cycle = self.core.borrow().config.cycle;
        self.clock.advance(cycle);
    }

    pub(super) fn read(&self, offset: usize) -> u32 {
        self.access.call(());
        let began = self.clock.now();
        self.pass_cycle();
        let phy = if self.phy_interrupts() { int::PHY } else { 0 };
        self.with(|chip| chip.host_reads(offset, began, phy))
    }

    pub(super) fn write(&self, offset: usize, value: u32) {
        self.access.call(());
        self.pass_cycle();
        self.with(|chip| chip.host_writes(offset, value));
    }
}

impl Model {
    /// Lets something happen to the chip at a later time.
    pub(super) fn later(&self, after: Duration, happen: impl FnOnce(&mut Self) + 'static) {
        let me = self.me.clone();
        self.clock.schedule_in(after, move || Shared::event(&me, happen));
    }

    /// The same at a moment.
    pub(super) fn at(&self, at: Duration, happen: impl FnOnce(&mut Self) + 'static) {
        let me = self.me.clone();
        self.clock.schedule_at(at, move || Shared::event(&me, happen));
    }

    /// Notes a misuse.
    pub(super) fn violation(&mut self, kind: ViolationKind, detail: impl Into<String>) {
        if !self.tainted && !self.config.allowed.contains(&kind) {
            keep(&mut self.violations, Violation::new(self.clock.now(), kind, detail));
        }
    }

    /// Raises interrupts.
    pub(super) const fn raise(&mut self, sources: u32) {
        self.int_sts |= sources;
    }

    /// Bytes of the FIFOs (table 5.3), by the register as it is.
    pub(super) const fn tx_fifo_kib(&self) -> usize {
        (self.hw_cfg >> 16 & 0xf) as usize
    }
}
