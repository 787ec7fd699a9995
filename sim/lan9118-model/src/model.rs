//! The chip as a whole: its parts, and how it acts on its medium and its PHY.

use core::cell::Cell as Flag;
use core::time::Duration;
use std::rc::Rc;

use embedded_hal::digital::InputPin;
use ethdev::Duplex;
use ethdev_sim::model::{ChipModel, Hook, Line, ModelCell};
use ethdev_sim::{Clock, MediaSide};
use lan8720_model::Lan8720Chip;

use crate::bus_timing::BusTiming;
use crate::config::{ChipConfig, DeviceState};
use crate::context::{Context, Effect, Event, MdioFrame, Timer, Types};
use crate::mac::{ControlWrite, Mac};
use crate::power::Power;
use crate::registers::{int, mac_cr};
use crate::rx::{Receiver, pause_quanta};
use crate::system::System;
use crate::tx::{Gate, Transmitter};
use crate::violations::ViolationKind;

/// The interrupt line, the PHY, the medium and the handlers of the chip.
pub(crate) struct Board {
    /// As if it were active low, whatever the polarity.
    pub(crate) line: Line,
    pub(crate) phy: Option<Lan8720Chip>,
    pub(crate) media: Box<dyn MediaSide>,
    /// Called before each access.
    pub(crate) access: Hook<()>,
    /// Effects are being carried out.
    settling: Flag<bool>,
}

impl Board {
    /// The PHY's bit of `INT_STS`.
    pub(crate) fn phy_interrupt(&self) -> u32 {
        let low = |phy: &Lan8720Chip| phy.int_pin().is_low().unwrap_or(false);
        if self.phy.as_ref().is_some_and(low) {
            int::PHY
        } else {
            0
        }
    }

    /// An MDIO frame: the answer, or `None` where the frame never ends.
    fn mdio(&self, frame: MdioFrame) -> Option<Option<u16>> {
        match (&self.phy, frame.write) {
            (None, None) => Some(Some(0xffff)),
            (None, Some(_)) => Some(None),
            (Some(phy), None) => phy.mdio_read(frame.phy, frame.register).map(Some),
            (Some(phy), Some(value)) => phy.mdio_write(frame.phy, frame.register, value).then_some(None),
        }
    }
}

/// The chip.
pub(crate) struct Model {
    pub(crate) context: Context,
    pub(crate) system: System,
    pub(crate) power: Power,
    pub(crate) mac: Mac,
    pub(crate) rx: Receiver,
    pub(crate) tx: Transmitter,
    pub(crate) timing: BusTiming,
    pub(crate) state: DeviceState,
}

pub(crate) type Cell = ModelCell<Model>;

impl ChipModel for Model {
    type Types = Types;
    type Board = Board;

    fn context(&self) -> &Context {
        &self.context
    }

    fn context_mut(&mut self) -> &mut Context {
        &mut self.context
    }

    fn expire(&mut self, timer: Timer) {
        if !self.system.is_due(&timer) {
            return;
        }
        let (context, system) = (&mut self.context, &mut self.system);
        match timer.event {
            Event::PowerOnEnd => self.power.power_on_ends(context, system),
            Event::SoftResetEnd => self.power.soft_reset_ends(context, system),
            Event::EepromEnd => {
                if let Some(address) = self.power.eeprom_ends(context) {
                    self.mac.load_address(address);
                }
            }
            Event::WakeUpEnd => self.power.wake_up_ends(),
            Event::CsrEnd { index, read } => {
                if let Some(write) = self.mac.end_access(context, system, &self.power, index, read) {
                    self.control_written(write);
                }
            }
            Event::MdioEnd(frame) => context.effect(Effect::Mdio(frame)),
            Event::RxStop => self.rx.stop_due(system),
            Event::RxData { dumps, words } => self.rx.data_due(dumps, words),
            Event::RxStatus { dumps, status } => self.rx.status_due(context, system, &self.mac, dumps, status),
            Event::RxDumpEnd => self.rx.dump_ends(),
            Event::TxEnd { number } => {
                let gate = Gate::new(self.power.is_awake(), &self.mac);
                self.tx.frame_ends(context, system, gate, number);
            }
            Event::TxDumpEnd => self.tx.dump_ends(),
            Event::PauseOver => self.transmit(),
        }
    }

    fn settle(cell: &ModelCell<Self>) {
        if !cell.settling.replace(true) {
            while let Some(effect) = cell.next_effect() {
                perform(cell, effect);
            }
            cell.settling.set(false);
        }
        let phy = cell.phy_interrupt();
        let asserted = cell.model().is_asserted(phy);
        cell.line.set(asserted, true);
    }
}

fn perform(cell: &Cell, effect: Effect) {
    match effect {
        Effect::Transmit(frame) => {
            let end = cell.media.transmit(frame);
            let carrier = cell.media.link().is_up();
            cell.update(|chip| {
                chip.tx
                    .transmitting_until(&mut chip.context, &chip.system, end, carrier);
            });
        }
        Effect::Pause(frame) => {
            cell.media.transmit(frame);
        }
        Effect::BreakOff => cell.media.break_off(),
        // The chip follows the speed of its PHY by itself.
        Effect::MacMode(duplex) => cell.media.set_mac_duplex(duplex),
        Effect::Mdio(frame) => {
            if let Some(read) = cell.mdio(frame) {
                cell.update(|chip| chip.mac.end_mdio(read));
            }
        }
    }
}

impl Model {
    /// A chip at power-on on this medium.
    pub(crate) fn attach(
        clock: &Clock,
        media: Box<dyn MediaSide>,
        phy: Option<Lan8720Chip>,
        config: ChipConfig,
    ) -> Rc<Cell> {
        let allowed = config.allowed_violations.clone();
        let mut model = Self {
            context: Context::new(clock, config, allowed),
            system: System::default(),
            power: Power::default(),
            mac: Mac::default(),
            rx: Receiver::default(),
            tx: Transmitter::default(),
            timing: BusTiming::default(),
            state: DeviceState::Connected,
        };
        model.reset_registers();
        model.power.power_on(&mut model.context);
        let board = Board {
            line: Line::active_low(),
            phy,
            media,
            access: Hook::default(),
            settling: Flag::new(false),
        };
        let cell = ModelCell::new(model, board);
        let weak = cell.weak();
        cell.media.on_receive(Box::new(move |frame| {
            weak.with(|chip| chip.receive(frame));
        }));
        if let Some(phy) = &cell.phy {
            let weak = cell.weak();
            phy.on_int_falling(move || {
                weak.with(|_| ());
            });
        }
        cell
    }

    pub(crate) const fn is_asserted(&self, phy: u32) -> bool {
        self.power.is_awake() && self.system.is_asserted(phy)
    }

    /// Resets everything but the power state.
    fn reset_registers(&mut self) {
        self.mac = Mac::reset();
        self.context.stats.rx_dropped += self.rx.frames() as u64;
        self.context.stats.tx_lost += self.tx.unsent() as u64;
        if self.tx.is_on_wire() {
            self.context.effect(Effect::BreakOff);
        }
        self.rx = Receiver::default();
        self.tx = Transmitter::default();
        self.system.reset();
        self.power.needs_read = true;
    }

    pub(crate) fn soft_reset(&mut self) {
        self.reset_registers();
        self.context.violations.resume();
        self.power.start_soft_reset(&mut self.context, &self.system);
    }

    /// A power-saving state is entered.
    pub(crate) fn sleep(&mut self) {
        if self.mac.receives() || self.tx.is_on() {
            self.context.violation(
                ViolationKind::FifoInUse,
                "a power-saving state is entered while the chip receives or transmits",
            );
        }
        self.power.sleep();
    }

    /// `MAC_CR` was written.
    fn control_written(&mut self, ControlWrite { before, after }: ControlWrite) {
        let full = after & mac_cr::FDPX != 0;
        let duplex = if full { Duplex::Full } else { Duplex::Half };
        self.context.effect(Effect::MacMode(duplex));
        match (before & mac_cr::RXEN != 0, after & mac_cr::RXEN != 0) {
            (false, true) => self.rx.start(),
            (true, false) => self.rx.stop(&mut self.context, &self.system),
            _ => {}
        }
        self.transmit();
    }

    fn gate(&self) -> Gate {
        Gate::new(self.power.is_awake(), &self.mac)
    }

    /// Sends what can be sent.
    pub(crate) fn transmit(&mut self) {
        let gate = self.gate();
        self.tx.transmit(&mut self.context, &mut self.system, gate);
    }

    /// The host writes a word of a frame.
    pub(crate) fn push_tx(&mut self, word: u32) {
        if self.tx.push(&mut self.context, &mut self.system, word) {
            self.transmit();
        }
    }

    pub(crate) fn pop_tx_status(&mut self) -> u32 {
        let gate = self.gate();
        self.tx.pop_status(&mut self.context, &mut self.system, gate)
    }

    pub(crate) fn configure_tx(&mut self, value: u32) {
        let gate = self.gate();
        self.tx.configure(&mut self.context, &mut self.system, gate, value);
    }

    pub(crate) fn stall_tx(&mut self, stalled: bool) {
        self.tx.stall(stalled);
        self.transmit();
    }

    /// A frame with its FCS: the last bit is in.
    fn receive(&mut self, frame: &[u8]) {
        let awake = self.power.is_awake();
        let Some(admitted) = self.rx.admit(&mut self.context, &self.system, awake, frame) else {
            return;
        };
        if let Some(quanta) = pause_quanta(&self.mac, frame, admitted) {
            self.context.stats.paused += 1;
            let gate = self.gate();
            self.tx.pause(&mut self.context, &mut self.system, gate, quanta);
        }
        self.rx
            .receive(&mut self.context, &mut self.system, &self.mac, frame, admitted);
    }

    /// An injected fault hides the state of the chip from its host: violations are not reported
    /// until the next reset.
    pub(crate) fn inject(&mut self, fault: impl FnOnce(&mut Self)) {
        self.context.violations.suspend();
        fault(self);
    }

    /// The time of an access.
    pub(crate) const fn cycle(&self) -> Duration {
        self.context.config.cycle
    }
}
