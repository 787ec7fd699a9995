//! Link establishment: auto-negotiation, parallel detection, forced modes (DS00002165B section 3.2,
//! IEEE 802.3 clause 28).

use core::time::Duration;

use ethdev::{Duplex, Speed};

use crate::config::Mode;
use crate::context::{Context, Effect, LinkStep, Timer};
use crate::partner::{Agreement, Outcome, Partner, Setting, resolve};
use crate::register_file::RegisterFile;
use crate::registers::{ability, aner, int};

/// Time from a base page without a common mode until negotiation restarts:
/// `link_fail_inhibit_timer` (IEEE 802.3 table 28-9, 0.75 s to 1 s).
const LINK_FAIL_INHIBIT: Duration = Duration::from_secs(1);
/// Time after which a chip loses its link that was reset by too short a pulse.
const UNSTABLE_PERIOD: Duration = Duration::from_secs(1);

/// ```text
///                       restart                       break_link
///   any ───────────────────────────────> Break ────────────────────> Listen
///                     (forced modes: straight to Listen)              │  ▲ the partner falls silent
///   Off <── not running                                 it is heard   v  │
///                              Up <──────── in time, agreed ────── Exchange ──> restart: no common mode
///                               └── signal lost: restart
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

/// What the search for a link depends on besides the registers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Conditions {
    /// The transceiver runs.
    pub(crate) running: bool,
    /// The partner, where its signal comes in on the pair that the receiver listens to.
    pub(crate) signal: Option<Partner>,
}

/// The setting of the MAC.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MacMode {
    /// `None` where the MAC takes the speed of the PHY.
    pub(crate) speed: Option<Speed>,
    pub(crate) duplex: Duplex,
}

/// The state of the link.
#[derive(Debug, Default)]
pub(crate) struct LinkMachine {
    phase: Phase,
    /// Counts changes of phase, so that the timers of an earlier one have no effect.
    generation: u64,
    /// Counts changes of the signal.
    signals: u64,
    /// The setting of the MAC, where it is known.
    mac: Option<MacMode>,
}

impl LinkMachine {
    pub(crate) const fn is_up(&self) -> bool {
        matches!(self.phase, Phase::Up(_))
    }

    pub(crate) const fn agreement(&self) -> Option<&Agreement> {
        match &self.phase {
            Phase::Up(agreement) => Some(agreement),
            _ => None,
        }
    }

    pub(crate) const fn mac(&self) -> Option<MacMode> {
        self.mac
    }

    /// PSCSR's speed field: as resolved, while there is a link.
    pub(crate) fn speed_indication(&self) -> u16 {
        self.agreement().map_or(0, |agreement| {
            let rate = if agreement.speed == Speed::MBPS_100 {
                0b010
            } else {
                0b001
            };
            rate | if agreement.duplex == Duplex::Full { 0b100 } else { 0 }
        })
    }

    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.generation += 1;
    }

    /// Queues a step of this phase.
    fn after(&self, context: &mut Context, delay: Duration, step: LinkStep) {
        let generation = self.generation;
        context.timer_in(delay, Timer::Link { generation, step });
    }

    pub(crate) const fn is_current(&self, generation: u64) -> bool {
        self.generation == generation
    }

    pub(crate) const fn is_current_signal(&self, signals: u64) -> bool {
        self.signals == signals
    }

    /// Starts the search for a link from the beginning.
    pub(crate) fn restart(&mut self, context: &mut Context, registers: &mut RegisterFile, conditions: Conditions) {
        if self.is_up() {
            context.stats.link_downs += 1;
            registers.was_down = true;
            registers.isr |= int::LINK_DOWN;
            context.effect(Effect::Mode(None));
        }
        registers.an_complete = false;
        registers.autodone = false;
        registers.anlpar &= !ability::ACK;
        registers.aner &= !aner::PARTNER_ABLE;
        registers.clear_source(int::AN_COMPLETE | int::LP_ACK | int::PARALLEL_FAULT | int::PAGE_RECEIVED);
        if !conditions.running {
            self.enter(Phase::Off);
        } else if registers.is_negotiating() {
            context.stats.negotiations += 1;
            self.enter(Phase::Break);
            self.after(context, context.config.times.break_link, LinkStep::Listen);
        } else {
            self.listen(context, registers, conditions.signal);
        }
    }

    /// Listens for the partner, and starts the exchange with it where it is heard.
    pub(crate) fn listen(&mut self, context: &mut Context, registers: &RegisterFile, signal: Option<Partner>) {
        self.enter(Phase::Listen);
        let Some(partner) = signal else {
            return;
        };
        let negotiating = registers.is_negotiating();
        let ours = if negotiating {
            Ok(registers.anar)
        } else {
            Err(registers.forced_mode())
        };
        let outcome = resolve(ours, &partner);
        if outcome == Outcome::NoSignal {
            return;
        }
        let times = context.config.times;
        let time = partner.delay
            + match (negotiating, partner.setting) {
                (true, Setting::Negotiating(_)) => times.negotiation,
                (true, Setting::Forced(..)) => times.parallel_detection,
                (false, _) => times.forced_link,
            };
        self.enter(Phase::Exchange);
        match outcome {
            Outcome::Link(agreement) => {
                if let Some(page) = agreement.partner_page.filter(|page| page & ability::ACK != 0) {
                    self.after(context, time / 2, LinkStep::PageReceived(page));
                }
                self.after(context, time, LinkStep::Up(agreement));
            }
            Outcome::NoCommonMode(page) => {
                self.after(context, time / 2, LinkStep::PageReceived(page));
                self.after(context, time + LINK_FAIL_INHIBIT, LinkStep::Restart);
            }
            Outcome::ParallelFault => self.after(context, time, LinkStep::ParallelFault),
            Outcome::NoSignal => {}
        }
    }

    /// The agreed mode takes effect.
    pub(crate) fn come_up(
        &mut self,
        context: &mut Context,
        registers: &mut RegisterFile,
        agreement: Agreement,
        unstable: bool,
    ) {
        if let Some(page) = agreement.partner_page {
            registers.anlpar = page;
            registers.an_complete = true;
            registers.autodone = true;
            registers.isr |= int::AN_COMPLETE;
        }
        context.stats.link_ups += 1;
        self.enter(Phase::Up(agreement));
        self.update_duplex(context);
        context.effect(Effect::Mode(Some(agreement.mode)));
        if unstable {
            self.after(context, UNSTABLE_PERIOD, LinkStep::Restart);
        }
    }

    /// The MAC was set.
    pub(crate) fn set_mac(&mut self, context: &mut Context, mac: MacMode) {
        self.mac = Some(mac);
        self.update_duplex(context);
    }

    /// Sets which ends of the wire do not send while they receive.
    fn update_duplex(&self, context: &mut Context) {
        if let Some(agreement) = self.agreement() {
            let here = self.mac.map_or(agreement.duplex, |mac| mac.duplex) == Duplex::Half;
            let there = agreement.partner_duplex == Duplex::Half;
            context.effect(Effect::HalfDuplex { here, there });
        }
    }

    /// Counts a change of the cable, of the partner or of the pairs.
    pub(crate) const fn count_signal(&mut self) {
        self.signals += 1;
    }

    /// Acts on such a change. Returns whether the search has to restart.
    pub(crate) fn signal_changed(
        &mut self,
        context: &mut Context,
        registers: &RegisterFile,
        signal: Option<Partner>,
    ) -> bool {
        let lost = signal.is_none();
        match &self.phase {
            Phase::Up(agreement) if lost => {
                if agreement.speed == Speed::MBPS_100 {
                    return true;
                }
                let sticks = context.config.quirks.forced_10_link_sticks
                    && registers.strap_mode(&context.config) == Mode::T10Full
                    && !registers.is_negotiating();
                if !sticks {
                    let signals = self.signals;
                    let loss = context.config.times.link_loss_10;
                    self.after(context, loss, LinkStep::SignalLost { signals });
                }
            }
            Phase::Exchange => self.listen(context, registers, signal),
            Phase::Listen if !lost => self.listen(context, registers, signal),
            _ => {}
        }
        false
    }
}
