//! The way to a link: auto-negotiation, parallel detection, forced modes (DS00002165B section 3.2, IEEE 802.3 clause 28).

use core::time::Duration;

use ethdev::{Duplex, Speed};

use super::hardware::{Effect, Model};
use super::partner::{Agreement, Outcome, Setting, meet};
use super::registers::{ability, aner, bmcr, int, scsir};
use super::{Mode, Partner};

/// From a base page without a common mode until negotiation begins anew: `link_fail_inhibit_timer` (IEEE 802.3 table 28-9, 0.75 s to 1 s).
const LINK_FAIL_INHIBIT: Duration = Duration::from_secs(1);
/// A chip that was not reset for long enough loses its link so often.
const ZOMBIE_PERIOD: Duration = Duration::from_secs(1);

/// ```text
///                    restart_link                    break_link
///   any ───────────────────────────────> Break ────────────────────> Listen
///                     (forced modes: straight to Listen)              │  ▲ the partner falls silent
///   Off <── not running                                 it is heard   v  │
///                              Up <──────── in time, agreed ────── Exchange ──> restart_link: no common mode
///                               └── signal lost: restart_link
/// ```
#[derive(Debug, Default)]
enum Phase {
    #[default]
    Off,
    Break,
    Listen,
    Exchange,
    Up(Agreement),
}

#[derive(Debug, Default)]
pub(super) struct LinkMachine {
    phase: Phase,
    /// Counts changes of phase, so that what was planned in an earlier one does not happen.
    turn: u64,
    /// Counts changes of the signal.
    signals: u64,
}

impl LinkMachine {
    pub(super) const fn is_up(&self) -> bool {
        matches!(self.phase, Phase::Up(_))
    }

    pub(super) const fn agreement(&self) -> Option<&Agreement> {
        match &self.phase {
            Phase::Up(agreement) => Some(agreement),
            _ => None,
        }
    }
}

impl Model {
    pub(super) const fn is_negotiating(&self) -> bool {
        self.registers.bmcr & bmcr::AN_ENABLE != 0
    }

    /// The mode of BMCR.
    pub(super) const fn forced(&self) -> (Speed, Duplex) {
        let control = self.registers.bmcr;
        let speed = if control & bmcr::SPEED != 0 {
            Speed::MBPS_100
        } else {
            Speed::MBPS_10
        };
        let duplex = if control & bmcr::DUPLEX != 0 {
            Duplex::Full
        } else {
            Duplex::Half
        };
        (speed, duplex)
    }

    /// The partner, where it is plugged in and sends something.
    pub(super) fn heard(&self) -> Option<&Partner> {
        let partner = self.partner.as_ref()?;
        let plugged = self.on_port(ethdev_sim::Port::is_plugged) == Some(true);
        (plugged && (!partner.sleeps || self.is_running())).then_some(partner)
    }

    /// The partner, where its signal comes in on the pair that is listened to.
    fn signal(&self) -> Option<&Partner> {
        let auto = self.registers.scsir & scsir::AMDIXCTRL == 0;
        let crossed = self.registers.scsir & scsir::CH_SELECT != 0;
        self.heard()
            .filter(|partner| auto || partner.auto_mdix || partner.crossed == crossed)
    }

    /// PSCSR's speed field: as resolved, while there is a link.
    pub(super) fn speed_indication(&self) -> u16 {
        self.link.agreement().map_or(0, |agreement| {
            let rate = if agreement.speed == Speed::MBPS_100 {
                0b010
            } else {
                0b001
            };
            rate | if agreement.duplex == Duplex::Full { 0b100 } else { 0 }
        })
    }

    /// The polarity that 10BASE-T sees.
    pub(super) fn is_reversed(&self) -> bool {
        self.link.agreement().is_some_and(|a| a.speed == Speed::MBPS_10)
            && self.partner.is_some_and(|partner| partner.reversed)
    }

    fn enter(&mut self, phase: Phase) -> u64 {
        self.link.phase = phase;
        self.link.turn += 1;
        self.link.turn
    }

    /// Goes on in this phase after a while, if it is still the same then.
    fn then(&self, delay: Duration, turn: u64, go_on: impl FnOnce(&mut Self) + 'static) {
        self.after(delay, move |phy| {
            if phy.link.turn == turn {
                go_on(phy);
            }
        });
    }

    /// Looks for a link anew.
    pub(super) fn restart_link(&mut self) {
        if self.link.is_up() {
            self.stats.link_downs += 1;
            self.registers.was_down = true;
            self.registers.isr |= int::LINK_DOWN;
            self.effect(Effect::Mode(None));
        }
        self.registers.an_complete = false;
        self.registers.autodone = false;
        self.registers.anlpar &= !ability::ACK;
        self.registers.aner &= !aner::PARTNER_ABLE;
        self.registers
            .fall(int::AN_COMPLETE | int::LP_ACK | int::PARALLEL_FAULT | int::PAGE_RECEIVED);
        if !self.is_running() {
            self.enter(Phase::Off);
        } else if self.is_negotiating() {
            self.stats.negotiations += 1;
            let turn = self.enter(Phase::Break);
            self.then(self.config.times.break_link, turn, Self::listen);
        } else {
            self.listen();
        }
        self.energy_follows();
    }

    fn listen(&mut self) {
        self.enter(Phase::Listen);
        let Some(partner) = self.signal().copied() else {
            return;
        };
        let ours = if self.is_negotiating() {
            Ok(self.registers.anar)
        } else {
            Err(self.forced())
        };
        let outcome = meet(ours, &partner);
        if outcome == Outcome::Deaf {
            return;
        }
        let times = self.config.times;
        let time = partner.delay
            + match (self.is_negotiating(), partner.setting) {
                (true, Setting::Negotiating(_)) => times.negotiation,
                (true, Setting::Forced(..)) => times.parallel_detection,
                (false, _) => times.forced_link,
            };
        let turn = self.enter(Phase::Exchange);
        match outcome {
            Outcome::Link(agreement) => {
                if let Some(page) = agreement.partner_page.filter(|page| page & ability::ACK != 0) {
                    self.then(time / 2, turn, move |phy| phy.page_came(page));
                }
                self.then(time, turn, move |phy| phy.come_up(agreement));
            }
            Outcome::NoCommonMode(page) => {
                self.then(time / 2, turn, move |phy| phy.page_came(page));
                self.then(time + LINK_FAIL_INHIBIT, turn, Self::restart_link);
            }
            Outcome::ParallelFault => self.then(time, turn, |phy| {
                phy.restart_link();
                phy.registers.aner |= aner::PARALLEL_FAULT;
                phy.registers.isr |= int::PARALLEL_FAULT;
            }),
            Outcome::Deaf => {}
        }
    }

    /// The partner's base page, acknowledged.
    fn page_came(&mut self, page: u16) {
        self.registers.anlpar = page;
        self.registers.aner |= aner::PAGE_RECEIVED | aner::PARTNER_ABLE;
        self.registers.isr |= int::PAGE_RECEIVED | int::LP_ACK;
        if page & ability::REMOTE_FAULT != 0 {
            self.registers.remote_fault = true;
            self.registers.isr |= int::REMOTE_FAULT;
        }
    }

    fn come_up(&mut self, agreement: Agreement) {
        if let Some(page) = agreement.partner_page {
            self.registers.anlpar = page;
            self.registers.an_complete = true;
            self.registers.autodone = true;
            self.registers.isr |= int::AN_COMPLETE;
        }
        self.stats.link_ups += 1;
        let turn = self.enter(Phase::Up(agreement));
        self.duplex_follows();
        self.effect(Effect::Mode(Some(agreement.mode)));
        if self.power.is_zombie() {
            self.then(ZOMBIE_PERIOD, turn, Self::restart_link);
        }
    }

    /// Tells the wire who waits for whom.
    pub(super) fn duplex_follows(&mut self) {
        if let Some(agreement) = self.link.agreement() {
            let here = self.mac.map_or(agreement.duplex, |(_, duplex)| duplex);
            let there = agreement.partner_duplex;
            self.effect(Effect::HalfDuplex(here == Duplex::Half, there == Duplex::Half));
        }
    }

    /// The cable, the partner or the pairs changed.
    pub(super) fn signal_changed(&mut self) {
        self.link.signals += 1;
        self.energy_follows();
        let lost = self.signal().is_none();
        match &self.link.phase {
            Phase::Up(agreement) if lost => {
                let sticks = self.config.flaws.forced_10_sticks && self.strap_mode() == Mode::T10Full;
                if agreement.speed == Speed::MBPS_100 {
                    self.restart_link();
                } else if !sticks || self.is_negotiating() {
                    let signals = self.link.signals;
                    self.then(self.config.times.link_loss_10, self.link.turn, move |phy| {
                        if phy.link.signals == signals {
                            phy.restart_link();
                        }
                    });
                }
            }
            Phase::Exchange => self.listen(),
            Phase::Listen if !lost => self.listen(),
            _ => {}
        }
    }

    /// Somebody else, or nobody, is at the other end from now on.
    pub(super) fn set_partner(&mut self, partner: Option<Partner>) {
        self.partner = None;
        if self.link.is_up() {
            self.restart_link();
        } else {
            self.signal_changed();
        }
        self.partner = partner;
        self.signal_changed();
    }
}
