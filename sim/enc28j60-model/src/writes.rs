//! Writes to control registers and their effects.

use crate::model::Model;
use crate::ram::Fifo;
use crate::registers::{
    ECON1, ECON2, EDMADST, EDMAND, EDMAST, EHT0, EIR, EPKTCNT, EPMO, ERXFCON, ERXND, ERXRDPT, ERXST, ERXWRPT, ESTAT,
    ETXND, ETXST, Kind, MAADR5, MACON3, MACON4, MICMD, MIWRH, Reg, econ1, econ2,
};
use crate::violations::ViolationKind;

/// How a control register is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WriteMode {
    /// WCR.
    Whole,
    /// BFS.
    Set,
    /// BFC.
    Clear,
}

impl WriteMode {
    /// The value after a write of `data` to a register that holds `old`.
    const fn apply(self, old: u8, data: u8) -> u8 {
        match self {
            Self::Whole => data,
            Self::Set => old | data,
            Self::Clear => old & !data,
        }
    }
}

impl Model {
    /// A write to an ETH register of the selected bank.
    pub(crate) fn write_fast(&mut self, mode: WriteMode, addr: usize, data: u8) {
        if !self.may_write(addr, mode, data) {
            return;
        }
        let spec = self.spec(addr);
        let reg = self.reg(addr);
        let old = self.chip.registers.get(reg);
        let new = old & !spec.writable | mode.apply(old, data) & spec.writable;
        match reg {
            // Flags: the host clears them, the chip sets them.
            EIR | ESTAT => self.chip.registers.set(reg, old & new),
            ECON1 => {
                if mode == WriteMode::Whole {
                    self.check_whole_write(old, new);
                }
                self.control(old, new);
            }
            ECON2 => self.control_2(old, new),
            _ => self.write_plain(reg, new),
        }
    }

    /// Records a violation where a whole write to ECON1 writes back TXRTS as the host last read it,
    /// and it has changed since. Whole writes as such are legal (register 3-1), and so is clearing
    /// TXRTS of a transmission that runs, which cancels it (section 7.1).
    fn check_whole_write(&mut self, old: u8, new: u8) {
        let (is_set, sets) = (old & econ1::TXRTS != 0, new & econ1::TXRTS != 0);
        if is_set != sets && self.chip.txrts_read == Some(sets) {
            let effect = if sets {
                "starts it again: the chip has cleared it since the host read it"
            } else {
                "cancels the transmission that was started since the host read it"
            };
            self.chip.violation(ViolationKind::StaleTxrts, effect);
        }
    }

    /// A write to a MAC or MII register, which takes effect when chip select rises.
    ///
    /// BFS and BFC work on ETH registers only (section 4.2.5). They take effect here all the same:
    /// drivers in wide use set up MACON3 by BFS, and work on silicon.
    pub(crate) fn write_slow(&mut self, mode: WriteMode, addr: usize, data: u8) {
        if mode != WriteMode::Whole {
            let name = self.spec(addr).name;
            self.chip
                .violation(ViolationKind::BitFieldOnMac, format!("{name} takes whole writes only"));
        }
        if !self.chip.check_ready(self.spec(addr).kind) || !self.may_write(addr, mode, data) {
            return;
        }
        let reg = self.reg(addr);
        let old = self.chip.registers.get(reg);
        if self.mac_access_fails() {
            // Lost, or corrupted.
            if self.chip.rng.mac.chance(0.5) {
                let garbage = self.chip.rng.mac.below(0x100) as u8;
                self.chip.registers.set(reg, garbage & self.spec(addr).writable);
            }
            return;
        }
        let new = mode.apply(old, data) & self.spec(addr).writable;
        if reg.bank == MAADR5.bank && old != new && self.chip.is_receive_enabled() {
            self.chip
                .violation(ViolationKind::FilterChanged, "the MAC address, while RXEN is set");
        }
        if self.chip.is_transmitting() && old != new && (reg == MACON3 || reg == MACON4) {
            self.chip
                .violation(ViolationKind::TxChanged, "MAC configuration, while TXRTS is set");
        }
        self.chip.registers.set(reg, new);
        match reg {
            MICMD => self.phy.command(&mut self.chip, old, new),
            MIWRH => self.phy.start_write(&mut self.chip),
            _ => {}
        }
    }

    /// Whether the register can be written. Records a violation where the data does not fit it.
    fn may_write(&mut self, addr: usize, mode: WriteMode, data: u8) -> bool {
        let spec = self.spec(addr);
        if !spec.kind.is_register() {
            self.chip.violation(
                ViolationKind::ReservedAddress,
                format!("{addr:#04x} of bank {} is {}", self.bank(), spec.name),
            );
            return false;
        }
        if spec.writable == 0 {
            self.chip.violation(ViolationKind::ReadOnly, spec.name);
            return false;
        }
        let reserved = data & !(spec.writable | spec.read_only);
        if reserved != 0 && mode != WriteMode::Clear {
            self.chip.violation(
                ViolationKind::ReservedBits,
                format!("bits {reserved:#04x} of {} are reserved", spec.name),
            );
        }
        spec.kind == Kind::Eth || spec.kind.is_slow()
    }

    fn write_plain(&mut self, reg: Reg, new: u8) {
        let pair = Reg {
            addr: reg.addr & !1,
            ..reg
        };
        match pair {
            ERXRDPT => return self.write_read_pointer(reg, new),
            ETXST | ETXND if self.chip.is_transmitting() => {
                self.chip
                    .violation(ViolationKind::TxChanged, "a transmit pointer, while TXRTS is set");
            }
            EDMAST | EDMAND | EDMADST if self.chip.registers.has(ECON1, econ1::DMAST) => {
                self.chip
                    .violation(ViolationKind::BadDma, "a DMA pointer, while DMAST is set");
            }
            _ => {}
        }
        let is_filter = reg == ERXFCON || reg.bank == EHT0.bank && reg.addr < EPMO.addr + 2;
        if is_filter && self.chip.is_receive_enabled() && self.chip.registers.get(reg) != new {
            self.chip
                .violation(ViolationKind::FilterChanged, "a filter, while RXEN is set");
        }
        self.chip.registers.set(reg, new);
        if matches!(pair, ERXST | ERXND) && reg.bank == 0 {
            if self.chip.is_receive_enabled() {
                self.chip
                    .violation(ViolationKind::FifoMoved, "the FIFO's limits, while RXEN is set");
            }
            if pair == ERXST {
                // Section 6.1. Erratum 5 concerns the internal pointer only.
                let start = self.chip.registers.word(ERXST);
                self.chip.registers.set_word(ERXWRPT, start);
            }
            self.reload_write_pointer();
        }
    }

    /// Loads the internal write pointer with the start of the FIFO, or with 0 by erratum 5.
    fn reload_write_pointer(&mut self) {
        let errata = self.chip.cx.config.errata;
        let fails = errata.e5_rx_pointer && self.chip.rng.rx_pointer.chance(errata.probabilities.rx_pointer);
        self.rx.write_pointer = if fails { 0 } else { self.chip.registers.word(ERXST) };
    }

    /// The low byte is buffered until the high byte is written.
    fn write_read_pointer(&mut self, reg: Reg, new: u8) {
        if reg == ERXRDPT {
            self.rx.read_pointer_low = new;
            return;
        }
        let pointer = u16::from_le_bytes([self.rx.read_pointer_low, new]);
        if self.chip.cx.config.clears_erxrdptl {
            self.rx.read_pointer_low = 0;
        }
        let old = self.chip.registers.word(ERXRDPT);
        self.chip.registers.set_word(ERXRDPT, pointer);
        if pointer % 2 == 0 {
            self.chip
                .violation(ViolationKind::EvenReadPointer, format!("{pointer:#06x}"));
        }
        let fifo = self.chip.fifo();
        if self.chip.is_receive_enabled() {
            self.check_read_pointer(fifo, old, pointer);
        }
    }

    fn check_read_pointer(&mut self, fifo: Fifo, old: u16, new: u16) {
        if !fifo.contains(new) {
            self.chip
                .violation(ViolationKind::BadReadPointer, format!("{new:#06x} is outside the FIFO"));
        } else if fifo.contains(old) {
            let freed = fifo.distance(old, new);
            let unread = self.rx.first_unread();
            // The bytes from the old pointer up to the new one are freed; the receiver does not use
            // the one at the pointer.
            if let Some(start) = unread.filter(|start| fifo.distance(old, *start) < freed) {
                self.chip.violation(
                    ViolationKind::BadReadPointer,
                    format!("{new:#06x} frees the packet at {start:#06x}, which was not read"),
                );
            }
        }
    }

    /// ECON1.
    fn control(&mut self, old: u8, mut new: u8) {
        let rises = |bit: u8| new & !old & bit != 0;
        let falls = |bit: u8| old & !new & bit != 0;
        let (rx_reset, tx_reset) = (rises(econ1::RXRST), new & econ1::TXRST != 0);
        let (tx_reset_ends, starts_tx, cancels_tx) = (falls(econ1::TXRST), rises(econ1::TXRTS), falls(econ1::TXRTS));
        let (starts_dma, cancels_dma) = (rises(econ1::DMAST), falls(econ1::DMAST));
        if old & new & econ1::DMAST != 0 && (old ^ new) & econ1::CSUMEN != 0 {
            self.chip.violation(ViolationKind::BadDma, "CSUMEN, while DMAST is set");
        }
        if new & econ1::RXRST != 0 {
            new &= !econ1::RXEN;
        }
        if tx_reset {
            new &= !econ1::TXRTS;
        }
        self.chip.registers.set(ECON1, new);
        if rx_reset {
            self.rx.abort();
        }
        let rx_changes = (old ^ new) & econ1::RXEN != 0;
        if rx_changes {
            self.rx.switch(&mut self.chip, &self.phy, new & econ1::RXEN != 0);
        }
        if tx_reset && old & econ1::TXRTS != 0 {
            self.tx.abort(&mut self.chip);
        }
        if tx_reset {
            self.tx.reset_pending = self.tx.stalled;
            self.tx.stalled = false;
        } else if starts_tx {
            let not_before = self.tx_not_before();
            self.tx.start(&mut self.chip, &self.phy, not_before);
        } else if cancels_tx {
            self.tx.cancel(&mut self.chip);
        }
        if tx_reset_ends {
            self.tx.reset_ends(&mut self.chip);
        }
        if starts_dma {
            self.dma.start(&mut self.chip, self.tx.free_at());
        } else if cancels_dma {
            self.dma.cancel(&mut self.chip);
        }
    }

    /// ECON2.
    fn control_2(&mut self, old: u8, new: u8) {
        self.chip.registers.set(ECON2, new & !econ2::PKTDEC);
        if new & econ2::PKTDEC != 0 {
            let count = self.chip.registers.get(EPKTCNT);
            if count == 0 {
                self.chip.violation(ViolationKind::PacketCountUnderflow, "EPKTCNT is 0");
            } else {
                self.chip.registers.set(EPKTCNT, count - 1);
                self.rx.packets.pop_front();
            }
        }
        match (old & econ2::PWRSV != 0, new & econ2::PWRSV != 0) {
            (false, true) => self.fall_asleep(),
            (true, false) => self.wake_up(),
            _ => {}
        }
    }
}
