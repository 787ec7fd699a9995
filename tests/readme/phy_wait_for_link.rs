use core::time::Duration;

use ethdev::EthernetDevice;
use ethdev_phy::mdio::PhyAddress;
use ethdev_phy::phy::{GenericPhy, PhyError};
use ethdev_phy::{Error, EthernetPort, Mac};

/// Waits for the link of any MAC with any clause 22 PHY at address 1. `now` is the time since any
/// fixed moment.
fn wait_for_link<M: Mac>(mac: M, now: impl FnMut() -> Duration) -> Result<impl EthernetDevice, Error<M::Error>> {
    let phy = GenericPhy::at(PhyAddress::from_low_bits(1));
    let mut port = EthernetPort::new(mac, phy, now)?;
    while !port.link().is_up() {
        match port.service() {
            // The link partner offers no mode that the MAC supports: another one may be connected later.
            Ok(_) | Err(Error::Phy(PhyError::NoCommonMode)) => {}
            Err(e) => return Err(e),
        }
        // sleep for `port.next_service()`
    }
    Ok(port)
}
