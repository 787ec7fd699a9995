//! The bus of the chip on a PIO state machine, which transfers the bits and samples the interrupt
//! on the data line. The processor transfers the words.

use core::fmt;

use cortex_m::asm;
use embassy_rp::Peri;
use embassy_rp::clocks::clk_sys_freq;
use embassy_rp::gpio::{Drive, Level, Output, Pull, SlewRate};
use embassy_rp::pio::program::pio_asm;
use embassy_rp::pio::{
    Common, Config, Direction, Instance, IrqFlags, Pin, PioPin, ShiftConfig, ShiftDirection, StateMachine, StatusSource,
};
use ethdev_cyw43::{Gspi, RxWords, TxWords};

/// The flag that the state machine sets while the bus is idle and the data line is high.
pub const LINE_IS_HIGH: u8 = 0;
/// The clock divider of the state machine, which takes two cycles per bit. Above 75 MHz the program
/// would have to sample later.
const DIVIDER: u8 = 2;
/// Limit of polls of a FIFO, some milliseconds: a word takes 1 µs.
const MAX_POLLS: u32 = 100_000;
/// Time from the end of a transaction until the flag shows the interrupt: 100 ns and the loop of
/// the state machine, with margin.
const SETTLING_CYCLES: u32 = 64;

/// The state machine stopped: a FIFO stays full or empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PioStopped;

impl fmt::Display for PioStopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PIO state machine stopped")
    }
}

/// The bus. The state machine drives DATA and CLK, the processor chip select.
pub struct PioBus<'d, PIO: Instance, const SM: usize> {
    machine: StateMachine<'d, PIO, SM>,
    config: Config<'d, PIO>,
    flags: IrqFlags<'d, PIO>,
    select: Output<'d>,
    data: Pin<'d, PIO>,
}

impl<'d, PIO: Instance, const SM: usize> PioBus<'d, PIO, SM> {
    /// Loads and starts the program.
    pub fn new(
        common: &mut Common<'d, PIO>,
        mut machine: StateMachine<'d, PIO, SM>,
        flags: IrqFlags<'d, PIO>,
        select: Output<'d>,
        data: Peri<'d, impl PioPin + 'd>,
        clock: Peri<'d, impl PioPin + 'd>,
    ) -> Self {
        // Bits change while the clock is low, and the chip samples them at the rising edge. The order and
        // the edges are those of the programs in pico-sdk (BSD-3-Clause) and cyw43-pio (MIT OR
        // Apache-2.0) for a slow clock.
        let program = pio_asm!(
            ".side_set 1",
            ".wrap_target",
            "idle:",
            // All ones while the TX FIFO is empty.
            "mov y, status      side 0",
            "jmp !y transfer    side 0",
            "jmp pin high       side 0",
            "jmp idle           side 0",
            "high:",
            "irq nowait 0       side 0",
            "jmp idle           side 0",
            "transfer:",
            // Number of bits to send and to receive, minus one.
            "out x, 32          side 0",
            "out y, 32          side 0",
            "set pindirs, 1     side 0",
            "send:",
            "out pins, 1        side 0",
            "jmp x-- send       side 1",
            "set pindirs, 0     side 0",
            "nop                side 0",
            "receive:",
            "in pins, 1         side 1",
            "jmp y-- receive    side 0",
            ".wrap",
        );
        let program = common.load_program(&program.program);
        let mut data = common.make_pio_pin(data);
        data.set_pull(Pull::None);
        data.set_schmitt(true);
        data.set_input_sync_bypass(true);
        data.set_drive_strength(Drive::_12mA);
        data.set_slew_rate(SlewRate::Fast);
        let mut clock = common.make_pio_pin(clock);
        clock.set_drive_strength(Drive::_12mA);
        clock.set_slew_rate(SlewRate::Fast);

        let words = || ShiftConfig {
            direction: ShiftDirection::Left,
            auto_fill: true,
            threshold: 32,
        };
        let mut config = Config::default();
        config.use_program(&program, &[&clock]);
        config.set_out_pins(&[&data]);
        config.set_in_pins(&[&data]);
        config.set_set_pins(&[&data]);
        config.set_jmp_pin(&data);
        config.shift_out = words();
        config.shift_in = words();
        config.status_sel = StatusSource::TxFifoLevel;
        config.status_n = 1;
        config.clock_divider = DIVIDER.into();
        machine.set_config(&config);
        machine.set_pin_dirs(Direction::Out, &[&clock, &data]);
        machine.set_pins(Level::Low, &[&clock, &data]);
        machine.set_enable(true);
        Self {
            machine,
            config,
            flags,
            select,
            data,
        }
    }

    /// Returns the bit rate in bit/s.
    #[must_use]
    pub fn bits_per_second() -> u32 {
        clk_sys_freq() / u32::from(DIVIDER) / 2
    }

    fn push(&mut self, word: u32) -> Result<(), PioStopped> {
        for _ in 0..MAX_POLLS {
            if self.machine.tx().try_push(word) {
                return Ok(());
            }
        }
        Err(PioStopped)
    }

    fn pull(&mut self) -> Result<u32, PioStopped> {
        for _ in 0..MAX_POLLS {
            if let Some(word) = self.machine.rx().try_pull() {
                return Ok(word);
            }
        }
        Err(PioStopped)
    }

    /// Begins a transaction with this number of words to send and to receive.
    fn begin(&mut self, tx: usize, rx: usize) -> Result<(), PioStopped> {
        self.select.set_low();
        // A transaction has at most 2048 bytes.
        let bits = |words: usize| (words as u32 * 32).wrapping_sub(1);
        self.push(bits(tx))?;
        self.push(bits(rx))
    }

    fn end<T>(&mut self, result: Result<T, PioStopped>) -> Result<T, PioStopped> {
        self.select.set_high();
        if result.is_err() {
            // The program restarts with empty FIFOs, so that no word of this transaction is used in
            // the next.
            self.machine.set_enable(false);
            self.machine.clear_fifos();
            self.machine.restart();
            self.machine.set_config(&self.config);
            self.machine.set_enable(true);
        }
        result
    }

    fn send(&mut self, command: u32, data: &mut TxWords<'_>) -> Result<u32, PioStopped> {
        self.begin(1 + data.words_left(), 1)?;
        self.push(command)?;
        for word in data {
            self.push(word)?;
        }
        self.pull()
    }

    fn receive(&mut self, command: u32, data: &mut RxWords<'_>) -> Result<u32, PioStopped> {
        let words = data.words_left();
        self.begin(1, words + 1)?;
        self.push(command)?;
        for _ in 0..words {
            // The clock stops while the FIFO is full.
            let word = self.pull()?;
            data.push(word);
        }
        self.pull()
    }
}

impl<PIO: Instance, const SM: usize> Gspi for PioBus<'_, PIO, SM> {
    type Error = PioStopped;

    fn write(&mut self, command: u32, data: &mut TxWords<'_>) -> Result<u32, PioStopped> {
        let result = self.send(command, data);
        self.end(result)
    }

    fn read(&mut self, command: u32, data: &mut RxWords<'_>) -> Result<u32, PioStopped> {
        let result = self.receive(command, data);
        self.end(result)
    }

    fn set_strap(&mut self, low: bool) -> Result<(), PioStopped> {
        let direction = if low { Direction::Out } else { Direction::In };
        self.machine.set_pins(Level::Low, &[&self.data]);
        self.machine.set_pin_dirs(direction, &[&self.data]);
        Ok(())
    }

    fn interrupt(&mut self) -> Result<Option<bool>, PioStopped> {
        // The state machine sets the flag again if the line is still high.
        self.flags.clear(LINE_IS_HIGH.into());
        asm::delay(SETTLING_CYCLES);
        Ok(Some(self.flags.check(LINE_IS_HIGH)))
    }
}
