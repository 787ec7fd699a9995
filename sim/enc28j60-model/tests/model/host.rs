//! A host without a driver: the seven instructions.

use core::time::Duration;

use embedded_hal::spi::{Operation, SpiDevice};
use enc28j60_model::{ChipConfig, Enc28j60Chip, Errata, Revision, SimSpi, ViolationKind};
use ethdev::Speed;
use ethdev_sim::{Clock, Peer, Wire, WireConfig};

/// The MAC address, as programmed by [`Host::start`].
pub const MAC: [u8; 6] = [0x02, 0x13, 0x24, 0x35, 0x46, 0x57];

/// Address and bank.
pub type Register = (u8, u8);

pub const ERDPT: Register = (0x00, 0);
pub const EWRPT: Register = (0x02, 0);
pub const ETXST: Register = (0x04, 0);
pub const ETXND: Register = (0x06, 0);
pub const ERXST: Register = (0x08, 0);
pub const ERXND: Register = (0x0a, 0);
pub const ERXRDPT: Register = (0x0c, 0);
pub const ERXWRPT: Register = (0x0e, 0);
pub const EDMAST: Register = (0x10, 0);
pub const EDMAND: Register = (0x12, 0);
pub const EDMADST: Register = (0x14, 0);
pub const EDMACS: Register = (0x16, 0);
pub const ERXFCON: Register = (0x18, 1);
pub const EPKTCNT: Register = (0x19, 1);
pub const MACON1: Register = (0x00, 2);
pub const MACON3: Register = (0x02, 2);
pub const MACON4: Register = (0x03, 2);
pub const MAMXFL: Register = (0x0a, 2);
pub const MICMD: Register = (0x12, 2);
pub const MIREGADR: Register = (0x14, 2);
pub const MIWR: Register = (0x16, 2);
pub const MIRD: Register = (0x18, 2);
pub const MISTAT: Register = (0x0a, 3);
pub const EREVID: Register = (0x12, 3);
pub const ECOCON: Register = (0x15, 3);
/// In every bank.
pub const EIE: Register = (0x1b, 0xff);
pub const EIR: Register = (0x1c, 0xff);
pub const ESTAT: Register = (0x1d, 0xff);
pub const ECON2: Register = (0x1e, 0xff);
pub const ECON1: Register = (0x1f, 0xff);

/// First transmit buffer; the receive FIFO is below.
pub const TX: u16 = 0x1a00;
pub const RX_END: u16 = 0x19ff;

pub struct Host {
    pub clock: Clock,
    pub wire: Wire,
    pub chip: Enc28j60Chip,
    pub peer: Peer,
    pub spi: SimSpi,
    next: u16,
}

/// A chip of the data sheet, with a host that is slow enough for MAC registers.
pub fn ideal() -> ChipConfig {
    ChipConfig::new(Revision::B7)
        .with_errata(Errata::none())
        .with_cs_hold(Duration::from_nanos(250))
}

impl Host {
    /// A chip 301 µs after power-on.
    pub fn new(config: ChipConfig) -> Self {
        let host = Self::cold(config);
        host.clock.advance(Duration::from_micros(301));
        host
    }

    pub fn cold(config: ChipConfig) -> Self {
        let clock = Clock::new();
        let (wire, port, peer) = Wire::new(&clock, WireConfig::default().with_speed(Speed::MBPS_10));
        let chip = Enc28j60Chip::new(&clock, port, config);
        Self {
            spi: chip.spi_device(),
            peer: Peer::new(peer),
            clock,
            wire,
            chip,
            next: 0,
        }
    }

    /// A chip that receives and sends, in half duplex, with its link up.
    pub fn started(config: ChipConfig) -> Self {
        let mut host = Self::new(config);
        host.start(0x32);
        host
    }

    pub fn start(&mut self, macon3: u8) {
        self.set16(ERXST, 0);
        self.set16(ERXND, RX_END);
        self.set16(ERXRDPT, RX_END);
        self.set16(ERDPT, 0);
        self.set16(ETXST, TX);
        self.set(MACON1, 0x0d);
        self.set(MACON3, macon3);
        self.set(MACON4, 0x40);
        self.set16(MAMXFL, 1518);
        for (address, octet) in [4, 5, 2, 3, 0, 1].into_iter().zip(MAC) {
            self.set((address, 3), octet);
        }
        self.phy_write(0x00, if macon3 & 1 == 1 { 0x0100 } else { 0 });
        self.phy_write(0x10, 0x0100);
        self.set_bits(ECON1, 0x04);
        self.clock.advance(Duration::from_millis(25));
        self.next = 0;
    }

    pub fn us(&self, us: u64) {
        self.clock.advance(Duration::from_micros(us));
    }

    pub fn bank(&mut self, register: Register) {
        if register.1 != 0xff {
            self.spi.write(&[0xbf, 0x03]).unwrap();
            if register.1 != 0 {
                self.spi.write(&[0x9f, register.1]).unwrap();
            }
        }
    }

    pub fn get(&mut self, register: Register) -> u8 {
        self.bank(register);
        let slow = register.1 == 2 || register.1 == 3 && (register.0 < 6 || register.0 == 0x0a);
        let mut value = [0; 2];
        let len = if slow { 2 } else { 1 };
        self.spi
            .transaction(&mut [Operation::Write(&[register.0]), Operation::Read(&mut value[..len])])
            .unwrap();
        value[len - 1]
    }

    pub fn set(&mut self, register: Register, value: u8) {
        self.bank(register);
        self.spi.write(&[0x40 | register.0, value]).unwrap();
    }

    pub fn set_bits(&mut self, register: Register, bits: u8) {
        self.bank(register);
        self.spi.write(&[0x80 | register.0, bits]).unwrap();
    }

    pub fn clear_bits(&mut self, register: Register, bits: u8) {
        self.bank(register);
        self.spi.write(&[0xa0 | register.0, bits]).unwrap();
    }

    pub fn get16(&mut self, low: Register) -> u16 {
        u16::from_le_bytes([self.get(low), self.get((low.0 + 1, low.1))])
    }

    pub fn set16(&mut self, low: Register, value: u16) {
        let [l, h] = value.to_le_bytes();
        self.set(low, l);
        self.set((low.0 + 1, low.1), h);
    }

    pub fn read(&mut self, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        self.spi
            .transaction(&mut [Operation::Write(&[0x3a]), Operation::Read(&mut bytes)])
            .unwrap();
        bytes
    }

    pub fn write(&mut self, bytes: &[u8]) {
        self.spi
            .transaction(&mut [Operation::Write(&[0x7a]), Operation::Write(bytes)])
            .unwrap();
    }

    pub fn reset(&mut self) {
        self.spi.write(&[0xff]).unwrap();
    }

    pub fn phy_read(&mut self, address: u8) -> u16 {
        self.set(MIREGADR, address);
        self.set(MICMD, 0x01);
        self.us(11);
        self.set(MICMD, 0x00);
        self.get16(MIRD)
    }

    pub fn phy_write(&mut self, address: u8, value: u16) {
        self.set(MIREGADR, address);
        self.set16(MIWR, value);
        self.us(11);
    }

    /// Puts a frame into the transmit buffer and sets TXRTS.
    pub fn transmit(&mut self, control: u8, frame: &[u8]) {
        self.set16(EWRPT, TX);
        self.write(&[control]);
        self.write(frame);
        self.set16(ETXND, TX + frame.len() as u16);
        self.set_bits(ECON1, 0x08);
    }

    /// The status vector of the frame that was sent last.
    pub fn status_vector(&mut self) -> u64 {
        let end = self.get16(ETXND);
        let mut vector = [0; 8];
        for (at, byte) in vector[..7].iter_mut().enumerate() {
            *byte = self.chip.peek_ram(end + 1 + at as u16);
        }
        u64::from_le_bytes(vector)
    }

    /// Takes the next packet: its status (count and flags) and its bytes, FCS included.
    pub fn receive(&mut self) -> Option<(u32, Vec<u8>)> {
        if self.get(EPKTCNT) == 0 {
            return None;
        }
        self.set16(ERDPT, self.next);
        let header = self.read(6);
        let next = u16::from_le_bytes([header[0], header[1]]);
        let status = u32::from_le_bytes([header[2], header[3], header[4], header[5]]);
        let bytes = self.read((status & 0xffff) as usize);
        self.next = next;
        self.set16(ERXRDPT, if next == 0 { RX_END } else { next - 1 });
        self.set_bits(ECON2, 0x40);
        Some((status, bytes))
    }

    pub fn kinds(&self) -> Vec<ViolationKind> {
        self.chip.violations().iter().map(|violation| violation.kind).collect()
    }

    #[track_caller]
    pub fn assert_clean(&self) {
        let violations = self.chip.violations();
        assert!(
            violations.is_empty(),
            "{}",
            violations.iter().map(|v| format!("{v}\n")).collect::<String>()
        );
        let stats = self.chip.stats();
        assert!(stats.balanced() && stats.tx_running() <= 1, "{stats:?}");
    }
}

/// A frame of this length for the station, with a pattern after the header.
pub fn frame(len: usize) -> Vec<u8> {
    let mut frame = MAC.to_vec();
    frame.extend([0x02, 0, 0, 0, 0, 0x99, 0x08, 0x00]);
    frame.extend((14..len).map(|at| (at * 7) as u8));
    frame.truncate(len);
    frame
}
