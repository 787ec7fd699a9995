//! Opens a TAP interface and returns every frame to its sender, until it is stopped by Ctrl-C.
//!
//! As root: `cargo run -p ethdev-linux --example tap_echo [INTERFACE]`. As a user:
//!
//! `cargo build -p ethdev-linux --example tap_echo && sudo target/debug/examples/tap_echo`

#[cfg(target_os = "linux")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    use core::time::Duration;

    use ethdev::{Error, ErrorKind, EthernetDevice, Interest};
    use ethdev_linux::{Tap, TapConfig};

    let name = std::env::args().nth(1).unwrap_or_else(|| "tap0".into());
    // Creating an interface and setting it up requires CAP_NET_ADMIN. `Tap::open` opens one that exists
    // and belongs to the user without it.
    let mut tap = match Tap::with_config(TapConfig::new(name.as_str()).with_create(true).with_up(true)) {
        Ok(tap) => tap,
        Err(e) if e.kind() == ErrorKind::PermissionDenied => {
            return Err(format!("cannot create {name}, which requires root (CAP_NET_ADMIN): {e}").into());
        }
        Err(e) => return Err(e.into()),
    };
    println!("{}: link {}, MAC address {}", tap.name(), tap.link(), tap.mac_address());

    // One byte longer than the longest frame: see "System calls" in the README.
    let mut buf = vec![0; tap.capabilities().rx_max_frame_len.bytes() + 1];
    loop {
        while let Some(meta) = tap.recv_frame(&mut buf)? {
            println!("{} bytes", meta.len);
            let (addresses, payload) = buf[..meta.len].split_at(12);
            match tap.send_vectored(&[&addresses[6..], &tap.mac_address().octets(), payload]) {
                Ok(()) => {}
                // The queue is full or the link is down: this frame is not returned.
                Err(e) if e.kind().is_transient() => println!("not returned: {e}"),
                Err(e) => return Err(e.into()),
            }
        }
        tap.wait(Interest::RX | Interest::LINK, Some(Duration::from_secs(60)))?;
    }
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("TAP interfaces exist on Linux only");
}
