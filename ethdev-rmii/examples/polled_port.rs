//! The MAC in software on a model of an RMII port, polled, with a LAN8720A: waits for
//! auto-negotiation, receives a frame and returns it to its sender. The two ports are what a board
//! has to implement.
//!
//! `cargo run -p ethdev-rmii --example polled_port`

use std::time::Duration;

use ethdev::{ErrorKind, EthernetDevice, MacAddress};
use ethdev_lan8720::{Lan8720, Lan8720Phy, PhyConfig};
use ethdev_phy::mdio::PhyAddress;
use ethdev_rmii::{Received, RxPort, SoftMac, TxPort};
use ethdev_sim::{Clock, Peer, Wire, WireConfig};
use lan8720_model::{Lan8720Chip, Partner, PhyStraps};
use rmii_port_model::{RmiiPort, RmiiPortConfig};

const OWN: MacAddress = MacAddress::new([0x02, 0, 0, 0, 0, 0x87]);
type Buffer = Box<[u8]>; // `&'static mut [u8; 1536]` in firmware

/// The receiver: takes one frame into one buffer and stops.
struct Rx(RmiiPort<Buffer>);

impl RxPort for Rx {
    type Buffer = Buffer;
    type Error = ErrorKind;

    fn depth(&self) -> usize {
        1
    }
    fn has_capacity(&mut self) -> bool {
        !self.0.is_receiving() && !self.0.is_rx_done()
    }
    fn start(&mut self, buffer: Buffer) -> Result<(), Buffer> {
        if self.has_capacity() {
            self.0.start_rx(buffer)
        } else {
            Err(buffer)
        }
    }
    fn done(&mut self) -> Result<Option<Received<Buffer>>, ErrorKind> {
        Ok(self.0.rx_done().map(|done| Received::new(done.buffer, done.len)))
    }
    fn stop(&mut self) -> Option<Buffer> {
        self.0.rx_done().map(|done| done.buffer).or_else(|| self.0.stop_rx())
    }
}

/// The transmitter: sends preamble, delimiter and the bytes of one buffer.
struct Tx(RmiiPort<Buffer>);

impl TxPort for Tx {
    type Buffer = Buffer;
    type Error = ErrorKind;

    fn depth(&self) -> usize {
        1
    }
    fn has_capacity(&mut self) -> bool {
        !self.0.is_sending()
    }
    fn start(&mut self, buffer: Buffer, len: usize) -> Result<(), Buffer> {
        if self.0.is_sending() {
            return Err(buffer);
        }
        self.0.start_tx(buffer, len);
        Ok(())
    }
    fn done(&mut self) -> Result<Option<Buffer>, ErrorKind> {
        Ok(self.0.tx_done())
    }
    fn abort(&mut self) -> Option<Buffer> {
        self.0.abort_tx();
        self.0.tx_done()
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let clock = Clock::new();
    let (_wire, near, far) = Wire::new(&clock, WireConfig::default());
    let chip = Lan8720Chip::with_partner(&clock, near, PhyStraps::default().with_address(1), Partner::default());
    let hardware = RmiiPort::new(chip.rmii(), RmiiPortConfig::default());
    let peer = Peer::new(far);

    let [now, port_now] = [clock.clone(), clock.clone()].map(|clock| move || clock.now());
    let buffer = || vec![0; 1536].into_boxed_slice();
    let ports = (Rx(hardware.clone()), Tx(hardware.clone()));
    // Two receive buffers are the minimum: the port gets the second before the first is checked.
    let mac = SoftMac::new(ports, chip.mdio(), now, OWN, [buffer(), buffer()], [buffer()])?;
    let phy = Lan8720Phy::new(PhyAddress::from_low_bits(1), PhyConfig::new());
    let mut nic = Lan8720::new(mac, phy, port_now)?;
    while !nic.link().is_up() {
        nic.service()?;
        clock.advance(nic.next_service().max(Duration::from_millis(1)));
        if clock.now() > Duration::from_secs(10) {
            return Err("no link within 10 s".into());
        }
    }
    println!("link {} after {:?}", nic.link(), clock.now());

    peer.send(&[&OWN.octets()[..], &[2, 0, 0, 0, 0, 2, 0x88, 0xb5], b"hello"].concat());
    clock.advance(Duration::from_millis(1));
    let mut buf = [0; 1514];
    let meta = nic.recv_frame(&mut buf)?.ok_or("no frame received")?;
    let (addresses, payload) = buf[..meta.len].split_at(12);
    nic.send_vectored(&[&addresses[6..], &OWN.octets(), payload])?; // the driver appends the FCS
    clock.advance(Duration::from_millis(1));
    let reply = peer.recv().ok_or("no reply")?;
    println!(
        "the peer received {} bytes: {:?}",
        reply.len(),
        String::from_utf8_lossy(&reply[14..19])
    );
    assert_eq!(hardware.violations(), []);
    Ok(())
}
