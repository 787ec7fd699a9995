//! Resets and the clock (DS00002165B sections 3.8.3 and 3.8.5).

use core::time::Duration;

use crate::config::{PhyConfig, ResetWiring};
use crate::context::{Context, Timer};
use crate::violations::ViolationKind;

/// Shortest time from power-up to the end of the hardware reset (table 5-7).
const POWER_UP: Duration = Duration::from_millis(25);
/// Shortest low pulse of nRST (table 5-7).
const RESET_PULSE: Duration = Duration::from_micros(100);

/// An edge of nRST.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ResetEdge {
    Falling,
    Rising,
}

/// Clock and resets.
#[derive(Debug)]
pub(crate) struct Power {
    /// `REF_CLK` is present at its input.
    ref_clk: bool,
    /// nRST rose without `REF_CLK`: nothing works until it rises again with it.
    dead: bool,
    /// nRST has been low since then.
    held_since: Option<Duration>,
    /// There was no hardware reset since power-up.
    never_reset: bool,
    /// The registers answer from then on.
    ready_at: Duration,
    /// A soft reset is running.
    resetting: bool,
    /// Counts resets, so that the timer of one that was cut short has no effect.
    generation: u64,
    /// The reset pulse was too short: the link is lost again and again.
    unstable: bool,
}

impl Power {
    pub(crate) fn new(config: &PhyConfig) -> Self {
        Self {
            ref_clk: config.ref_clk,
            dead: false,
            held_since: None,
            never_reset: config.reset == ResetWiring::Host,
            ready_at: Duration::ZERO,
            resetting: false,
            generation: 0,
            unstable: false,
        }
    }

    pub(crate) const fn is_resetting(&self) -> bool {
        self.resetting
    }

    pub(crate) const fn is_unstable(&self) -> bool {
        self.unstable
    }

    /// Whether the chip runs at all.
    pub(crate) const fn is_powered(&self, config: &PhyConfig) -> bool {
        let clocked = config.straps.ref_clk_out || self.ref_clk && !self.dead;
        clocked && self.held_since.is_none()
    }

    /// Whether the registers answer.
    pub(crate) fn is_alive(&self, context: &Context) -> bool {
        self.is_powered(&context.config) && context.now() >= self.ready_at
    }

    /// Whether the MAC has a clock. A PHY that provides it does not while it is held in reset.
    pub(crate) const fn clocks_mac(&self, config: &PhyConfig) -> bool {
        if config.straps.ref_clk_out {
            self.is_powered(config)
        } else {
            self.ref_clk
        }
    }

    /// Reports a PHY that is used without a hardware reset since power-up; once.
    pub(crate) fn check_reset(&mut self, context: &mut Context) {
        if core::mem::take(&mut self.never_reset) {
            context.violation(
                ViolationKind::NeverReset,
                "MDIO is used and nRST was never low since power-up",
            );
        }
    }

    /// `REF_CLK` starts or stops. Returns whether it changed.
    pub(crate) const fn set_ref_clk(&mut self, present: bool) -> bool {
        core::mem::replace(&mut self.ref_clk, present) != present
    }

    /// nRST takes a level. Returns the edge, if there is one.
    pub(crate) fn drive_reset(&mut self, context: &mut Context, low: bool) -> Option<ResetEdge> {
        let now = context.now();
        if low {
            if self.held_since.is_some() {
                return None;
            }
            self.held_since = Some(now);
            self.generation += 1;
            self.resetting = false;
            return Some(ResetEdge::Falling);
        }
        let held = now - self.held_since.take()?;
        context.violations.resume();
        self.never_reset = false;
        self.unstable = held < context.config.quirks.stable_reset_pulse;
        if held < RESET_PULSE {
            context.violation(ViolationKind::ShortReset, format!("nRST was low for {held:?}"));
        }
        if now < POWER_UP {
            context.violation(ViolationKind::EarlyReset, format!("nRST rose {now:?} after power-up"));
        }
        self.dead = !context.config.straps.ref_clk_out && !self.ref_clk;
        if self.dead {
            context.violation(ViolationKind::NoClock, "nRST rose without REF_CLK");
        }
        context.stats.hard_resets += 1;
        self.ready_at = now + context.config.times.hard_reset;
        Some(ResetEdge::Rising)
    }

    /// BMCR's reset bit was written.
    pub(crate) const fn start_soft_reset(&mut self, context: &mut Context) {
        context.stats.soft_resets += 1;
        context.violations.resume();
        self.resetting = true;
        self.generation += 1;
    }

    /// Starts the timer of the soft reset.
    pub(crate) fn time_soft_reset(&self, context: &mut Context) {
        if let Some(time) = context.config.times.soft_reset {
            let generation = self.generation;
            context.timer_in(time, Timer::SoftResetEnd { generation });
        }
    }

    /// The time of a soft reset is over. Returns whether that ends a reset.
    pub(crate) const fn end_soft_reset(&mut self, generation: u64) -> bool {
        if self.generation != generation {
            return false;
        }
        self.resetting = false;
        true
    }
}
