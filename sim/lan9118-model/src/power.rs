//! Power states, resets and the EEPROM (sections 3.8 to 3.11).

use crate::context::{Context, Event, Timer};
use crate::registers::{E2P_BUSY, E2P_LOADED};
use crate::system::System;

/// The state of the chip as a whole.
#[derive(Debug, Default)]
pub(crate) struct Power {
    /// Not ready yet, after power-on or on the way out of a power-saving state.
    waiting: bool,
    asleep: bool,
    resetting: bool,
    /// Writes have no effect before a read.
    pub(crate) needs_read: bool,
    eeprom_busy: bool,
    eeprom_loaded: bool,
    /// What was written to `PMT_CTRL`, without the mode.
    pub(crate) pmt: u32,
}

impl Power {
    pub(crate) const fn is_awake(&self) -> bool {
        !self.waiting && !self.asleep && !self.resetting
    }

    pub(crate) const fn is_resetting(&self) -> bool {
        self.resetting
    }

    pub(crate) const fn is_eeprom_busy(&self) -> bool {
        self.eeprom_busy
    }

    /// `E2P_CMD`.
    pub(crate) const fn eeprom_command(&self) -> u32 {
        let loaded = if self.eeprom_loaded { E2P_LOADED } else { 0 };
        let busy = if self.eeprom_busy { E2P_BUSY } else { 0 };
        loaded | busy
    }

    pub(crate) fn power_on(&mut self, context: &mut Context) {
        self.waiting = true;
        let timer = Timer {
            generation: None,
            event: Event::PowerOnEnd,
        };
        context.timer_in(context.config.power_on, timer);
    }

    pub(crate) fn power_on_ends(&mut self, context: &mut Context, system: &System) {
        self.waiting = false;
        self.read_eeprom(context, system);
    }

    pub(crate) fn start_soft_reset(&mut self, context: &mut Context, system: &System) {
        self.resetting = true;
        system.after(context, context.config.soft_reset, Event::SoftResetEnd);
    }

    pub(crate) fn soft_reset_ends(&mut self, context: &mut Context, system: &System) {
        self.resetting = false;
        self.needs_read = true;
        self.read_eeprom(context, system);
    }

    fn read_eeprom(&mut self, context: &mut Context, system: &System) {
        self.eeprom_busy = true;
        self.eeprom_loaded = false;
        system.after(context, context.config.eeprom_time, Event::EepromEnd);
    }

    /// The EEPROM was read. Returns the address in it.
    pub(crate) const fn eeprom_ends(&mut self, context: &Context) -> Option<[u8; 6]> {
        self.eeprom_busy = false;
        self.eeprom_loaded = context.config.eeprom.is_some();
        context.config.eeprom
    }

    pub(crate) const fn sleep(&mut self) {
        self.asleep = true;
    }

    /// `BYTE_TEST` was written: the chip wakes up, if it is asleep.
    pub(crate) fn wake_up(&mut self, context: &mut Context, system: &System) {
        if !core::mem::take(&mut self.asleep) {
            return;
        }
        self.waiting = true;
        self.needs_read = true;
        system.after(context, context.config.wake_up, Event::WakeUpEnd);
    }

    pub(crate) const fn wake_up_ends(&mut self) {
        self.waiting = false;
    }
}
