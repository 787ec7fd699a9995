//! Function 0: the registers of the bus.

use crate::command::{Command, Function, Order};

/// Bits of the bus control register (0x00).
mod control {
    pub(crate) const WORD_LENGTH_32: u8 = 0x01;
    pub(crate) const ENDIAN_BIG: u8 = 0x02;
    pub(crate) const HIGH_SPEED: u8 = 0x10;
    pub(crate) const INTERRUPT_ACTIVE_HIGH: u8 = 0x20;
}

/// Bits of the interrupt register (0x04).
pub(crate) mod irq {
    pub(crate) const DATA_UNAVAILABLE: u16 = 1 << 0;
    pub(crate) const READ_UNDERFLOW: u16 = 1 << 1;
    pub(crate) const WRITE_OVERFLOW: u16 = 1 << 2;
    pub(crate) const COMMAND_ERROR: u16 = 1 << 3;
    pub(crate) const F2_PACKET: u16 = 1 << 5;
    pub(crate) const F1_INTERRUPT: u16 = 1 << 13;
}

/// Bits of the status word (0x08).
mod status {
    pub(crate) const DATA_UNAVAILABLE: u32 = 1 << 0;
    pub(crate) const UNDERFLOW: u32 = 1 << 1;
    pub(crate) const OVERFLOW: u32 = 1 << 2;
    pub(crate) const F2_INTERRUPT: u32 = 1 << 3;
    pub(crate) const F2_RX_READY: u32 = 1 << 5;
    pub(crate) const ERROR: u32 = 1 << 7;
    pub(crate) const F2_PACKET: u32 = 1 << 8;
    pub(crate) const F2_LENGTH_SHIFT: u32 = 9;
}

/// Address and value of the read-only test register.
const TEST_RO: usize = 0x14;
const TEST_PATTERN: u32 = 0xfeed_bead;

/// The stored registers. Status and interrupts are computed when they are read.
#[derive(Debug)]
pub(crate) struct BusRegisters {
    bytes: [u8; 0x20],
    /// "CARDCAP", which some hosts write.
    card_capability: u8,
    latched: u16,
}

impl BusRegisters {
    pub(crate) fn reset() -> Self {
        let mut bytes = [0; 0x20];
        bytes[..4].copy_from_slice(&0x0001_0030_u32.to_le_bytes());
        bytes[TEST_RO..TEST_RO + 4].copy_from_slice(&TEST_PATTERN.to_le_bytes());
        Self {
            bytes,
            card_capability: 0,
            latched: 0,
        }
    }

    pub(crate) fn order(&self) -> Order {
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
    pub(crate) fn is_high_speed(&self) -> bool {
        self.bytes[0] & control::HIGH_SPEED != 0
    }

    pub(crate) fn interrupts_are_active_high(&self) -> bool {
        self.bytes[0] & control::INTERRUPT_ACTIVE_HIGH != 0
    }

    pub(crate) fn status_enabled(&self) -> bool {
        self.bytes[2] & 1 != 0
    }

    pub(crate) fn interrupt_enable(&self) -> u16 {
        u16::from_le_bytes([self.bytes[6], self.bytes[7]])
    }

    /// Bytes of padding before the data of a read.
    pub(crate) fn response_delay(&self, function: Function) -> usize {
        usize::from(self.bytes[0x1c + function.index()])
    }

    pub(crate) fn latch(&mut self, bits: u16) {
        self.latched |= bits;
    }
}

/// The state of function 2, as the bus shows it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct F2Status {
    /// The firmware takes frames.
    pub(crate) ready: bool,
    /// The length of the frame for the host.
    pub(crate) announced: Option<u16>,
}

impl BusRegisters {
    /// The interrupts that are pending, enabled or not.
    pub(crate) fn interrupts(&self, f2: F2Status) -> u16 {
        let packet = if f2.announced.is_some() { irq::F2_PACKET } else { 0 };
        self.latched | packet
    }

    /// The status word.
    pub(crate) fn status(&self, f2: F2Status) -> u32 {
        let latched = self.latched;
        let flag = |bit: u32, set: bool| if set { bit } else { 0 };
        let mut word = flag(status::DATA_UNAVAILABLE, latched & irq::DATA_UNAVAILABLE != 0)
            | flag(status::UNDERFLOW, latched & irq::READ_UNDERFLOW != 0)
            | flag(status::OVERFLOW, latched & irq::WRITE_OVERFLOW != 0)
            | flag(status::ERROR, latched & irq::COMMAND_ERROR != 0)
            | flag(status::F2_RX_READY, f2.ready);
        if let Some(len) = f2.announced {
            word |= status::F2_INTERRUPT | status::F2_PACKET | (u32::from(len) & 0x7ff) << status::F2_LENGTH_SHIFT;
        }
        word
    }

    /// The bytes that a command reads, in the order of addresses.
    pub(crate) fn read(&self, command: Command, f2: F2Status) -> Vec<u8> {
        let at = command.address as usize;
        (at..at + command.len).map(|at| self.byte(at, f2)).collect()
    }

    fn byte(&self, at: usize, f2: F2Status) -> u8 {
        match at {
            0x04 | 0x05 => self.interrupts(f2).to_le_bytes()[at - 0x04],
            0x08..=0x0b => self.status(f2).to_le_bytes()[at - 0x08],
            // Function 1 is ready from the start, function 2 with the firmware: both are enabled,
            // with up to 64 and 2048 bytes.
            0x0c | 0x0d => (64_u16 << 2 | 3).to_le_bytes()[at - 0x0c],
            0x0e | 0x0f => (2048_u16 << 2 | if f2.ready { 3 } else { 0 }).to_le_bytes()[at - 0x0e],
            0xf0 => self.card_capability,
            _ => self.bytes.get(at).copied().unwrap_or(0),
        }
    }

    /// Writes `data`, in the order of addresses. Returns the addresses that are read-only.
    pub(crate) fn write(&mut self, command: Command, data: &[u8]) -> Vec<usize> {
        let mut read_only = Vec::new();
        for (at, value) in (command.address as usize..).zip(data.iter().copied()) {
            match at {
                0x04 | 0x05 => {
                    let mut clear = [0; 2];
                    clear[at - 0x04] = value;
                    self.latched &= !u16::from_le_bytes(clear);
                }
                0x08..=0x11 | 0x14..=0x17 => read_only.push(at),
                0xf0 => self.card_capability = value,
                _ => {
                    if let Some(byte) = self.bytes.get_mut(at) {
                        *byte = value;
                    }
                }
            }
        }
        read_only
    }
}

/// Whether a command accesses registers that exist.
pub(crate) fn exists(command: Command) -> bool {
    let end = command.address as usize + command.len;
    let exists = end <= 0x20 || (command.address == 0xf0 && command.len == 1);
    matches!(command.len, 1 | 2 | 4) && exists
}
