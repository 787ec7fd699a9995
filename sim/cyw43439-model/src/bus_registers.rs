//! Function 0: the registers of the bus.

use super::ViolationKind;
use super::command::{Command, Function, Order, to_bytes};
use super::hardware::Model;

/// Bits of the bus control register (0x00).
mod control {
    pub(super) const WORD_LENGTH_32: u8 = 0x01;
    pub(super) const ENDIAN_BIG: u8 = 0x02;
    pub(super) const HIGH_SPEED: u8 = 0x10;
    pub(super) const INTERRUPT_ACTIVE_HIGH: u8 = 0x20;
}

/// Bits of the interrupt register (0x04).
pub(super) mod irq {
    pub(crate) const DATA_UNAVAILABLE: u16 = 1 << 0;
    pub(crate) const READ_UNDERFLOW: u16 = 1 << 1;
    pub(crate) const WRITE_OVERFLOW: u16 = 1 << 2;
    pub(crate) const COMMAND_ERROR: u16 = 1 << 3;
    pub(crate) const F2_PACKET: u16 = 1 << 5;
    pub(crate) const F1_INTERRUPT: u16 = 1 << 13;
}

/// Bits of the status word (0x08).
mod status {
    pub(super) const DATA_UNAVAILABLE: u32 = 1 << 0;
    pub(super) const UNDERFLOW: u32 = 1 << 1;
    pub(super) const OVERFLOW: u32 = 1 << 2;
    pub(super) const F2_INTERRUPT: u32 = 1 << 3;
    pub(super) const F2_RX_READY: u32 = 1 << 5;
    pub(super) const ERROR: u32 = 1 << 7;
    pub(super) const F2_PACKET: u32 = 1 << 8;
    pub(super) const F2_LENGTH_SHIFT: u32 = 9;
}

/// Where the read-only test register lies, and what it reads.
const TEST_RO: usize = 0x14;
const TEST_PATTERN: u32 = 0xfeed_bead;

/// What the registers hold. Status, and the live part of the interrupts, are made up as they are read.
#[derive(Debug)]
pub(super) struct BusRegisters {
    bytes: [u8; 0x20],
    /// "CARDCAP", which some hosts write.
    card_capability: u8,
    latched: u16,
}

impl BusRegisters {
    pub(super) fn reset() -> Self {
        let mut bytes = [0; 0x20];
        bytes[..4].copy_from_slice(&0x0001_0030_u32.to_le_bytes());
        bytes[TEST_RO..TEST_RO + 4].copy_from_slice(&TEST_PATTERN.to_le_bytes());
        Self {
            bytes,
            card_capability: 0,
            latched: 0,
        }
    }

    pub(super) fn order(&self) -> Order {
        let control = self.bytes[0];
        if control & control::WORD_LENGTH_32 == 0 {
            Order::Halves
        } else if control & control::ENDIAN_BIG == 0 {
            Order::Value
        } else {
            Order::Memory
        }
    }

    /// Whether the chip changes its output with the rising edge of the clock.
    pub(super) fn is_high_speed(&self) -> bool {
        self.bytes[0] & control::HIGH_SPEED != 0
    }

    pub(super) fn interrupts_are_active_high(&self) -> bool {
        self.bytes[0] & control::INTERRUPT_ACTIVE_HIGH != 0
    }

    pub(super) fn status_enabled(&self) -> bool {
        self.bytes[2] & 1 != 0
    }

    pub(super) fn interrupt_enable(&self) -> u16 {
        u16::from_le_bytes([self.bytes[6], self.bytes[7]])
    }

    /// Bytes of padding before the data of a read.
    pub(super) fn response_delay(&self, function: Function) -> usize {
        usize::from(self.bytes[0x1c + function.index()])
    }

    pub(super) fn latch(&mut self, bits: u16) {
        self.latched |= bits;
    }
}

impl Model {
    /// The interrupts that are pending, enabled or not.
    pub(super) fn interrupts(&self) -> u16 {
        let packet = if self.fifo.announced().is_some() {
            irq::F2_PACKET
        } else {
            0
        };
        self.registers.latched | packet
    }

    /// The status word.
    pub(super) fn status(&self) -> u32 {
        let latched = self.registers.latched;
        let flag = |bit: u32, set: bool| if set { bit } else { 0 };
        let mut word = flag(status::DATA_UNAVAILABLE, latched & irq::DATA_UNAVAILABLE != 0)
            | flag(status::UNDERFLOW, latched & irq::READ_UNDERFLOW != 0)
            | flag(status::OVERFLOW, latched & irq::WRITE_OVERFLOW != 0)
            | flag(status::ERROR, latched & irq::COMMAND_ERROR != 0)
            | flag(status::F2_RX_READY, self.is_f2_ready());
        if let Some(len) = self.fifo.announced() {
            word |= status::F2_INTERRUPT | status::F2_PACKET | (u32::from(len) & 0x7ff) << status::F2_LENGTH_SHIFT;
        }
        word
    }

    pub(super) fn read_bus_registers(&mut self, command: Command) -> Vec<u8> {
        self.check_bus_register(command);
        if matches!(command.address, 0x04 | 0x08) && self.is_f2_ready() && self.fifo.announced().is_none() {
            self.bus.idle_looks += 1;
        }
        let at = command.address as usize;
        (at..at + command.len).map(|at| self.bus_register(at)).collect()
    }

    fn bus_register(&self, at: usize) -> u8 {
        match at {
            0x04 | 0x05 => self.interrupts().to_le_bytes()[at - 0x04],
            0x08..=0x0b => self.status().to_le_bytes()[at - 0x08],
            // F1 is there from the start, F2 from the firmware on: enabled and ready, and up to 64 or 2048 bytes each.
            0x0c | 0x0d => (64_u16 << 2 | 3).to_le_bytes()[at - 0x0c],
            0x0e | 0x0f => (2048_u16 << 2 | if self.is_f2_ready() { 3 } else { 0 }).to_le_bytes()[at - 0x0e],
            0xf0 => self.registers.card_capability,
            _ => self.registers.bytes.get(at).copied().unwrap_or(0),
        }
    }

    pub(super) fn write_bus_registers(&mut self, command: Command, data: &[u8]) {
        self.check_bus_register(command);
        for (at, value) in (command.address as usize..).zip(data.iter().copied()) {
            match at {
                0x04 | 0x05 => {
                    let mut clear = [0; 2];
                    clear[at - 0x04] = value;
                    self.registers.latched &= !u16::from_le_bytes(clear);
                }
                0x08..=0x11 | 0x14..=0x17 => {
                    self.violation(ViolationKind::ReadOnly, format!("register {at:#04x}"));
                }
                0xf0 => self.registers.card_capability = value,
                _ => {
                    if let Some(byte) = self.registers.bytes.get_mut(at) {
                        *byte = value;
                    }
                }
            }
        }
    }

    fn check_bus_register(&mut self, command: Command) {
        let end = command.address as usize + command.len;
        let exists = end <= 0x20 || (command.address == 0xf0 && command.len == 1);
        if !matches!(command.len, 1 | 2 | 4) || !exists {
            self.violation(ViolationKind::BadBusRegister, "no such register");
        }
    }

    /// What the host reads, as bytes in the order of addresses.
    pub(super) fn read(&mut self, command: Command) -> Vec<u8> {
        match command.function {
            Function::Bus => self.read_bus_registers(command),
            Function::Backplane => self.read_backplane(command),
            Function::Wlan => self.read_frame(command),
            Function::Bluetooth => vec![0; command.len],
        }
    }

    /// What the host wrote takes effect.
    pub(super) fn write(&mut self, command: Command, data: &[u8]) {
        match command.function {
            Function::Bus => self.write_bus_registers(command, data),
            Function::Backplane => self.write_backplane(command, data),
            Function::Wlan => self.frame_from_host(data),
            Function::Bluetooth => {}
        }
    }

    /// The host has read all there is.
    pub(super) fn read_done(&mut self, command: Command) {
        if command.function == Function::Wlan {
            self.frame_read(command);
        }
    }

    /// The host has broken a read off.
    pub(super) fn read_cut_off(&mut self, command: Command) {
        if command.function == Function::Wlan {
            self.abort_read();
        }
    }
}

/// A value of 32 bits from up to four bytes.
pub(super) fn word(bytes: &[u8]) -> u32 {
    bytes.iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte))
}

/// The bytes of a register, for an access of this length.
pub(super) fn register_bytes(value: u32, len: usize) -> Vec<u8> {
    to_bytes(&[value], len)
}
