//! The MAC with a LAN8720A, on models of both chips: waits for auto-negotiation, then returns
//! frames to their sender in the buffers of the DMA engine, without another copy of the received
//! frame.
//!
//! `cargo run -p ethdev-enet --example port`

use std::time::Duration;

use ethdev::{EthernetDevice, LendingDevice, MacAddress, RxHalf, TxHalf};
use ethdev_enet::{Config, Enet, Rings};
use ethdev_lan8720::{Lan8720Phy, PhyConfig};
use ethdev_phy::EthernetPort;
use ethdev_phy::dma::HostMemory;
use ethdev_phy::mdio::PhyAddress;
use ethdev_phy::mmio::Registers;
use ethdev_sim::{Clock, Peer, Wire, WireConfig};
use lan8720_model::{Lan8720Chip, Partner, PhyStraps};
use nxp_enet_model::{BusMemory, ChipConfig, EnetChip};

const OWN: MacAddress = MacAddress::new([0x02, 0, 0, 0, 0, 0x60]);

/// The registers of the model. On the chip, `ethdev_phy::mmio::Mmio` at the address of the ENET.
struct Block(EnetChip);

impl Registers for Block {
    fn read(&self, offset: usize) -> u32 {
        self.0.read(offset)
    }

    fn write(&self, offset: usize, value: u32) {
        self.0.write(offset, value);
    }
}

/// The memory that the model's DMA engine accesses.
struct Memory(HostMemory);

impl BusMemory for Memory {
    fn read(&self, address: u32, into: &mut [u8]) -> bool {
        self.0.read(address, into)
    }

    fn write(&self, address: u32, from: &[u8]) -> bool {
        self.0.write(address, from)
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let clock = Clock::new();
    let (_wire, near, far) = Wire::new(&clock, WireConfig::default());
    let phy = Lan8720Chip::with_partner(&clock, near, PhyStraps::default().with_address(1), Partner::default());
    let memory = HostMemory::new();
    let chip = EnetChip::with_phy(&phy, Memory(memory.clone()), ChipConfig::default());
    let peer = Peer::new(far);

    // Firmware has the rings in a static, and calls `Enet::new`.
    let rings: &'static mut Rings<8, 8> = Box::leak(Box::new(Rings::new()));
    let config = Config::new(OWN, 66_000_000); // the module clock in Hz, for MDC
    let mac = Enet::with_dma(Block(chip.clone()), rings, chip.delay(), memory, config)?;
    let driver = Lan8720Phy::new(PhyAddress::from_low_bits(1), PhyConfig::new());
    let time = clock.clone();
    let mut nic = EthernetPort::new(mac, driver, move || time.now())?;
    while !nic.link().is_up() {
        nic.service()?;
        clock.advance(nic.next_service().max(Duration::from_millis(1)));
        if clock.now() > Duration::from_secs(10) {
            return Err("no link within 10 s".into());
        }
    }
    println!("link {} after {:?}", nic.link(), clock.now());

    for number in 0..3u8 {
        peer.send(&[&OWN.octets()[..], &[2, 0, 0, 0, 0, 2, 0x88, 0xb5, number]].concat());
    }
    clock.advance(Duration::from_millis(1));
    let (mut rx, mut tx) = nic.split();
    while let Some(frame) = rx.peek()? {
        let (addresses, payload) = frame.split_at(12);
        tx.send_vectored(&[&addresses[6..], &OWN.octets(), payload])?;
        rx.release()?; // returns the buffer to the DMA engine
    }
    clock.advance(Duration::from_millis(1));
    nic.service()?;
    println!("the peer received {} replies", peer.pending());
    println!("sent {}, received {}", nic.stats().tx_frames, nic.stats().rx_frames);
    assert_eq!(chip.violations(), []);
    Ok(())
}
