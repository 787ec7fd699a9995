//! The seven instructions, byte by byte (DS39662E section 4.2).

use core::time::Duration;

use super::hardware::Model;
use super::ram::{next, offset};
use super::registers::{
    COMMON, ECON1, ECON2, EIR, ERDPT, ERXWRPT, ETXND, ETXST, EWRPT, Kind, MIRD, Reg, Spec, TABLE, econ1, econ2, eir,
};
use super::{MisoFault, SpiFault, ViolationKind};

/// How long chip select has to stay low after the last bit of a MAC or MII register (DS39662E table 16-6).
const MAC_HOLD: Duration = Duration::from_nanos(210);
/// The same for everything else.
const HOLD: Duration = Duration::from_nanos(10);
/// How long chip select has to be high.
const MIN_GAP: Duration = Duration::from_nanos(50);
/// The fastest clock in Hz.
const MAX_SCK: u32 = 20_000_000;
/// Erratum 1 strikes below this clock in Hz.
const MIN_SAFE_SCK: u32 = 8_000_000;

/// How a control register is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    Whole,
    Set,
    Clear,
}

/// What the chip expects next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Phase {
    #[default]
    Deselected,
    Opcode,
    /// One more byte and then the value of a MAC or MII register.
    Dummy(usize),
    ReadSlow(usize),
    Read(usize),
    Write(How, usize),
    /// The value of a MAC or MII register, taken over when chip select rises.
    WriteSlow(usize),
    ReadMemory,
    WriteMemory,
    /// Whatever follows is ignored.
    Over,
}

/// The interface.
#[derive(Default)]
pub(super) struct Spi {
    phase: Phase,
    /// The first bytes of the transaction.
    sent: [u8; 8],
    len: usize,
    selected_at: Duration,
    last_bit_at: Duration,
    /// A MAC or MII register was read; one is to be written.
    slow_read: bool,
    slow_write: Option<(usize, u8)>,
    /// What a read that was cut short has to be garbled with.
    garbled: Option<u8>,
    /// So has the next read of a MAC or MII register.
    garble_next: bool,
    /// Where the memory access of this transaction began.
    streamed_from: u16,
    streamed: u16,
    reported: bool,
}

impl Spi {
    /// The first bytes of the transaction, and what they mean.
    pub(super) fn describe(&self, bank: u8) -> (Vec<u8>, String) {
        let bytes = self.sent[..self.len.min(self.sent.len())].to_vec();
        let words = match bytes.first() {
            None => String::from("no instruction"),
            Some(0x3a) => String::from("RBM"),
            Some(0x7a) => String::from("WBM"),
            Some(0xff) => String::from("SRC"),
            Some(opcode) => {
                let addr = usize::from(opcode & 0x1f);
                let name = ["RCR", "RBM?", "WCR", "WBM?", "BFS", "BFC", "none", "SRC?"][usize::from(opcode >> 5)];
                let value = bytes.get(1).map(|value| format!(" {value:#04x}")).unwrap_or_default();
                format!("{name} {}{value}", TABLE[usize::from(bank)][addr].name)
            }
        };
        (bytes, words)
    }
}

impl Model {
    pub(super) fn is_selected(&self) -> bool {
        self.spi.phase != Phase::Deselected
    }

    /// Whether bytes do nothing but go into the memory or come out of it.
    pub(super) fn is_streaming(&self) -> bool {
        matches!(self.spi.phase, Phase::ReadMemory | Phase::WriteMemory)
    }

    /// The same, with nothing that strikes at single bytes: many may go in one go.
    pub(super) fn is_undisturbed_stream(&self) -> bool {
        self.is_streaming()
            && self.miso == MisoFault::Connected
            && self.fail_in.is_none()
            && self.flip_in.is_none()
            && self.config.faults.spi_failure == 0.0
            && self.config.faults.spi_bit_error == 0.0
            && self.registers.has(ECON2, econ2::AUTOINC)
    }

    /// Whether the stream comes out of the memory.
    pub(super) fn is_reading(&self) -> bool {
        self.spi.phase == Phase::ReadMemory
    }

    /// As that many bytes one by one.
    pub(super) fn stream_out(&mut self, bytes: &mut [u8]) {
        let end = self.fifo().end;
        let start = self.fifo().start;
        let mut address = self.registers.word(ERDPT);
        for byte in bytes.iter_mut() {
            *byte = self.ram.peek(address);
            address = if address == end { start } else { next(address) };
        }
        self.registers.set_word(ERDPT, address);
        self.bus.rbm_bytes += bytes.len() as u64;
        self.note_streamed(bytes.len());
    }

    /// As that many bytes one by one.
    pub(super) fn stream_in(&mut self, bytes: &[u8]) {
        let guarded = self.is_transmitting() || self.is_receive_enabled();
        let mut address = self.registers.word(EWRPT);
        for byte in bytes {
            if guarded && !self.spi.reported {
                self.check_memory_write(address);
            }
            self.ram.poke(address, *byte);
            address = next(address);
        }
        self.registers.set_word(EWRPT, address);
        self.bus.wbm_bytes += bytes.len() as u64;
        self.note_streamed(bytes.len());
    }

    fn note_streamed(&mut self, bytes: usize) {
        self.bus.bytes += bytes as u64;
        self.spi.last_bit_at = self.clock.now();
        let bytes = u16::try_from(bytes).unwrap_or(u16::MAX);
        self.spi.streamed = self.spi.streamed.saturating_add(bytes);
    }

    pub(super) fn byte_time(&self) -> Duration {
        Duration::from_nanos(8_000_000_000_u64.div_ceil(self.config.sck_hz.into()))
    }

    pub(super) fn reentered(&mut self) {
        self.violation(ViolationKind::BusReentered, "another transaction is running");
    }

    pub(super) fn select(&mut self) {
        let now = self.clock.now();
        let gap = now.saturating_sub(self.deselected_at);
        self.spi = Spi {
            phase: Phase::Opcode,
            selected_at: now,
            last_bit_at: now,
            garble_next: self.spi.garble_next,
            ..Spi::default()
        };
        if self.bus.transactions > 0 && gap < MIN_GAP {
            self.violation(ViolationKind::ShortGap, format!("chip select was high for {gap:?}"));
        }
        self.bus.transactions += 1;
    }

    /// Decides whether a bit flips in a transaction of this many bytes.
    pub(super) fn aim(&mut self, len: usize) {
        let p = self.config.faults.spi_corruption;
        self.flip_in = (p > 0.0 && len > 0 && self.rng.bus.chance(p)).then(|| self.rng.bus.below(len));
    }

    pub(super) fn take_garbled(&mut self) -> Option<u8> {
        let garbled = self.spi.garbled.take();
        if garbled.is_some() {
            self.spi.garble_next = false;
        }
        garbled
    }

    /// Chip select rises.
    pub(super) fn deselect(&mut self) {
        let now = self.clock.now();
        let hold = now.saturating_sub(self.spi.last_bit_at);
        self.bus.selected += now.saturating_sub(self.spi.selected_at);
        self.deselected_at = now;
        let (phase, len) = (self.spi.phase, self.spi.len);
        if self.miso == MisoFault::Connected && len > 0 {
            let slow = self.spi.slow_read || self.spi.slow_write.is_some();
            let needed = if slow { MAC_HOLD } else { HOLD };
            let short = hold < needed;
            if short {
                self.violation(
                    ViolationKind::ShortHold,
                    format!("chip select rose {hold:?} after the last bit, not {needed:?}"),
                );
            }
            if matches!(phase, Phase::Write(..) | Phase::WriteSlow(_) if len == 1) {
                self.violation(ViolationKind::Incomplete, "no data");
            }
            if self.spi.slow_read && short {
                self.spi.garbled = Some(1 + self.rng.mac.below(0xff) as u8);
                self.spi.garble_next = true;
            }
            if let Some((addr, value)) = self.spi.slow_write.take().filter(|_| !short) {
                self.write_slow(addr, value);
            }
            self.check_stream(phase);
        }
        self.spi.phase = Phase::Deselected;
    }

    /// One byte in each direction.
    pub(super) fn clock_byte(&mut self, mosi: u8) -> Result<u8, SpiFault> {
        self.bus.bytes += 1;
        self.spi.last_bit_at = self.clock.now();
        let faults = self.config.faults;
        let failed_by_dice = faults.spi_failure > 0.0 && self.rng.bus.chance(faults.spi_failure);
        let failed_by_count = match &mut self.fail_in {
            Some(0) => true,
            Some(n) => {
                *n -= 1;
                false
            }
            None => false,
        };
        if failed_by_dice || failed_by_count {
            self.fail_in = None;
            self.taint();
            return Err(SpiFault::AtByte(self.bus.bytes - 1));
        }
        match self.miso {
            MisoFault::Connected => {}
            MisoFault::Stuck(byte) => return Ok(byte),
            MisoFault::Random => return Ok(self.rng.bus.below(0x100) as u8),
        }
        let flipped_by_dice = faults.spi_bit_error > 0.0 && self.rng.bus.chance(faults.spi_bit_error);
        let flipped_by_aim = match &mut self.flip_in {
            Some(0) => true,
            Some(n) => {
                *n -= 1;
                false
            }
            None => false,
        };
        if flipped_by_dice || flipped_by_aim {
            self.flip_in = None;
            self.taint();
            let bit = 1 << self.rng.bus.below(8);
            return Ok(if self.rng.bus.chance(0.5) {
                self.process(mosi ^ bit)
            } else {
                self.process(mosi) ^ bit
            });
        }
        Ok(self.process(mosi))
    }

    fn process(&mut self, mosi: u8) -> u8 {
        if self.spi.len < self.spi.sent.len() {
            self.spi.sent[self.spi.len] = mosi;
            self.spi.len += 1;
        }
        match self.spi.phase {
            Phase::ReadMemory => self.read_memory(),
            Phase::WriteMemory => {
                self.write_memory(mosi);
                0
            }
            Phase::Deselected => 0xff,
            Phase::Over => 0,
            Phase::Opcode => {
                self.spi.phase = if self.is_held_in_reset() {
                    Phase::Over
                } else {
                    self.decode(mosi)
                };
                0
            }
            Phase::Dummy(addr) => {
                self.spi.phase = Phase::ReadSlow(addr);
                0
            }
            Phase::ReadSlow(addr) => {
                self.spi.phase = Phase::Over;
                self.spi.slow_read = true;
                self.read_slow(addr)
            }
            Phase::Read(addr) => self.read_fast(addr),
            Phase::Write(how, addr) => {
                self.spi.phase = Phase::Over;
                self.write_fast(how, addr, mosi);
                0
            }
            Phase::WriteSlow(addr) => {
                self.spi.phase = Phase::Over;
                self.spi.slow_write = Some((addr, mosi));
                0
            }
        }
    }

    fn decode(&mut self, opcode: u8) -> Phase {
        if self.config.sck_hz > MAX_SCK {
            self.violation(ViolationKind::SckTooFast, format!("{} Hz", self.config.sck_hz));
        }
        let addr = usize::from(opcode & 0x1f);
        let kind = self.spec(addr).kind;
        match opcode >> 5 {
            0b000 => {
                self.bus.rcr += 1;
                if addr == 0x1a {
                    self.violation(ViolationKind::ReservedAddress, "0x1A is not to be read");
                }
                if kind.is_slow() {
                    Phase::Dummy(addr)
                } else {
                    Phase::Read(addr)
                }
            }
            0b001 if opcode == 0x3a => {
                self.bus.rbm += 1;
                self.spi.streamed_from = self.registers.word(ERDPT);
                Phase::ReadMemory
            }
            0b010 => {
                self.bus.wcr += 1;
                if kind.is_slow() {
                    Phase::WriteSlow(addr)
                } else {
                    Phase::Write(How::Whole, addr)
                }
            }
            0b011 if opcode == 0x7a => {
                self.bus.wbm += 1;
                self.spi.streamed_from = self.registers.word(EWRPT);
                Phase::WriteMemory
            }
            0b100 => {
                self.bus.bfs += 1;
                Phase::Write(How::Set, addr)
            }
            0b101 => {
                self.bus.bfc += 1;
                Phase::Write(How::Clear, addr)
            }
            0b111 if opcode == 0xff => {
                self.bus.src += 1;
                self.reset_instruction();
                Phase::Over
            }
            _ => {
                self.violation(ViolationKind::BadInstruction, "there is no such instruction");
                Phase::Over
            }
        }
    }

    /// What is at an address of the bank selected.
    pub(super) fn spec(&self, addr: usize) -> Spec {
        TABLE[self.bank()][addr]
    }

    pub(super) fn bank(&self) -> usize {
        usize::from(self.registers.get(ECON1) & econ1::BSEL)
    }

    /// The register at an address of the bank selected.
    pub(super) fn reg(&self, addr: usize) -> Reg {
        Reg {
            bank: if addr >= COMMON { 0 } else { self.bank() },
            addr,
        }
    }

    fn read_fast(&mut self, addr: usize) -> u8 {
        let value = self.value(self.bank(), addr);
        let odds = self.config.errata.odds.packet_flag;
        if self.reg(addr) == EIR && self.config.errata.e6_packet_flag && self.rng.packet_flag.chance(odds) {
            return value ^ eir::PKTIF;
        }
        value
    }

    /// Whether an access to the MAC goes wrong.
    pub(super) fn mac_slips(&mut self) -> bool {
        let errata = self.config.errata;
        errata.e1_slow_sck && self.config.sck_hz < MIN_SAFE_SCK && self.rng.mac.chance(errata.odds.slow_sck)
    }

    fn read_slow(&mut self, addr: usize) -> u8 {
        if !self.check_mac_ready() {
            return 0;
        }
        let reg = self.reg(addr);
        if self.phy.is_busy() && (reg == MIRD || reg.bank == MIRD.bank && addr == MIRD.addr + 1) {
            self.violation(ViolationKind::MiiBusy, "the MII operation has not ended");
        }
        let value = self.value(self.bank(), addr);
        let garbled = core::mem::take(&mut self.spi.garble_next);
        if garbled || self.mac_slips() {
            return value ^ (1 + self.rng.mac.below(0xff) as u8);
        }
        value
    }

    fn read_memory(&mut self) -> u8 {
        let address = self.registers.word(ERDPT);
        self.spi.streamed = self.spi.streamed.saturating_add(1);
        self.bus.rbm_bytes += 1;
        if self.registers.has(ECON2, econ2::AUTOINC) {
            let fifo = self.fifo();
            let after = if address == fifo.end { fifo.start } else { next(address) };
            self.registers.set_word(ERDPT, after);
        }
        self.ram.peek(address)
    }

    fn write_memory(&mut self, value: u8) {
        let address = self.registers.word(EWRPT);
        self.spi.streamed = self.spi.streamed.saturating_add(1);
        self.bus.wbm_bytes += 1;
        if !self.spi.reported {
            self.check_memory_write(address);
        }
        self.ram.poke(address, value);
        if self.registers.has(ECON2, econ2::AUTOINC) {
            self.registers.set_word(EWRPT, next(address));
        }
    }

    fn check_memory_write(&mut self, address: u16) {
        let (start, end) = (self.registers.word(ETXST), self.registers.word(ETXND));
        let slot = offset(end.wrapping_sub(start), 7);
        if self.is_transmitting() && offset(address.wrapping_sub(start), 0) <= slot {
            self.spi.reported = true;
            self.violation(
                ViolationKind::TxChanged,
                format!("{address:#06x} belongs to the frame that is going out"),
            );
        }
        if self.is_receive_enabled() && self.fifo().contains(address) {
            self.spi.reported = true;
            self.violation(
                ViolationKind::FifoWritten,
                format!("{address:#06x} is in the receive FIFO"),
            );
        }
    }

    /// What the host read from the FIFO: packets that it saw, and what was not there yet.
    fn check_stream(&mut self, phase: Phase) {
        let fifo = self.fifo();
        let (from, count) = (self.spi.streamed_from, self.spi.streamed);
        if phase != Phase::ReadMemory || count == 0 || !fifo.contains(from) || !self.is_receive_enabled() {
            return;
        }
        self.rx.note_read(fifo, from, count);
        let last = fifo.offset(from, count - 1);
        let write = self.rx.write_pointer;
        if !fifo.contains(write) {
            return;
        }
        let free = fifo.free(write, self.registers.word(super::registers::ERXRDPT));
        if [from, last].iter().any(|address| fifo.distance(write, *address) < free) {
            let visible = self.registers.word(ERXWRPT);
            self.violation(
                ViolationKind::ReadAhead,
                format!("read {count} bytes from {from:#06x}; what was received ends before {visible:#06x}"),
            );
        }
    }
}

/// Whether a register of this kind takes bit fields.
pub(super) const fn takes_bit_fields(kind: Kind) -> bool {
    matches!(kind, Kind::Eth | Kind::Reserved | Kind::Absent)
}
