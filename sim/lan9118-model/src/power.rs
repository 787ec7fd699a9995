//! Power, resets and the EEPROM (sections 3.8 to 3.11).

use super::ViolationKind;
use super::hardware::Model;
use super::mac::Mac;
use super::rx::Receiver;
use super::tx::Transmitter;

/// What state the chip as a whole is in.
#[derive(Debug, Default)]
pub(super) struct Power {
    /// Not ready yet, after power-on or on the way out of a power-saving state.
    waiting: bool,
    pub(super) asleep: bool,
    pub(super) resetting: bool,
    /// No write works before a read.
    pub(super) needs_read: bool,
    pub(super) eeprom_busy: bool,
    pub(super) eeprom_loaded: bool,
    /// What was written to `PMT_CTRL`, without the mode.
    pub(super) pmt: u32,
    /// Counts resets, so that what was begun before one does not end after it.
    pub(super) turn: u64,
}

impl Power {
    pub(super) const fn is_awake(&self) -> bool {
        !self.waiting && !self.asleep && !self.resetting
    }
}

impl Model {
    pub(super) fn power_up(&mut self) {
        self.clear_registers();
        self.power.waiting = true;
        self.later(self.config.power_on, |chip| {
            chip.power.waiting = false;
            chip.read_eeprom();
        });
    }

    /// Everything but what has its own reset.
    fn clear_registers(&mut self) {
        self.mac = Mac::reset();
        self.stats.rx_dropped += self.rx.whole_frames() as u64;
        self.stats.tx_lost += self.tx.unsent() as u64;
        if self.tx.is_on_wire() {
            self.effect(super::hardware::Effect::BreakOff);
        }
        self.rx = Receiver::default();
        self.tx = Transmitter::default();
        (self.irq_cfg, self.int_sts, self.int_en) = (0, 0, 0);
        self.fifo_int = 0x4800_0000;
        self.rx_cfg = 0;
        self.hw_cfg = 0x0005_0000;
        self.afc_cfg = 0;
        self.power.needs_read = true;
        self.power.turn += 1;
    }

    pub(super) fn soft_reset(&mut self) {
        self.clear_registers();
        self.tainted = false;
        self.power.resetting = true;
        let turn = self.power.turn;
        self.later(self.config.soft_reset, move |chip| {
            if chip.power.turn == turn {
                chip.power.resetting = false;
                chip.power.needs_read = true;
                chip.read_eeprom();
            }
        });
    }

    fn read_eeprom(&mut self) {
        self.power.eeprom_busy = true;
        self.power.eeprom_loaded = false;
        let turn = self.power.turn;
        self.later(self.config.eeprom_time, move |chip| {
            if chip.power.turn != turn {
                return;
            }
            chip.power.eeprom_busy = false;
            if let Some(address) = chip.config.eeprom {
                chip.power.eeprom_loaded = true;
                chip.mac.load_address(address);
            }
        });
    }

    pub(super) fn fall_asleep(&mut self) {
        if self.mac.receives() || self.tx.is_on() {
            self.violation(
                ViolationKind::FifoInUse,
                "the chip is sent to sleep while it receives or transmits",
            );
        }
        self.power.asleep = true;
    }

    /// A write to `BYTE_TEST`.
    pub(super) fn wake_up(&mut self) {
        if !core::mem::take(&mut self.power.asleep) {
            return;
        }
        self.power.waiting = true;
        self.power.needs_read = true;
        let turn = self.power.turn;
        self.later(self.config.wake_up, move |chip| {
            if chip.power.turn == turn {
                chip.power.waiting = false;
            }
        });
    }
}
