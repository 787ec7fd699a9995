//! A host that does what the data sheet says, register by register.

use std::time::Duration;

use ethdev_sim::{Clock, Peer, Wire, WireConfig};
use lan9118_model::{ChipConfig, Lan9118Chip, Part, SimBus, ViolationKind};

pub(crate) const ADDRESS: [u8; 6] = [0x02, 0x00, 0x00, 0x91, 0x18, 0x01];
pub(crate) const BYTE_TEST: usize = 0x64;

/// A chip on a bare wire, and the host's side of it.
pub(crate) struct Host {
    pub(crate) clock: Clock,
    pub(crate) wire: Wire,
    pub(crate) peer: Peer,
    pub(crate) chip: Lan9118Chip,
    pub(crate) bus: SimBus,
}

impl Host {
    /// At power-on.
    pub(crate) fn cold(config: ChipConfig) -> Self {
        let clock = Clock::new();
        let (wire, port, peer) = Wire::new(&clock, WireConfig::default());
        let chip = Lan9118Chip::on_media(port, config);
        let bus = chip.bus();
        Self {
            clock,
            wire,
            peer: Peer::new(peer),
            chip,
            bus,
        }
    }

    /// Reset, set up, full duplex, both directions on.
    pub(crate) fn started(config: ChipConfig) -> Self {
        let host = Self::cold(config);
        host.start(5);
        host
    }

    pub(crate) fn new() -> Self {
        Self::started(ChipConfig::new(Part::Lan9118))
    }

    pub(crate) fn start(&self, tx_fifo_kib: u32) {
        while self.read(0x84) & 1 == 0 {}
        self.read(BYTE_TEST);
        self.write(0x74, 1);
        while self.read(0x74) & 1 != 0 {}
        self.read(BYTE_TEST);
        while self.read(0xb0) >> 31 != 0 {}
        self.write(0x74, 0x0010_0000 | tx_fifo_kib << 16);
        self.write(0x68, 0xff00_0000);
        self.write(0x54, 0x101);
        self.write(0x70, 2);
        self.write_csr(1, 0x0010_000c);
    }

    /// Reads, as late after what was done before as anything needs.
    pub(crate) fn read(&self, offset: usize) -> u32 {
        self.clock.advance(Duration::from_nanos(400));
        self.bus.read(offset)
    }

    pub(crate) fn write(&self, offset: usize, value: u32) {
        self.bus.write(offset, value);
    }

    fn csr(&self, command: u32) {
        self.write(0xa4, 1 << 31 | command);
        while self.read(0xa4) >> 31 != 0 {}
    }

    pub(crate) fn read_csr(&self, index: u32) -> u32 {
        self.csr(1 << 30 | index);
        self.read(0xa8)
    }

    pub(crate) fn write_csr(&self, index: u32, value: u32) {
        self.write(0xa8, value);
        self.csr(index);
    }

    pub(crate) fn read_phy(&self, address: u32, register: u32) -> u32 {
        self.write_csr(6, address << 11 | register << 6 | 1);
        while self.read_csr(6) & 1 != 0 {}
        self.read_csr(7)
    }

    pub(crate) fn write_phy(&self, address: u32, register: u32, value: u32) {
        self.write_csr(7, value);
        self.write_csr(6, address << 11 | register << 6 | 3);
        while self.read_csr(6) & 1 != 0 {}
    }

    /// Writes a frame in one segment.
    pub(crate) fn send(&self, tag: u32, frame: &[u8]) {
        self.segment(0x3000, 0, tag, frame.len(), frame);
    }

    /// Writes a segment that begins `offset` bytes into its first word. What is around it is not
    /// zero.
    pub(crate) fn segment(&self, position: u32, offset: usize, tag: u32, frame_len: usize, bytes: &[u8]) {
        self.write(0x20, position | (offset as u32) << 16 | bytes.len() as u32);
        self.write(0x20, tag << 16 | frame_len as u32);
        let mut data = vec![0xee; offset];
        data.extend(bytes);
        data.resize(data.len().next_multiple_of(4), 0xdd);
        for word in data.chunks(4) {
            self.write(0x20, u32::from_le_bytes(word.try_into().unwrap()));
        }
    }

    /// The next frame with its FCS, and its status.
    pub(crate) fn receive(&self) -> Option<(u32, Vec<u8>)> {
        if self.read(0x7c) >> 16 == 0 {
            return None;
        }
        let status = self.read(0x40);
        let len = (status >> 16 & 0x3fff) as usize;
        let mut bytes: Vec<u8> = (0..len.div_ceil(4))
            .flat_map(|_| self.read(0x00).to_le_bytes())
            .collect();
        bytes.truncate(len);
        Some((status, bytes))
    }

    pub(crate) fn pass(&self, us: u64) {
        self.clock.advance(Duration::from_micros(us));
    }

    /// What was reported since the last call.
    pub(crate) fn violations(&self) -> Vec<ViolationKind> {
        self.chip
            .take_violations()
            .into_iter()
            .map(|violation| violation.kind)
            .collect()
    }

    pub(crate) fn assert_clean(&self) {
        assert_eq!(self.chip.violations(), []);
    }
}

/// A frame of this length for `to`.
pub(crate) fn frame(to: [u8; 6], len: usize) -> Vec<u8> {
    let mut frame = to.to_vec();
    frame.extend([0x02, 0, 0, 0, 0, 0xfe, 0x88, 0xb5]);
    frame.extend((frame.len()..len).map(|n| n as u8));
    frame
}
