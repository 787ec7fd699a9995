use core::time::Duration;

use ethdev::{Error, ErrorKind, EthernetDevice};
use ethdev_lan8720::{Lan8720, Lan8720Phy, PhyConfig};
use ethdev_phy::Mac;
use ethdev_phy::mdio::PhyAddress;

/// Returns every received frame to its sender. `now` is the time since any fixed moment.
fn reflect<M: Mac>(mac: M, now: impl FnMut() -> Duration) -> Result<(), ethdev_phy::Error<M::Error>> {
    // Most boards strap the PHY to address 1.
    let phy = Lan8720Phy::new(PhyAddress::from_low_bits(1), PhyConfig::new());
    let mut nic = Lan8720::new(mac, phy, now)?;
    let mut buf = [0; 1514];
    loop {
        match nic.recv_frame(&mut buf)? {
            Some(meta) if nic.tx_ready()? => {
                let (addresses, payload) = buf[..meta.len].split_at(12);
                nic.send_vectored(&[&addresses[6..], &nic.mac_address().octets(), payload])?;
            }
            Some(_) => {} // queue full, or no link: this frame is not reflected
            None => match nic.service() {
                // A hub, for example, with a MAC that supports full duplex only.
                Err(e) if e.kind() == ErrorKind::LinkDown => {}
                other => drop(other?),
            },
        }
    }
}
