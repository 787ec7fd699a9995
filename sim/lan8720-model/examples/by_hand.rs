//! The PHY without a driver, through MDIO: reads the identifier, waits for auto-negotiation, prints
//! the mode, and unplugs the cable.
//!
//! `cargo run -p lan8720-model --example by_hand`

use std::time::Duration;

use ethdev_phy::mdio::{Mdio, PhyAddress};
use ethdev_phy::phy::reg;
use ethdev_sim::{Clock, Wire, WireConfig};
use lan8720_model::{Lan8720Chip, Partner, PhyStraps};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let clock = Clock::new();
    let (wire, port, _peer) = Wire::new(&clock, WireConfig::default());
    let phy = Lan8720Chip::with_partner(&clock, port, PhyStraps::default().with_address(1), Partner::default());
    let mut mdio = phy.mdio();
    let address = PhyAddress::from_low_bits(1);

    let (id1, id2) = (mdio.read(address, reg::PHYID1)?, mdio.read(address, reg::PHYID2)?);
    println!("identifier {id1:04x} {id2:04x} after {:?}", clock.now()); // a frame takes 25.6 µs

    // BMSR: auto-negotiation complete (bit 5) and link up (bit 2).
    while mdio.read(address, reg::BMSR)? & 0x0024 != 0x0024 {
        clock.advance(Duration::from_millis(10));
    }
    println!("link up after {:?}: {}", clock.now(), wire.link());
    println!("partner advertises {:#06x}", mdio.read(address, reg::ANLPAR)?);

    wire.set_link(false);
    clock.advance(Duration::from_millis(10));
    wire.set_link(true);
    clock.advance(Duration::from_secs(3));
    // The link bit latches low: the first read reports the loss, the second one the present.
    let [first, second] = [mdio.read(address, reg::BMSR)?, mdio.read(address, reg::BMSR)?];
    println!("BMSR {first:#06x}, then {second:#06x}");

    // The model reports what a driver does wrong.
    assert_eq!(phy.violations(), []);
    Ok(())
}
