//! The bus bit by bit.

use core::convert::Infallible;

use cyw43439_model::{ChipConfig, Cyw43Chip, Pins, ViolationKind};
use embedded_hal::digital::{InputPin, OutputPin};
use ethdev_sim::{Clock, Wire, WireConfig};

use crate::host::{command, ms};

/// A host without any hardware for the bus.
struct BitBang {
    pins: Pins,
    chip: Cyw43Chip,
    clock: Clock,
    /// Whether it samples while the clock is high, which is too late in high-speed mode.
    late: bool,
}

impl BitBang {
    fn off() -> Self {
        let clock = Clock::new();
        let (_, port, _) = Wire::new(&clock, WireConfig::default());
        let chip = Cyw43Chip::new(&clock, port, ChipConfig::default().with_power_up(ms(50), 0));
        Self {
            pins: chip.pins(),
            chip,
            clock,
            late: false,
        }
    }

    fn on() -> Self {
        let mut host = Self::off();
        host.pins.data.set_as_output();
        host.pins.data.set_low().unwrap();
        host.pins.power.set_high().unwrap();
        host.clock.advance(ms(1));
        host.pins.data.set_as_input();
        host.clock.advance(ms(50));
        host
    }

    fn out(&mut self, word: u32) -> Result<(), Infallible> {
        for bit in (0..32).rev() {
            self.pins.clock.set_low()?;
            if word >> bit & 1 == 1 {
                self.pins.data.set_high()?;
            } else {
                self.pins.data.set_low()?;
            }
            self.pins.clock.set_high()?;
        }
        self.pins.clock.set_low()
    }

    fn word(&mut self) -> Result<u32, Infallible> {
        let mut word = 0;
        for _ in 0..32 {
            let early = self.pins.data.is_high()?;
            self.pins.clock.set_high()?;
            let late = self.pins.data.is_high()?;
            self.pins.clock.set_low()?;
            word = word << 1 | u32::from(if self.late { late } else { early });
        }
        Ok(word)
    }

    fn transaction<const N: usize>(&mut self, out: &[u32]) -> [u32; N] {
        let mut run = || {
            self.pins.data.set_as_output();
            self.pins.select.set_low()?;
            for word in out {
                self.out(*word)?;
            }
            self.pins.data.set_as_input();
            let mut words = [0; N];
            for word in &mut words {
                *word = self.word()?;
            }
            self.pins.select.set_high()?;
            Ok::<_, Infallible>(words)
        };
        let Ok(words) = run();
        words
    }
}

#[test]
fn pins_transfer_transaction_bit_by_bit() {
    let mut host = BitBang::on();
    let [test, status] = host.transaction(&[command(false, 0, 0x14, 4).rotate_left(16)]);
    assert_eq!((test, status), (0xbead_feed, 0));
    let config = [command(true, 0, 0x00, 4), 0x0003_04b1].map(|word| word.rotate_left(16));
    let [_] = host.transaction(&config);
    let [_] = host.transaction(&[command(true, 0, 0x1d, 1), 4]);
    let [_] = host.transaction(&[command(true, 1, 0x1_000e, 1), 0x08]);
    let [_] = host.transaction(&[command(true, 1, 0x1_000c, 1), 0x18]);
    host.clock.advance(ms(1));
    let [_, id, _] = host.transaction(&[command(false, 1, 0, 2)]);
    assert_eq!(id, 0xa9af);
    assert_eq!(host.chip.violations(), []);
    assert_eq!(host.chip.bus().transactions, 6);
}

/// The same at both speeds, where the host samples before it raises the clock.
#[test]
fn pins_late_sample_depends_on_speed() {
    for (control, late, right) in [
        (0xb1_u32, false, true),
        (0xb1, true, false),
        (0xa1, false, true),
        (0xa1, true, true),
    ] {
        let mut host = BitBang::on();
        let config = [command(true, 0, 0x00, 4), 0x0003_0400 | control].map(|word| word.rotate_left(16));
        let [_] = host.transaction(&config);
        host.late = late;
        let [test, _] = host.transaction(&[command(false, 0, 0x14, 4)]);
        assert_eq!(test == 0xfeed_bead, right, "{control:#x}, late: {late}");
        assert_eq!(host.chip.violations(), []);
    }
}

/// Pins and words are two APIs of one bus.
#[test]
fn pins_and_word_bus_read_same_words() {
    let mut host = BitBang::on();
    let (clock, other) = {
        let clock = Clock::new();
        let (_, port, _) = Wire::new(&clock, WireConfig::default());
        (
            clock.clone(),
            Cyw43Chip::new(&clock, port, ChipConfig::default().with_power_up(ms(50), 0)),
        )
    };
    other.power_pin().set_high().unwrap();
    clock.advance(ms(51));
    let mut bus = other.word_bus();
    let config = [command(true, 0, 0x00, 4), 0x0003_04b1].map(|word| word.rotate_left(16));
    let writes: [&[u32]; 5] = [
        &config,
        &[command(true, 0, 0x1d, 1), 4],
        &[command(true, 0, 0x18, 4), 0x1234_5678],
        &[command(true, 1, 0x1_000e, 1), 0x08],
        &[command(true, 0, 0x14, 4), 1],
    ];
    for words in writes {
        let [by_bits] = host.transaction(words);
        assert_eq!(bus.cmd_write_blocking(words), Ok(by_bits), "{words:08x?}");
        host.clock.advance(ms(1));
        clock.advance(ms(1));
    }
    for address in (0..0x20).step_by(2) {
        let read = command(false, 0, address, 2);
        let [by_bits, status_by_bits] = host.transaction(&[read]);
        let mut by_words = [0];
        let status = bus.cmd_read_blocking(read, &mut by_words);
        assert_eq!((by_words, status), ([by_bits], Ok(status_by_bits)), "{address:#x}");
    }
    let details = |chip: &Cyw43Chip| -> Vec<_> {
        let violations = chip.violations();
        violations
            .into_iter()
            .map(|violation| (violation.kind, violation.decoded, violation.words))
            .collect()
    };
    assert_eq!(details(&host.chip), details(&other));
    assert_eq!(host.chip.bus().read_bytes, other.bus().read_bytes);
}

#[test]
fn power_on_with_strap_high_selects_sdio() {
    let mut host = BitBang::off();
    host.pins.power.set_high().unwrap();
    host.clock.advance(ms(100));
    assert_eq!(host.chip.violations()[0].kind, ViolationKind::StrapNotLow);
    let [test, _] = host.transaction(&[command(false, 0, 0x14, 4).rotate_left(16)]);
    assert_eq!(test, 0, "the chip uses SDIO");
}

#[test]
fn data_line_contention_is_violation() {
    let mut host = BitBang::on();
    host.pins.select.set_low().unwrap();
    host.pins.data.set_as_output();
    host.out(command(false, 0, 0x14, 4).rotate_left(16)).unwrap();
    host.word().unwrap();
    host.pins.select.set_high().unwrap();
    assert_eq!(host.chip.take_violations()[0].kind, ViolationKind::Contention);

    host.pins.data.set_as_input();
    host.pins.select.set_low().unwrap();
    host.out(0).unwrap();
    host.pins.select.set_high().unwrap();
    assert_eq!(host.chip.violations()[0].kind, ViolationKind::Contention);
}

/// State machines check the data line for the interrupt as soon as they have sampled the last bit.
#[test]
fn data_line_read_after_last_bit_is_no_violation() {
    let mut host = BitBang::on();
    let config = [command(true, 0, 0x00, 4), 0x0003_04b1].map(|word| word.rotate_left(16));
    let [_] = host.transaction(&config);
    for (out, words) in [
        (&[command(false, 0, 0x14, 4)][..], 2),
        (&[command(true, 0, 0x18, 4), 0x1234_5678], 1),
    ] {
        let before = host.chip.bus();
        host.pins.data.set_as_output();
        host.pins.select.set_low().unwrap();
        for word in out {
            host.out(*word).unwrap();
        }
        host.pins.data.set_as_input();
        for _ in 0..words {
            host.word().unwrap();
        }
        for _ in 0..3 {
            assert!(host.pins.data.is_low().unwrap());
        }
        host.pins.select.set_high().unwrap();
        assert_eq!(host.chip.violations(), []);
        assert_eq!(host.chip.bus().bytes - before.bytes, 12);
    }
}

#[test]
fn word_after_last_one_is_violation() {
    let mut host = BitBang::on();
    let config = [command(true, 0, 0x00, 4), 0x0003_04b1].map(|word| word.rotate_left(16));
    let [_] = host.transaction(&config);
    let [_, _, _] = host.transaction(&[command(false, 0, 0x14, 4)]);
    assert_eq!(host.chip.violations()[0].kind, ViolationKind::WordCount);
}

#[test]
fn partial_word_is_violation() {
    let mut host = BitBang::on();
    host.pins.data.set_as_output();
    host.pins.select.set_low().unwrap();
    for _ in 0..7 {
        host.pins.clock.set_high().unwrap();
        host.pins.clock.set_low().unwrap();
    }
    host.pins.select.set_high().unwrap();
    assert_eq!(host.chip.violations()[0].kind, ViolationKind::CutOff);
    assert_eq!(host.chip.bus().transactions, 0);
}
