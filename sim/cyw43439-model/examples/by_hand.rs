//! The chip without a driver, through its gSPI bus: powers it up, sets the bus to 32-bit words,
//! requests a clock, reads the chip identifier through the backplane, and makes a mistake that the
//! model reports.
//!
//! `cargo run -p cyw43439-model --example by_hand`

use std::time::Duration;

use cyw43439_model::{BusFault, ChipConfig, Cyw43Chip, WordBus};
use embedded_hal::digital::OutputPin;
use ethdev_sim::{Clock, Wire, WireConfig};

/// A command word: write, increment the address, function, address, length in bytes.
const fn command(write: bool, function: u32, address: u32, len: u32) -> u32 {
    (write as u32) << 31 | 1 << 30 | function << 28 | address << 11 | len
}

fn write(bus: &mut WordBus, function: u32, address: u32, len: u32, value: u32) -> Result<(), BusFault> {
    bus.cmd_write_blocking(&[command(true, function, address, len), value])?;
    Ok(())
}

/// Reads a register of the backplane (function 1). The chip sends one word of padding first.
fn read_backplane(bus: &mut WordBus, address: u32, len: u32) -> Result<u32, BusFault> {
    let mut words = [0; 2];
    bus.cmd_read_blocking(command(false, 1, address, len), &mut words)?;
    Ok(words[1])
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let clock = Clock::new();
    let (_wire, port, _peer) = Wire::new(&clock, WireConfig::default());
    let chip = Cyw43Chip::new(&clock, port, ChipConfig::default());
    chip.power_pin().set_high()?;
    clock.advance(Duration::from_millis(60));
    let mut bus = chip.word_bus();

    // Words are 16 bits wide at first: halves are swapped. The first read is invalid on some
    // boards.
    let mut word = [0];
    for _ in 0..2 {
        bus.cmd_read_blocking(command(false, 0, 0x14, 4).rotate_left(16), &mut word)?;
    }
    println!("test register {:#010x}, {:?}", word[0].rotate_left(16), chip.boot());
    // 32-bit words, high speed, interrupt polarity, wake-up, status after each transaction.
    let settings = [command(true, 0, 0x00, 4), 0x0003_04b1].map(|word| word.rotate_left(16));
    bus.cmd_write_blocking(&settings)?;
    write(&mut bus, 0, 0x1d, 1, 4)?; // response delay of the backplane: 4 bytes

    // The ALP clock: requested, then available.
    write(&mut bus, 1, 0x1_000e, 1, 0x08)?;
    while read_backplane(&mut bus, 0x1_000e, 1)? & 0x40 == 0 {
        clock.advance(Duration::from_millis(1));
    }
    // The window of the backplane at 0x1800_0000, whose first register identifies the chip.
    for (register, value) in [(0x1_000c, 0x18), (0x1_000b, 0), (0x1_000a, 0)] {
        write(&mut bus, 1, register, 1, value)?;
    }
    println!("chip {}", read_backplane(&mut bus, 0, 2)? & 0xffff);
    assert_eq!(chip.violations(), []);

    // A read of function 2, while no firmware is running.
    bus.cmd_read_blocking(command(false, 2, 0, 64), &mut [0; 16])?;
    for violation in chip.violations() {
        println!("violation: {violation}");
    }
    Ok(())
}
