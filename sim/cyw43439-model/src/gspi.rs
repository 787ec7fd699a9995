//! gSPI: transactions on the bus, word by word.

use core::time::Duration;

use crate::chip::Chip;
use crate::command::{Command, Function, Order, to_bytes, to_words};
use crate::error::BusFault;
use crate::faults::{DataLine, Fault};
use crate::model::Model;
use crate::stats::Transaction;
use crate::violations::ViolationKind;

/// The fastest clock of the bus in Hz.
const MAX_HZ: u32 = 50_000_000;

/// The phase of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Phase {
    /// Chip select is high.
    #[default]
    Idle,
    /// The command is next.
    Command,
    /// Data words of the host are next.
    Write(Command),
    /// The host reads data words.
    Read(Command),
    /// The status word is next.
    Status,
    /// Further words are too many.
    Over,
}

/// The bus interface.
#[derive(Debug, Default)]
pub(crate) struct Gspi {
    phase: Phase,
    order: Option<Order>,
    selected_at: Duration,
    /// The data words of the host, as values.
    written: Vec<u32>,
    /// Padding and data words for the host, as values, and how many of them were read.
    reply: Option<Vec<u32>>,
    read: usize,
    /// Words transferred in this transaction.
    words: u64,
    /// This transaction returns an invalid status.
    invalid_status: bool,
    /// The data of this transaction are shifted by a bit.
    shifted: bool,
    /// How many of the next transactions return an invalid status.
    invalid_burst: u32,
    pub(crate) data_line: DataLine,
    /// The bus fails at the transaction after this many.
    pub(crate) fail_in: Option<u64>,
    /// The recorded transactions.
    pub(crate) trace: Option<Vec<Transaction>>,
}

impl Gspi {
    pub(crate) fn is_selected(&self) -> bool {
        self.phase != Phase::Idle
    }

    /// Whether the next word goes from the host to the chip.
    pub(crate) const fn host_sends(&self) -> bool {
        matches!(self.phase, Phase::Command | Phase::Write(_))
    }

    /// Whether all words of the transaction were transferred.
    pub(crate) fn is_complete(&self, chip: &Chip) -> bool {
        match self.phase {
            Phase::Over => true,
            Phase::Status => !chip.registers.status_enabled(),
            _ => false,
        }
    }

    /// Discards the transaction that runs: the power is lost.
    pub(crate) fn abort(&mut self) {
        if self.is_selected() {
            self.phase = Phase::Over;
        }
        self.written.clear();
        self.reply = None;
    }

    fn order(&self) -> Order {
        self.order.unwrap_or(Order::Halves)
    }
}

impl Gspi {
    /// Whether the chip responds to the host.
    fn is_connected(&self, chip: &Chip) -> bool {
        chip.power.is_ready() && self.data_line == DataLine::Connected
    }

    /// Chip select falls.
    pub(crate) fn select(&mut self, chip: &mut Chip) {
        *self = Self {
            phase: Phase::Command,
            order: Some(chip.registers.order()),
            selected_at: chip.cx.now(),
            invalid_burst: self.invalid_burst,
            data_line: self.data_line,
            fail_in: self.fail_in,
            trace: self.trace.take(),
            ..Self::default()
        };
        chip.transcript.select();
    }

    /// Draws whether the host's bus controller fails in the next transaction.
    pub(crate) fn draw_bus_failure(&mut self, chip: &mut Chip) -> Result<(), BusFault> {
        let probability = chip.cx.config.faults.bus_failure;
        let random = probability > 0.0 && chip.rng.bus.chance(probability);
        let injected = match &mut self.fail_in {
            Some(0) => {
                self.fail_in = None;
                true
            }
            Some(n) => {
                *n -= 1;
                false
            }
            None => false,
        };
        if random || injected {
            chip.taint();
            return Err(BusFault::AtTransaction(chip.bus.transactions));
        }
        Ok(())
    }

    /// A word of the host, as it is on the bus.
    pub(crate) fn shift_out(&mut self, model: &mut Model, word: u32) {
        let chip = &mut model.chip;
        self.count_word(chip);
        chip.transcript.push(word);
        if !chip.power.is_on() {
            chip.violation(ViolationKind::BusWithoutPower, "WL_REG_ON is low");
        }
        let value = self.order().swap(word);
        match self.phase {
            Phase::Idle => {}
            Phase::Command => self.begin(chip, Command::decode(value)),
            Phase::Write(command) => {
                self.written.push(value);
                if self.written.len() == command.words() {
                    self.phase = Phase::Status;
                    let written = core::mem::take(&mut self.written);
                    if self.is_connected(chip) {
                        model.write(command, &to_bytes(&written, command.len));
                    }
                }
            }
            Phase::Read(_) | Phase::Status | Phase::Over => {
                self.phase = Phase::Over;
                chip.violation(ViolationKind::WordCount, "the host wrote more words than it announced");
            }
        }
    }

    fn begin(&mut self, chip: &mut Chip, command: Command) {
        chip.transcript.command = Some(command);
        chip.bus.transactions += 1;
        let by_function = if command.write {
            &mut chip.bus.writes
        } else {
            &mut chip.bus.reads
        };
        by_function[command.function.index()] += 1;
        // The command word itself was transferred before it was known.
        count_bytes(chip, command, 4);
        self.phase = if command.write {
            Phase::Write(command)
        } else {
            Phase::Read(command)
        };
        if !self.is_connected(chip) {
            return;
        }
        self.draw_faults(chip, command);
        if chip.cx.config.bus_hz > MAX_HZ {
            chip.violation(ViolationKind::ClockTooFast, format!("{} Hz", chip.cx.config.bus_hz));
        }
        let full = command.function == Function::Bus && command.len == 4;
        if self.order() == Order::Halves && !full && !self.shifted {
            chip.violation(
                ViolationKind::WrongWordMode,
                "in 16-bit mode only bus registers are accessed, by 4 bytes",
            );
        }
    }

    fn draw_faults(&mut self, chip: &mut Chip, command: Command) {
        if !command.write && chip.power.garbage_reads > 0 {
            chip.power.garbage_reads -= 1;
            self.shifted = true;
        }
        if let Some(burst) = chip.take_fault(|fault| match fault {
            Fault::InvalidStatus(count) => Some(*count),
            _ => None,
        }) {
            self.invalid_burst += burst;
        }
        let probability = chip.cx.config.faults.invalid_status;
        if self.invalid_burst > 0 {
            self.invalid_burst -= 1;
            self.invalid_status = true;
        } else if probability > 0.0 && chip.rng.status.chance(probability) {
            self.invalid_status = true;
        }
    }

    /// A word for the host, as it is on the bus.
    pub(crate) fn shift_in(&mut self, model: &mut Model) -> u32 {
        let chip = &mut model.chip;
        self.count_word(chip);
        match self.data_line {
            DataLine::Connected => {}
            DataLine::Stuck(word) => return word,
            DataLine::Random => return chip.rng.noise_word(),
        }
        if !chip.power.is_ready() {
            return 0;
        }
        let value = self.next_value(model);
        self.order().swap(value)
    }

    /// The status word, as it is on the bus; 0 where it is disabled.
    pub(crate) fn shift_status(&mut self, model: &mut Model) -> u32 {
        let chip = &model.chip;
        if self.is_connected(chip) && !chip.registers.status_enabled() {
            return 0;
        }
        self.shift_in(model)
    }

    fn next_value(&mut self, model: &mut Model) -> u32 {
        let chip = &mut model.chip;
        match self.phase {
            Phase::Read(command) => {
                if self.reply.is_none() {
                    let reply = self.prepare(model, command);
                    self.reply = Some(reply);
                }
                let reply = self.reply.as_deref().unwrap_or_default();
                let value = reply.get(self.read).copied().unwrap_or(0);
                let total = reply.len();
                self.read += 1;
                if self.read >= total {
                    self.phase = Phase::Status;
                    model.read_done(command);
                }
                value
            }
            Phase::Status if chip.registers.status_enabled() => {
                self.phase = Phase::Over;
                if self.invalid_status {
                    0xffff_ffff
                } else {
                    model.status()
                }
            }
            Phase::Write(_) | Phase::Command => {
                self.phase = Phase::Over;
                chip.violation(ViolationKind::WordCount, "the host wrote fewer words than it announced");
                0
            }
            Phase::Status | Phase::Over => {
                self.phase = Phase::Over;
                chip.violation(ViolationKind::WordCount, "the host read more words than there are");
                0
            }
            Phase::Idle => 0,
        }
    }

    /// Padding and data of a read.
    fn prepare(&self, model: &mut Model, command: Command) -> Vec<u32> {
        let pad = model.chip.registers.response_delay(command.function) / 4;
        let data = model.read(command);
        let mut words = vec![0; pad];
        words.extend(to_words(&data));
        words.resize(pad + command.words(), 0);
        if self.invalid_status && command.function == Function::Bus && command.address == 0x08 {
            words.fill(0xffff_ffff);
        }
        if self.shifted {
            for word in &mut words {
                *word = self.order().swap(self.order().swap(*word) >> 1);
            }
        }
        self.flip_bit(&mut model.chip, &mut words);
        words
    }

    fn flip_bit(&self, chip: &mut Chip, words: &mut [u32]) {
        let bits = words.len() * 32;
        let asked = chip.take_fault(|fault| match fault {
            Fault::ReadBit(bit) => Some(*bit as usize),
            _ => None,
        });
        let probability = chip.cx.config.faults.read_bit_error;
        let random = probability > 0.0 && chip.rng.bits.chance(probability);
        let bit = match asked {
            Some(bit) => bit % bits,
            None if random => chip.rng.bits.below(bits),
            None => return,
        };
        chip.taint();
        let order = self.order();
        let word = &mut words[bit / 32];
        *word = order.swap(order.swap(*word) ^ 0x8000_0000 >> (bit % 32));
    }

    /// Chip select rises.
    pub(crate) fn deselect(&mut self, model: &mut Model) {
        if !self.is_selected() {
            return;
        }
        model.chip.bus.selected += model.chip.cx.now() - self.selected_at;
        let phase = self.phase;
        let cut = match phase {
            Phase::Write(_) => true,
            Phase::Read(command) => {
                if self.is_connected(&model.chip) {
                    model.read_cut_off(command);
                }
                true
            }
            Phase::Command => self.words > 0,
            Phase::Idle | Phase::Status | Phase::Over => false,
        };
        let chip = &mut model.chip;
        if cut && self.is_connected(chip) {
            chip.violation(
                ViolationKind::CutOff,
                format!("chip select rose after {} words", self.words),
            );
            if matches!(phase, Phase::Write(command) if command.function == Function::Wlan) {
                chip.cx.stats.tx_malformed += 1;
            }
        }
        if let (Some(trace), Some(command)) = (&mut self.trace, chip.transcript.command) {
            trace.push(Transaction {
                at: self.selected_at,
                write: command.write,
                function: command.function.index() as u8,
                address: command.address,
                len: command.len,
                words: self.words,
            });
        }
        self.phase = Phase::Idle;
        chip.transcript.deselect();
    }

    /// Chip select rose in the middle of a word.
    pub(crate) fn partial_word(chip: &mut Chip, bits: u32) {
        chip.violation(ViolationKind::CutOff, format!("{bits} bits of a word"));
    }

    fn count_word(&mut self, chip: &mut Chip) {
        self.words += 1;
        if let Some(command) = chip.transcript.command {
            count_bytes(chip, command, 4);
        }
    }
}

fn count_bytes(chip: &mut Chip, command: Command, bytes: u64) {
    chip.bus.bytes += bytes;
    let by_function = if command.write {
        &mut chip.bus.write_bytes
    } else {
        &mut chip.bus.read_bytes
    };
    by_function[command.function.index()] += bytes;
}
