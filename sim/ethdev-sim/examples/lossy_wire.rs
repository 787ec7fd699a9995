//! Two stations on a wire that loses frames. What passes is captured to a file for Wireshark, and
//! every frame is accounted for.
//!
//! `cargo run -p ethdev-sim --example lossy_wire`

use std::time::Duration;

use ethdev::{EthernetDevice, MacAddress};
use ethdev_sim::{Capture, Clock, RingConfig, RingNic, Side, WireConfig, WireFaults};

const REQUESTS: u32 = 200;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let clock = Clock::new();
    // 100 Mbit/s, 1 ms long. Every decision on a loss is derived from the seed: each run is the
    // same.
    let config = WireConfig::default()
        .with_name("lossy")
        .with_latency(Duration::from_millis(1))
        .with_faults(WireFaults::NONE.with_loss(0.05))
        .with_seed(7);
    let [a, b] = [1, 2].map(|n| RingConfig::new(MacAddress::new([0x02, 0, 0, 0, 0, n])));
    let (wire, mut alice, mut bob) = RingNic::pair(&clock, config, a, b);
    let path = std::env::temp_dir().join("ethdev-lossy-wire.pcapng");
    let capture = Capture::to_file(&path)?;
    wire.capture(&capture);

    // Alice sends a request every 5 ms, Bob returns it.
    let (mut answered, mut buf) = (0, [0; 1514]);
    let (to_bob, to_alice) = (bob.mac_address().octets(), alice.mac_address().octets());
    for number in 0..REQUESTS {
        alice.send_vectored(&[&to_bob, &to_alice, &[0x88, 0xb5], &number.to_be_bytes()])?;
        let next = clock.now() + Duration::from_millis(5);
        while clock.now() < next {
            clock.advance(Duration::from_micros(100));
            while let Some(meta) = bob.recv_frame(&mut buf)? {
                bob.send_vectored(&[&to_alice, &to_bob, &buf[12..meta.len]])?;
            }
            while alice.recv_frame(&mut buf)?.is_some() {
                answered += 1;
            }
        }
    }
    capture.flush()?;

    let [requests, replies] = [Side::A, Side::B].map(|side| wire.stats(side));
    println!("{REQUESTS} requests in {:?}: {answered} answered", clock.now());
    println!("lost: {} requests, {} replies", requests.lost, replies.lost);
    assert_eq!(u64::from(REQUESTS), answered + requests.lost + replies.lost);
    println!("captured to {}", path.display());
    Ok(())
}
