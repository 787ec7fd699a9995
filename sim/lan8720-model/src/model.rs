//! The PHY as a whole: the inside, its interfaces, and how it acts on the wire and the MAC.

use core::time::Duration;
use std::rc::Rc;

use ethdev::Link;
use ethdev_sim::model::{ChipModel, Hook, Line, ModelCell};
use ethdev_sim::random::Rng;
use ethdev_sim::{Clock, Port};

use crate::config::PhyConfig;
use crate::context::{Context, Effect, Timer, Types};
use crate::mdio::{AccessStart, Mdio};
use crate::mdio_bits::{BitBus, Drive};
use crate::mii::{Mii, TxPath};
use crate::phy::Phy;

/// The cable, the pins, and the handlers of MAC and host.
pub(crate) struct Board {
    pub(crate) port: Port,
    pub(crate) line: Line,
    pub(crate) receiver: Hook<Vec<u8>>,
    pub(crate) link_watcher: Hook<Link>,
    pub(crate) false_carrier: Hook<Duration>,
    pub(crate) access: Hook<()>,
}

/// The PHY.
pub(crate) struct Model {
    pub(crate) phy: Phy,
    pub(crate) mii: Mii,
    pub(crate) mdio: Mdio,
    bits: BitBus,
}

pub(crate) type Cell = ModelCell<Model>;

impl ChipModel for Model {
    type Types = Types;
    type Board = Board;

    fn context(&self) -> &Context {
        &self.phy.context
    }

    fn context_mut(&mut self) -> &mut Context {
        &mut self.phy.context
    }

    fn expire(&mut self, timer: Timer) {
        self.phy.expire(timer);
    }

    fn settle(cell: &ModelCell<Self>) {
        let low = cell.model().phy.int_is_low();
        cell.line.set(low, true);
        while let Some(effect) = cell.next_effect() {
            match effect {
                Effect::Mode(mode) => {
                    cell.port.set_mode(mode);
                    cell.link_watcher.call(mode.map_or(Link::Down, Link::Up));
                }
                Effect::HalfDuplex { here, there } => cell.port.set_half_duplex(here, there),
                Effect::Deliver(frame) => cell.receiver.call(frame),
                Effect::SendBack(frame) => {
                    cell.port.transmit(frame);
                }
                Effect::FalseCarrier(length) => cell.false_carrier.call(length),
            }
        }
    }
}

impl Model {
    /// A PHY at power-up on this cable.
    pub(crate) fn attach(clock: &Clock, port: Port, config: PhyConfig) -> Rc<Cell> {
        port.set_mode(None);
        // One stream for each kind of fault, so that a change of one leaves the others as they are.
        let mut next = Rng::streams(config.seed, 0x872_0001);
        let (failure, bit_error, wake, symbol) = (next(), next(), next(), next());
        let model = Self {
            phy: Phy::new(clock, config, port.is_plugged(), wake),
            mii: Mii::new(symbol),
            mdio: Mdio::new(failure, bit_error),
            bits: BitBus::default(),
        };
        let board = Board {
            port,
            line: Line::active_low(),
            receiver: Hook::default(),
            link_watcher: Hook::default(),
            false_carrier: Hook::default(),
            access: Hook::default(),
        };
        let cell = ModelCell::new(model, board);
        let weak = cell.weak();
        cell.port.on_receive(Box::new(move |frame| {
            if let Some(cell) = weak.upgrade() {
                let attached = cell.receiver.is_set();
                cell.with(|model| model.mii.receive(&mut model.phy, frame, attached));
            }
        }));
        let weak = cell.weak();
        cell.port.on_cable_change(Box::new(move |plugged| {
            weak.with(|model| model.phy.set_plugged(plugged));
        }));
        cell.with(|model| model.phy.leave_reset());
        cell
    }

    pub(crate) fn transmit(&mut self, frame: Vec<u8>) -> TxPath {
        self.mii.transmit(&mut self.phy, frame)
    }

    pub(crate) fn start_access(&mut self, mdc_hz: u32) -> AccessStart {
        self.mdio.start_access(&mut self.phy, mdc_hz)
    }

    pub(crate) fn mdio_read(&mut self, address: u8, register: u8) -> Option<u16> {
        self.mdio.read(&mut self.phy, address, register)
    }

    pub(crate) fn mdio_write(&mut self, address: u8, register: u8, value: u16) {
        self.mdio.write(&mut self.phy, address, register, value);
    }

    pub(crate) fn drive_mdc(&mut self, high: bool) {
        self.bits.drive_mdc(&mut self.mdio, &mut self.phy, high);
    }

    pub(crate) fn drive_mdio(&mut self, drive: Drive) {
        self.bits.drive_mdio(&mut self.phy, drive);
    }

    pub(crate) fn mdio_level(&self) -> bool {
        self.bits.host_level(self.mdio.line(), self.phy.context.now())
    }
}
