//! Resets, the clock and power-down (DS00002165B sections 3.8.3 and 3.8.5).

use core::time::Duration;

use super::config::ResetWiring;
use super::hardware::Model;
use super::registers::bmcr;
use super::{Mode, PhyConfig, ViolationKind};

/// From power-up to the end of the hardware reset at least (table 5-7).
const POWER_UP: Duration = Duration::from_millis(25);
/// nRST is low for at least (table 5-7).
const RESET_PULSE: Duration = Duration::from_micros(100);

#[derive(Debug)]
pub(super) struct Power {
    /// `REF_CLK` comes in, where it has to.
    clock: bool,
    /// nRST rose without `REF_CLK`: nothing works until it rises again with it.
    dead: bool,
    /// nRST is low since.
    held_since: Option<Duration>,
    /// Nobody has reset it since power-up.
    never_reset: bool,
    /// The registers answer from then on.
    ready_at: Duration,
    /// A soft reset is going on.
    resetting: bool,
    /// Counts resets, so that one that another one cut off does not end.
    turn: u64,
    zombie: bool,
}

impl Power {
    pub(super) fn new(config: &PhyConfig) -> Self {
        Self {
            clock: config.ref_clk,
            dead: false,
            held_since: None,
            never_reset: config.reset == ResetWiring::Host,
            ready_at: Duration::ZERO,
            resetting: false,
            turn: 0,
            zombie: false,
        }
    }

    pub(super) const fn is_resetting(&self) -> bool {
        self.resetting
    }

    pub(super) const fn is_zombie(&self) -> bool {
        self.zombie
    }
}

impl Model {
    /// Whether the chip runs at all.
    pub(super) fn is_powered(&self) -> bool {
        let clocked = self.config.straps.ref_clk_out || self.power.clock && !self.power.dead;
        clocked && self.power.held_since.is_none()
    }

    /// Whether `REF_CLK` comes in from outside.
    pub(super) const fn has_ref_clk(&self) -> bool {
        self.power.clock
    }

    /// Whether the registers answer.
    pub(super) fn is_alive(&self) -> bool {
        self.is_powered() && self.now() >= self.power.ready_at
    }

    /// Whether the transceiver runs.
    pub(super) fn is_running(&self) -> bool {
        self.is_powered()
            && !self.power.resetting
            && self.registers.bmcr & bmcr::POWER_DOWN == 0
            && self.strap_mode() != Mode::PowerDown
            && !self.energy.asleep
    }

    /// Complains of a PHY that is used without ever having been reset; once.
    pub(super) fn check_reset(&mut self) {
        if core::mem::take(&mut self.power.never_reset) {
            self.violation(
                ViolationKind::NeverReset,
                "MDIO is used and nRST was never low since power-up",
            );
        }
    }

    /// nRST takes a level.
    pub(super) fn drive_reset(&mut self, low: bool) {
        let now = self.now();
        if low {
            if self.power.held_since.is_none() {
                self.power.held_since = Some(now);
                self.power.turn += 1;
                self.power.resetting = false;
                self.restart_link();
            }
            return;
        }
        let Some(since) = self.power.held_since.take() else {
            return;
        };
        let held = now - since;
        self.tainted = false;
        self.power.never_reset = false;
        self.power.zombie = held < self.config.flaws.zombie_below;
        if held < RESET_PULSE {
            self.violation(ViolationKind::ShortReset, format!("nRST was low for {held:?}"));
        }
        if now < POWER_UP {
            self.violation(ViolationKind::EarlyReset, format!("nRST rose {now:?} after power-up"));
        }
        self.power.dead = !self.config.straps.ref_clk_out && !self.power.clock;
        if self.power.dead {
            self.violation(ViolationKind::NoClock, "nRST rose without REF_CLK");
        }
        self.stats.hard_resets += 1;
        self.power.ready_at = now + self.config.times.hard_reset;
        self.leave_reset();
    }

    /// Latches the straps, and starts.
    pub(super) fn leave_reset(&mut self) {
        self.load_defaults(true);
        self.reset_energy();
        self.restart_link();
    }

    /// `REF_CLK` comes or goes.
    pub(super) fn set_ref_clk(&mut self, present: bool) {
        if self.power.clock != present {
            self.power.clock = present;
            self.restart_link();
        }
    }

    /// BMCR's reset bit was written.
    pub(super) fn soft_reset(&mut self) {
        self.stats.soft_resets += 1;
        self.tainted = false;
        self.power.resetting = true;
        self.power.turn += 1;
        let turn = self.power.turn;
        self.load_defaults(false);
        self.registers.bmcr |= bmcr::SRESET;
        self.wake_by_reset();
        // A link that was lost by this is no interrupt: the sources are reset with the rest.
        self.restart_link();
        self.registers.isr = 0;
        if let Some(time) = self.config.times.soft_reset {
            self.after(time, move |phy| {
                if phy.power.turn == turn {
                    phy.power.resetting = false;
                    phy.registers.bmcr &= !bmcr::SRESET;
                    phy.restart_link();
                }
            });
        }
    }
}
