//! A driver for another MAC, with a LAN8720A. The MAC is in `mac.rs`; `docs/lan8720.md` shows it.
//!
//! `cargo run -p ethdev-lan8720 --example own_mac`

#[rustfmt::skip]
#[allow(missing_docs, unreachable_pub, reason = "the file is shown in the documentation as a crate of its own")]
mod mac;

use std::collections::VecDeque;
use std::time::Duration;

use ethdev::{Duplex, EthernetDevice, MacAddress, Speed};
use ethdev_lan8720::{Lan8720, Lan8720Phy, Loopback, PhyConfig};
use ethdev_phy::mdio::{Mdio, PhyAddress, RegisterAddress};
use ethdev_phy::phy::PhyState;
use ethdev_sim::{Clock, Wire, WireConfig};
use lan8720_model::{Lan8720Chip, Partner, PhyStraps, SimMdio};
use mac::{Fifos, OwnMac};

/// Simulated hardware that receives what it sends, as with the PHY in near-end loopback. The PHY is
/// a chip model.
struct SimFifos {
    frames: VecDeque<Vec<u8>>,
    mdio: SimMdio,
    mode: (Option<Speed>, Option<Duplex>),
}

impl Fifos for SimFifos {
    fn rx_len(&mut self) -> Option<usize> {
        self.frames.front().map(Vec::len)
    }
    fn rx_read(&mut self, buf: &mut [u8]) {
        let frame = self.frames.pop_front().unwrap_or_default();
        let len = buf.len().min(frame.len());
        buf[..len].copy_from_slice(&frame[..len]);
    }
    fn tx_ready(&mut self) -> bool {
        self.frames.len() < 4
    }
    fn tx_write(&mut self, parts: &[&[u8]]) {
        let mut frame = parts.concat();
        frame.resize(frame.len().max(60), 0);
        self.frames.push_back(frame);
    }
    fn set_mode(&mut self, speed: Option<Speed>, duplex: Option<Duplex>) {
        self.mode = (speed, duplex);
    }
    fn mdio(&mut self, phy: u8, register: u8, write: Option<u16>) -> Option<u16> {
        let (phy, register) = (PhyAddress::new(phy)?, RegisterAddress::new(register)?);
        match write {
            Some(value) => self.mdio.write(phy, register, value).ok().map(|()| value),
            None => self.mdio.read(phy, register).ok(),
        }
    }
}

/// Brings the link up and sends a frame in loopback.
pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    let clock = Clock::new();
    let (_wire, port, _peer) = Wire::new(&clock, WireConfig::default());
    let chip = Lan8720Chip::with_partner(&clock, port, PhyStraps::default().with_address(1), Partner::default());
    let fifos = SimFifos {
        frames: VecDeque::new(),
        mdio: chip.mdio(),
        mode: (None, None),
    };
    let mac = OwnMac::new(fifos, MacAddress::new([2, 0, 0, 0, 0, 0x60]));
    let address = PhyAddress::new(1).ok_or("addresses are 0 to 31")?;
    let phy = Lan8720Phy::new(address, PhyConfig::new());
    let time = clock.clone();
    let mut nic = Lan8720::new(mac, phy, move || time.now())?;
    while !nic.link().is_up() {
        nic.service()?;
        clock.advance(nic.next_service().max(Duration::from_millis(1)));
    }
    println!(
        "{} at {:?}: {}",
        nic.phy().model().ok_or("no model")?,
        clock.now(),
        nic.link()
    );
    assert_eq!(nic.mac().fifos.mode, (Some(Speed::MBPS_100), Some(Duplex::Full)));

    let near = Loopback::Near(Speed::MBPS_100, Duplex::Full);
    nic.with_phy(|phy, mdio, now| phy.set_loopback(mdio, near, now))?;
    nic.service()?;
    assert_eq!(nic.phy().state(), PhyState::Loopback);
    nic.send_vectored(&[&[0xff; 6], &nic.mac_address().octets(), &[0x88, 0xb5], b"hello"])?;
    let mut buf = [0; 1514];
    let meta = nic.recv_frame(&mut buf)?.ok_or("no frame received")?;
    println!(
        "received: {} bytes, {:?}",
        meta.len,
        String::from_utf8_lossy(&buf[14..19])
    );
    Ok(())
}
