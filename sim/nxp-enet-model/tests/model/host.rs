//! A host without a driver: memory, and the registers by number.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use ethdev_sim::{Clock, Peer, Wire, WireConfig};
use nxp_enet_model::{BusMemory, ChipConfig, EnetChip, ViolationKind};

pub(crate) const EIR: usize = 0x04;
pub(crate) const EIMR: usize = 0x08;
pub(crate) const RDAR: usize = 0x10;
pub(crate) const TDAR: usize = 0x14;
pub(crate) const ECR: usize = 0x24;
pub(crate) const RCR: usize = 0x84;
pub(crate) const TCR: usize = 0xc4;

pub(crate) const RXF: u32 = 1 << 25;
pub(crate) const TXF: u32 = 1 << 27;
pub(crate) const GRA: u32 = 1 << 28;

/// Where the memory begins, and where things are in it.
const BASE: u32 = 0x1000;
const RX_RING: u32 = BASE;
const TX_RING: u32 = BASE + 0x400;
const BUFFERS: u32 = BASE + 0x800;
const BUFFER_LEN: u32 = 1536;

/// 64 KiB.
#[derive(Clone)]
struct Ram(Rc<RefCell<Vec<u8>>>);

impl BusMemory for Ram {
    fn read(&self, address: u32, into: &mut [u8]) -> bool {
        let at = address.wrapping_sub(BASE) as usize;
        self.0.borrow().get(at..at + into.len()).is_some_and(|from| {
            into.copy_from_slice(from);
            true
        })
    }

    fn write(&self, address: u32, from: &[u8]) -> bool {
        let at = address.wrapping_sub(BASE) as usize;
        self.0.borrow_mut().get_mut(at..at + from.len()).is_some_and(|into| {
            into.copy_from_slice(from);
            true
        })
    }
}

/// The chip, enabled, with four descriptors each way.
pub(crate) struct Host {
    pub(crate) chip: EnetChip,
    pub(crate) clock: Clock,
    pub(crate) peer: Peer,
    ram: Ram,
}

pub(crate) const OWN: [u8; 6] = [0x02, 0x11, 0x22, 0x33, 0x44, 0x55];

impl Host {
    /// Powered on, nothing set.
    pub(crate) fn off(config: ChipConfig) -> Self {
        let clock = Clock::new();
        let (_, port, peer) = Wire::new(&clock, WireConfig::default());
        let ram = Ram(Rc::new(RefCell::new(vec![0; 0x1_0000])));
        Self {
            chip: EnetChip::new(port, ram.clone(), config),
            clock,
            peer: Peer::new(peer),
            ram,
        }
    }

    pub(crate) fn new() -> Self {
        Self::with(ChipConfig::default())
    }

    pub(crate) fn with(config: ChipConfig) -> Self {
        let host = Self::off(config);
        host.write(0x84, 0x05ee_0104); // 1518 bytes, RMII
        host.write(0xc4, 4); // full duplex
        host.write(0xe4, u32::from_be_bytes([OWN[0], OWN[1], OWN[2], OWN[3]]));
        host.write(0xe8, u32::from_be_bytes([OWN[4], OWN[5], 0, 0]));
        host.write(0x64, 0); // counters run
        host.write(0x180, RX_RING);
        host.write(0x184, TX_RING);
        host.write(0x188, BUFFER_LEN);
        for n in 0..4 {
            host.set_rx(n, 0x8000);
        }
        host.write(ECR, 0x102);
        host.write(RDAR, 1 << 24);
        host
    }

    pub(crate) fn read(&self, offset: usize) -> u32 {
        self.chip.read(offset)
    }

    pub(crate) fn write(&self, offset: usize, value: u32) {
        self.chip.write(offset, value);
    }

    pub(crate) fn pass(&self, us: u64) {
        self.clock.advance(Duration::from_micros(us));
    }

    fn descriptor(&self, at: u32, flags: u16, len: u16, buffer: u32) {
        let word = u32::from(flags) << 16 | u32::from(len);
        self.poke(at, &word.to_le_bytes());
        self.poke(at + 4, &buffer.to_le_bytes());
    }

    pub(crate) fn poke(&self, address: u32, bytes: &[u8]) {
        assert!(self.ram.write(address, bytes));
    }

    fn peek(&self, address: u32, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        assert!(self.ram.read(address, &mut bytes));
        bytes
    }

    /// Receive descriptor `n`, with these flags besides the mark of the last one.
    pub(crate) fn set_rx(&self, n: u32, flags: u16) {
        let wrap = if n == 3 { 0x2000 } else { 0 };
        self.descriptor(RX_RING + 8 * n, flags | wrap, 0, BUFFERS + n * BUFFER_LEN);
    }

    /// Its flags without that mark, its length, and as much of its buffer.
    pub(crate) fn rx(&self, n: u32) -> (u16, u16, Vec<u8>) {
        self.look(RX_RING, n, BUFFERS)
    }

    fn look(&self, ring: u32, n: u32, buffers: u32) -> (u16, u16, Vec<u8>) {
        let bytes = self.peek(ring + 8 * n, 4);
        let len = u16::from_le_bytes([bytes[0], bytes[1]]);
        let flags = u16::from_le_bytes([bytes[2], bytes[3]]) & !0x2000;
        (flags, len, self.peek(buffers + n * BUFFER_LEN, len.into()))
    }

    /// Transmit descriptor `n` with this piece of a frame.
    pub(crate) fn set_tx(&self, n: u32, flags: u16, piece: &[u8]) {
        let wrap = if n == 3 { 0x2000 } else { 0 };
        let buffer = BUFFERS + (4 + n) * BUFFER_LEN;
        self.poke(buffer, piece);
        self.descriptor(TX_RING + 8 * n, flags | wrap, piece.len() as u16, buffer);
    }

    /// Its flags without the mark of the last one.
    pub(crate) fn tx_flags(&self, n: u32) -> u16 {
        self.look(TX_RING, n, BUFFERS).0
    }

    /// Takes the kinds of the protocol violations.
    pub(crate) fn violations(&self) -> Vec<ViolationKind> {
        self.chip
            .take_violations()
            .iter()
            .map(|violation| violation.kind)
            .collect()
    }
}

/// A frame to this address.
pub(crate) fn frame(to: [u8; 6], len: usize) -> Vec<u8> {
    let mut frame = to.to_vec();
    frame.extend([0x02, 0, 0, 0, 0, 0x09, 0x88, 0xb5]);
    frame.extend((frame.len()..len).map(|n| n as u8));
    frame
}
