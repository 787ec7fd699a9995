//! The baseline for the LAN9118: the minimum that works on the board.

use ethdev::MacAddress;
use ethdev_phy::mmio::Registers;
use smoltcp::phy::{self, Device, DeviceCapabilities, Medium};
use smoltcp::time::Instant;

use crate::frames::Aligned;

const FRAME: usize = 1514;
/// The frame with its FCS, in whole words.
const RX_BUFFER: usize = (FRAME + 4).next_multiple_of(4);
const FCS: usize = 4;

// Offsets of registers (data sheet, section 5.3).
const RX_DATA: usize = 0x00;
const TX_DATA: usize = 0x20;
const RX_STATUS: usize = 0x40;
const TX_STATUS: usize = 0x48;
const BYTE_TEST: usize = 0x64;
const TX_CFG: usize = 0x70;
const HW_CFG: usize = 0x74;
const RX_FIFO_INF: usize = 0x7c;
const TX_FIFO_INF: usize = 0x80;
const MAC_CSR_CMD: usize = 0xa4;
const MAC_CSR_DATA: usize = 0xa8;

// MAC registers (section 5.4), and bits of the first.
const MAC_CR: u32 = 1;
const ADDRH: u32 = 2;
const ADDRL: u32 = 3;
const FULL_DUPLEX: u32 = 1 << 20;
const TX_ENABLE: u32 = 1 << 3;
const RX_ENABLE: u32 = 1 << 2;

/// Any error of a received frame (section 3.13.3).
const RX_ERROR: u32 = 1 << 15;

/// The chip, and one buffer in each direction.
#[derive(Debug)]
pub struct Baseline<R> {
    registers: R,
    rx: Aligned<[u8; RX_BUFFER]>,
    tx: Aligned<[u8; FRAME]>,
}

impl<R: Registers> Baseline<R> {
    /// Resets and starts the chip. The PHY negotiates by itself.
    pub fn new(registers: R) -> Self {
        let chip = Self {
            registers,
            rx: Aligned([0; RX_BUFFER]),
            tx: Aligned([0; FRAME]),
        };
        let registers = &chip.registers;
        registers.write(HW_CFG, 1);
        while registers.read(HW_CFG) & 1 != 0 {}
        registers.read(BYTE_TEST);
        registers.write(HW_CFG, 0x0015_0000);
        registers.write(TX_CFG, 2);
        chip.mac(MAC_CR, Some(FULL_DUPLEX | TX_ENABLE | RX_ENABLE));
        chip
    }

    /// Returns the MAC address of the chip.
    pub fn address(&self) -> MacAddress {
        let [a, b, c, d] = self.mac(ADDRL, None).to_le_bytes();
        let [e, f, ..] = self.mac(ADDRH, None).to_le_bytes();
        MacAddress::new([a, b, c, d, e, f])
    }

    /// Writes or reads a register of the MAC.
    fn mac(&self, register: u32, value: Option<u32>) -> u32 {
        let read = match value {
            Some(value) => {
                self.registers.write(MAC_CSR_DATA, value);
                0
            }
            None => 1 << 30,
        };
        self.registers.write(MAC_CSR_CMD, 1 << 31 | read | register);
        while self.registers.read(MAC_CSR_CMD) & 1 << 31 != 0 {}
        self.registers.read(MAC_CSR_DATA)
    }
}

/// A received frame.
#[derive(Debug)]
pub struct RxToken<'a>(&'a [u8]);

/// Free space in the transmit FIFO.
#[derive(Debug)]
pub struct TxToken<'a, R> {
    registers: &'a R,
    buf: &'a mut [u8; FRAME],
}

impl phy::RxToken for RxToken<'_> {
    fn consume<T, F: FnOnce(&[u8]) -> T>(self, f: F) -> T {
        f(self.0)
    }
}

impl<R: Registers> phy::TxToken for TxToken<'_, R> {
    fn consume<T, F: FnOnce(&mut [u8]) -> T>(self, len: usize, f: F) -> T {
        let frame = self.buf.get_mut(..len).unwrap_or_default();
        let result = f(frame);
        // One buffer, aligned to a word (section 3.12.2).
        self.registers.write(TX_DATA, 0x3000 | len as u32);
        self.registers.write(TX_DATA, len as u32);
        let mut words = frame.chunks_exact(4);
        for word in &mut words {
            let mut bytes = [0; 4];
            bytes.copy_from_slice(word);
            self.registers.write(TX_DATA, u32::from_le_bytes(bytes));
        }
        let rest = words.remainder();
        if !rest.is_empty() {
            let mut bytes = [0; 4];
            for (to, from) in bytes.iter_mut().zip(rest) {
                *to = *from;
            }
            self.registers.write(TX_DATA, u32::from_le_bytes(bytes));
        }
        result
    }
}

impl<R: Registers> Device for Baseline<R> {
    type RxToken<'a>
        = RxToken<'a>
    where
        R: 'a;
    type TxToken<'a>
        = TxToken<'a, R>
    where
        R: 'a;

    fn receive(&mut self, _now: Instant) -> Option<(RxToken<'_>, TxToken<'_, R>)> {
        if self.registers.read(RX_FIFO_INF) >> 16 & 0xff == 0 {
            return None;
        }
        let status = self.registers.read(RX_STATUS);
        let len = (status >> 16 & 0x3fff) as usize;
        let buf = self.rx.0.get_mut(..len.next_multiple_of(4)).unwrap_or_default();
        for word in buf.chunks_exact_mut(4) {
            word.copy_from_slice(&self.registers.read(RX_DATA).to_le_bytes());
        }
        if status & RX_ERROR != 0 {
            return None;
        }
        let frame = self.rx.0.get(..len.checked_sub(FCS)?)?;
        let transmit = TxToken {
            registers: &self.registers,
            buf: &mut self.tx.0,
        };
        Some((RxToken(frame), transmit))
    }

    fn transmit(&mut self, _now: Instant) -> Option<TxToken<'_, R>> {
        let fifo = self.registers.read(TX_FIFO_INF);
        // A full status FIFO stops the transmitter.
        for _ in 0..fifo >> 16 & 0xff {
            self.registers.read(TX_STATUS);
        }
        ((fifo & 0xffff) as usize >= FRAME + 16).then_some(TxToken {
            registers: &self.registers,
            buf: &mut self.tx.0,
        })
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ethernet;
        capabilities.max_transmission_unit = FRAME;
        capabilities
    }
}
