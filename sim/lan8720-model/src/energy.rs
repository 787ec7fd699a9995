//! ENERGYON, and energy-detect power-down (DS00002165B section 3.8.3.2).

use ethdev_sim::random::Rng;

use crate::context::{Context, Timer};
use crate::register_file::RegisterFile;
use crate::registers::{int, mcsr};

/// Detection of energy on the wire.
#[derive(Debug)]
pub(crate) struct Energy {
    /// ENERGYON.
    on: bool,
    /// Powered down for lack of energy.
    asleep: bool,
    /// Whether there was energy when that was checked last.
    present: bool,
    /// Counts changes of `present`.
    generation: u64,
    wake_rng: Rng,
}

impl Energy {
    pub(crate) const fn new(wake_rng: Rng) -> Self {
        Self {
            on: false,
            asleep: false,
            present: false,
            generation: 0,
            wake_rng,
        }
    }

    pub(crate) const fn is_on(&self) -> bool {
        self.on
    }

    pub(crate) const fn is_asleep(&self) -> bool {
        self.asleep
    }

    /// After a hardware reset ENERGYON reads 1 until its time without energy is over.
    pub(crate) fn reset(&mut self, context: &mut Context, registers: &mut RegisterFile) {
        self.on = true;
        self.asleep = false;
        self.generation += 1;
        registers.isr |= int::ENERGYON;
        self.watch(context, false);
    }

    /// A soft reset disables the power-down. Returns whether the chip was asleep.
    pub(crate) const fn wake_by_reset(&mut self) -> bool {
        core::mem::replace(&mut self.asleep, false)
    }

    /// The partner is heard or not: ENERGYON follows in its time.
    pub(crate) fn follow(&mut self, context: &mut Context, present: bool) {
        if present != self.present {
            self.watch(context, present);
        }
    }

    /// Starts the timer after which ENERGYON follows.
    pub(crate) fn watch(&mut self, context: &mut Context, present: bool) {
        self.present = present;
        self.generation += 1;
        let times = context.config.times;
        let delay = if present { times.energy_on } else { times.energy_off };
        let generation = self.generation;
        context.timer_in(delay, Timer::Energy { generation, present });
    }

    pub(crate) const fn is_current(&self, generation: u64) -> bool {
        self.generation == generation
    }

    /// ENERGYON changes. Returns whether the chip fell asleep or woke up by that.
    pub(crate) fn set(&mut self, context: &mut Context, registers: &mut RegisterFile, on: bool) -> bool {
        if self.on == on {
            return false;
        }
        if on && self.asleep {
            let missed = context.config.quirks.missed_wake;
            if missed > 0.0 && self.wake_rng.chance(missed) {
                context.stats.missed_wakes += 1;
                return false;
            }
        }
        self.on = on;
        if on {
            registers.isr |= int::ENERGYON;
        } else {
            registers.clear_source(int::ENERGYON);
        }
        self.update_sleep(context, registers)
    }

    /// EDPWRDOWN or ENERGYON changed. Returns whether the chip fell asleep or woke up by that.
    pub(crate) const fn update_sleep(&mut self, context: &mut Context, registers: &RegisterFile) -> bool {
        let detects = registers.mcsr & mcsr::EDPWRDOWN != 0;
        let asleep = detects && !self.on;
        if asleep == self.asleep {
            return false;
        }
        self.asleep = asleep;
        context.stats.sleeps += asleep as u64;
        true
    }
}
