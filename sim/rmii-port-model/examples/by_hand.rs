//! The port without a driver: receives a frame with its FCS, checks it, sends it back, and misses a
//! frame for which no buffer was given.
//!
//! `cargo run -p rmii-port-model --example by_hand`

use ethdev_sim::{Clock, Peer, Wire, WireConfig, fcs};
use rmii_port_model::{RmiiPort, RmiiPortConfig};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let clock = Clock::new();
    let (_wire, near, far) = Wire::new(&clock, WireConfig::default());
    let (port, peer) = (RmiiPort::new(near, RmiiPortConfig::default()), Peer::new(far));

    // The port owns the buffer until the frame is in it.
    port.start_rx(vec![0; 1536])
        .map_err(|_| "the port is receiving already")?;
    peer.send(&[0x5a; 60]);
    peer.send(&[0xa5; 60]); // the receiver was not started again
    while clock.step() {}

    let done = port.rx_done().ok_or("no frame received")?;
    let frame = fcs::check(&done.buffer[..done.len]).ok_or("wrong FCS")?.to_vec();
    println!("{} bytes with FCS after {:?}", done.len, clock.now());

    let frame = fcs::append(&frame);
    let len = frame.len();
    port.start_tx(frame, len);
    while clock.step() {}
    port.tx_done().ok_or("the transmitter did not return its buffer")?;
    assert_eq!(peer.recv(), Some(vec![0x5a; 60]));

    let stats = port.stats();
    println!("received {}, missed without a buffer {}", stats.received, stats.unarmed);
    // The model reports what a driver does wrong.
    assert_eq!(port.violations(), []);
    Ok(())
}
