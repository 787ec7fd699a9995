use core::time::Duration;
use ethdev::{EthernetDevice, Interest};
use ethdev_linux::{Tap, InterfaceError};

/// Passes received frames to `handle` until the interface fails.
fn receive(name: &str, mut handle: impl FnMut(&[u8])) -> Result<(), InterfaceError> {
    // sudo ip tuntap add dev tap0 mode tap user $USER
    // sudo ip addr add 10.0.0.1/24 dev tap0
    // sudo ip link set tap0 up
    let mut tap = Tap::open(name)?;
    let mut buf = vec![0; tap.capabilities().rx_max_frame_len.bytes()];
    loop {
        while let Some(meta) = tap.recv_frame(&mut buf)? {
            handle(&buf[..meta.len]);
        }
        tap.wait(Interest::RX | Interest::LINK, Some(Duration::from_secs(1)))?;
    }
}
