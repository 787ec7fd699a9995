//! The host's accesses to the registers.

use core::time::Duration;

use super::hardware::{Effect, Model};
use super::registers::{
    self, Access, CSR_BUSY, CSR_READ, E2P_BUSY, E2P_LOADED, GAP_AFTER_POP, GAP_RX_DROP, HW_SF, HW_SRST, PMT_PHY_RST,
    PMT_READY, RX_DUMP, int,
};
use super::{DeviceState, ViolationKind};

/// The free-running counter's ticks.
const FREE_RUN_TICK: Duration = Duration::from_nanos(40);

const PMT_CTRL: usize = 0x84;
const BYTE_TEST: usize = 0x64;

impl Model {
    /// A read, of which the cycle began then. `phy`: the PHY's bit of `INT_STS`.
    pub(super) fn host_reads(&mut self, offset: usize, began: Duration, phy: u32) -> u32 {
        self.bus.reads += 1;
        match self.presence {
            DeviceState::Connected => {}
            DeviceState::AllOnes => return u32::MAX,
            DeviceState::AllZeros => return 0,
        }
        let Some(entry) = registers::find(offset) else {
            self.violation(ViolationKind::UndefinedRegister, format!("read of {offset:#x}"));
            return 0;
        };
        if entry.access == Access::Write {
            self.violation(ViolationKind::WrongDirection, format!("read of {}", entry.name));
            return 0;
        }
        if !self.power.is_awake() && offset != PMT_CTRL && !(self.power.resetting && matches!(offset, BYTE_TEST | 0x74))
        {
            self.violation(ViolationKind::NotReady, format!("read of {}", entry.name));
        }
        self.check_gaps(entry, began);
        if self.power.is_awake() {
            self.power.needs_read = false;
        }
        let now = self.clock.now();
        match entry.offset {
            0x00 => {
                self.bus.rx_words += 1;
                self.rx_popped_at = Some(now);
                self.pop_rx_data()
            }
            0x40 => {
                self.rx_popped_at = Some(now);
                self.pop_rx_status()
            }
            0x44 => self.peek_rx_status(),
            0x48 => {
                self.tx_popped_at = Some(now);
                self.pop_tx_status()
            }
            0x4c => self.tx.statuses.front().copied().unwrap_or(0),
            0x50 => u32::from(self.config.part.id()) << 16 | 1,
            0x54 => self.irq_cfg,
            0x58 => self.int_sts | phy,
            0x5c => self.int_en,
            0x64 => {
                self.bus.byte_tests += 1;
                0x8765_4321
            }
            0x68 => self.fifo_int,
            0x6c => self.rx_cfg | if self.rx.dumping { RX_DUMP } else { 0 },
            0x70 => self.tx_cfg(),
            0x74 => self.hw_cfg & !HW_SRST | u32::from(self.power.resetting) | 0x4,
            0x7c => self.rx_fifo_inf(),
            0x80 => self.tx_fifo_inf(),
            0x84 => self.power.pmt | if self.power.is_awake() { PMT_READY } else { 0 },
            0x9c => (now.as_nanos() / FREE_RUN_TICK.as_nanos()) as u32,
            0xa0 => {
                if self.drop_read_at.is_some_and(|at| began < at + self.gap(GAP_RX_DROP)) {
                    self.violation(ViolationKind::TooSoon, "RX_DROP after RX_DROP");
                }
                self.drop_read_at = Some(now);
                core::mem::take(&mut self.rx.drop_counter)
            }
            0xa4 => self.mac.command_register(),
            0xa8 => self.read_csr_data(),
            0xac => self.afc_cfg,
            0xb0 => {
                let loaded = if self.power.eeprom_loaded { E2P_LOADED } else { 0 };
                let busy = if self.power.eeprom_busy { E2P_BUSY } else { 0 };
                loaded | busy
            }
            _ => {
                self.violation(ViolationKind::NotModelled, format!("read of {}", entry.name));
                0
            }
        }
    }

    fn gap(&self, gap: [u64; 2]) -> Duration {
        Duration::from_nanos(gap[usize::from(self.config.part.is_slow())])
    }

    fn check_gaps(&mut self, entry: &registers::Entry, began: Duration) {
        let after_pop = match entry.offset {
            0x7c => self.rx_popped_at,
            0x80 => self.tx_popped_at,
            _ => None,
        };
        for (since, gap, what) in [
            (self.written_at, entry.gap, "a write"),
            (after_pop, GAP_AFTER_POP, "a read from its FIFO"),
        ] {
            let Some(since) = since else { continue };
            let (passed, gap) = (began.saturating_sub(since), self.gap(gap));
            if passed < gap {
                let detail = format!("{} {passed:?} after {what}, {gap:?} are needed", entry.name);
                self.violation(ViolationKind::TooSoon, detail);
            }
        }
    }

    pub(super) fn host_writes(&mut self, offset: usize, value: u32) {
        self.bus.writes += 1;
        if self.presence != DeviceState::Connected {
            return;
        }
        let Some(entry) = registers::find(offset) else {
            self.violation(ViolationKind::UndefinedRegister, format!("write to {offset:#x}"));
            return;
        };
        self.written_at = Some(self.clock.now());
        if entry.access == Access::Read {
            self.violation(ViolationKind::WrongDirection, format!("write to {}", entry.name));
            return;
        }
        if offset == BYTE_TEST {
            self.wake_up();
            return;
        }
        if !self.power.is_awake() {
            self.violation(ViolationKind::NotReady, format!("write to {}", entry.name));
            return;
        }
        if self.power.needs_read {
            self.violation(ViolationKind::WriteBeforeRead, format!("write to {}", entry.name));
            return;
        }
        if value & !entry.writable != 0 {
            let detail = format!("{value:#010x} to {}", entry.name);
            self.violation(ViolationKind::ReservedBits, detail);
        }
        match entry.offset {
            0x20 => {
                self.bus.tx_words += 1;
                self.push_tx(value);
            }
            0x54 => self.irq_cfg = value & 0xff00_0111,
            0x58 => self.clear_interrupts(value),
            0x5c => self.int_en = value,
            0x68 => self.fifo_int = value,
            0x6c => self.configure_rx(value),
            0x70 => self.configure_tx(value),
            0x74 => self.configure_hardware(value),
            0x84 => self.configure_power(value),
            0xa4 => self.csr_command(value),
            0xa8 => self.write_csr_data(value),
            0xac => self.afc_cfg = value,
            _ => self.violation(ViolationKind::NotModelled, format!("{value:#010x} to {}", entry.name)),
        }
    }

    /// Write one to clear. What is a level of a FIFO may come again.
    fn clear_interrupts(&mut self, value: u32) {
        self.int_sts &= !value;
        if self.config.levels_persist {
            self.raise_levels();
        }
    }

    /// Raises the interrupts of levels that are exceeded.
    pub(super) fn raise_levels(&mut self) {
        if self.rx.statuses.len() > (self.fifo_int & 0xff) as usize {
            self.raise(int::RSFL);
        }
        if self.tx.statuses.len() > (self.fifo_int >> 16 & 0xff) as usize {
            self.raise(int::TSFL);
        }
    }

    fn configure_hardware(&mut self, value: u32) {
        if value & HW_SRST != 0 {
            self.soft_reset();
            return;
        }
        let kib = value >> 16 & 0xf;
        if !(2..=14).contains(&kib) {
            self.violation(ViolationKind::BadFifoSize, format!("TX_FIF_SZ of {kib}"));
            return;
        }
        if value & HW_SF == 0 {
            self.violation(ViolationKind::ReservedBits, "HW_CFG bit 20 has to be one");
        }
        if kib as usize != self.tx_fifo_kib() && (self.tx.is_on() || self.mac.receives() || self.rx.used() > 0) {
            self.violation(ViolationKind::FifoInUse, "TX_FIF_SZ changed");
        }
        self.hw_cfg = value & 0x001f_0000;
    }

    fn configure_power(&mut self, value: u32) {
        if value & PMT_PHY_RST != 0 {
            self.violation(ViolationKind::NotModelled, "PHY reset by PMT_CTRL");
        }
        self.power.pmt = value & 0x0000_3346;
        match value >> 12 & 3 {
            0 => {}
            1 | 2 => self.fall_asleep(),
            _ => self.violation(ViolationKind::ReservedBits, "PM_MODE of 3"),
        }
    }

    /// An access to a MAC register begins.
    fn csr_command(&mut self, value: u32) {
        if self.mac.busy || value & CSR_BUSY == 0 {
            let detail = format!("command {value:#010x}, busy {}", self.mac.busy);
            self.violation(ViolationKind::MacRegister, detail);
            return;
        }
        let index = value & 0xff;
        if !(1..=0x0c).contains(&index) {
            self.violation(ViolationKind::MacRegister, format!("register {index:#x}"));
        }
        self.mac.command = value & !CSR_BUSY;
        self.mac.busy = true;
        let turn = self.power.turn;
        self.later(self.config.mac_register, move |chip| {
            if chip.power.turn == turn {
                chip.csr_ends(index as usize, value & CSR_READ != 0);
            }
        });
    }

    fn csr_ends(&mut self, index: usize, read: bool) {
        if self.mac.stuck {
            return;
        }
        self.mac.busy = false;
        if read {
            self.mac.data = self.mac.read(index);
        } else {
            self.write_mac_register(index, self.mac.data);
        }
    }

    fn read_csr_data(&mut self) -> u32 {
        if self.mac.busy {
            self.violation(ViolationKind::MacRegister, "data read while busy");
        }
        self.mac.data
    }

    fn write_csr_data(&mut self, value: u32) {
        if self.mac.busy {
            self.violation(ViolationKind::MacRegister, "data written while busy");
        }
        self.mac.data = value;
    }

    pub(super) fn effect(&mut self, effect: Effect) {
        self.effects.push_back(effect);
    }
}
