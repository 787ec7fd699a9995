//! The chip without a driver, through its SPI bus: reads the revision, sets up the receiver, and
//! reads a frame that a peer sent.
//!
//! `cargo run -p enc28j60-model --example by_hand`

use std::time::Duration;

use embedded_hal::spi::{Operation, SpiDevice};
use enc28j60_model::{ChipConfig, Enc28j60Chip, Revision};
use ethdev::Speed;
use ethdev_sim::{Clock, Peer, Wire, WireConfig};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let clock = Clock::new();
    let (_wire, near, far) = Wire::new(&clock, WireConfig::default().with_speed(Speed::MBPS_10));
    let chip = Enc28j60Chip::new(
        &clock,
        near,
        ChipConfig::new(Revision::B7).with_cs_hold(Duration::from_nanos(250)),
    );
    let peer = Peer::new(far);
    let mut spi = chip.spi_device();

    // ESTAT.CLKRDY; then EREVID, in bank 3. Every access takes its time on the simulated clock.
    let mut byte = [0];
    while byte[0] & 0x01 == 0 {
        spi.transaction(&mut [Operation::Write(&[0x1d]), Operation::Read(&mut byte)])?;
    }
    spi.write(&[0x9f, 0x03])?;
    spi.transaction(&mut [Operation::Write(&[0x12]), Operation::Read(&mut byte)])?;
    println!("ready after {:?}, EREVID {:#04x}", clock.now(), byte[0]);

    // Bank 0: ERXST 0, ERXND and ERXRDPT 0x19ff, ERDPT 0. Bank 1: ERXFCON 0, promiscuous.
    spi.write(&[0xbf, 0x03])?;
    for (register, value) in [(0x08, 0x0000_u16), (0x0a, 0x19ff), (0x0c, 0x19ff), (0x00, 0x0000)] {
        let [low, high] = value.to_le_bytes();
        spi.write(&[0x40 | register, low])?;
        spi.write(&[0x40 | (register + 1), high])?;
    }
    spi.write(&[0x9f, 0x01])?;
    spi.write(&[0x58, 0x00])?;
    // Bank 2: MACON1.MARXEN, MACON3 padding and FCS, MAMXFL 1518. Then ECON1.RXEN.
    spi.write(&[0xbf, 0x03])?;
    spi.write(&[0x9f, 0x02])?;
    for (register, value) in [(0x00, 0x0d), (0x02, 0x32), (0x0a, 0xee), (0x0b, 0x05)] {
        spi.write(&[0x40 | register, value])?;
    }
    spi.write(&[0x9f, 0x04])?;
    clock.advance(Duration::from_millis(25)); // the link comes up

    peer.send(&[0x5a; 60]);
    clock.advance(Duration::from_millis(1));
    // RBM: next packet pointer, length with FCS and status, then the frame.
    let (mut header, mut frame) = ([0; 6], [0; 60]);
    spi.transaction(&mut [
        Operation::Write(&[0x3a]),
        Operation::Read(&mut header),
        Operation::Read(&mut frame),
    ])?;
    println!(
        "header {header:02x?}, {} bytes with FCS",
        u16::from_le_bytes([header[2], header[3]])
    );
    assert_eq!(frame, [0x5a; 60]);

    println!("received {}", chip.stats().received);
    // The model reports what a driver does wrong.
    assert_eq!(chip.violations(), []);
    Ok(())
}
