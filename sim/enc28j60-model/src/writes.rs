//! What writing a control register does.

use super::ViolationKind;
use super::hardware::Model;
use super::instruction::{How, takes_bit_fields};
use super::ram::Fifo;
use super::registers::{
    ECON1, ECON2, EDMADST, EDMAND, EDMAST, EHT0, EIR, EPKTCNT, EPMO, ERXFCON, ERXND, ERXRDPT, ERXST, ESTAT, ETXND,
    ETXST, Kind, MAADR5, MACON3, MACON4, MICMD, MIWRH, Reg, econ1, econ2,
};

impl Model {
    /// A write to whatever is at an address of the bank selected, but for whole writes to the MAC and MII.
    pub(super) fn write_fast(&mut self, how: How, addr: usize, data: u8) {
        let spec = self.spec(addr);
        if !takes_bit_fields(spec.kind) {
            self.violation(
                ViolationKind::BitFieldOnMac,
                format!("{} takes whole writes only", spec.name),
            );
            return;
        }
        if !self.may_write(addr, how, data) {
            return;
        }
        let reg = self.reg(addr);
        let old = self.registers.get(reg);
        let wanted = match how {
            How::Whole => data,
            How::Set => old | data,
            How::Clear => old & !data,
        };
        let new = old & !spec.writable | wanted & spec.writable;
        match reg {
            // Flags: the host clears them, the chip sets them.
            EIR | ESTAT => self.registers.set(reg, old & new),
            ECON1 => {
                if how == How::Whole && old & (econ1::RXEN | econ1::TXRTS) != 0 {
                    self.violation(
                        ViolationKind::WholeWriteEcon1,
                        format!("ECON1 was {old:#04x}: use bit fields"),
                    );
                }
                self.control(old, new);
            }
            ECON2 => self.control_2(old, new),
            _ => self.write_plain(reg, new),
        }
    }

    /// A whole write to a MAC or MII register, when chip select has risen.
    pub(super) fn write_slow(&mut self, addr: usize, data: u8) {
        if !self.check_mac_ready() || !self.may_write(addr, How::Whole, data) {
            return;
        }
        let reg = self.reg(addr);
        let old = self.registers.get(reg);
        if self.mac_slips() {
            // Dropped, or garbled.
            if self.rng.mac.chance(0.5) {
                let garbage = self.rng.mac.below(0x100) as u8;
                self.registers.set(reg, garbage & self.spec(addr).writable);
            }
            return;
        }
        let new = data & self.spec(addr).writable;
        if reg.bank == MAADR5.bank && old != new && self.is_receive_enabled() {
            self.violation(ViolationKind::FilterChanged, "the station's address, while RXEN is set");
        }
        if self.is_transmitting() && old != new && (reg == MACON3 || reg == MACON4) {
            self.violation(ViolationKind::TxChanged, "MAC configuration, while TXRTS is set");
        }
        self.registers.set(reg, new);
        match reg {
            MICMD => self.mii_command(old, new),
            MIWRH => self.mii_write(),
            _ => {}
        }
    }

    /// Whether there is something to write to; complains where the data does not fit it.
    fn may_write(&mut self, addr: usize, how: How, data: u8) -> bool {
        let spec = self.spec(addr);
        if !spec.kind.is_register() {
            self.violation(
                ViolationKind::ReservedAddress,
                format!("{addr:#04x} of bank {} is {}", self.bank(), spec.name),
            );
            return false;
        }
        if spec.writable == 0 {
            self.violation(ViolationKind::ReadOnly, spec.name);
            return false;
        }
        let strange = data & !(spec.writable | spec.read_only);
        if strange != 0 && how != How::Clear {
            self.violation(
                ViolationKind::ReservedBits,
                format!("bits {strange:#04x} of {} are reserved", spec.name),
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
            ETXST | ETXND if self.is_transmitting() => {
                self.violation(ViolationKind::TxChanged, "a transmit pointer, while TXRTS is set");
            }
            EDMAST | EDMAND | EDMADST if self.registers.has(ECON1, econ1::DMAST) => {
                self.violation(ViolationKind::DmaMisuse, "a DMA pointer, while DMAST is set");
            }
            _ => {}
        }
        let is_filter = reg == ERXFCON || reg.bank == EHT0.bank && reg.addr < EPMO.addr + 2;
        if is_filter && self.is_receive_enabled() && self.registers.get(reg) != new {
            self.violation(ViolationKind::FilterChanged, "a filter, while RXEN is set");
        }
        self.registers.set(reg, new);
        if matches!(pair, ERXST | ERXND) && reg.bank == 0 {
            if self.is_receive_enabled() {
                self.violation(ViolationKind::FifoMoved, "the FIFO's limits, while RXEN is set");
            }
            self.reload_write_pointer();
        }
    }

    /// The internal write pointer takes the start of the FIFO, or what erratum 5 makes of it.
    fn reload_write_pointer(&mut self) {
        let errata = self.config.errata;
        let slips = errata.e5_rx_pointer && self.rng.rx_pointer.chance(errata.odds.rx_pointer);
        self.rx.write_pointer = if slips { 0 } else { self.registers.word(ERXST) };
    }

    /// The low half waits in a hidden register for the high one.
    fn write_read_pointer(&mut self, reg: Reg, new: u8) {
        if reg == ERXRDPT {
            self.rx.read_pointer_low = new;
            return;
        }
        let pointer = u16::from_le_bytes([self.rx.read_pointer_low, new]);
        if self.config.forgets_read_pointer_low {
            self.rx.read_pointer_low = 0;
        }
        let old = self.registers.word(ERXRDPT);
        self.registers.set_word(ERXRDPT, pointer);
        if pointer % 2 == 0 {
            self.violation(ViolationKind::EvenReadPointer, format!("{pointer:#06x}"));
        }
        let fifo = self.fifo();
        if self.is_receive_enabled() {
            self.check_read_pointer(fifo, old, pointer);
        }
    }

    fn check_read_pointer(&mut self, fifo: Fifo, old: u16, new: u16) {
        if !fifo.contains(new) {
            self.violation(ViolationKind::BadReadPointer, format!("{new:#06x} is outside the FIFO"));
        } else if fifo.contains(old) {
            let freed = fifo.distance(old, new);
            let unread = self.rx.first_unread();
            // Freed are the bytes from the old pointer up to the new one, which stays out of the receiver's reach.
            if let Some(start) = unread.filter(|start| fifo.distance(old, *start) < freed) {
                self.violation(
                    ViolationKind::BadReadPointer,
                    format!("{new:#06x} gives the packet at {start:#06x} away unread"),
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
            self.violation(ViolationKind::DmaMisuse, "CSUMEN, while DMAST is set");
        }
        if new & econ1::RXRST != 0 {
            new &= !econ1::RXEN;
        }
        if tx_reset {
            new &= !econ1::TXRTS;
        }
        self.registers.set(ECON1, new);
        if rx_reset {
            self.rx.abort();
        }
        let rx_changes = (old ^ new) & econ1::RXEN != 0;
        if rx_changes {
            self.switch_receiver(new & econ1::RXEN != 0);
        }
        if tx_reset && old & econ1::TXRTS != 0 {
            self.abandon_transmission();
        }
        if tx_reset {
            self.tx.reset_pending = self.tx.stalled;
            self.tx.stalled = false;
        } else if starts_tx {
            self.start_transmission();
        } else if cancels_tx {
            self.cancel_transmission();
        }
        if tx_reset_ends {
            self.transmit_reset_ends();
        }
        if starts_dma {
            self.start_dma();
        } else if cancels_dma {
            self.cancel_dma();
        }
    }

    /// ECON2.
    fn control_2(&mut self, old: u8, new: u8) {
        self.registers.set(ECON2, new & !econ2::PKTDEC);
        if new & econ2::PKTDEC != 0 {
            let count = self.registers.get(EPKTCNT);
            if count == 0 {
                self.violation(ViolationKind::PacketCountUnderflow, "EPKTCNT is 0");
            } else {
                self.registers.set(EPKTCNT, count - 1);
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
