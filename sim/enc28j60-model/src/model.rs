//! The chip without its SPI interface: its parts, resets and interrupts.

use core::time::Duration;

use ethdev_sim::{Clock, Port};

use crate::chip::Chip;
use crate::config::ChipConfig;
use crate::dma::Dma;
use crate::phy::Phy;
use crate::power::ResetPulse;
use crate::registers::{
    COMMON, ECOCON, ECON1, ECON2, EFLOCON, EIE, EIR, EPKTCNT, EREVID, ERXST, ESTAT, MISTAT, Reg, Registers, Spec,
    TABLE, econ1, econ2, eir, estat,
};
use crate::rx::Receiver;
use crate::timer::Timer;
use crate::tx::{self, Transmitter};
use crate::violations::ViolationKind;

/// Erratum 1 affects accesses below this SPI clock in Hz.
const MIN_SAFE_SCK: u32 = 8_000_000;

/// The parts of the chip behind the SPI interface.
pub(crate) struct Model {
    pub(crate) chip: Chip,
    pub(crate) rx: Receiver,
    pub(crate) tx: Transmitter,
    pub(crate) phy: Phy,
    pub(crate) dma: Dma,
}

impl Model {
    /// A chip on its wire that was just powered on.
    pub(crate) fn new(clock: &Clock, port: Port, config: ChipConfig) -> Self {
        let mut model = Self {
            chip: Chip::new(clock, port, config),
            rx: Receiver::default(),
            tx: Transmitter::default(),
            phy: Phy::default(),
            dma: Dma::default(),
        };
        model.power_on_reset();
        model
    }

    /// A timer of one of the parts expires.
    pub(crate) fn expire(&mut self, timer: Timer) {
        let Self { chip, rx, tx, phy, dma } = self;
        match timer {
            Timer::OscillatorReady { start } => chip.oscillator_ready(start),
            Timer::DmaDone {
                operation,
                source,
                is_checksum,
            } => dma.done(chip, operation, &source, is_checksum),
            Timer::MiiDone { operation, access } => phy.mii_done(chip, operation, access),
            Timer::PhyResetDone { operation } => phy.reset_done(operation),
            Timer::LinkReady { search } => phy.link_ready(chip, search),
            Timer::TxBegin {
                transmission,
                collisions,
            } => {
                let not_before = self.tx_not_before();
                self.tx
                    .begin_waiting(&mut self.chip, &self.phy, not_before, transmission, collisions);
            }
            Timer::TxDone {
                transmission,
                end,
                status,
                looped_back,
            } => {
                if !tx.done(chip, transmission, end, status) {
                    return;
                }
                if let Some(frame) = looped_back {
                    chip.cx.stats.looped_back += 1;
                    if let Some((frame, began)) = tx::loop_back(chip, phy, frame) {
                        rx.take_in(chip, dma, &frame, began);
                    }
                }
            }
        }
    }

    /// A transmission does not begin before this time.
    pub(crate) fn tx_not_before(&self) -> Duration {
        let dma = self.dma.ends(&self.chip);
        dma.max(self.rx.paused_until).max(self.chip.power.mac_ready_at)
    }

    /// A frame from the wire, with its FCS.
    pub(crate) fn receive(&mut self, frame: &[u8]) {
        self.rx.receive(&mut self.chip, &self.phy, &self.dma, frame);
    }

    /// The cable was plugged in or unplugged.
    pub(crate) fn cable_changed(&mut self) {
        self.phy.cable_changed(&mut self.chip);
    }

    /// Power-on reset.
    pub(crate) fn power_on_reset(&mut self) {
        let chip = &mut self.chip;
        chip.ram.scramble(&mut chip.rng.memory);
        chip.registers.clear(ESTAT, estat::CLKRDY);
        chip.registers.set(ECOCON, TABLE[ECOCON.bank][ECOCON.addr].reset);
        self.reset_all();
        self.chip.start_oscillator();
    }

    /// A system reset; `erratum_2`: MAC and PHY are not ready for as long as after the instruction.
    pub(crate) fn system_reset(&mut self, erratum_2: bool) {
        self.reset_all();
        let chip = &mut self.chip;
        chip.power.delay_mac(chip.cx.now(), erratum_2);
    }

    /// The system reset instruction.
    pub(crate) fn reset_instruction(&mut self) {
        if self.chip.registers.has(ECON2, econ2::PWRSV) {
            self.chip
                .violation(ViolationKind::ResetAsleep, "ignored in power-save (erratum 19)");
            if self.chip.cx.config.errata.e19_reset_asleep {
                return;
            }
        }
        self.chip.cx.violations.resume();
        self.system_reset(self.chip.cx.config.errata.e2_reset_ready);
    }

    /// The host drives the RESET pin.
    pub(crate) fn drive_reset(&mut self, low: bool) {
        let chip = &mut self.chip;
        match chip.power.drive_reset(chip.cx.now(), low) {
            None => {}
            Some(ResetPulse::TooShort(held)) => {
                chip.violation(ViolationKind::ShortReset, format!("RESET was low for {held:?}"));
            }
            Some(ResetPulse::Valid) => {
                chip.cx.violations.resume();
                self.system_reset(false);
            }
        }
    }

    /// Resets everything but the memory, CLKRDY, ECOCON and the counters.
    fn reset_all(&mut self) {
        let Self { chip, rx, tx, phy, dma } = self;
        chip.cx.stats.lost_in_reset += u64::from(chip.registers.get(EPKTCNT));
        if chip.is_transmitting() {
            tx.abort(chip);
        }
        let (ecocon, clkrdy) = (chip.registers.get(ECOCON), chip.registers.get(ESTAT) & estat::CLKRDY);
        chip.registers = Registers::reset();
        chip.registers.set(ECOCON, ecocon);
        chip.registers.raise(ESTAT, clkrdy);
        chip.txrts_read = None;
        chip.reset_at = chip.cx.now();
        *rx = Receiver::default();
        rx.write_pointer = chip.registers.word(ERXST);
        tx.reset();
        dma.reset();
        if core::mem::take(&mut chip.power.asleep) {
            chip.start_oscillator();
        }
        phy.reset(chip);
    }

    /// PWRSV was set.
    pub(crate) fn fall_asleep(&mut self) {
        let Self { chip, tx, phy, .. } = self;
        chip.power.asleep = true;
        chip.registers.clear(ESTAT, estat::CLKRDY);
        if chip.registers.has(ECON1, econ1::TXRTS) {
            tx.abort(chip);
            chip.registers.clear(ECON1, econ1::TXRTS);
            chip.registers.raise(EIR, eir::TXIF);
        }
        phy.restart_link(chip);
    }

    /// PWRSV was cleared.
    pub(crate) fn wake_up(&mut self) {
        self.chip.power.asleep = false;
        self.chip.start_oscillator();
        self.phy.restart_link(&mut self.chip);
    }

    /// The interrupts that are pending.
    fn interrupts(&self) -> u8 {
        let registers = &self.chip.registers;
        let mut flags = registers.get(EIR) & !(eir::PKTIF | eir::LINKIF);
        if registers.get(EPKTCNT) != 0 {
            flags |= eir::PKTIF;
        }
        if self.phy.link_interrupt() {
            flags |= eir::LINKIF;
        }
        flags
    }

    /// Whether the chip drives INT low.
    pub(crate) fn int_is_low(&self) -> bool {
        let enabled = self.chip.registers.get(EIE);
        enabled & eir::INTIE != 0 && self.interrupts() & enabled != 0
    }

    /// The value of a control register as a host reads it.
    pub(crate) fn value(&self, bank: usize, addr: usize) -> u8 {
        let chip = &self.chip;
        let stored = chip.registers.at(bank, addr);
        match (Reg {
            bank: if addr >= COMMON { 0 } else { bank },
            addr,
        }) {
            EIR => self.interrupts(),
            ESTAT => {
                let flag = |bit: u8, set: bool| if set { bit } else { 0 };
                let interrupt = chip.registers.get(EIE) & self.interrupts() & !eir::INTIE != 0;
                stored & !(estat::INT | estat::RXBUSY)
                    | flag(estat::INT, interrupt)
                    | flag(estat::RXBUSY, self.rx.is_receiving(chip, &self.phy))
            }
            EPKTCNT => chip.injected.packet_count.unwrap_or(stored),
            EREVID => chip.cx.config.revision.id(),
            MISTAT => self.phy.status(),
            EFLOCON => stored & !0x04 | if chip.is_full_duplex() { 0x04 } else { 0 },
            _ => stored,
        }
    }

    /// The selected bank.
    pub(crate) fn bank(&self) -> usize {
        usize::from(self.chip.registers.get(ECON1) & econ1::BSEL)
    }

    /// What is at an address of the selected bank.
    pub(crate) fn spec(&self, addr: usize) -> Spec {
        TABLE[self.bank()][addr]
    }

    /// The register at an address of the selected bank.
    pub(crate) fn reg(&self, addr: usize) -> Reg {
        Reg {
            bank: if addr >= COMMON { 0 } else { self.bank() },
            addr,
        }
    }

    /// Erratum 1: whether an access to the MAC fails.
    pub(crate) fn mac_access_fails(&mut self) -> bool {
        let chip = &mut self.chip;
        let config = &chip.cx.config;
        config.errata.e1_slow_sck
            && config.sck_hz < MIN_SAFE_SCK
            && chip.rng.mac.chance(config.errata.probabilities.slow_sck)
    }
}
