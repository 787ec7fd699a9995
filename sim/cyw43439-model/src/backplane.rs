//! Function 1: clocks, windows, and the backplane with RAM and cores.

use std::collections::BTreeMap;

use crate::bus_registers::irq;
use crate::chip::Chip;
use crate::command::{Command, Function, to_bytes};
use crate::timer::Timer;
use crate::violations::ViolationKind;

/// Size of the RAM in bytes.
pub(crate) const RAM_SIZE: usize = 0x8_0000;
/// Size of a window, and the mask of an address in it.
const WINDOW: u32 = 0x8000;
/// Start of the registers of the function itself.
const OWN_REGISTERS: u32 = 0x1_0000;
/// Maximum bytes of a transaction.
const MAX_BYTES: usize = 64;

const WATERMARK: u32 = 0x1_0008;
const WINDOW_LOW: u32 = 0x1_000a;
const FRAME_CONTROL: u32 = 0x1_000d;
const CLOCK_CSR: u32 = 0x1_000e;
const SLEEP_CSR: u32 = 0x1_001f;

/// Bits of the clock CSR.
mod csr {
    pub(crate) const FORCE_ALP: u8 = 0x01;
    pub(crate) const FORCE_HT: u8 = 0x02;
    pub(crate) const ALP_REQUEST: u8 = 0x08;
    pub(crate) const HT_REQUEST: u8 = 0x10;
    pub(crate) const ALP_AVAILABLE: u8 = 0x40;
    pub(crate) const HT_AVAILABLE: u8 = 0x80;
}

/// Bits of the sleep CSR: the host keeps the chip on, and the chip is on.
const KEEP_ON: u8 = 0x01;
const DEVICE_ON: u8 = 0x02;

/// The chip id register: the id in the low half, a revision above it.
const CHIP_ID: u32 = 0x1545_a9af;
const CHIPCOMMON: u32 = 0x1800_0000;
const SDIO_CORE: u32 = 0x1800_2000;
const ARM_CORE: u32 = 0x1800_3000;
const SOCSRAM_CORE: u32 = 0x1800_4000;
const ARM_WRAPPER: u32 = 0x1810_3000;
const SOCSRAM_WRAPPER: u32 = 0x1810_4000;
const BLUETOOTH: u32 = 0x1900_0000;

/// Offsets in a wrapper.
const IOCTL: u32 = 0x408;
const RESETCTRL: u32 = 0x800;

/// Offsets in the SDIO core.
const INT_STATUS: u32 = 0x20;
const INT_HOST_MASK: u32 = 0x24;

/// The wrapper of a core, which holds it in reset.
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

/// The mailbox of the SDIO core: its interrupt, and its data register.
const MAILBOX_INTERRUPT: u32 = 0x80;
const MAILBOX_DATA: u32 = SDIO_CORE + 0x4c;

/// Effects of a write on the rest of the chip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// The read of a frame is aborted.
    AbortRead,
    /// The ARM core starts.
    ArmStarted,
    /// The ARM core goes into reset.
    ArmReset,
}

/// The clocks, the RAM and the cores behind function 1.
pub(crate) struct Backplane {
    pub(crate) ram: Vec<u8>,
    /// The registers of the function, from 0x10000.
    own: [u8; 0x20],
    arm: Wrapper,
    socsram: Wrapper,
    /// Registers that only store their value.
    registers: BTreeMap<u32, u32>,
    alp: bool,
    ht: bool,
}

impl Backplane {
    pub(crate) fn new(arm_runs: bool) -> Self {
        let core = if arm_runs { Wrapper::RUNNING } else { Wrapper::RESET };
        Self {
            ram: vec![0; RAM_SIZE],
            own: [0; 0x20],
            arm: core,
            socsram: core,
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

    fn register(&self, address: u32) -> u32 {
        self.registers.get(&address).copied().unwrap_or(0)
    }

    fn set_register(&mut self, address: u32, value: u32) {
        self.registers.insert(address, value);
    }

    pub(crate) fn ram_word(&self, address: usize) -> u32 {
        self.ram.get(address..address + 4).map_or(0, word)
    }

    pub(crate) fn set_ram_word(&mut self, address: usize, value: u32) {
        if let Some(bytes) = self.ram.get_mut(address..address + 4) {
            bytes.copy_from_slice(&value.to_le_bytes());
        }
    }

    /// Whether bank 3 of the RAM is remapped: it is not once SOCSRAM's bank index is 3 and the bits
    /// of that bank are clear.
    pub(crate) fn is_remapped(&self) -> bool {
        self.registers.get(&(SOCSRAM_CORE + 0x10)) != Some(&3) || self.registers.get(&(SOCSRAM_CORE + 0x44)) != Some(&0)
    }

    /// The watermark of function 2's FIFO.
    pub(crate) fn watermark(&self) -> u8 {
        self.own[(WATERMARK - OWN_REGISTERS) as usize]
    }
}

impl Backplane {
    /// The bytes that a command reads.
    pub(crate) fn read(&mut self, chip: &mut Chip, command: Command) -> Vec<u8> {
        if chip.registers.response_delay(Function::Backplane) < 4 {
            chip.violation(ViolationKind::ResponseDelay, "reads of the backplane need padding");
        }
        if command.address >= OWN_REGISTERS {
            return self.read_own(chip, command);
        }
        let Some(address) = self.locate(chip, command) else {
            return vec![0; command.len];
        };
        if let Some(bytes) = self.ram.get(address as usize..address as usize + command.len) {
            return bytes.to_vec();
        }
        let mut bytes = Vec::with_capacity(command.len);
        while bytes.len() < command.len {
            let at = address + bytes.len() as u32;
            let value = self.core_register(at & !3) >> (8 * (at & 3));
            bytes.extend(to_bytes(
                &[value],
                (4 - (at & 3) as usize).min(command.len - bytes.len()),
            ));
        }
        bytes
    }

    /// Writes bytes.
    pub(crate) fn write(&mut self, chip: &mut Chip, command: Command, data: &[u8]) -> Option<Effect> {
        if command.address >= OWN_REGISTERS {
            return self.write_own(chip, command, data);
        }
        let address = self.locate(chip, command)?;
        if (address as usize) < RAM_SIZE {
            self.write_ram(chip, address as usize, data);
            None
        } else {
            self.write_core(chip, address, data)
        }
    }

    /// The address on the backplane of a command, where it is valid.
    fn locate(&self, chip: &mut Chip, command: Command) -> Option<u32> {
        // Bit 15 selects 32-bit access, which has no effect here.
        let offset = command.address & (WINDOW - 1);
        let address = self.window() | offset;
        let aligned = match command.len {
            1 => true,
            2 => offset % 2 == 0,
            _ => offset % 4 == 0,
        };
        if command.len > MAX_BYTES {
            chip.violation(ViolationKind::BackplaneTooLong, format!("{} bytes", command.len));
            return None;
        }
        if !aligned {
            chip.violation(
                ViolationKind::BackplaneUnaligned,
                format!("{} bytes at {address:#010x}", command.len),
            );
        }
        if offset as usize + command.len > WINDOW as usize {
            chip.violation(
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
            chip.violation(ViolationKind::BadBackplaneAddress, format!("{address:#010x}"));
            return None;
        }
        if !self.alp && !self.ht {
            chip.violation(ViolationKind::NoClock, "neither ALP nor HT is available");
        }
        Some(address)
    }

    fn write_ram(&mut self, chip: &mut Chip, address: usize, data: &[u8]) {
        if !self.socsram.is_up() {
            chip.violation(
                ViolationKind::RamNotReady,
                format!("RAM at {address:#x} while SOCSRAM is in reset"),
            );
            return;
        }
        if self.arm.runs() && chip.firmware.started {
            chip.violation(
                ViolationKind::RamNotReady,
                format!("RAM at {address:#x} while the firmware runs"),
            );
        }
        if let Some(bytes) = self.ram.get_mut(address..address + data.len()) {
            bytes.copy_from_slice(data);
        }
    }

    fn read_own(&mut self, chip: &mut Chip, command: Command) -> Vec<u8> {
        if command.len != 1 {
            chip.violation(ViolationKind::BackplaneUnaligned, "registers of the function are bytes");
        }
        let value = if command.address == CLOCK_CSR {
            self.clock_csr()
        } else if let Some(value) = self.own(command.address) {
            *value
        } else {
            chip.violation(ViolationKind::BadBackplaneAddress, format!("{:#07x}", command.address));
            0
        };
        let mut bytes = vec![0; command.len];
        bytes[0] = value;
        bytes
    }

    fn clock_csr(&self) -> u8 {
        let flag = |bit: u8, set: bool| if set { bit } else { 0 };
        let requested = self.own[(CLOCK_CSR - OWN_REGISTERS) as usize] & 0x3f;
        requested | flag(csr::ALP_AVAILABLE, self.alp) | flag(csr::HT_AVAILABLE, self.ht)
    }

    fn write_own(&mut self, chip: &mut Chip, command: Command, data: &[u8]) -> Option<Effect> {
        let value = data.first().copied().unwrap_or(0);
        if command.len != 1 {
            chip.violation(ViolationKind::BackplaneUnaligned, "registers of the function are bytes");
        }
        let Some(register) = self.own(command.address) else {
            chip.violation(ViolationKind::BadBackplaneAddress, format!("{:#07x}", command.address));
            return None;
        };
        *register = value;
        match command.address {
            // The chip never sleeps here: it is on as soon as the host asks for it.
            SLEEP_CSR => *register = if value & KEEP_ON == 0 { 0 } else { KEEP_ON | DEVICE_ON },
            CLOCK_CSR => self.request_clock(chip, value),
            WATERMARK if value < 8 || value % 4 != 0 => {
                chip.violation(ViolationKind::BadWatermark, format!("{value:#04x}"));
            }
            FRAME_CONTROL => {
                // Its bits take effect at once and clear themselves.
                *register = 0;
                return (value & 1 != 0).then_some(Effect::AbortRead);
            }
            WINDOW_LOW if value & 0x7f != 0 => {
                chip.violation(
                    ViolationKind::WindowCrossed,
                    format!("windows are of 32 KiB, not at {value:#04x}00"),
                );
            }
            _ => {}
        }
        None
    }

    fn request_clock(&self, chip: &mut Chip, value: u8) {
        let requests = csr::ALP_REQUEST | csr::FORCE_ALP | csr::HT_REQUEST | csr::FORCE_HT;
        if value & requests != 0 && !self.alp {
            chip.timer_in(chip.cx.config.alp_time, Timer::AlpReady);
        }
    }

    /// The ALP clock is available.
    pub(crate) const fn alp_ready(&mut self) {
        self.alp = true;
    }

    /// The HT clock, which the firmware requests, is available.
    pub(crate) const fn ht_ready(&mut self) {
        self.ht = true;
        self.alp = true;
    }

    /// The HT clock is not requested any more.
    pub(crate) const fn ht_off(&mut self) {
        self.ht = false;
    }

    fn core_register(&self, address: u32) -> u32 {
        match address {
            CHIPCOMMON => CHIP_ID,
            _ if address & !0xfff == ARM_WRAPPER => wrapper_register(self.arm, address & 0xfff),
            _ if address & !0xfff == SOCSRAM_WRAPPER => wrapper_register(self.socsram, address & 0xfff),
            _ => self.register(address),
        }
    }

    fn write_core(&mut self, chip: &mut Chip, address: u32, data: &[u8]) -> Option<Effect> {
        let value = word(data);
        let block = address & !0xfff;
        if block == ARM_WRAPPER || block == SOCSRAM_WRAPPER {
            return self.write_wrapper(chip, block == ARM_WRAPPER, address & 0xfff, value);
        }
        if address == SDIO_CORE + INT_STATUS {
            let left = self.register(address) & !value;
            self.set_register(address, left);
        } else {
            self.set_register(address & !3, value);
            self.update_mailbox(chip);
        }
        None
    }

    fn write_wrapper(&mut self, chip: &mut Chip, arm: bool, offset: u32, value: u32) -> Option<Effect> {
        let old = if arm { self.arm } else { self.socsram };
        let mut new = old;
        match offset {
            IOCTL => new.ioctl = value as u8,
            RESETCTRL => new.reset = value & 1 != 0,
            _ => {
                chip.violation(
                    ViolationKind::BadBackplaneAddress,
                    format!("offset {offset:#x} of a wrapper"),
                );
                return None;
            }
        }
        if old.reset && !new.reset && new.ioctl & 3 != 3 {
            chip.violation(
                ViolationKind::CoreSequence,
                "a core comes out of reset without its clock on and forced",
            );
        }
        if !old.reset && new.reset && old.ioctl & 3 != 0 {
            chip.violation(ViolationKind::CoreSequence, "a core goes into reset with its clock on");
        }
        if arm {
            self.arm = new;
            arm_effect(chip, old, new)
        } else {
            self.socsram = new;
            None
        }
    }

    /// The interrupt of function 1 follows the mailbox of the SDIO core.
    fn update_mailbox(&self, chip: &mut Chip) {
        let pending = self.register(SDIO_CORE + INT_STATUS);
        let mask = self.register(SDIO_CORE + INT_HOST_MASK);
        if pending & mask != 0 {
            chip.registers.latch(irq::F1_INTERRUPT);
        }
    }

    /// Sends data to the host through the mailbox of the SDIO core.
    pub(crate) fn post_mailbox(&mut self, chip: &mut Chip, data: u32) {
        self.set_register(MAILBOX_DATA, data);
        let status = self.register(SDIO_CORE + INT_STATUS) | MAILBOX_INTERRUPT;
        self.set_register(SDIO_CORE + INT_STATUS, status);
        self.update_mailbox(chip);
    }
}

/// The effect of a change of the ARM core's wrapper.
fn arm_effect(chip: &mut Chip, old: Wrapper, new: Wrapper) -> Option<Effect> {
    if chip.firmware.started && new.reset && !old.reset {
        chip.violation(
            ViolationKind::CoreSequence,
            "firmware must not be restarted without a power cycle",
        );
        return Some(Effect::ArmReset);
    }
    (!old.runs() && new.runs() && !chip.firmware.started).then_some(Effect::ArmStarted)
}

/// A value of 32 bits from up to four bytes.
fn word(bytes: &[u8]) -> u32 {
    bytes.iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte))
}

fn wrapper_register(wrapper: Wrapper, offset: u32) -> u32 {
    match offset {
        IOCTL => wrapper.ioctl.into(),
        RESETCTRL => wrapper.reset.into(),
        // RESETSTATUS among them: a reset ends at once.
        _ => 0,
    }
}
