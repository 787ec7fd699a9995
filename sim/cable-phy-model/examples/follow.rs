//! A PHY that follows the link of a wire, without MDIO and auto-negotiation.
//!
//! `cargo run -p cable-phy-model --example follow`

use core::convert::Infallible;

use cable_phy_model::CablePhy;
use ethdev_phy::mdio::{Mdio, PhyAddress, RegisterAddress};
use ethdev_phy::phy::{LinkModes, Phy};
use ethdev_sim::{Clock, Wire, WireConfig};

/// The driver of a MAC provides the bus; this PHY makes no access to it.
struct NoBus;

impl Mdio for NoBus {
    type Error = Infallible;

    fn read(&mut self, _: PhyAddress, _: RegisterAddress) -> Result<u16, Infallible> {
        Ok(0xffff)
    }

    fn write(&mut self, _: PhyAddress, _: RegisterAddress, _: u16) -> Result<(), Infallible> {
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let clock = Clock::new();
    let (wire, _port, _peer) = Wire::new(&clock, WireConfig::default());
    let mut phy = CablePhy::new(&wire);
    phy.start(&mut NoBus, LinkModes::ALL_MODES, clock.now())?;
    for plugged in [true, false, true] {
        wire.set_link(plugged);
        phy.poll(&mut NoBus, clock.now())?;
        println!("cable plugged: {plugged}, link {}", phy.link());
    }
    Ok(())
}
