//! The PHY without its interfaces: registers, power, energy detection and link, and how they act on
//! each other.

use ethdev::Speed;
use ethdev_sim::Clock;
use ethdev_sim::random::Rng;

use crate::config::{Mode, PhyConfig};
use crate::context::{Context, Effect, LinkStep, Timer};
use crate::energy::Energy;
use crate::link::{Conditions, LinkMachine, MacMode};
use crate::partner::{Agreement, Partner};
use crate::power::{Power, ResetEdge};
use crate::register_file::{Consequence, RegisterFile, Status};
use crate::registers::{aner, bmcr, int, scsir};
use crate::violations::ViolationKind;

/// The PHY without its interfaces.
pub(crate) struct Phy {
    pub(crate) context: Context,
    pub(crate) registers: RegisterFile,
    pub(crate) link: LinkMachine,
    energy: Energy,
    power: Power,
    partner: Option<Partner>,
    /// The cable is plugged in.
    plugged: bool,
}

impl Phy {
    /// A PHY at power-up.
    pub(crate) fn new(clock: &Clock, config: PhyConfig, plugged: bool, wake_rng: Rng) -> Self {
        let allowed = config.allowed_violations.clone();
        Self {
            registers: RegisterFile::default(),
            link: LinkMachine::default(),
            energy: Energy::new(wake_rng),
            power: Power::new(&config),
            partner: config.partner,
            plugged,
            context: Context::new(clock, config, allowed),
        }
    }

    pub(crate) fn expire(&mut self, timer: Timer) {
        match timer {
            Timer::Link { generation, step } if self.link.is_current(generation) => self.link_step(step),
            Timer::Energy { generation, present } if self.energy.is_current(generation) && self.is_powered() => {
                if self.energy.set(&mut self.context, &mut self.registers, present) {
                    self.restart_link();
                }
            }
            Timer::SoftResetEnd { generation } if self.power.end_soft_reset(generation) => {
                self.registers.bmcr &= !bmcr::SRESET;
                self.restart_link();
            }
            Timer::LoopBack(frame) => self.context.effect(Effect::Deliver(frame)),
            Timer::Link { .. } | Timer::Energy { .. } | Timer::SoftResetEnd { .. } => {}
        }
    }

    fn link_step(&mut self, step: LinkStep) {
        match step {
            LinkStep::Listen => {
                let signal = self.signal();
                self.link.listen(&mut self.context, &self.registers, signal);
            }
            LinkStep::PageReceived(page) => self.registers.receive_page(page),
            LinkStep::Up(agreement) => {
                let unstable = self.power.is_unstable();
                self.link
                    .come_up(&mut self.context, &mut self.registers, agreement, unstable);
            }
            LinkStep::Restart => self.restart_link(),
            LinkStep::ParallelFault => {
                self.restart_link();
                self.registers.aner |= aner::PARALLEL_FAULT;
                self.registers.isr |= int::PARALLEL_FAULT;
            }
            LinkStep::SignalLost { signals } if self.link.is_current_signal(signals) => self.restart_link(),
            LinkStep::SignalLost { .. } => {}
        }
    }

    /// Whether the chip runs at all.
    pub(crate) fn is_powered(&self) -> bool {
        self.power.is_powered(&self.context.config)
    }

    /// Whether the MAC has a clock.
    pub(crate) fn clocks_mac(&self) -> bool {
        self.power.clocks_mac(&self.context.config)
    }

    /// Whether the transceiver runs.
    pub(crate) fn is_running(&self) -> bool {
        self.is_powered()
            && !self.power.is_resetting()
            && self.registers.bmcr & bmcr::POWER_DOWN == 0
            && self.registers.strap_mode(&self.context.config) != Mode::PowerDown
            && !self.energy.is_asleep()
    }

    pub(crate) fn int_is_low(&self) -> bool {
        let config = &self.context.config;
        self.power.is_alive(&self.context)
            && config.part.has_interrupts()
            && !config.straps.ref_clk_out
            && self.registers.isr & self.registers.imr & (int::ALL | int::WOL) != 0
    }

    /// The partner, where it is plugged in and sends something.
    fn heard(&self) -> Option<Partner> {
        self.partner
            .filter(|partner| self.plugged && (!partner.sleeps || self.is_running()))
    }

    /// The partner, where its signal comes in on the pair that the receiver listens to.
    fn signal(&self) -> Option<Partner> {
        let auto = self.registers.scsir & scsir::AMDIXCTRL == 0;
        let crossed = self.registers.scsir & scsir::CH_SELECT != 0;
        self.heard()
            .filter(|partner| auto || partner.auto_mdix || partner.crossed == crossed)
    }

    /// Starts the search for a link from the beginning.
    fn restart_link(&mut self) {
        let conditions = Conditions {
            running: self.is_running(),
            signal: self.signal(),
        };
        self.link.restart(&mut self.context, &mut self.registers, conditions);
        let present = self.heard().is_some();
        self.energy.follow(&mut self.context, present);
    }

    /// The cable, the partner or the pairs changed.
    fn signal_changed(&mut self) {
        self.link.count_signal();
        let present = self.heard().is_some();
        self.energy.follow(&mut self.context, present);
        let signal = self.signal();
        if self.link.signal_changed(&mut self.context, &self.registers, signal) {
            self.restart_link();
        }
    }

    pub(crate) fn set_plugged(&mut self, plugged: bool) {
        self.plugged = plugged;
        self.signal_changed();
    }

    /// Replaces the partner at the other end of the cable.
    pub(crate) fn set_partner(&mut self, partner: Option<Partner>) {
        self.partner = None;
        if self.link.is_up() {
            self.restart_link();
        } else {
            self.signal_changed();
        }
        self.partner = partner;
        self.signal_changed();
    }

    pub(crate) fn set_mac(&mut self, mac: MacMode) {
        self.link.set_mac(&mut self.context, mac);
    }

    pub(crate) fn drive_reset(&mut self, low: bool) {
        match self.power.drive_reset(&mut self.context, low) {
            Some(ResetEdge::Falling) => self.restart_link(),
            Some(ResetEdge::Rising) => self.leave_reset(),
            None => {}
        }
    }

    /// Latches the straps, and starts.
    pub(crate) fn leave_reset(&mut self) {
        self.registers.load_defaults(&self.context.config, true);
        self.energy.reset(&mut self.context, &mut self.registers);
        self.restart_link();
    }

    pub(crate) fn set_ref_clk(&mut self, present: bool) {
        if self.power.set_ref_clk(present) {
            self.restart_link();
        }
    }

    fn soft_reset(&mut self) {
        self.power.start_soft_reset(&mut self.context);
        self.registers.load_defaults(&self.context.config, false);
        self.registers.bmcr |= bmcr::SRESET;
        if self.energy.wake_by_reset() {
            self.watch_energy();
        }
        // A link that is lost by this is no interrupt: the sources are reset with the rest.
        self.restart_link();
        self.registers.isr = 0;
        self.power.time_soft_reset(&mut self.context);
    }

    /// Awake again, the chip detects what came while it was asleep.
    fn watch_energy(&mut self) {
        let present = self.heard().is_some();
        self.energy.watch(&mut self.context, present);
    }

    /// EDPWRDOWN may have changed.
    fn update_energy_detection(&mut self) {
        let slept = self.energy.is_asleep();
        if self.energy.update_sleep(&mut self.context, &self.registers) {
            self.restart_link();
        }
        if slept && !self.energy.is_asleep() {
            self.watch_energy();
        }
    }

    fn status(&self) -> Status {
        let reversed = self.partner.is_some_and(|partner| partner.reversed);
        let agreed_10 = |agreement: &Agreement| agreement.speed == Speed::MBPS_10;
        Status {
            link_up: self.link.is_up(),
            energy_on: self.energy.is_on(),
            speed: self.link.speed_indication(),
            reversed: reversed && self.link.agreement().is_some_and(agreed_10),
        }
    }

    /// Whether the PHY answers at this MDIO address.
    pub(crate) fn answers_at(&self, address: u8) -> bool {
        self.power.is_alive(&self.context) && self.registers.answers_at(&self.context.config, address)
    }

    /// What a register holds.
    pub(crate) fn peek(&self, register: u8) -> u16 {
        self.registers.peek(&self.context.config, register, self.status())
    }

    /// The host reads a register.
    pub(crate) fn read(&mut self, register: u8) -> u16 {
        self.power.check_reset(&mut self.context);
        let status = self.status();
        self.registers.read(&self.context.config, register, status)
    }

    /// The host writes a register.
    pub(crate) fn write(&mut self, register: u8, value: u16) {
        self.power.check_reset(&mut self.context);
        if self.power.is_resetting() {
            self.context.violation(
                ViolationKind::WriteInReset,
                format!("{value:#06x} to register {register}"),
            );
            return;
        }
        let status = self.status();
        match self.registers.write(&mut self.context, register, value, status) {
            Consequence::None => {}
            Consequence::SoftReset => self.soft_reset(),
            Consequence::RestartLink => self.restart_link(),
            Consequence::SignalChanged => self.signal_changed(),
            Consequence::EnergyDetection => self.update_energy_detection(),
        }
    }
}
