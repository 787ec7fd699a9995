//! The MAC without a driver, through its registers and descriptors in memory: receives a frame from
//! a peer and sends it back.
//!
//! `cargo run -p nxp-enet-model --example by_hand`

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use ethdev_sim::{Clock, Peer, Wire, WireConfig};
use nxp_enet_model::{BusMemory, ChipConfig, EnetChip};

/// 16 KiB at address 0, as the DMA engine accesses them.
#[derive(Clone)]
struct Ram(Rc<RefCell<Vec<u8>>>);

impl BusMemory for Ram {
    fn read(&self, address: u32, into: &mut [u8]) -> bool {
        let start = address as usize;
        let memory = self.0.borrow();
        let Some(from) = memory.get(start..start + into.len()) else {
            return false;
        };
        into.copy_from_slice(from);
        true
    }

    fn write(&self, address: u32, from: &[u8]) -> bool {
        let start = address as usize;
        let mut memory = self.0.borrow_mut();
        let Some(into) = memory.get_mut(start..start + from.len()) else {
            return false;
        };
        into.copy_from_slice(from);
        true
    }
}

const RX_RING: u32 = 0x0000;
const TX_RING: u32 = 0x0100;
const RX_BUFFER: u32 = 0x1000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let clock = Clock::new();
    let (_wire, near, far) = Wire::new(&clock, WireConfig::default());
    let ram = Ram(Rc::new(RefCell::new(vec![0; 0x4000])));
    let chip = EnetChip::new(near, ram.clone(), ChipConfig::default());
    let peer = Peer::new(far);

    // One descriptor in each ring: length, flags, address of the buffer. 0xa000: empty, last one
    // (wrap).
    let descriptor = |len: u16, flags: u16, buffer: u32| {
        [&len.to_le_bytes()[..], &flags.to_le_bytes(), &buffer.to_le_bytes()].concat()
    };
    ram.write(RX_RING, &descriptor(0, 0xa000, RX_BUFFER));
    // RCR: RMII, promiscuous; TCR: full duplex; RDSR, TDSR, MRBR; ECR: enabled, little-endian;
    // RDAR.
    let setup = [
        (0x84, 0x05ee_010c),
        (0xc4, 4),
        (0x180, RX_RING),
        (0x184, TX_RING),
        (0x188, 1536),
        (0x24, 0x102),
        (0x10, 1 << 24),
    ];
    for (register, value) in setup {
        chip.write(register, value);
    }

    peer.send(&[0x5a; 60]);
    clock.advance(Duration::from_micros(20));
    let mut closed = [0; 4];
    ram.read(RX_RING, &mut closed);
    let len = u16::from_le_bytes([closed[0], closed[1]]);
    println!(
        "received {len} bytes with FCS, flags {:#06x}",
        u16::from_le_bytes([closed[2], closed[3]])
    );

    // The same buffer, without the FCS. 0xac00: ready, wrap, last, append the FCS. Then TDAR.
    ram.write(TX_RING, &descriptor(len - 4, 0xac00, RX_BUFFER));
    chip.write(0x14, 1 << 24);
    clock.advance(Duration::from_micros(20));
    println!("EIR {:#010x}", chip.read(0x04));
    assert_eq!(peer.recv(), Some(vec![0x5a; 60]));
    println!("the peer received its frame");
    // The model reports what a driver does wrong.
    assert_eq!(chip.violations(), []);
    Ok(())
}
