//! The callback API in front of a pull device: `Buffered` adds two buffers, `Callback` the handler,
//! which answers every frame with its payload in upper case.
//!
//! `cargo run -p ethdev-util --example callback_echo`

use ethdev::{CallbackDevice, MacAddress, RxFrame, Transmit, frame};
use ethdev_sim::{Clock, RingConfig, RingError, RingNic, WireConfig};
use ethdev_util::{Buffered, Callback};

const OWN: MacAddress = MacAddress::new([0x02, 0, 0, 0, 0, 1]);
const PEER: [u8; 6] = [0x02, 0, 0, 0, 0, 2];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Any driver. This one is simulated, with a peer at the other end of its wire.
    let clock = Clock::new();
    let (_wire, nic, peer) = RingNic::with_peer(&clock, WireConfig::default(), RingConfig::new(OWN));

    let mut requests = 0;
    // Called from `poll`, with a frame that is lent for the duration of the call.
    let mut handler = |frame: RxFrame<'_>, tx: &mut dyn Transmit<Error = RingError>| {
        let Some((header, payload)) = frame.split_at_checked(frame::HEADER_LEN) else {
            return;
        };
        let payload = payload.to_ascii_uppercase();
        let reply = [&header[6..12], &tx.mac_address().octets(), &header[12..], &payload];
        match tx.send_vectored(&reply) {
            Ok(()) => requests += 1,
            Err(e) => println!("reply dropped: {e}"), // for example while the transmit queue is full
        }
    };
    // The memory of the caller, of any length.
    let (mut rx, mut tx) = ([0; 1514], [0; 1514]);
    let mut device = Callback::new(Buffered::new(nic, &mut rx, &mut tx));
    device.set_handler(&mut handler);

    for word in ["one", "two", "three"] {
        peer.send(&[&OWN.octets()[..], &PEER, &[0x88, 0xb5], word.as_bytes()].concat());
    }
    // Until the wire is idle. A real main loop sleeps until the next interrupt instead.
    while clock.step() {
        while device.poll(16)?.more {} // at most 16 frames each
    }
    while let Some(reply) = peer.recv() {
        println!(
            "reply: {}",
            String::from_utf8_lossy(&reply[frame::HEADER_LEN..]).trim_end_matches('\0')
        );
    }
    let sent = device.stats().tx_frames;
    drop(device);
    println!("{requests} requests, {sent} replies sent");
    Ok(())
}
