//! A model of the LAN9118 for the driver's tests. It shares nothing with the driver: addresses and bits are transcribed anew from the data sheet, in the
//! numbers that stand there.
//!
//! Stricter than the chip: what silicon would silently get wrong is a panic here. Interrupt levels are edges, as in QEMU's model.

mod phy;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use ethdev::Doorbell;
use ethdev_sim::fcs;
use phy::Phy;

use crate::lan9118::{Register, Registers};

/// What the EEPROM holds.
pub const ADDRESS: [u8; 6] = [0x02, 0, 0, 0x91, 0x18, 0x01];
/// Bytes of the FIFOs with `TX_FIF_SZ` = 5: 16 KiB in all, 512 bytes of statuses each.
const TX_DATA_BYTES: usize = 5 * 1024 - 512;
const RX_DATA_BYTES: usize = 11 * 1024 - 704;
/// Reads until something is no longer busy.
const BUSY_READS: u32 = 3;
/// The counter's ticks in a microsecond, and in one access of 40 ns.
const TICKS_PER_US: u32 = 25;
const TICKS_PER_ACCESS: u32 = 1;

const INT_PHY: u32 = 0x0004_0000;
const INT_RXSTOP: u32 = 0x0100_0000;
const INT_RXE: u32 = 0x0000_4000;
const INT_TXE: u32 = 0x0000_2000;
const INT_TSFL: u32 = 0x0000_0080;
const INT_RSFL: u32 = 0x0000_0008;
const MAC_RXEN: u32 = 0x0000_0004;
const MAC_TXEN: u32 = 0x0000_0008;

/// The chip's registers as the driver sees them.
#[derive(Debug, Clone)]
pub struct Bus(pub Rc<RefCell<Chip>>);

impl Registers for Bus {
    fn read(&mut self, register: Register) -> u32 {
        self.0.borrow_mut().read(register.offset())
    }

    fn write(&mut self, register: Register, value: u32) {
        self.0.borrow_mut().write(register.offset(), value);
    }
}

/// A frame on its way into the transmit FIFO.
#[derive(Debug)]
enum Incoming {
    Nothing,
    CommandA(u32),
    Data { tag: u16, len: usize, bytes: Vec<u8> },
}

#[derive(Debug)]
pub struct Chip {
    pub accesses: u64,
    /// Frames that arrive just before an access of this number.
    pub timed: Vec<(u64, Vec<u8>)>,
    /// What the device has put on the wire.
    pub wire: VecDeque<Vec<u8>>,
    pub doorbell: Arc<Doorbell>,
    pub stalled: bool,
    /// The next frame's status tells this length, without FCS.
    pub forged: Option<usize>,
    /// Neither direction works until the next reset.
    pub broken: bool,
    phy: Phy,
    ticks: u32,
    line: bool,
    busy: u32,
    irq_cfg: u32,
    int_sts: u32,
    int_en: u32,
    tx_on: bool,
    rx_drop: u32,
    csr: [u32; 16],
    csr_data: u32,
    rx_status: VecDeque<u32>,
    rx_data: VecDeque<u32>,
    tx_incoming: Incoming,
    tx_queue: VecDeque<(u16, Vec<u8>)>,
    tx_status: VecDeque<u32>,
}

impl Chip {
    pub fn new() -> Self {
        let mut chip = Self {
            accesses: 0,
            timed: Vec::new(),
            wire: VecDeque::new(),
            doorbell: Arc::new(Doorbell::new()),
            stalled: false,
            forged: None,
            broken: false,
            phy: Phy::new(),
            // Near its wrap, so that every test crosses it.
            ticks: u32::MAX - 1000,
            line: false,
            busy: 0,
            irq_cfg: 0,
            int_sts: 0,
            int_en: 0,
            tx_on: false,
            rx_drop: 0,
            csr: [0; 16],
            csr_data: 0,
            rx_status: VecDeque::new(),
            rx_data: VecDeque::new(),
            tx_incoming: Incoming::Nothing,
            tx_queue: VecDeque::new(),
            tx_status: VecDeque::new(),
        };
        chip.reset();
        chip
    }

    /// Everything but the PHY and what is outside the chip.
    fn reset(&mut self) {
        self.broken = false;
        self.busy = BUSY_READS;
        (self.irq_cfg, self.int_sts, self.int_en) = (0, 0, 0);
        self.tx_on = false;
        self.rx_drop = 0;
        self.csr = [0; 16];
        self.csr[1] = 0x0004_0000;
        let [a, b, c, d, e, f] = ADDRESS;
        self.csr[2] = u32::from_le_bytes([e, f, 0, 0]);
        self.csr[3] = u32::from_le_bytes([a, b, c, d]);
        self.rx_status.clear();
        self.rx_data.clear();
        self.tx_incoming = Incoming::Nothing;
        self.tx_queue.clear();
        self.tx_status.clear();
    }

    pub fn now(&self) -> Duration {
        Duration::from_micros(u64::from(self.ticks.wrapping_add(1001) / TICKS_PER_US))
    }

    pub fn pass(&mut self, time: Duration) {
        let ticks = time.as_micros() * u128::from(TICKS_PER_US);
        self.ticks = self.ticks.wrapping_add(ticks as u32);
    }

    pub fn set_link(&mut self, up: bool) {
        self.phy.set_link(up);
        if !up {
            // Frames that wait for the medium fail: no carrier.
            while let Some((tag, _)) = self.tx_queue.pop_front() {
                self.push_tx_status(u32::from(tag) << 16 | 0x8000 | 0x0400);
            }
        }
        self.update_line();
    }

    pub fn set_stalled(&mut self, stalled: bool) {
        self.stalled = stalled;
        self.transmit();
    }

    pub fn break_transmitter(&mut self) {
        self.broken = true;
        self.int_sts |= INT_TXE;
        self.update_line();
    }

    fn access(&mut self) {
        let now = self.accesses;
        let due: Vec<Vec<u8>> = self
            .timed
            .iter()
            .filter(|(at, _)| *at <= now)
            .map(|(_, f)| f.clone())
            .collect();
        self.timed.retain(|(at, _)| *at > now);
        for frame in due {
            self.arrive(&fcs::append(&frame));
        }
        self.accesses += 1;
        self.ticks = self.ticks.wrapping_add(TICKS_PER_ACCESS);
    }

    /// Busy bits go away after some reads.
    fn still(&mut self, bit: u32) -> u32 {
        self.busy = self.busy.saturating_sub(1);
        if self.busy > 0 { bit } else { 0 }
    }

    fn read(&mut self, offset: usize) -> u32 {
        self.access();
        match offset {
            0x00 => self.pop_rx_data(),
            0x40 => self.rx_status.pop_front().unwrap_or_else(|| self.underflow()),
            0x44 => self.rx_status.front().copied().unwrap_or(0),
            0x48 => self
                .tx_status
                .pop_front()
                .expect("transmit status read from an empty FIFO"),
            0x54 => self.irq_cfg,
            0x58 => self.int_sts | if self.phy.interrupts() { INT_PHY } else { 0 },
            0x5c => self.int_en,
            0x64 => 0x8765_4321,
            0x6c => self.still(0x8000),
            0x74 => 0x0005_0000 | self.still(1),
            0x7c => (self.rx_status.len() as u32) << 16 | (self.rx_data.len() * 4) as u32,
            0x80 => (self.tx_status.len() as u32) << 16 | self.tx_free() as u32,
            0x84 => 1,
            0x9c => self.ticks,
            0xa0 => std::mem::take(&mut self.rx_drop),
            0xa4 => self.still(0x8000_0000),
            0xa8 => {
                assert!(self.busy <= 1, "MAC register data read while busy");
                self.csr_data
            }
            _ => panic!("read of register {offset:#04x}, which the driver has no use for"),
        }
    }

    fn write(&mut self, offset: usize, value: u32) {
        self.access();
        match offset {
            0x20 => self.push_tx(value),
            0x54 => self.irq_cfg = value,
            0x58 => self.int_sts &= !value,
            0x5c => self.int_en = value,
            0x6c => self.configure_rx(value),
            0x70 => self.tx_on = value & 2 != 0,
            0x74 if value & 1 != 0 => self.reset(),
            0x74 => assert_eq!(
                value & 0x001f_0000,
                0x0015_0000,
                "FIFO sizes that are not modelled, or not store-and-forward"
            ),
            0xa4 => self.csr_command(value),
            0xa8 => self.csr_data = value,
            0xac => {}
            _ => panic!("write to register {offset:#04x}, which the driver has no use for"),
        }
        self.update_line();
    }

    fn csr_command(&mut self, command: u32) {
        assert!(command & 0x8000_0000 != 0, "MAC register command without its busy bit");
        assert!(self.busy <= 1, "MAC register command while busy");
        self.busy = BUSY_READS;
        let index = (command & 0xf) as usize;
        if command & 0x4000_0000 != 0 {
            // MDIO is done by the time anybody can look.
            self.csr_data = self.csr[index] & if index == 6 { !1 } else { u32::MAX };
            return;
        }
        if index == 1 && self.csr[1] & MAC_RXEN != 0 && self.csr_data & MAC_RXEN == 0 {
            self.int_sts |= INT_RXSTOP;
        }
        self.csr[index] = self.csr_data;
        if index == 6 {
            assert!(self.csr_data & 1 != 0, "MDIO command without its busy bit");
            assert_eq!(self.csr_data >> 11 & 0x1f, 1, "the built-in PHY is at address 1");
            let register = (self.csr_data >> 6 & 0x1f) as usize;
            if self.csr_data & 2 != 0 {
                self.phy.write(register, self.csr[7] as u16);
            } else {
                self.csr[7] = u32::from(self.phy.read(register));
            }
        }
    }

    fn configure_rx(&mut self, value: u32) {
        assert_eq!(value & !0x8000, 0, "receive configuration that is not modelled");
        if value & 0x8000 != 0 {
            assert!(
                self.csr[1] & MAC_RXEN == 0,
                "the FIFOs are emptied under a running receiver"
            );
            self.rx_status.clear();
            self.rx_data.clear();
            self.busy = BUSY_READS;
        }
    }

    fn underflow(&mut self) -> u32 {
        self.int_sts |= INT_RXE;
        self.update_line();
        0
    }

    fn pop_rx_data(&mut self) -> u32 {
        match self.rx_data.pop_front() {
            Some(word) => word,
            None => self.underflow(),
        }
    }

    /// A frame with its FCS, good or bad, comes in from the wire.
    pub fn arrive(&mut self, frame: &[u8]) {
        if self.broken || self.csr[1] & MAC_RXEN == 0 || !self.phy.link || frame.len() < 14 {
            return;
        }
        let good = fcs::check(frame).is_some();
        if frame.len() >= 64 && good && !self.passes(frame) {
            return;
        }
        let mut status = 0;
        if frame.len() < 64 {
            status |= 0x8000 | 0x0800;
        } else if frame.len() > 1518 {
            status |= 0x8000 | 0x0080;
        } else if !good {
            status |= 0x8000 | 0x0002;
        }
        let stored = &frame[..frame.len().min(2048)];
        let words: Vec<u32> = stored
            .chunks(4)
            .map(|chunk| {
                let mut word = [0; 4];
                word[..chunk.len()].copy_from_slice(chunk);
                u32::from_le_bytes(word)
            })
            .collect();
        if (self.rx_data.len() + words.len()) * 4 > RX_DATA_BYTES || self.rx_status.len() >= 176 {
            self.rx_drop += 1;
            return;
        }
        let len = self.forged.take().map_or(stored.len(), |len| len + 4) as u32;
        self.rx_data.extend(words);
        self.rx_status.push_back(status | (len & 0x3fff) << 16);
        self.int_sts |= INT_RSFL;
        self.update_line();
    }

    fn passes(&self, frame: &[u8]) -> bool {
        let own: Vec<u8> = self.csr[3]
            .to_le_bytes()
            .into_iter()
            .chain(self.csr[2].to_le_bytes())
            .take(6)
            .collect();
        let (to, control) = (&frame[..6], self.csr[1]);
        if control & 0x0004_0000 != 0 || to == own {
            true
        } else if to == [0xff; 6] {
            control & 0x0800 == 0
        } else {
            to[0] & 1 == 1 && control & 0x0008_0000 != 0
        }
    }

    fn tx_free(&self) -> usize {
        let used: usize = self
            .tx_queue
            .iter()
            .map(|(_, frame)| 8 + frame.len().next_multiple_of(4))
            .sum();
        TX_DATA_BYTES - used
    }

    fn push_tx(&mut self, word: u32) {
        self.tx_incoming = match std::mem::replace(&mut self.tx_incoming, Incoming::Nothing) {
            Incoming::Nothing => {
                assert_eq!(word >> 12, 3, "only frames in one segment without offset are modelled");
                Incoming::CommandA(word)
            }
            Incoming::CommandA(a) => {
                let len = (a & 0x7ff) as usize;
                assert_eq!(len, (word & 0x7ff) as usize, "the two commands tell different lengths");
                assert!((60..=1518).contains(&len), "{len} bytes are no legal frame");
                assert!(
                    8 + len.next_multiple_of(4) <= self.tx_free(),
                    "no room in the transmit FIFO"
                );
                Incoming::Data {
                    tag: (word >> 16) as u16,
                    len,
                    bytes: Vec::new(),
                }
            }
            Incoming::Data { tag, len, mut bytes } => {
                bytes.extend(word.to_le_bytes());
                if bytes.len() < len {
                    Incoming::Data { tag, len, bytes }
                } else {
                    assert!(
                        bytes[len..].iter().all(|&byte| byte == 0),
                        "stale bytes after the frame"
                    );
                    bytes.truncate(len);
                    self.tx_queue.push_back((tag, bytes));
                    self.transmit();
                    Incoming::Nothing
                }
            }
        };
    }

    fn transmit(&mut self) {
        while !self.stalled && !self.broken && self.phy.link {
            let Some((tag, frame)) = self.tx_queue.pop_front() else {
                break;
            };
            assert!(
                self.tx_on && self.csr[1] & MAC_TXEN != 0,
                "sent with the transmitter off"
            );
            self.wire.push_back(frame);
            self.push_tx_status(u32::from(tag) << 16);
        }
    }

    fn push_tx_status(&mut self, status: u32) {
        self.tx_status.push_back(status);
        assert!(self.tx_status.len() <= 128, "nobody collects transmit statuses");
        self.int_sts |= INT_TSFL;
        self.update_line();
    }

    /// The handler rings on the rising edge.
    fn update_line(&mut self) {
        let phy = if self.phy.interrupts() { INT_PHY } else { 0 };
        let line = self.irq_cfg & 0x111 == 0x111 && (self.int_sts | phy) & self.int_en != 0;
        if line && !self.line {
            self.doorbell.ring();
        }
        self.line = line;
    }
}
