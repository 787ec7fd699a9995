//! Transactions on the bus, word by word.

use core::time::Duration;

use super::command::{Command, Function, Order, to_bytes, to_words};
use super::hardware::Model;
use super::{DataLine, Fault, Transaction, ViolationKind};

/// The fastest clock of the bus in Hz.
const MAX_HZ: u32 = 50_000_000;

/// Where a transaction stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Phase {
    /// Chip select is high.
    #[default]
    Idle,
    /// The command is due.
    Command,
    /// Words of the host's data are due.
    Write(Command),
    /// The host reads words of data.
    Read(Command),
    /// The status word, and nothing after it.
    Status,
    /// What comes now is too much.
    Over,
}

/// The bus's side of the chip.
#[derive(Debug, Default)]
pub(super) struct Gspi {
    phase: Phase,
    order: Option<Order>,
    selected_at: Duration,
    /// What the host sent, in the order of the bus.
    seen: Vec<u32>,
    /// The host's data, as values.
    written: Vec<u32>,
    /// Padding and data for the host, as values; and how many of them it has.
    reply: Option<Vec<u32>>,
    read: usize,
    command: Option<Command>,
    /// Words clocked in this transaction.
    words: u64,
    /// This transaction shows an invalid status.
    invalid_status: bool,
    /// This transaction's data are shifted by a bit.
    garbled: bool,
    /// What was reported of this transaction.
    pub(super) reported: Vec<ViolationKind>,
    /// How many of the next transactions show an invalid status.
    invalid_burst: u32,
}

impl Gspi {
    pub(super) fn is_selected(&self) -> bool {
        self.phase != Phase::Idle
    }

    /// Whether the next word goes from the host to the chip.
    pub(super) fn host_speaks(&self) -> bool {
        matches!(self.phase, Phase::Command | Phase::Write(_))
    }

    /// Nothing that was sent so far counts any more.
    pub(super) fn cut(&mut self) {
        if self.is_selected() {
            self.phase = Phase::Over;
        }
        self.written.clear();
        self.reply = None;
    }

    /// What the host sent, and what that means.
    pub(super) fn describe(&self) -> (Vec<u32>, String) {
        let words: Vec<u32> = self.seen.iter().take(8).copied().collect();
        let decoded = match self.command {
            Some(command) => command.to_string(),
            None if self.is_selected() => String::from("no command yet"),
            None => String::from("no transaction"),
        };
        (words, decoded)
    }

    fn order(&self) -> Order {
        self.order.unwrap_or(Order::Halves)
    }
}

impl Model {
    /// How long a word takes on the bus.
    pub(super) fn word_time(&self) -> Duration {
        Duration::from_nanos(32_000_000_000 / u64::from(self.config.bus_hz))
    }

    pub(super) fn is_selected(&self) -> bool {
        self.gspi.is_selected()
    }

    pub(super) fn reentered(&mut self) {
        self.violation(ViolationKind::BusReentered, "chip select is low already");
    }

    /// Whether the chip hears and says anything.
    fn is_connected(&self) -> bool {
        self.power.is_ready() && self.data_line == DataLine::Connected
    }

    /// Chip select falls.
    pub(super) fn select(&mut self) {
        let burst = self.gspi.invalid_burst;
        self.gspi = Gspi {
            phase: Phase::Command,
            order: Some(self.registers.order()),
            selected_at: self.clock.now(),
            invalid_burst: burst,
            ..Gspi::default()
        };
    }

    /// A word of the host's, as it lies on the bus.
    pub(super) fn shift_out(&mut self, word: u32) {
        self.count_word();
        if self.gspi.seen.len() < 8 {
            self.gspi.seen.push(word);
        }
        if !self.power.is_on() {
            self.violation(ViolationKind::BusWithoutPower, "WL_REG_ON is low");
        }
        let value = self.gspi.order().swap(word);
        match self.gspi.phase {
            Phase::Idle => {}
            Phase::Command => self.begin(Command::decode(value)),
            Phase::Write(command) => {
                self.gspi.written.push(value);
                if self.gspi.written.len() == command.words() {
                    self.gspi.phase = Phase::Status;
                    let written = core::mem::take(&mut self.gspi.written);
                    if self.is_connected() {
                        self.write(command, &to_bytes(&written, command.len));
                    }
                }
            }
            Phase::Read(_) | Phase::Status | Phase::Over => {
                self.gspi.phase = Phase::Over;
                self.violation(ViolationKind::WordCount, "the host wrote more words than it announced");
            }
        }
    }

    fn begin(&mut self, command: Command) {
        self.gspi.command = Some(command);
        self.bus.transactions += 1;
        let by_function = if command.write {
            &mut self.bus.writes
        } else {
            &mut self.bus.reads
        };
        by_function[command.function.index()] += 1;
        // The command itself was clocked before anybody knew what it is.
        self.count_bytes(command, 4);
        self.gspi.phase = if command.write {
            Phase::Write(command)
        } else {
            Phase::Read(command)
        };
        if !self.is_connected() {
            return;
        }
        self.draw_faults(command);
        if self.config.bus_hz > MAX_HZ {
            self.violation(ViolationKind::ClockTooFast, format!("{} Hz", self.config.bus_hz));
        }
        let full = command.function == Function::Bus && command.len == 4;
        if self.gspi.order() == Order::Halves && !full && self.gspi.garbled_free() {
            self.violation(
                ViolationKind::WrongWordMode,
                "in 16-bit mode only bus registers are accessed, by 4 bytes",
            );
        }
    }

    fn draw_faults(&mut self, command: Command) {
        if !command.write && self.power.garbage > 0 {
            self.power.garbage -= 1;
            self.gspi.garbled = true;
        }
        if let Some(burst) = self.take_fault(|fault| match fault {
            Fault::InvalidStatus(count) => Some(*count),
            _ => None,
        }) {
            self.gspi.invalid_burst += burst;
        }
        let odds = self.config.faults.invalid_status;
        if self.gspi.invalid_burst > 0 {
            self.gspi.invalid_burst -= 1;
            self.gspi.invalid_status = true;
        } else if odds > 0.0 && self.rng.status.chance(odds) {
            self.gspi.invalid_status = true;
        }
    }

    /// A word for the host, as it lies on the bus.
    pub(super) fn shift_in(&mut self) -> u32 {
        self.count_word();
        match self.data_line {
            DataLine::Connected => {}
            DataLine::Stuck(word) => return word,
            DataLine::Random => return self.rng.noise_word(),
        }
        if !self.power.is_ready() {
            return 0;
        }
        let value = self.next_value();
        self.gspi.order().swap(value)
    }

    /// The status word, as it lies on the bus; whatever is there where the chip sends none.
    pub(super) fn shift_status(&mut self) -> u32 {
        if self.is_connected() && !self.registers.status_enabled() {
            return 0;
        }
        self.shift_in()
    }

    fn next_value(&mut self) -> u32 {
        match self.gspi.phase {
            Phase::Read(command) => {
                if self.gspi.reply.is_none() {
                    let reply = self.prepare(command);
                    self.gspi.reply = Some(reply);
                }
                let reply = self.gspi.reply.as_deref().unwrap_or_default();
                let value = reply.get(self.gspi.read).copied().unwrap_or(0);
                let total = reply.len();
                self.gspi.read += 1;
                if self.gspi.read >= total {
                    self.gspi.phase = Phase::Status;
                    self.read_done(command);
                }
                value
            }
            Phase::Status if self.registers.status_enabled() => {
                self.gspi.phase = Phase::Over;
                if self.gspi.invalid_status {
                    0xffff_ffff
                } else {
                    self.status()
                }
            }
            Phase::Write(_) | Phase::Command => {
                self.gspi.phase = Phase::Over;
                self.violation(ViolationKind::WordCount, "the host wrote fewer words than it announced");
                0
            }
            Phase::Status | Phase::Over => {
                self.gspi.phase = Phase::Over;
                self.violation(ViolationKind::WordCount, "the host read more words than there are");
                0
            }
            Phase::Idle => 0,
        }
    }

    /// Padding and data of a read.
    fn prepare(&mut self, command: Command) -> Vec<u32> {
        let pad = self.registers.response_delay(command.function) / 4;
        let data = self.read(command);
        let mut words = vec![0; pad];
        words.extend(to_words(&data));
        words.resize(pad + command.words(), 0);
        if self.gspi.invalid_status && command.function == Function::Bus && command.address == 0x08 {
            words.fill(0xffff_ffff);
        }
        if self.gspi.garbled {
            for word in &mut words {
                *word = self.gspi.order().swap(self.gspi.order().swap(*word) >> 1);
            }
        }
        self.flip_bit(&mut words);
        words
    }

    fn flip_bit(&mut self, words: &mut [u32]) {
        let bits = words.len() * 32;
        let asked = self.take_fault(|fault| match fault {
            Fault::ReadBit(bit) => Some(*bit as usize),
            _ => None,
        });
        let odds = self.config.faults.read_bit_error;
        let random = odds > 0.0 && self.rng.bits.chance(odds);
        let bit = match asked {
            Some(bit) => bit % bits,
            None if random => self.rng.bits.below(bits),
            None => return,
        };
        self.taint();
        let order = self.gspi.order();
        let word = &mut words[bit / 32];
        *word = order.swap(order.swap(*word) ^ 0x8000_0000 >> (bit % 32));
    }

    /// Chip select rises.
    pub(super) fn deselect(&mut self) {
        if !self.gspi.is_selected() {
            return;
        }
        self.bus.selected += self.clock.now() - self.gspi.selected_at;
        let phase = self.gspi.phase;
        let cut = match phase {
            Phase::Write(_) => true,
            Phase::Read(command) => {
                if self.is_connected() {
                    self.read_cut_off(command);
                }
                true
            }
            Phase::Command => self.gspi.words > 0,
            Phase::Idle | Phase::Status | Phase::Over => false,
        };
        if cut && self.is_connected() {
            self.violation(
                ViolationKind::CutOff,
                format!("chip select rose after {} words", self.gspi.words),
            );
            if matches!(phase, Phase::Write(command) if command.function == Function::Wlan) {
                self.stats.tx_malformed += 1;
            }
        }
        if let (Some(trace), Some(command)) = (&mut self.trace, self.gspi.command) {
            trace.push(Transaction {
                at: self.gspi.selected_at,
                write: command.write,
                function: command.function.index() as u8,
                address: command.address,
                len: command.len,
                words: self.gspi.words,
            });
        }
        self.gspi.phase = Phase::Idle;
        self.gspi.command = None;
        self.gspi.seen.clear();
    }

    /// A bit more or less than a word: chip select rose, or the line was turned, in the middle of it.
    pub(super) fn partial_word(&mut self, bits: u32) {
        self.violation(ViolationKind::CutOff, format!("{bits} bits of a word"));
    }

    fn count_word(&mut self) {
        self.gspi.words += 1;
        if let Some(command) = self.gspi.command {
            self.count_bytes(command, 4);
        }
    }

    fn count_bytes(&mut self, command: Command, bytes: u64) {
        self.bus.bytes += bytes;
        let by_function = if command.write {
            &mut self.bus.write_bytes
        } else {
            &mut self.bus.read_bytes
        };
        by_function[command.function.index()] += bytes;
    }
}

impl Gspi {
    /// Whether this transaction is none of those that read garbage after power-up.
    fn garbled_free(&self) -> bool {
        !self.garbled
    }
}
