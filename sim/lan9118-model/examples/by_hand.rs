//! The chip without a driver, through its bus: identifies it, switches the receiver on, and reads a
//! frame that a peer sent from the FIFO.
//!
//! `cargo run -p lan9118-model --example by_hand`

use std::time::Duration;

use ethdev_sim::{Clock, Peer, Wire, WireConfig};
use lan9118_model::{ChipConfig, Lan9118Chip, Part};

const RX_DATA: usize = 0x00;
const RX_STATUS: usize = 0x40;
const ID_REV: usize = 0x50;
const BYTE_TEST: usize = 0x64;
const HW_CFG: usize = 0x74;
const RX_FIFO_INF: usize = 0x7c;
const PMT_CTRL: usize = 0x84;
const MAC_CSR_CMD: usize = 0xa4;
const MAC_CSR_DATA: usize = 0xa8;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // On a bare wire, without the built-in PHY: its link is always up.
    let clock = Clock::new();
    let (_wire, near, far) = Wire::new(&clock, WireConfig::default());
    let chip = Lan9118Chip::on_media(near, ChipConfig::new(Part::Lan9118));
    let (bus, peer) = (chip.bus(), Peer::new(far));
    // 400 ns are longer than any access has to wait for the one before.
    let read = |offset| {
        clock.advance(Duration::from_nanos(400));
        bus.read(offset)
    };

    while read(PMT_CTRL) & 1 == 0 {} // not ready yet
    println!("ready after {:?}", clock.now());
    println!("BYTE_TEST {:#010x}, ID_REV {:#010x}", read(BYTE_TEST), read(ID_REV));

    // HW_CFG: must-be-one bit, 5 KiB of transmit FIFO. MAC_CR: full duplex, promiscuous, receiver
    // on.
    bus.write(HW_CFG, 0x0015_0000);
    bus.write(MAC_CSR_DATA, 0x0014_0004);
    bus.write(MAC_CSR_CMD, 0x8000_0001);
    while read(MAC_CSR_CMD) >> 31 != 0 {}

    peer.send(&[0x5a; 60]);
    clock.advance(Duration::from_micros(20));
    println!("{} frame in the FIFO", read(RX_FIFO_INF) >> 16);
    let len = (read(RX_STATUS) >> 16 & 0x3fff) as usize; // with FCS
    let frame: Vec<u8> = (0..len.div_ceil(4)).flat_map(|_| read(RX_DATA).to_le_bytes()).collect();
    println!("{len} bytes with FCS: {:02x?} ...", &frame[..4]);
    assert_eq!(frame[..60], [0x5a; 60]);

    // The model reports what a driver does wrong.
    assert_eq!(chip.violations(), []);
    Ok(())
}
