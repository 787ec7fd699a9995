//! The blocking driver on a model of the chip: waits for the link, sends a frame to a peer on the
//! wire, receives its reply and prints the counters.
//!
//! `cargo run -p ethdev-enc28j60 --example frames`

use std::time::Duration;

use enc28j60_model::{ChipConfig, Enc28j60Chip, Revision};
use ethdev::{EthernetDevice, MacAddress, Speed};
use ethdev_enc28j60::{Config, Enc28j60};
use ethdev_sim::{Clock, Peer, Wire, WireConfig};

const OWN: MacAddress = MacAddress::new([0x02, 0, 0, 0, 0, 0x28]);
const PEER: MacAddress = MacAddress::new([0x02, 0, 0, 0, 0, 2]);
/// Local Experimental `EtherType` 1 of IEEE 802.
const ETHERTYPE: [u8; 2] = [0x88, 0xb5];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The hardware. On a board, the driver takes an `embedded_hal::spi::SpiDevice` and a `DelayNs`.
    let clock = Clock::new();
    let (_wire, near, far) = Wire::new(&clock, WireConfig::default().with_speed(Speed::MBPS_10));
    let chip = Enc28j60Chip::new(&clock, near, ChipConfig::new(Revision::B7));
    let peer = Peer::new(far);

    // Resets the chip, identifies it and sets it up.
    let mut nic = Enc28j60::new(chip.spi_device(), chip.delay(), Config::new(OWN))?;
    // The link state changes only in `service` and in transfers.
    while !nic.link().is_up() {
        nic.service()?;
        clock.advance(Duration::from_millis(1)); // firmware sleeps
        if clock.now() > Duration::from_secs(5) {
            return Err("no link within 5 s".into());
        }
    }
    println!("link {} after {:?}", nic.link(), clock.now());

    // The parts are joined while they are written to the chip, which appends padding and FCS.
    nic.send_vectored(&[&PEER.octets(), &OWN.octets(), &ETHERTYPE, b"hello"])?;
    clock.advance(Duration::from_millis(1));
    let frame = peer.recv().ok_or("the peer received no frame")?;
    println!("the peer received {} bytes", frame.len());

    let (addresses, payload) = frame.split_at(12);
    peer.send(&[&addresses[6..], &addresses[..6], payload].concat());
    clock.advance(Duration::from_millis(1));

    let mut buf = [0; 1514];
    let meta = nic.recv_frame(&mut buf)?.ok_or("no reply")?;
    println!(
        "received {} bytes: {:?}",
        meta.len,
        String::from_utf8_lossy(&buf[14..19])
    );

    nic.service()?; // counts the transmission
    for (name, value) in nic.stats().iter().filter(|(_, value)| *value > 0) {
        println!("{name}: {value}");
    }
    // The model checks that the driver follows the data sheet.
    assert_eq!(chip.violations(), []);
    Ok(())
}
