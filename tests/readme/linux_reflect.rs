use core::time::Duration;
use ethdev::{Error, ErrorKind, EthernetDevice, Interest};
use ethdev_linux::{InterfaceError, PacketSocket};

/// Returns each frame to its sender until the interface fails.
fn reflect(name: &str) -> Result<(), InterfaceError> {
    let mut device = PacketSocket::open(name)?;
    let mut buf = vec![0; device.capabilities().rx_max_frame_len.bytes()];
    loop {
        while let Some(meta) = device.recv_frame(&mut buf)? {
            let (addresses, rest) = buf[..meta.len].split_at(12);
            match device.send_vectored(&[&addresses[6..], &device.mac_address().octets(), rest]) {
                Err(e) if e.kind() == ErrorKind::NotPresent => return Err(e),
                // Too long, queue full or link down: this frame is not returned.
                _ => {}
            }
        }
        device.wait(Interest::RX | Interest::LINK, Some(Duration::from_secs(1)))?;
    }
}

fn main() {
    // sudo setcap cap_net_raw+ep PROGRAM, or run it as root
    let name = std::env::args().nth(1).unwrap_or_else(|| "eth0".into());
    if let Err(e) = reflect(&name) {
        eprintln!("{e}");
    }
}
