//! A minimal chip whose responses a fault injector can change.

use core::cell::RefCell;

use embedded_hal::delay::DelayNs;
use embedded_hal::spi::{ErrorKind, ErrorType, Operation, SpiDevice};

/// Changes the responses of the chip.
pub(crate) trait FaultInjector {
    /// Returns what the host reads from a register that holds `value`.
    fn register(&mut self, value: u8) -> u8;
    /// Returns what the host reads from buffer memory that holds `value`.
    fn memory(&mut self, value: u8) -> u8;
    /// Returns whether the bus fails at this transaction.
    fn fails(&mut self) -> bool;
}

const EIR: u8 = 0x1c;
const ESTAT: u8 = 0x1d;
const ECON2: u8 = 0x1e;
const ECON1: u8 = 0x1f;
const EPKTCNT: (u8, u8) = (1, 0x19);
const RAM: u16 = 0x2000;
const RX_END: u16 = 0x13ff;

/// The registers, the PHY and the memory of an ENC28J60. Transmissions complete immediately; frames
/// arrive by `deliver`.
pub(crate) struct FaultyChip<O> {
    pub(crate) injector: O,
    /// Transactions and waited nanoseconds since `begin`.
    pub(crate) transactions: u64,
    pub(crate) waited_ns: u64,
    /// Limit of transactions: more mean a driver that does not return.
    pub(crate) limit: u64,
    registers: [[u8; 0x20]; 4],
    phy: [u16; 0x20],
    ram: Box<[u8; RAM as usize]>,
}

impl<O: FaultInjector> FaultyChip<O> {
    pub(crate) fn new(injector: O, limit: u64) -> Self {
        let mut chip = Self {
            injector,
            transactions: 0,
            waited_ns: 0,
            limit,
            registers: [[0; 0x20]; 4],
            phy: [0; 0x20],
            ram: Box::new([0; RAM as usize]),
        };
        chip.reset();
        chip
    }

    /// Resets the counts, before a call of the driver.
    pub(crate) fn begin(&mut self) {
        (self.transactions, self.waited_ns) = (0, 0);
    }

    /// Writes a frame without FCS to offset `at` of the memory. Returns the offset of the next one.
    pub(crate) fn deliver(&mut self, at: u16, frame: &[u8]) -> u16 {
        let count = frame.len() as u16 + 4;
        let next = (at + 6 + count + (count & 1)) % (RX_END + 1);
        let [next_low, next_high] = next.to_le_bytes();
        let [count_low, count_high] = count.to_le_bytes();
        let header = [next_low, next_high, count_low, count_high, 0x80, 0];
        for (offset, byte) in (0..).zip(header.iter().chain(frame)) {
            self.ram[usize::from((at + offset) % (RX_END + 1))] = *byte;
        }
        let count = self.at(EPKTCNT);
        *count = count.saturating_add(1);
        next
    }

    /// Changes a register from inside.
    pub(crate) fn poke(&mut self, bank: u8, address: u8, value: u8) {
        *self.at((bank, address)) = value;
    }

    fn reset(&mut self) {
        self.registers = [[0; 0x20]; 4];
        // B7, and the sizes that the data sheet gives.
        *self.at((3, 0x12)) = 6;
        for bank in &mut self.registers {
            bank[usize::from(ESTAT)] = 1;
        }
        (self.phy[0x02], self.phy[0x03]) = (0x0083, 0x1400);
        // The link is up.
        self.phy[0x11] = 0x0400;
    }

    fn at(&mut self, (bank, address): (u8, u8)) -> &mut u8 {
        // EIE to ECON1 are the same in every bank.
        let bank = if address >= 0x1b { 0 } else { bank };
        &mut self.registers[usize::from(bank & 3)][usize::from(address & 0x1f)]
    }

    fn bank(&mut self) -> u8 {
        *self.at((0, ECON1)) & 3
    }

    fn write(&mut self, address: u8, value: u8) {
        let bank = self.bank();
        *self.at((bank, address)) = value;
        match (bank, address) {
            (_, ECON1) if value & 0x08 != 0 => {
                // Sent.
                *self.at((0, ECON1)) &= !0x08;
                *self.at((0, EIR)) |= 0x08;
            }
            (_, ECON2) if value & 0x40 != 0 => {
                *self.at((0, ECON2)) &= !0x40;
                let count = self.at(EPKTCNT);
                *count = count.saturating_sub(1);
            }
            (2, 0x12) if value & 1 != 0 => {
                let phy = usize::from(*self.at((2, 0x14)) & 0x1f);
                let [low, high] = self.phy[phy].to_le_bytes();
                (*self.at((2, 0x18)), *self.at((2, 0x19))) = (low, high);
            }
            (2, 0x17) => {
                let phy = usize::from(*self.at((2, 0x14)) & 0x1f);
                if !matches!(phy, 0x02 | 0x03 | 0x11) {
                    self.phy[phy] = u16::from_le_bytes([*self.at((2, 0x16)), value]);
                }
            }
            _ => {}
        }
    }

    /// One byte each way; `n` counts from chip select.
    fn byte(&mut self, n: usize, opcode: u8, mosi: u8) -> u8 {
        if n == 0 {
            return 0;
        }
        let address = opcode & 0x1f;
        match opcode >> 5 {
            0 => {
                let bank = self.bank();
                let is_mac = address < 0x1b && (bank == 2 || bank == 3 && (address < 6 || address == 0x0a));
                let value = if is_mac && n == 1 { 0 } else { *self.at((bank, address)) };
                self.injector.register(value)
            }
            1 => {
                let pointer = u16::from_le_bytes([*self.at((0, 0)), *self.at((0, 1))]) % RAM;
                let next = if pointer == RX_END { 0 } else { pointer + 1 };
                [*self.at((0, 0)), *self.at((0, 1))] = next.to_le_bytes();
                let value = self.ram[usize::from(pointer)];
                self.injector.memory(value)
            }
            2 if n == 1 => {
                self.write(address, mosi);
                0
            }
            4 | 5 if n == 1 => {
                let bank = self.bank();
                let old = *self.at((bank, address));
                self.write(address, if opcode >> 5 == 4 { old | mosi } else { old & !mosi });
                0
            }
            // Data to send is ignored.
            _ => 0,
        }
    }
}

/// The bus failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Failed;

impl embedded_hal::spi::Error for Failed {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Other
    }
}

/// The host's SPI device and its delay.
pub(crate) struct Host<'a, O>(pub(crate) &'a RefCell<FaultyChip<O>>);

impl<O> ErrorType for Host<'_, O> {
    type Error = Failed;
}

impl<O: FaultInjector> SpiDevice for Host<'_, O> {
    fn transaction(&mut self, operations: &mut [Operation<'_, u8>]) -> Result<(), Failed> {
        let mut chip = self.0.borrow_mut();
        chip.transactions += 1;
        assert!(chip.transactions <= chip.limit, "the driver does not return");
        if chip.injector.fails() {
            return Err(Failed);
        }
        let (mut n, mut opcode) = (0, 0);
        let mut exchange = |mosi: u8| {
            if n == 0 {
                opcode = mosi;
            }
            let miso = chip.byte(n, opcode, mosi);
            n += 1;
            miso
        };
        for operation in operations {
            match operation {
                Operation::Read(bytes) => bytes.iter_mut().for_each(|byte| *byte = exchange(0)),
                Operation::Write(bytes) => {
                    for byte in *bytes {
                        exchange(*byte);
                    }
                }
                Operation::TransferInPlace(bytes) => bytes.iter_mut().for_each(|byte| *byte = exchange(*byte)),
                Operation::Transfer(read, write) => {
                    for (byte, mosi) in read.iter_mut().zip(write.iter()) {
                        *byte = exchange(*mosi);
                    }
                }
                Operation::DelayNs(_) => {}
            }
        }
        if opcode == 0xff {
            chip.reset();
        }
        Ok(())
    }
}

impl<O> DelayNs for Host<'_, O> {
    fn delay_ns(&mut self, ns: u32) {
        self.0.borrow_mut().waited_ns += u64::from(ns);
    }
}
