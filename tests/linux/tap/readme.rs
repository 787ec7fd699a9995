//! The example of the README.

include!("../../readme/linux_receive.rs");

use std::net::UdpSocket;
use std::sync::mpsc;

use ethdev::{Error, ErrorKind};

use crate::testbed::*;

#[test]
fn receive_is_in_readme() {
    assert!(include_str!("../../../ethdev-linux/README.md").contains(include_str!("../../readme/linux_receive.rs")));
}

#[test]
fn receive_passes_frames_until_the_interface_is_deleted() {
    in_namespace(|| {
        ip("tuntap add dev tap0 mode tap");
        ip("addr add 10.99.0.1/24 dev tap0");
        ip("link set tap0 up");
        // The kernel takes up to a second to notice the carrier, and drops datagrams before that.
        let (deleted, is_deleted) = mpsc::channel::<()>();
        let sender = after_delay(move || {
            let socket = UdpSocket::bind("10.99.0.1:0").expect("no socket");
            socket.set_broadcast(true).expect("no broadcasts");
            let interval = Duration::from_millis(20);
            while is_deleted.recv_timeout(interval) == Err(mpsc::RecvTimeoutError::Timeout) {
                let _ = socket.send_to(b"hello", "10.99.0.255:7");
            }
        });
        let mut frames = Vec::new();
        let error = receive("tap0", |frame| {
            if frames.is_empty() {
                ip("link delete tap0");
            }
            frames.push(frame.to_vec());
        });
        let error = error.expect_err("the interface was deleted");
        assert_eq!(error.kind(), ErrorKind::NotPresent, "{error}");
        drop(deleted);
        sender.join().expect("the sender failed");
        assert_eq!((&frames[0][..6], &frames[0][42..]), (&[0xff; 6][..], &b"hello"[..]));
    });
}
