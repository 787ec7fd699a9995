//! The MAC with its built-in PHY, on a model of the chip: detects the chip, waits for
//! auto-negotiation, and returns frames to their sender.
//!
//! `cargo run -p ethdev-lan9118 --example port`

use std::time::Duration;

use ethdev::{EthernetDevice, MacAddress};
use ethdev_lan8720::{Lan8720Phy, PhyConfig};
use ethdev_lan9118::{Config, Lan9118};
use ethdev_phy::EthernetPort;
use ethdev_phy::mdio::PhyAddress;
use ethdev_phy::mmio::Registers;
use ethdev_sim::{Clock, Peer, Wire, WireConfig};
use lan9118_model::{ChipConfig, Lan9118Chip, Part, SimBus};

const OWN: MacAddress = MacAddress::new([0x02, 0, 0, 0, 0, 0x91]);

/// The bus of the model. On a board, `ethdev_phy::mmio::Mmio` at the address of the chip.
struct Bus(SimBus);

impl Registers for Bus {
    fn read(&self, offset: usize) -> u32 {
        self.0.read(offset)
    }

    fn write(&self, offset: usize, value: u32) {
        self.0.write(offset, value);
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let clock = Clock::new();
    let (_wire, near, far) = Wire::new(&clock, WireConfig::default());
    let chip = Lan9118Chip::new(&clock, near, ChipConfig::new(Part::Lan9118));
    let peer = Peer::new(far);

    let config = Config::new().with_mac_address(OWN);
    let mac = Lan9118::new(Bus(chip.bus()), chip.delay(), config)?;
    println!("{:?}", mac.model());
    // The built-in PHY has MDIO address 1.
    let phy = Lan8720Phy::new(PhyAddress::from_low_bits(1), PhyConfig::new());
    let time = clock.clone();
    let mut nic = EthernetPort::new(mac, phy, move || time.now())?;
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
    let mut buf = [0; 1514];
    while let Some(meta) = nic.recv_frame(&mut buf)? {
        let (addresses, payload) = buf[..meta.len].split_at(12);
        // The parts become segments in the FIFO, which the chip joins.
        nic.send_vectored(&[&addresses[6..], &OWN.octets(), payload])?;
    }
    clock.advance(Duration::from_millis(1));
    nic.service()?;
    println!("the peer received {} replies", peer.pending());
    println!("sent {}, received {}", nic.stats().tx_frames, nic.stats().rx_frames);
    assert_eq!(chip.violations(), []);
    Ok(())
}
