//! The chip's bus by a PIO state machine: it moves the bits and watches the data line, the processor feeds it word by word.

use core::fmt;

use cortex_m::asm;
use embassy_rp::Peri;
use embassy_rp::clocks::clk_sys_freq;
use embassy_rp::gpio::{Drive, Level, Output, Pull, SlewRate};
use embassy_rp::pio::program::pio_asm;
use embassy_rp::pio::{
    Common, Config, Direction, Instance, IrqFlags, Pin, PioPin, ShiftConfig, ShiftDirection, StateMachine, StatusSource,
};
use ethdev_cyw43::{Gspi, Incoming, Outgoing};

/// The flag that the state machine raises while the data line is high and nothing is to be sent.
pub const LINE_IS_HIGH: u8 = 0;
/// The state machine's clock: two of its cycles are one bit. Above 75 MHz another program would have to sample later.
const DIVIDER: u8 = 2;
/// How often a FIFO is looked at in vain, which is some milliseconds: a word takes a microsecond.
const PATIENCE: u32 = 100_000;
/// From the end of a transaction until the data line shows the interrupt: 100 ns and the state machine's look, with ample margin.
const SETTLING_CYCLES: u32 = 64;

/// The state machine stopped: a FIFO does not move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stuck;

impl fmt::Display for Stuck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the PIO state machine stopped")
    }
}

/// The bus: DATA and CLK are the state machine's, chip select is driven by the processor.
pub struct PioBus<'d, PIO: Instance, const SM: usize> {
    machine: StateMachine<'d, PIO, SM>,
    config: Config<'d, PIO>,
    flags: IrqFlags<'d, PIO>,
    select: Output<'d>,
    data: Pin<'d, PIO>,
}

impl<'d, PIO: Instance, const SM: usize> PioBus<'d, PIO, SM> {
    /// Loads the program and starts it.
    pub fn new(
        common: &mut Common<'d, PIO>,
        mut machine: StateMachine<'d, PIO, SM>,
        flags: IrqFlags<'d, PIO>,
        select: Output<'d>,
        data: Peri<'d, impl PioPin + 'd>,
        clock: Peri<'d, impl PioPin + 'd>,
    ) -> Self {
        // Bits go out while the clock is low and are taken by the chip as it rises. The order and the edges are those of the programs in pico-sdk (BSD-3-Clause) and
        // cyw43-pio (MIT OR Apache-2.0) for a slow clock.
        let program = pio_asm!(
            ".side_set 1",
            ".wrap_target",
            "idle:",
            // All ones while nothing is to be sent.
            "mov y, status      side 0",
            "jmp !y transfer    side 0",
            "jmp pin high       side 0",
            "jmp idle           side 0",
            "high:",
            "irq nowait 0       side 0",
            "jmp idle           side 0",
            "transfer:",
            // Bits to send and to receive, less one.
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

    /// How fast it is, in Hz.
    #[must_use]
    pub fn bits_per_second() -> u32 {
        clk_sys_freq() / u32::from(DIVIDER) / 2
    }

    fn push(&mut self, word: u32) -> Result<(), Stuck> {
        for _ in 0..PATIENCE {
            if self.machine.tx().try_push(word) {
                return Ok(());
            }
        }
        Err(Stuck)
    }

    fn pull(&mut self) -> Result<u32, Stuck> {
        for _ in 0..PATIENCE {
            if let Some(word) = self.machine.rx().try_pull() {
                return Ok(word);
            }
        }
        Err(Stuck)
    }

    /// Announces a transaction of so many words each way.
    fn begin(&mut self, out: usize, back: usize) -> Result<(), Stuck> {
        self.select.set_low();
        // No transaction has more than 2048 bytes.
        let bits = |words: usize| (words as u32 * 32).wrapping_sub(1);
        self.push(bits(out))?;
        self.push(bits(back))
    }

    fn end<T>(&mut self, result: Result<T, Stuck>) -> Result<T, Stuck> {
        self.select.set_high();
        if result.is_err() {
            // Nothing of it is to be taken for a part of the next one: the program begins anew, with empty FIFOs.
            self.machine.set_enable(false);
            self.machine.clear_fifos();
            self.machine.restart();
            self.machine.set_config(&self.config);
            self.machine.set_enable(true);
        }
        result
    }

    fn exchange_out(&mut self, command: u32, data: &mut Outgoing<'_>) -> Result<u32, Stuck> {
        self.begin(1 + data.words_left(), 1)?;
        self.push(command)?;
        for word in data {
            self.push(word)?;
        }
        self.pull()
    }

    fn exchange_in(&mut self, command: u32, data: &mut Incoming<'_>) -> Result<u32, Stuck> {
        let words = data.words_left();
        self.begin(1, words + 1)?;
        self.push(command)?;
        for _ in 0..words {
            // The clock stands still while the FIFO is full.
            let word = self.pull()?;
            data.push(word);
        }
        self.pull()
    }
}

impl<PIO: Instance, const SM: usize> Gspi for PioBus<'_, PIO, SM> {
    type Error = Stuck;

    fn write(&mut self, command: u32, data: &mut Outgoing<'_>) -> Result<u32, Stuck> {
        let result = self.exchange_out(command, data);
        self.end(result)
    }

    fn read(&mut self, command: u32, data: &mut Incoming<'_>) -> Result<u32, Stuck> {
        let result = self.exchange_in(command, data);
        self.end(result)
    }

    fn set_strap(&mut self, low: bool) -> Result<(), Stuck> {
        let direction = if low { Direction::Out } else { Direction::In };
        self.machine.set_pins(Level::Low, &[&self.data]);
        self.machine.set_pin_dirs(direction, &[&self.data]);
        Ok(())
    }

    fn interrupt(&mut self) -> Result<Option<bool>, Stuck> {
        // The flag is raised again at once, where the line still is.
        self.flags.clear(LINE_IS_HIGH.into());
        asm::delay(SETTLING_CYCLES);
        Ok(Some(self.flags.check(LINE_IS_HIGH)))
    }
}
