//! Function 1: clocks and windows, and what lies behind them.

use core::time::Duration;
use std::collections::BTreeMap;

use super::ViolationKind;
use super::bus_registers::{irq, register_bytes, word};
use super::command::{Command, Function};
use super::hardware::Model;

/// Size of the RAM in bytes.
pub(super) const RAM_SIZE: usize = 0x8_0000;
/// Size of a window, and the mask of an address in it.
const WINDOW: u32 = 0x8000;
/// Where the registers of the function itself begin.
const OWN_REGISTERS: u32 = 0x1_0000;
/// What a transaction may carry.
const MAX_BYTES: usize = 64;

const WATERMARK: u32 = 0x1_0008;
const WINDOW_LOW: u32 = 0x1_000a;
const FRAME_CONTROL: u32 = 0x1_000d;
const CLOCK_CSR: u32 = 0x1_000e;

/// Bits of the clock CSR.
mod csr {
    pub(super) const FORCE_ALP: u8 = 0x01;
    pub(super) const FORCE_HT: u8 = 0x02;
    pub(super) const ALP_REQUEST: u8 = 0x08;
    pub(super) const HT_REQUEST: u8 = 0x10;
    pub(super) const ALP_AVAILABLE: u8 = 0x40;
    pub(super) const HT_AVAILABLE: u8 = 0x80;
}

/// What the low half of the chip id register reads, and a revision above it.
const CHIP_ID: u32 = 0x1545_a9af;
const CHIPCOMMON: u32 = 0x1800_0000;
pub(super) const SDIO_CORE: u32 = 0x1800_2000;
const ARM_CORE: u32 = 0x1800_3000;
const SOCSRAM_CORE: u32 = 0x1800_4000;
const ARM_WRAPPER: u32 = 0x1810_3000;
const SOCSRAM_WRAPPER: u32 = 0x1810_4000;
const BLUETOOTH: u32 = 0x1900_0000;

/// Offsets in a wrapper.
const IOCTL: u32 = 0x408;
const RESETCTRL: u32 = 0x800;

/// Offsets in the SDIO core.
pub(super) const INT_STATUS: u32 = 0x20;
pub(super) const INT_HOST_MASK: u32 = 0x24;

/// What holds a core in reset, or lets it run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Wrapper {
    /// 1: clock, 2: gated clocks forced, 0x20: the CPU halts.
    ioctl: u8,
    reset: bool,
}

impl Wrapper {
    const RUNNING: Self = Self { ioctl: 1, reset: false };
    const RESET: Self = Self { ioctl: 0, reset: true };

    const fn runs(self) -> bool {
        !self.reset && self.ioctl & 0x21 == 1
    }

    const fn is_up(self) -> bool {
        !self.reset && self.ioctl & 3 == 1
    }
}

/// What is behind function 1.
pub(super) struct Backplane {
    pub(super) ram: Vec<u8>,
    /// The function's own registers, from 0x10000.
    own: [u8; 0x20],
    arm: Wrapper,
    socsram: Wrapper,
    /// Registers of cores without any behaviour.
    registers: BTreeMap<u32, u32>,
    alp: bool,
    pub(super) ht: bool,
}

impl Backplane {
    pub(super) fn new(arm_runs: bool) -> Self {
        Self {
            ram: vec![0; RAM_SIZE],
            own: [0; 0x20],
            arm: if arm_runs { Wrapper::RUNNING } else { Wrapper::RESET },
            socsram: Wrapper::RUNNING,
            registers: BTreeMap::new(),
            alp: false,
            ht: false,
        }
    }

    fn own(&mut self, address: u32) -> Option<&mut u8> {
        let at = address.checked_sub(OWN_REGISTERS)?;
        self.own.get_mut(at as usize)
    }

    fn window(&self) -> u32 {
        u32::from_le_bytes([0, self.own[0x0a] & 0x80, self.own[0x0b], self.own[0x0c]])
    }

    pub(super) fn register(&self, address: u32) -> u32 {
        self.registers.get(&address).copied().unwrap_or(0)
    }

    pub(super) fn set_register(&mut self, address: u32, value: u32) {
        self.registers.insert(address, value);
    }

    pub(super) fn ram_word(&self, address: usize) -> u32 {
        self.ram.get(address..address + 4).map_or(0, word)
    }

    pub(super) fn set_ram_word(&mut self, address: usize, value: u32) {
        if let Some(bytes) = self.ram.get_mut(address..address + 4) {
            bytes.copy_from_slice(&value.to_le_bytes());
        }
    }

    /// Whether bank 3 of the RAM still shows something else: SOCSRAM's index of banks is 3 and the bits of that bank are clear where it does not.
    pub(super) fn is_remapped(&self) -> bool {
        self.registers.get(&(SOCSRAM_CORE + 0x10)) != Some(&3) || self.registers.get(&(SOCSRAM_CORE + 0x44)) != Some(&0)
    }

    /// The threshold of function 2's FIFO.
    pub(super) fn watermark(&self) -> u8 {
        self.own[(WATERMARK - OWN_REGISTERS) as usize]
    }
}

impl Model {
    pub(super) fn read_backplane(&mut self, command: Command) -> Vec<u8> {
        if self.registers.response_delay(Function::Backplane) < 4 {
            self.violation(ViolationKind::ResponseDelay, "reads of the backplane need padding");
        }
        if command.address >= OWN_REGISTERS {
            return self.read_own(command);
        }
        let Some(address) = self.locate(command) else {
            return vec![0; command.len];
        };
        if let Some(bytes) = self.backplane.ram.get(address as usize..address as usize + command.len) {
            return bytes.to_vec();
        }
        let mut bytes = Vec::with_capacity(command.len);
        while bytes.len() < command.len {
            let at = address + bytes.len() as u32;
            let value = self.core_register(at & !3) >> (8 * (at & 3));
            bytes.extend(register_bytes(
                value,
                (4 - (at & 3) as usize).min(command.len - bytes.len()),
            ));
        }
        bytes
    }

    pub(super) fn write_backplane(&mut self, command: Command, data: &[u8]) {
        if command.address >= OWN_REGISTERS {
            self.write_own(command, data);
            return;
        }
        let Some(address) = self.locate(command) else { return };
        if (address as usize) < RAM_SIZE {
            self.write_ram(address as usize, data);
        } else {
            self.write_core(address, data);
        }
    }

    /// The address on the backplane that a command means, where it is a legal one.
    fn locate(&mut self, command: Command) -> Option<u32> {
        // Bit 15 asks for an access of 32 bits, which makes no difference here.
        let offset = command.address & (WINDOW - 1);
        let address = self.backplane.window() | offset;
        let aligned = match command.len {
            1 => true,
            2 => offset % 2 == 0,
            _ => offset % 4 == 0,
        };
        if command.len > MAX_BYTES {
            self.violation(ViolationKind::BackplaneTooLong, format!("{} bytes", command.len));
            return None;
        }
        if !aligned {
            self.violation(
                ViolationKind::BackplaneUnaligned,
                format!("{} bytes at {address:#010x}", command.len),
            );
        }
        if offset as usize + command.len > WINDOW as usize {
            self.violation(
                ViolationKind::WindowCrossed,
                format!("{} bytes at {address:#010x}", command.len),
            );
            return None;
        }
        let known = (address as usize) < RAM_SIZE
            || [
                CHIPCOMMON,
                SDIO_CORE,
                ARM_CORE,
                SOCSRAM_CORE,
                ARM_WRAPPER,
                SOCSRAM_WRAPPER,
                CHIPCOMMON + 0x10_0000,
            ]
            .contains(&(address & !0xfff))
            || address & 0xff00_0000 == BLUETOOTH;
        if !known {
            self.violation(ViolationKind::BadBackplaneAddress, format!("{address:#010x}"));
            return None;
        }
        if !self.backplane.alp && !self.backplane.ht {
            self.violation(ViolationKind::NoClock, "neither ALP nor HT is available");
        }
        Some(address)
    }

    fn write_ram(&mut self, address: usize, data: &[u8]) {
        if !self.backplane.socsram.is_up() {
            self.violation(
                ViolationKind::RamNotReady,
                format!("RAM at {address:#x} while SOCSRAM is in reset"),
            );
            return;
        }
        if self.backplane.arm.runs() && self.firmware.is_some() {
            self.violation(
                ViolationKind::RamNotReady,
                format!("RAM at {address:#x} while the firmware runs"),
            );
        }
        if let Some(bytes) = self.backplane.ram.get_mut(address..address + data.len()) {
            bytes.copy_from_slice(data);
        }
    }

    fn read_own(&mut self, command: Command) -> Vec<u8> {
        if command.len != 1 {
            self.violation(ViolationKind::BackplaneUnaligned, "registers of the function are bytes");
        }
        let value = if command.address == CLOCK_CSR {
            self.clock_csr()
        } else if let Some(value) = self.backplane.own(command.address) {
            *value
        } else {
            self.violation(ViolationKind::BadBackplaneAddress, format!("{:#07x}", command.address));
            0
        };
        let mut bytes = vec![0; command.len];
        bytes[0] = value;
        bytes
    }

    fn clock_csr(&mut self) -> u8 {
        let flag = |bit: u8, set: bool| if set { bit } else { 0 };
        let requested = self.backplane.own[(CLOCK_CSR - OWN_REGISTERS) as usize] & 0x3f;
        requested | flag(csr::ALP_AVAILABLE, self.backplane.alp) | flag(csr::HT_AVAILABLE, self.backplane.ht)
    }

    fn write_own(&mut self, command: Command, data: &[u8]) {
        let value = data.first().copied().unwrap_or(0);
        if command.len != 1 {
            self.violation(ViolationKind::BackplaneUnaligned, "registers of the function are bytes");
        }
        let Some(register) = self.backplane.own(command.address) else {
            self.violation(ViolationKind::BadBackplaneAddress, format!("{:#07x}", command.address));
            return;
        };
        *register = value;
        match command.address {
            CLOCK_CSR => self.request_clock(value),
            WATERMARK if value < 8 || value % 4 != 0 => {
                self.violation(ViolationKind::BadWatermark, format!("{value:#04x}"));
            }
            FRAME_CONTROL => {
                // What it asks for is done at once.
                *register = 0;
                if value & 1 != 0 {
                    self.abort_read();
                }
            }
            WINDOW_LOW if value & 0x7f != 0 => {
                self.violation(
                    ViolationKind::WindowCrossed,
                    format!("windows are of 32 KiB, not at {value:#04x}00"),
                );
            }
            _ => {}
        }
    }

    fn request_clock(&mut self, value: u8) {
        let wanted = csr::ALP_REQUEST | csr::FORCE_ALP | csr::HT_REQUEST | csr::FORCE_HT;
        if value & wanted != 0 && !self.backplane.alp {
            self.later(self.config.alp_time, |chip| chip.backplane.alp = true);
        }
    }

    fn core_register(&mut self, address: u32) -> u32 {
        match address {
            CHIPCOMMON => CHIP_ID,
            _ if address & !0xfff == ARM_WRAPPER => wrapper_register(self.backplane.arm, address & 0xfff),
            _ if address & !0xfff == SOCSRAM_WRAPPER => wrapper_register(self.backplane.socsram, address & 0xfff),
            _ => self.backplane.register(address),
        }
    }

    fn write_core(&mut self, address: u32, data: &[u8]) {
        let value = word(data);
        let block = address & !0xfff;
        if block == ARM_WRAPPER || block == SOCSRAM_WRAPPER {
            self.write_wrapper(block == ARM_WRAPPER, address & 0xfff, value);
        } else if address == SDIO_CORE + INT_STATUS {
            let left = self.backplane.register(address) & !value;
            self.backplane.set_register(address, left);
        } else {
            self.backplane.set_register(address & !3, value);
            self.update_mailbox();
        }
    }

    fn write_wrapper(&mut self, arm: bool, offset: u32, value: u32) {
        let old = if arm {
            self.backplane.arm
        } else {
            self.backplane.socsram
        };
        let mut new = old;
        match offset {
            IOCTL => new.ioctl = value as u8,
            RESETCTRL => new.reset = value & 1 != 0,
            _ => {
                self.violation(
                    ViolationKind::BadBackplaneAddress,
                    format!("offset {offset:#x} of a wrapper"),
                );
                return;
            }
        }
        if old.reset && !new.reset && new.ioctl & 3 != 3 {
            self.violation(
                ViolationKind::CoreSequence,
                "a core comes out of reset without its clock on and forced",
            );
        }
        if !old.reset && new.reset && old.ioctl & 3 != 0 {
            self.violation(ViolationKind::CoreSequence, "a core goes into reset with its clock on");
        }
        if arm {
            self.backplane.arm = new;
            self.arm_changed(old, new);
        } else {
            self.backplane.socsram = new;
        }
    }

    fn arm_changed(&mut self, old: Wrapper, new: Wrapper) {
        if self.firmware.is_some() && new.reset && !old.reset {
            self.violation(
                ViolationKind::CoreSequence,
                "firmware that ran is started again after a power cycle only",
            );
            self.stop_firmware();
        }
        if !old.runs() && new.runs() && self.firmware.is_none() {
            self.start_firmware();
        }
    }

    /// The interrupt of function 1 follows the mailbox of the SDIO core.
    pub(super) fn update_mailbox(&mut self) {
        let pending = self.backplane.register(SDIO_CORE + INT_STATUS);
        let mask = self.backplane.register(SDIO_CORE + INT_HOST_MASK);
        if pending & mask != 0 {
            self.registers.latch(irq::F1_INTERRUPT);
        }
    }

    /// When the HT clock comes: the firmware asks for it as it starts.
    pub(super) fn ht_comes(&mut self, delay: Duration) {
        self.later(delay, |chip| {
            if chip.firmware.is_some() {
                chip.backplane.ht = true;
                chip.backplane.alp = true;
            }
        });
    }
}

fn wrapper_register(wrapper: Wrapper, offset: u32) -> u32 {
    match offset {
        IOCTL => wrapper.ioctl.into(),
        RESETCTRL => wrapper.reset.into(),
        // RESETSTATUS among them: a reset is over at once.
        _ => 0,
    }
}
