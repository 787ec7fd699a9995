//! ENERGYON, and energy-detect power-down (DS00002165B section 3.8.3.2).

use super::hardware::Model;
use super::registers::{int, mcsr};

#[derive(Debug, Default)]
pub(super) struct Energy {
    /// ENERGYON.
    pub(super) on: bool,
    /// Powered down for want of energy.
    pub(super) asleep: bool,
    /// Whether there is energy, as far as was looked last.
    there: bool,
    /// Counts changes of that.
    turn: u64,
}

impl Model {
    const fn is_detecting(&self) -> bool {
        self.registers.mcsr & mcsr::EDPWRDOWN != 0
    }

    /// After a hardware reset ENERGYON reads 1, until it is known better.
    pub(super) fn reset_energy(&mut self) {
        self.energy = Energy {
            on: true,
            turn: self.energy.turn + 1,
            ..Energy::default()
        };
        self.registers.isr |= int::ENERGYON;
        self.watch_energy(false);
    }

    /// Looks whether the partner is heard, and lets ENERGYON follow in its time.
    pub(super) fn energy_follows(&mut self) {
        let there = self.heard().is_some();
        if there != self.energy.there {
            self.watch_energy(there);
        }
    }

    fn watch_energy(&mut self, there: bool) {
        self.energy.there = there;
        self.energy.turn += 1;
        let turn = self.energy.turn;
        let times = self.config.times;
        let delay = if there { times.energy_on } else { times.energy_off };
        self.after(delay, move |phy| {
            if phy.energy.turn == turn && phy.is_powered() {
                phy.set_energy(there);
            }
        });
    }

    fn set_energy(&mut self, on: bool) {
        if self.energy.on == on {
            return;
        }
        if on && self.energy.asleep {
            let missed = self.config.flaws.missed_wake;
            if missed > 0.0 && self.rng.wake.chance(missed) {
                self.stats.missed_wakes += 1;
                return;
            }
        }
        self.energy.on = on;
        if on {
            self.registers.isr |= int::ENERGYON;
        } else {
            self.registers.fall(int::ENERGYON);
        }
        self.sleep_or_wake();
    }

    /// EDPWRDOWN may have changed.
    pub(super) fn detection_switched(&mut self) {
        let slept = self.energy.asleep;
        self.sleep_or_wake();
        if slept && !self.energy.asleep {
            self.look_for_energy();
        }
    }

    /// Awake again, it finds what it slept through.
    fn look_for_energy(&mut self) {
        self.watch_energy(self.heard().is_some());
    }

    /// A soft reset switches EDPD off.
    pub(super) fn wake_by_reset(&mut self) {
        if core::mem::take(&mut self.energy.asleep) {
            self.look_for_energy();
        }
    }

    fn sleep_or_wake(&mut self) {
        let asleep = self.is_detecting() && !self.energy.on;
        if asleep != self.energy.asleep {
            self.energy.asleep = asleep;
            self.stats.sleeps += u64::from(asleep);
            self.restart_link();
        }
    }
}
