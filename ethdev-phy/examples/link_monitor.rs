//! A PHY without a MAC: finds the PHY on the MDIO bus, polls it with `GenericPhy`, and prints each
//! change of the link while the cable is unplugged and plugged again.
//!
//! `cargo run -p ethdev-phy --example link_monitor`

use core::time::Duration;

use ethdev_phy::phy::{GenericPhy, LinkModes, Phy, PhyError, PhyEvent, scan};
use ethdev_sim::{Clock, Wire, WireConfig};
use lan8720_model::{Lan8720Chip, Partner, PhyStraps};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The hardware: a PHY at MDIO address 1 and a switch at the other end of the cable. On a board,
    // `mdio` is the MDIO port of the MAC, or `mdio::BitBang` on two pins.
    let clock = Clock::new();
    let (wire, port, _other_end) = Wire::new(&clock, WireConfig::default());
    let chip = Lan8720Chip::with_partner(&clock, port, PhyStraps::default().with_address(1), Partner::default());
    let mut mdio = chip.mdio();

    let (address, id) = scan(&mut mdio).next().ok_or("no PHY found")??;
    println!("PHY {:#010x} at MDIO address {address}", id.raw());

    // The driver owns neither the bus nor a clock: both are arguments of its calls, none of which
    // waits.
    let mut phy = GenericPhy::at(address);
    phy.start(&mut mdio, LinkModes::ALL_MODES, clock.now())?;

    let unplugged = Duration::from_secs(5);
    let plugged = Duration::from_secs(7);
    let cable = wire.clone();
    clock.schedule_at(unplugged, move || cable.set_link(false));
    clock.schedule_at(plugged, move || wire.set_link(true));

    while clock.now() < Duration::from_secs(12) {
        let now = clock.now();
        match phy.poll(&mut mdio, now) {
            Ok(PhyEvent::Up(_) | PhyEvent::Down) => println!("{:5.2} s: link {}", now.as_secs_f32(), phy.link()),
            Ok(_) => {}
            // The link partner offers no common mode: another one may be connected later.
            Err(PhyError::NoCommonMode) => println!("{:5.2} s: no common mode", now.as_secs_f32()),
            Err(e) => return Err(e.into()),
        }
        // The time until the next poll. Firmware sleeps, or does something else.
        clock.advance(phy.next_poll(clock.now()));
    }
    phy.stop(&mut mdio)?;
    Ok(())
}
