//! The SPI interface: the seven instructions, byte by byte (DS39662E section 4.2).

use core::time::Duration;

use crate::chip::{Chip, Instruction};
use crate::error::SpiFault;
use crate::faults::MisoFault;
use crate::model::Model;
use crate::ram::{next, offset};
use crate::registers::{
    ECON1, ECON2, EIR, ERDPT, ERXRDPT, ERXWRPT, ETXND, ETXST, EWRPT, Kind, MIRD, econ1, econ2, eir,
};
use crate::stats::BusCounters;
use crate::violations::ViolationKind;
use crate::writes::WriteMode;

/// Minimum time of chip select low after the last bit of a MAC or MII register (DS39662E table
/// 16-6).
const MAC_HOLD: Duration = Duration::from_nanos(210);
/// The same for everything else.
const HOLD: Duration = Duration::from_nanos(10);
/// Minimum time of chip select high.
const MIN_GAP: Duration = Duration::from_nanos(50);
/// The fastest clock in Hz.
const MAX_SCK: u32 = 20_000_000;

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
    Write(WriteMode, usize),
    /// The value of a MAC or MII register, taken over when chip select rises.
    WriteSlow(WriteMode, usize),
    ReadMemory,
    WriteMemory,
    /// Further bytes are ignored.
    Over,
}

/// The interface.
#[derive(Debug, Default)]
pub(crate) struct Spi {
    phase: Phase,
    selected_at: Duration,
    last_bit_at: Duration,
    /// A MAC or MII register was read; one is to be written.
    slow_read: bool,
    slow_write: Option<(WriteMode, usize, u8)>,
    /// A read was cut short by chip select: the mask that corrupts its last byte.
    corruption: Option<u8>,
    /// The next read of a MAC or MII register is corrupted.
    corrupt_next: bool,
    /// Start and length of the memory access of this transaction.
    streamed_from: u16,
    streamed: u16,
    /// A violation of this memory access was recorded.
    reported: bool,

    pub(crate) counters: BusCounters,
    pub(crate) deselected_at: Duration,
    pub(crate) miso: MisoFault,
    /// The bus fails at the byte after this many.
    pub(crate) fail_in: Option<u64>,
    /// A bit flips at the byte after this many.
    flip_in: Option<usize>,
}

impl Spi {
    pub(crate) fn is_selected(&self) -> bool {
        self.phase != Phase::Deselected
    }

    /// Whether the bytes that follow are read from the memory or written to it.
    pub(crate) fn is_streaming(&self) -> bool {
        matches!(self.phase, Phase::ReadMemory | Phase::WriteMemory)
    }

    /// The same, without faults that affect single bytes: many bytes may be transferred at once.
    pub(crate) fn is_undisturbed_stream(&self, chip: &Chip) -> bool {
        self.is_streaming()
            && self.miso == MisoFault::Connected
            && self.fail_in.is_none()
            && self.flip_in.is_none()
            && chip.cx.config.faults.spi_failure == 0.0
            && chip.cx.config.faults.spi_bit_error == 0.0
            && chip.registers.has(ECON2, econ2::AUTOINC)
    }

    /// Whether the memory is being read.
    pub(crate) fn is_reading(&self) -> bool {
        self.phase == Phase::ReadMemory
    }

    /// Reads this many bytes of memory, as [`clock_byte`](Self::clock_byte) does one by one.
    pub(crate) fn stream_out(&mut self, chip: &mut Chip, bytes: &mut [u8]) {
        let end = chip.fifo().end;
        let start = chip.fifo().start;
        let mut address = chip.registers.word(ERDPT);
        for byte in bytes.iter_mut() {
            *byte = chip.ram.peek(address);
            address = if address == end { start } else { next(address) };
        }
        chip.registers.set_word(ERDPT, address);
        self.counters.rbm_bytes += bytes.len() as u64;
        self.note_streamed(chip, bytes.len());
    }

    /// Writes these bytes to memory, as [`clock_byte`](Self::clock_byte) does one by one.
    pub(crate) fn stream_in(&mut self, chip: &mut Chip, bytes: &[u8]) {
        let guarded = chip.is_transmitting() || chip.is_receive_enabled();
        let mut address = chip.registers.word(EWRPT);
        for byte in bytes {
            if guarded && !self.reported {
                self.check_memory_write(chip, address);
            }
            chip.ram.poke(address, *byte);
            address = next(address);
        }
        chip.registers.set_word(EWRPT, address);
        self.counters.wbm_bytes += bytes.len() as u64;
        self.note_streamed(chip, bytes.len());
    }

    fn note_streamed(&mut self, chip: &Chip, bytes: usize) {
        self.counters.bytes += bytes as u64;
        self.last_bit_at = chip.cx.now();
        let bytes = u16::try_from(bytes).unwrap_or(u16::MAX);
        self.streamed = self.streamed.saturating_add(bytes);
    }

    /// The bus is used in the middle of another transaction.
    pub(crate) fn reentered(chip: &mut Chip) {
        chip.violation(ViolationKind::BusReentered, "another transaction is running");
    }

    /// Chip select falls.
    pub(crate) fn select(&mut self, chip: &mut Chip) {
        let now = chip.cx.now();
        let gap = now.saturating_sub(self.deselected_at);
        *self = Self {
            phase: Phase::Opcode,
            selected_at: now,
            last_bit_at: now,
            slow_read: false,
            slow_write: None,
            corruption: None,
            streamed_from: 0,
            streamed: 0,
            reported: false,
            ..core::mem::take(self)
        };
        chip.instruction = Instruction::default();
        if self.counters.transactions > 0 && gap < MIN_GAP {
            chip.violation(ViolationKind::ShortGap, format!("chip select was high for {gap:?}"));
        }
        self.counters.transactions += 1;
    }

    /// Draws whether a bit flips in a transaction of this many bytes.
    pub(crate) fn draw_corruption(&mut self, chip: &mut Chip, len: usize) {
        let p = chip.cx.config.faults.spi_corruption;
        self.flip_in = (p > 0.0 && len > 0 && chip.rng.bus.chance(p)).then(|| chip.rng.bus.below(len));
    }

    /// The mask that corrupts the last byte of a read that chip select cut short.
    pub(crate) const fn take_corruption(&mut self) -> Option<u8> {
        let corruption = self.corruption.take();
        if corruption.is_some() {
            self.corrupt_next = false;
        }
        corruption
    }

    /// Chip select rises.
    pub(crate) fn deselect(&mut self, model: &mut Model) {
        let chip = &mut model.chip;
        let now = chip.cx.now();
        let hold = now.saturating_sub(self.last_bit_at);
        self.counters.selected += now.saturating_sub(self.selected_at);
        self.deselected_at = now;
        let (phase, len) = (self.phase, chip.instruction.len());
        if self.miso == MisoFault::Connected && len > 0 {
            let slow = self.slow_read || self.slow_write.is_some();
            let needed = if slow { MAC_HOLD } else { HOLD };
            let short = hold < needed;
            if short {
                chip.violation(
                    ViolationKind::ShortHold,
                    format!("chip select rose {hold:?} after the last bit, not {needed:?}"),
                );
            }
            if matches!(phase, Phase::Write(..) | Phase::WriteSlow(..) if len == 1) {
                chip.violation(ViolationKind::Incomplete, "no data");
            }
            if self.slow_read && short {
                self.corruption = Some(1 + chip.rng.mac.below(0xff) as u8);
                self.corrupt_next = true;
            }
            if let Some((mode, addr, value)) = self.slow_write.take().filter(|_| !short) {
                model.write_slow(mode, addr, value);
            }
            self.check_stream(model, phase);
        }
        self.phase = Phase::Deselected;
    }

    /// Transfers one byte in each direction.
    pub(crate) fn clock_byte(&mut self, model: &mut Model, mosi: u8) -> Result<u8, SpiFault> {
        let chip = &mut model.chip;
        self.counters.bytes += 1;
        self.last_bit_at = chip.cx.now();
        let faults = chip.cx.config.faults;
        let failed_at_random = faults.spi_failure > 0.0 && chip.rng.bus.chance(faults.spi_failure);
        let failed_by_request = match &mut self.fail_in {
            Some(0) => true,
            Some(n) => {
                *n -= 1;
                false
            }
            None => false,
        };
        if failed_at_random || failed_by_request {
            self.fail_in = None;
            chip.taint();
            return Err(SpiFault::AtByte(self.counters.bytes - 1));
        }
        match self.miso {
            MisoFault::Connected => {}
            MisoFault::Stuck(byte) => return Ok(byte),
            MisoFault::Random => return Ok(chip.rng.bus.below(0x100) as u8),
        }
        let flipped_at_random = faults.spi_bit_error > 0.0 && chip.rng.bus.chance(faults.spi_bit_error);
        let flipped_by_request = match &mut self.flip_in {
            Some(0) => true,
            Some(n) => {
                *n -= 1;
                false
            }
            None => false,
        };
        if flipped_at_random || flipped_by_request {
            self.flip_in = None;
            chip.taint();
            let bit = 1 << chip.rng.bus.below(8);
            return Ok(if chip.rng.bus.chance(0.5) {
                self.process(model, mosi ^ bit)
            } else {
                self.process(model, mosi) ^ bit
            });
        }
        Ok(self.process(model, mosi))
    }

    fn process(&mut self, model: &mut Model, mosi: u8) -> u8 {
        model.chip.instruction.push(mosi);
        match self.phase {
            Phase::ReadMemory => self.read_memory(&mut model.chip),
            Phase::WriteMemory => {
                self.write_memory(&mut model.chip, mosi);
                0
            }
            Phase::Deselected => 0xff,
            Phase::Over => 0,
            Phase::Opcode => {
                self.phase = if model.chip.power.is_held_in_reset() {
                    Phase::Over
                } else {
                    self.decode(model, mosi)
                };
                0
            }
            Phase::Dummy(addr) => {
                self.phase = Phase::ReadSlow(addr);
                0
            }
            Phase::ReadSlow(addr) => {
                self.phase = Phase::Over;
                self.slow_read = true;
                self.read_slow(model, addr)
            }
            Phase::Read(addr) => read_fast(model, addr),
            Phase::Write(mode, addr) => {
                self.phase = Phase::Over;
                model.write_fast(mode, addr, mosi);
                0
            }
            Phase::WriteSlow(mode, addr) => {
                self.phase = Phase::Over;
                self.slow_write = Some((mode, addr, mosi));
                0
            }
        }
    }

    fn decode(&mut self, model: &mut Model, opcode: u8) -> Phase {
        let kind = model.spec(usize::from(opcode & 0x1f)).kind;
        let chip = &mut model.chip;
        if chip.cx.config.sck_hz > MAX_SCK {
            chip.violation(ViolationKind::SckTooFast, format!("{} Hz", chip.cx.config.sck_hz));
        }
        let addr = usize::from(opcode & 0x1f);
        match opcode >> 5 {
            0b000 => {
                self.counters.rcr += 1;
                if addr == 0x1a {
                    chip.violation(ViolationKind::ReservedAddress, "0x1A must not be read");
                }
                if kind.is_slow() {
                    Phase::Dummy(addr)
                } else {
                    Phase::Read(addr)
                }
            }
            0b001 if opcode == 0x3a => {
                self.counters.rbm += 1;
                self.streamed_from = chip.registers.word(ERDPT);
                Phase::ReadMemory
            }
            0b010 => {
                self.counters.wcr += 1;
                write_phase(kind, WriteMode::Whole, addr)
            }
            0b011 if opcode == 0x7a => {
                self.counters.wbm += 1;
                self.streamed_from = chip.registers.word(EWRPT);
                Phase::WriteMemory
            }
            0b100 => {
                self.counters.bfs += 1;
                write_phase(kind, WriteMode::Set, addr)
            }
            0b101 => {
                self.counters.bfc += 1;
                write_phase(kind, WriteMode::Clear, addr)
            }
            0b111 if opcode == 0xff => {
                self.counters.src += 1;
                model.reset_instruction();
                Phase::Over
            }
            _ => {
                chip.violation(ViolationKind::BadInstruction, "no such instruction");
                Phase::Over
            }
        }
    }

    fn read_slow(&mut self, model: &mut Model, addr: usize) -> u8 {
        if !model.chip.check_ready(model.spec(addr).kind) {
            return 0;
        }
        let reg = model.reg(addr);
        if model.phy.is_busy() && (reg == MIRD || reg.bank == MIRD.bank && addr == MIRD.addr + 1) {
            model
                .chip
                .violation(ViolationKind::MiiBusy, "the MII operation has not ended");
        }
        let value = model.value(model.bank(), addr);
        let corrupted = core::mem::take(&mut self.corrupt_next);
        if corrupted || model.mac_access_fails() {
            return value ^ (1 + model.chip.rng.mac.below(0xff) as u8);
        }
        value
    }

    fn read_memory(&mut self, chip: &mut Chip) -> u8 {
        let address = chip.registers.word(ERDPT);
        self.streamed = self.streamed.saturating_add(1);
        self.counters.rbm_bytes += 1;
        if chip.registers.has(ECON2, econ2::AUTOINC) {
            let fifo = chip.fifo();
            let after = if address == fifo.end { fifo.start } else { next(address) };
            chip.registers.set_word(ERDPT, after);
        }
        chip.ram.peek(address)
    }

    fn write_memory(&mut self, chip: &mut Chip, value: u8) {
        let address = chip.registers.word(EWRPT);
        self.streamed = self.streamed.saturating_add(1);
        self.counters.wbm_bytes += 1;
        if !self.reported {
            self.check_memory_write(chip, address);
        }
        chip.ram.poke(address, value);
        if chip.registers.has(ECON2, econ2::AUTOINC) {
            chip.registers.set_word(EWRPT, next(address));
        }
    }

    fn check_memory_write(&mut self, chip: &mut Chip, address: u16) {
        let (start, end) = (chip.registers.word(ETXST), chip.registers.word(ETXND));
        let slot = offset(end.wrapping_sub(start), 7);
        if chip.is_transmitting() && offset(address.wrapping_sub(start), 0) <= slot {
            self.reported = true;
            chip.violation(
                ViolationKind::TxChanged,
                format!("{address:#06x} belongs to the frame that is going out"),
            );
        }
        if chip.is_receive_enabled() && chip.fifo().contains(address) {
            self.reported = true;
            chip.violation(
                ViolationKind::FifoWritten,
                format!("{address:#06x} is in the receive FIFO"),
            );
        }
    }

    /// Records which packets the host read from the FIFO, and a violation where it read beyond
    /// them.
    fn check_stream(&self, model: &mut Model, phase: Phase) {
        let chip = &mut model.chip;
        let fifo = chip.fifo();
        let (from, count) = (self.streamed_from, self.streamed);
        if phase != Phase::ReadMemory || count == 0 || !fifo.contains(from) || !chip.is_receive_enabled() {
            return;
        }
        model.rx.note_read(fifo, from, count);
        let last = fifo.offset(from, count - 1);
        let write = model.rx.write_pointer;
        if !fifo.contains(write) {
            return;
        }
        let free = fifo.free(write, chip.registers.word(ERXRDPT));
        if [from, last].iter().any(|address| fifo.distance(write, *address) < free) {
            let visible = chip.registers.word(ERXWRPT);
            chip.violation(
                ViolationKind::ReadAhead,
                format!("read {count} bytes from {from:#06x}; received data ends before {visible:#06x}"),
            );
        }
    }
}

/// What follows the opcode of a write.
const fn write_phase(kind: Kind, mode: WriteMode, addr: usize) -> Phase {
    if kind.is_slow() {
        Phase::WriteSlow(mode, addr)
    } else {
        Phase::Write(mode, addr)
    }
}

fn read_fast(model: &mut Model, addr: usize) -> u8 {
    let value = model.value(model.bank(), addr);
    match model.reg(addr) {
        ECON1 => model.chip.txrts_read = Some(value & econ1::TXRTS != 0),
        // The host knows that the transmission has ended.
        EIR if value & (eir::TXIF | eir::TXERIF) != 0 => model.chip.txrts_read = None,
        _ => {}
    }
    let errata = model.chip.cx.config.errata;
    let probability = errata.probabilities.packet_flag;
    if model.reg(addr) == EIR && errata.e6_packet_flag && model.chip.rng.packet_flag.chance(probability) {
        return value ^ eir::PKTIF;
    }
    value
}
