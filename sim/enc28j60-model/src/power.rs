//! Resets, the oscillator, and sleep (DS39662E sections 2, 11 and 14).

use core::time::Duration;

use super::ViolationKind;
use super::hardware::Model;
use super::registers::{ECOCON, ECON1, ECON2, EIR, EPKTCNT, ERXST, ESTAT, Registers, TABLE, econ1, econ2, eir, estat};
use super::rx::Receiver;

/// 7500 periods of the oscillator.
const OSCILLATOR_START: Duration = Duration::from_micros(300);
/// Erratum 2: how long the chip is not ready after a reset.
const RESET_READY: Duration = Duration::from_millis(1);
/// How long the PHY is not ready after a reset without that erratum.
const PHY_READY: Duration = Duration::from_micros(50);
/// Shorter pulses on the RESET pin are filtered out.
const SHORTEST_RESET: Duration = Duration::from_nanos(400);

/// What is powered and clocked.
#[derive(Debug, Default)]
pub(super) struct Power {
    pub(super) asleep: bool,
    /// MAC, MII and PHY answer from then on.
    pub(super) mac_ready_at: Duration,
    /// The RESET pin is low since.
    held_since: Option<Duration>,
    /// Counts starts of the oscillator.
    turn: u64,
    /// When the DMA operation ends that was started last.
    pub(super) dma_ends: Duration,
}

impl Model {
    /// ESTAT.CLKRDY.
    pub(super) fn is_clock_ready(&self) -> bool {
        self.registers.has(ESTAT, estat::CLKRDY)
    }

    /// Whether MAC, MII and PHY answer.
    pub(super) fn is_mac_ready(&self) -> bool {
        !self.power.asleep && self.clock.now() >= self.power.mac_ready_at
    }

    /// The same, and complains where they do not.
    pub(super) fn check_mac_ready(&mut self) -> bool {
        if self.is_mac_ready() {
            return true;
        }
        let detail = if self.power.asleep {
            String::from("the chip is in power-save")
        } else {
            format!("the MAC and the PHY are ready at {:?}", self.power.mac_ready_at)
        };
        self.violation(ViolationKind::NotReady, detail);
        false
    }

    pub(super) fn is_held_in_reset(&self) -> bool {
        self.power.held_since.is_some()
    }

    /// The supply comes back.
    pub(super) fn power_on_reset(&mut self) {
        self.ram.scramble(&mut self.rng.memory);
        self.registers.clear(ESTAT, estat::CLKRDY);
        self.registers.set(ECOCON, TABLE[ECOCON.bank][ECOCON.addr].reset);
        self.reset_all();
        self.start_oscillator();
    }

    /// A system reset, by whatever.
    pub(super) fn system_reset(&mut self) {
        let ready = if self.config.errata.e2_reset_ready {
            RESET_READY
        } else {
            PHY_READY
        };
        let was_starting = self.power.mac_ready_at;
        self.reset_all();
        self.power.mac_ready_at = (self.clock.now() + ready).max(was_starting);
    }

    /// The system reset instruction.
    pub(super) fn reset_instruction(&mut self) {
        if self.registers.has(ECON2, econ2::PWRSV) {
            self.violation(ViolationKind::ResetAsleep, "ignored in power-save (erratum 19)");
            if self.config.errata.e19_reset_asleep {
                return;
            }
        }
        self.tainted = false;
        self.system_reset();
    }

    /// The RESET pin takes a level.
    pub(super) fn drive_reset(&mut self, low: bool) {
        let now = self.clock.now();
        if low {
            self.power.held_since.get_or_insert(now);
        } else if let Some(since) = self.power.held_since.take() {
            let held = now - since;
            if held < SHORTEST_RESET {
                self.violation(ViolationKind::ShortReset, format!("RESET was low for {held:?}"));
            } else {
                self.tainted = false;
                self.system_reset();
            }
        }
    }

    /// Everything but the memory, CLKRDY, ECOCON and the books.
    fn reset_all(&mut self) {
        self.stats.lost_in_reset += u64::from(self.registers.get(EPKTCNT));
        if self.is_transmitting() {
            self.abandon_transmission();
        }
        let (ecocon, clkrdy) = (self.registers.get(ECOCON), self.registers.get(ESTAT) & estat::CLKRDY);
        self.registers = Registers::reset();
        self.registers.set(ECOCON, ecocon);
        self.registers.raise(ESTAT, clkrdy);
        self.reset_at = self.clock.now();
        self.rx = Receiver::default();
        self.rx.write_pointer = self.registers.word(ERXST);
        self.tx.reset();
        self.dma_turn += 1;
        self.checksum_ran = None;
        if core::mem::take(&mut self.power.asleep) {
            self.start_oscillator();
        }
        self.reset_phy();
    }

    /// CLKRDY comes when the oscillator has started.
    fn start_oscillator(&mut self) {
        let ready = self.clock.now() + OSCILLATOR_START;
        self.power.mac_ready_at = ready;
        self.power.turn += 1;
        let turn = self.power.turn;
        self.later(ready, move |chip| {
            if chip.power.turn == turn && !chip.power.asleep {
                chip.registers.raise(ESTAT, estat::CLKRDY);
            }
        });
    }

    /// PWRSV was set.
    pub(super) fn fall_asleep(&mut self) {
        self.power.asleep = true;
        self.registers.clear(ESTAT, estat::CLKRDY);
        if self.registers.has(ECON1, econ1::TXRTS) {
            self.abandon_transmission();
            self.registers.clear(ECON1, econ1::TXRTS);
            self.registers.raise(EIR, eir::TXIF);
        }
        self.restart_link();
    }

    /// PWRSV was cleared.
    pub(super) fn wake_up(&mut self) {
        self.power.asleep = false;
        self.start_oscillator();
        self.restart_link();
    }
}
